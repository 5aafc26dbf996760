"""What the pages of plans show of one's own registrations: plans does not know registrations, its templates may."""

from typing import Any

from django import template
from django.template import Context

from accounts import clock
from photos import subjects
from photos.reasons import Reason, known
from plans.models import Plan, PlanState
from registrations.frame import own
from registrations.models import Registration
from registrations.workflow import Status

register = template.Library()


@register.inclusion_tag("registrations/_offer.html", takes_context=True)
def offer(context: Context, plan: Plan) -> dict[str, Any]:
    """The next step for this person in this plan, as a button, or the reason why there is none."""
    request = context["request"]
    mine, now = own(request), clock.near()
    extended = mine.extensions.get(plan.pk)
    given = extended is not None and extended > max(now, plan.registration_closes_at)
    state = plan.state_at(now)
    registration = mine.registrations.get(plan.pk)
    if registration:
        registration.plan = plan
    return {
        "user": request.user,
        "plan": plan,
        "state": PlanState.OPEN if given and state == PlanState.CLOSED else state,
        "registration": registration,
        "extended": extended if given else None,
    }


@register.filter
def next_step(registration: Registration) -> str:
    """What is to be done with it, in one sentence."""
    closed = registration.closed_reason()
    sentences = {
        Status.DRAFT: closed or "还没有提交。请在截止前填写完整并提交审核。",
        Status.SUBMITTED: "等待组委会审核，结果会显示在这里。",
        Status.RETURNED: closed or "请按组委会的意见修改后重新提交。",
        Status.APPROVED: "审核已通过，请留意组委会的参赛通知。",
        Status.REJECTED: "审核没有通过，原因见审核记录。",
        Status.WITHDRAWN: "您已撤回这份报名。报名截止前可以重新报名。",
    }
    return sentences[registration.shown_status]


@register.filter
def reasons(codes: list[str] | None) -> list[Reason]:
    """Why a portrait was sent back; lines of the trail from before there were codes have none."""
    return known(codes or [])


@register.filter
def mended_by_cropping(reasons: list[Reason]) -> bool:
    """Whether another frame may be enough; where no reason has a code, it may."""
    return all(reason.by_cropping for reason in reasons)


@register.filter
def can_be_cropped(registration: Registration) -> bool:
    """Whether another frame can be cut out of what its portrait was cut from."""
    portrait = registration.portrait
    return portrait is not None and subjects.can_be_cropped(portrait, registration.photo_spec)
