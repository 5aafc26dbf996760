"""The pages on which a committee takes its list away: GET shows the form, POST answers with the file, or with a job."""

import tempfile
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts import kept_forms, limits
from accounts.audit import record
from accounts.models import User
from accounts.requests import signed_in
from accounts.verbs import Verb
from plans.models import Plan, Role
from registrations import columns, export_jobs, export_templates, exports, photo_archive, writers
from registrations.export_forms import ExportForm, NarrowingForm, PhotosForm
from registrations.export_jobs import FULL, MASKED, TooMany
from registrations.jobs import State
from registrations.photo_archive import Packed
from registrations.queue import QueueFilter

PAGES = {"export": "导出名单", "export_photos": "导出证件照", "export_sheet": "填自己的表格"}
NOBODY = "按这些条件没有报名，没有导出。请换一个状态、职业（工种）或参赛组别。"
AWAY = "照片暂时读不到，没有导出。请过几分钟再试；如果仍然不行，请联系运营人员。"
TYPES = {**writers.TYPES, "zip": "application/zip"}


def exportable(user: User) -> list[Plan]:
    """The plans whose list this person may take away: a viewer may look, not carry off."""
    plans = Plan.objects.reviewable_by(user)
    if user.is_superuser:
        return list(plans)
    return list(plans.filter(members__user=user, members__role__in=[Role.REVIEWER, Role.MANAGER]))


def choose(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Which plan's list."""
    context |= {"title": "导出名单", "plans": exportable(signed_in(request))}
    return TemplateResponse(request, "admin/registrations/registration/export_plans.html", context)


def find_plan(user: User, code: str) -> Plan:
    """A stranger's plan does not exist; a viewer may look, not carry off."""
    plan: Plan = get_object_or_404(Plan.objects.reviewable_by(user), code=code)
    if not plan.has_member(user, Role.REVIEWER, Role.MANAGER):
        raise PermissionDenied
    return plan


def carried_over(plan: Plan, asked: QueryDict) -> dict[str, Any]:
    """The queue's filter, where its page leads here; without one, everything."""
    if "status" not in asked:
        return {}
    wanted = QueueFilter.read(plan, asked)
    return {"status": wanted.status or "", "occupation": wanted.occupation or "", "division": wanted.division}


def address(plan: Plan, page: str = "export") -> str:
    return reverse(f"admin:registrations_registration_{page}", args=[plan.code])


def shown(request: HttpRequest, plan: Plan, page: str, form: NarrowingForm, context: dict[str, Any]) -> HttpResponse:
    """The form of one of the three ways, with links to the other two that keep the filter."""
    kept_forms.restore(request, form)
    query = QueueFilter.read(plan, request.GET).query_string() if "status" in request.GET else ""
    ways = [(f"{address(plan, name)}{'?' if query else ''}{query}", word, name == page) for name, word in PAGES.items()]
    context |= {
        "title": f"{PAGES[page]}：{plan.title}",
        "form": form,
        "plan": plan,
        "ways": ways,
        "carried": f"&{query}" if query else "",
    }
    return TemplateResponse(request, f"admin/registrations/registration/{page}.html", context)


def in_background(request: HttpRequest, plan: Plan, what: str, form: NarrowingForm) -> HttpResponse | None:
    """The job's page; or None, and the form says why not."""
    arguments = form.arguments(request.get_full_path())
    try:
        with transaction.atomic():
            job, _ = export_jobs.ask(signed_in(request), plan, form.job_key, what, arguments)
            job.hand_over(State.ASKED)
    except TooMany as problem:
        form.add_error(None, str(problem))
        return None
    return redirect(job)


def somebody(plan: Plan, form: NarrowingForm) -> bool:
    """Whether there is anybody to take away; else the form says so."""
    found = form.narrowing.apply(exports.listed(plan)).exists()
    if not found:
        form.add_error(None, NOBODY)
    return found


def many(plan: Plan, what: str, form: NarrowingForm) -> bool:
    at_once = export_jobs.WHATS[what].at_once
    return form.narrowing.apply(exports.listed(plan))[at_once : at_once + 1].exists()


# The list -----------------------------------------------------------------------------------------------------------


def export(request: HttpRequest, code: str, context: dict[str, Any]) -> HttpResponseBase:
    user = signed_in(request)
    plan = find_plan(user, code)
    form = ExportForm(
        plan, plan.has_member(user, Role.MANAGER), request.POST or None, initial=initial(plan, request.GET)
    )
    if form.is_valid():
        if form.keeps_template:
            return keep_template(request, plan, form)
        if somebody(plan, form) and (answered := list_of(request, plan, form)):
            return answered
    context["templates"] = plan.export_templates.all()
    return shown(request, plan, "export", form, context)


def list_of(request: HttpRequest, plan: Plan, form: ExportForm) -> HttpResponseBase | None:
    """The file, or the job that makes it; None where the form says why not."""
    user = signed_in(request)
    limits.EXPORT.claim(user)
    return in_background(request, plan, "list", form) if many(plan, "list", form) else answer(user, plan, form)


def initial(plan: Plan, asked: QueryDict) -> dict[str, Any]:
    """The filter of the queue and the columns of a template, where the address names them. Another plan's is none."""
    found = carried_over(plan, asked)
    if asked.get("columns") == "none":
        return found | {f"place_{key}": None for key in columns.COLUMNS}
    pk = asked.get("template", "")
    if pk.isascii() and pk.isdigit() and len(pk) < 19:
        template = get_object_or_404(plan.export_templates, pk=pk)
        found |= {**template.initial(), "keep_as": template.name}
    return found


def keep_template(request: HttpRequest, plan: Plan, form: ExportForm) -> HttpResponse:
    asked = form.cleaned_data
    kept = export_templates.keep(plan, asked["keep_as"], asked["columns"], asked["format"])
    record(signed_in(request), Verb.PLAN_CHANGED, plan, detail="export template")
    messages.success(request, f"已保存模板“{kept.name}”。这个竞赛计划的审核和管理成员都可以用。")
    query = request.GET.copy()
    query["template"] = str(kept.pk)
    return redirect(f"{address(plan)}?{query.urlencode()}")


def answer(user: User, plan: Plan, form: ExportForm) -> HttpResponseBase:
    """The file, complete and with its line in the record before the first byte leaves."""
    asked, reason = form.cleaned_data, form.reason
    kind = asked["format"]
    wanted = columns.columns_for(asked["columns"], full_numbers=bool(reason))
    about = writers.About(str(plan), form.narrowing.words(plan), str(user), FULL if reason else MASKED)
    out = tempfile.TemporaryFile()  # noqa: SIM115  (without a name: gone with the answer, also when the process is killed)
    try:
        rows = exports.rows_of(form.narrowing.apply(exports.listed(plan)), wanted)
        written = writers.WRITERS[kind](out, wanted, rows, about)
        record(user, Verb.LIST_EXPORTED, plan, detail=exports.audit_detail(plan, written, kind, reason))
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return attached(out, export_jobs.file_name(plan, "报名名单", kind))


def attached(content: Any, name: str) -> FileResponse:
    headers = {"X-Content-Type-Options": "nosniff"}
    kind = TYPES[name.rpartition(".")[2]]
    return FileResponse(content, as_attachment=True, filename=name, content_type=kind, headers=headers)


# The photos ---------------------------------------------------------------------------------------------------------


def photos(request: HttpRequest, code: str, context: dict[str, Any]) -> HttpResponseBase:
    user = signed_in(request)
    plan = find_plan(user, code)
    form = PhotosForm(
        plan, plan.has_member(user, Role.MANAGER), request.POST or None, initial=carried_over(plan, request.GET)
    )
    if form.is_valid() and somebody(plan, form) and (answered := photos_of(request, plan, form)):
        return answered
    return shown(request, plan, "export_photos", form, context)


def photos_of(request: HttpRequest, plan: Plan, form: PhotosForm) -> HttpResponseBase | None:
    user = signed_in(request)
    limits.EXPORT.claim(user)
    return in_background(request, plan, "photos", form) if many(plan, "photos", form) else pack(user, plan, form)


def pack(user: User, plan: Plan, form: PhotosForm) -> HttpResponseBase | None:
    """The archive, complete and with its line in the record; None where the storage is away, and the form says so."""
    out = tempfile.TemporaryFile()  # noqa: SIM115  (as above)
    try:
        packed = photo_archive.write(
            out, form.narrowing.apply(exports.listed(plan)), form.cleaned_data["pattern"], idle
        )
        detail = exports.audit_detail(plan, packed.photos, "photos", form.reason)
        record(user, Verb.PHOTOS_EXPORTED, plan, detail=detail)
    except OSError:
        out.close()
        export_jobs.logger.exception("the photos of %s could not be packed", plan.code)
        form.add_error(None, AWAY)
        return None
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return attached(out, export_jobs.file_name(plan, "证件照", "zip"))


def idle(packed: Packed) -> None:
    """Nobody watches what is done before the answer."""
