"""The pages of jobs: one's last ones, how one is getting on, and what became of each registration in it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from accounts import kept_forms
from accounts.requests import signed_in
from accounts.sessions import in_background
from registrations import bulk, bulk_pages, export_job_pages, export_jobs
from registrations.jobs import TO_GO_ON, Job, Outcome, State

SECONDS = 5  # after which a page without its script asks again
ROWS_PER_PAGE = 100
LISTED = 20
# What is said when a job is stopped, and when it is taken up again.
STEPS = {
    bulk.KIND: (
        "已停止。已经办好的不会撤销，其余的没有处理。",
        "已重新交给后台，会从停下的地方继续。",
    ),
    export_jobs.KIND: ("已停止，没有生成文件。", "已重新交给后台，会从头再做。"),
}
GROUPS = {
    Outcome.REFUSED: "没有办成",
    Outcome.UNFIT: "确认前就不能办",
    Outcome.DONE: "已办",
    Outcome.WAITING: "还没有处理",
}


@dataclass(frozen=True)
class Group:
    """The rows of one outcome."""

    outcome: Outcome
    label: str
    count: int


def urls(desk: ModelAdmin[Any]) -> list[URLPattern]:
    """For get_urls() of the desk, whose door is in front of each."""

    def page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def inner(request: HttpRequest, **where: Any) -> HttpResponseBase:
            context = {**desk.admin_site.each_context(request), "opts": desk.opts}
            return view(request, context=context, **where)

        return desk.admin_site.admin_view(inner)

    name = "registrations_registration"
    return [
        path("bulk/<slug:code>/", page(bulk_pages.choose), name=f"{name}_bulk"),
        path("jobs/", page(own_list), name=f"{name}_jobs"),
        path("jobs/<uuid:public_id>/", page(job), name=f"{name}_job"),
        path("jobs/<uuid:public_id>/progress/", page(progress), name=f"{name}_job_progress"),
        path("jobs/<uuid:public_id>/file/", page(export_job_pages.fetch), name=f"{name}_job_file"),
    ]


def find(request: HttpRequest, public_id: Any) -> Job:
    """A stranger's job does not exist."""
    visible = Job.objects.visible_to(signed_in(request)).select_related("plan", "owner")
    return get_object_or_404(visible, public_id=public_id)


@require_safe
def own_list(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """One's last jobs, the newest first."""
    user = signed_in(request)
    found = Job.objects.visible_to(user).filter(owner=user).select_related("plan")[:LISTED]
    context |= {"title": "我的批量处理和导出", "jobs": found}
    return TemplateResponse(request, "admin/registrations/registration/jobs.html", context)


@kept_forms.form_page
def job(request: HttpRequest, public_id: Any, context: dict[str, Any]) -> HttpResponse:
    """The question while it waits for its answer; then how it is getting on."""
    found = find(request, public_id)
    if request.method == "POST" and "step" in request.POST:
        return take_step(request, found)
    if found.kind == export_jobs.KIND:
        return export_job_pages.page(request, found, context)
    if found.state == State.ASKED:
        return bulk_pages.question(request, found, context)
    if request.method == "POST":  # the question's form, sent once more
        messages.info(request, bulk_pages.ALREADY)
        return redirect(found)
    return progress_page(request, found, context)


def progress_page(request: HttpRequest, found: Job, context: dict[str, Any]) -> HttpResponse:
    groups = groups_of(found)
    shown = next((group for group in groups if group.outcome == request.GET.get("show")), groups[0] if groups else None)
    rows = found.rows.filter(outcome=shown.outcome if shown else "").select_related("registration__occupation")
    context |= {
        "title": found.title,
        "job": found,
        "groups": groups,
        "shown": shown,
        "page": Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page")),
        "own": found.owner_id == signed_in(request).pk,
        "seconds": SECONDS,
        "back": bulk_pages.way_back(found),
    }
    return TemplateResponse(request, "admin/registrations/registration/job.html", context)


def groups_of(found: Job) -> list[Group]:
    """What went wrong first; what is empty is left out."""
    counted = dict(found.rows.order_by().values_list("outcome").annotate(Count("pk")))
    return [Group(outcome, label, counted[outcome]) for outcome, label in GROUPS.items() if counted.get(outcome)]


def take_step(request: HttpRequest, found: Job) -> HttpResponse:
    """Stop it, or give it to the worker once more: its owner alone does that."""
    if found.owner_id != signed_in(request).pk:
        raise PermissionDenied
    stopped, again = STEPS[found.kind]
    if request.POST["step"] == "stop":
        if found.stop():
            messages.info(request, stopped)
    elif found.may_go_on and found.hand_over(*TO_GO_ON):
        messages.info(request, again)
    return redirect(found)


@in_background
@require_safe
def progress(request: HttpRequest, public_id: Any, context: dict[str, Any]) -> JsonResponse:
    """For the page's script: figures, and nobody's name."""
    found = find(request, public_id)
    return JsonResponse(
        {
            "alive": found.is_alive,
            "state": found.get_state_display(),
            "total": found.total,
            "done": found.done,
            "refused": found.refused,
            "percent": found.percent,
            "silent": found.silent,
        }
    )
