"""The committee's way into a bulk decision: what was chosen becomes a question, and its confirmation a job."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import kept_forms, limits
from accounts.models import User
from accounts.requests import signed_in
from plans.models import Plan, Role
from registrations import bulk, jobs, reason_pages
from registrations.bulk import ACTIONS, AT_ONCE, Decision, TooMany
from registrations.decisions import DecisionForm
from registrations.jobs import Job, Outcome, State
from registrations.models import Registration
from registrations.queue import QueueFilter
from registrations.workflow import Action

SHOWN = 20
NOTHING_CHOSEN = "没有选中任何报名。请先在列表里勾选，或选择全部符合筛选条件的。"
NO_ACTION = "没有选择要做什么。请选择通过、退回或不通过。"
ALREADY = "这次批量处理已经确认过，没有再做一遍。"


@require_POST
def choose(request: HttpRequest, code: str, context: dict[str, Any]) -> HttpResponse:
    """What the queue sends: the plan's registrations that were ticked, or all of a filter. Leads to the question."""
    user = signed_in(request)
    plan = get_object_or_404(Plan.objects.reviewable_by(user), code=code)
    may_decide(user, plan)
    wanted = QueueFilter.read(plan, QueryDict(request.POST.get("filter", "")))
    back = queue_page(plan, wanted)
    action = next((known for known in ACTIONS if known == request.POST.get("action")), None)
    if action is None:
        messages.error(request, NO_ACTION)
        return redirect(back)
    return put_question(request, plan, action, chosen(request, user, plan, wanted), back)


def queue_page(plan: Plan, wanted: QueueFilter) -> str:
    return f"{reverse('admin:registrations_registration_queue', args=[plan.code])}?{wanted.query_string()}"


def may_decide(user: User, plan: Plan) -> None:
    if not plan.has_member(user, Role.REVIEWER, Role.MANAGER):
        raise PermissionDenied


def chosen(request: HttpRequest, user: User, plan: Plan, wanted: QueueFilter) -> QuerySet[Registration]:
    found = Registration.objects.reviewable_by(user).filter(plan=plan)
    if request.POST.get("everything"):
        return wanted.apply(found)
    ticked = {int(pk) for pk in request.POST.getlist("_selected_action") if pk.isascii() and pk.isdigit()}
    return found.filter(pk__in=[pk for pk in ticked if pk < 2**63]).order_by("submitted_at", "pk")


def put_question(
    request: HttpRequest, plan: Plan, action: Action, registrations: QuerySet[Registration], back: str
) -> HttpResponse:
    """Keep what was chosen as it is now, and show the question; or go back with a sentence."""
    user = signed_in(request)
    limits.BULK.claim(user)
    try:
        with transaction.atomic():
            job = bulk.ask(user, plan, action, registrations, back)
            if not job.rows.exists():
                raise TooFew
    except (TooMany, TooFew) as problem:
        messages.error(request, str(problem))
        return redirect(back)
    return redirect(job)


class TooFew(Exception):
    """Nothing was chosen."""

    def __init__(self) -> None:
        super().__init__(NOTHING_CHOSEN)


# The question -------------------------------------------------------------------------------------------------------


def question(request: HttpRequest, job: Job, context: dict[str, Any]) -> HttpResponse:
    """GET asks; POST with a form that is right confirms."""
    action = Decision.of(job).action
    fit = job.rows.filter(outcome=Outcome.WAITING).select_related("registration__occupation", "registration__plan")
    shown = list(fit[:SHOWN])
    form = DecisionForm(
        action,
        request.POST or None,
        initial={"versions": DecisionForm.seal_of({})},
        registrations=[row.registration for row in shown],  # the plan's reasons are offered
    )
    if form.is_valid():
        return confirm(request, job, form)
    kept_forms.restore(request, form)
    unfit = job.rows.filter(outcome=Outcome.UNFIT).select_related("registration")
    left_out = job.rows.filter(outcome=Outcome.UNFIT).count()
    context |= {
        "title": job.title,
        "form": form,
        "job": job,
        "fit": shown,
        "reasons_url": reason_pages.address_for(signed_in(request), job.plan),
        "unfit": unfit[:SHOWN],
        "left_out": left_out,
        "more": max(job.total - SHOWN, 0),
        "more_left_out": max(left_out - SHOWN, 0),
        "at_once": job.total <= AT_ONCE,
        "back": way_back(job),
    }
    return TemplateResponse(request, "admin/registrations/registration/bulk.html", context)


def way_back(job: Job) -> str:
    return job.arguments["back"]


def confirm(request: HttpRequest, job: Job, form: DecisionForm) -> HttpResponse:
    """Once: whoever presses twice comes to the same job."""
    may_decide(signed_in(request), job.plan)
    decision = Decision(form.action, form.cleaned_data["note"], tuple(form.items()), form.whole)
    arguments = {**job.arguments, **decision.arguments()}
    if not job.total:
        messages.error(request, "这些报名现在都不能这样处理，什么也没有做。")
    elif job.total > AT_ONCE:
        if not job.hand_over(State.ASKED, arguments=arguments):
            messages.info(request, ALREADY)
    elif job.move(State.ASKED, to=State.WAITING, arguments=arguments, queued_at=timezone.now()):
        jobs.run_now(job)
    else:
        messages.info(request, ALREADY)
    return redirect(job)
