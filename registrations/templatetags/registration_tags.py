"""What the pages of plans show of one's own registrations: plans does not know registrations, its templates may."""

from datetime import datetime
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from photos.reasons import Reason, known
from plans.models import Plan
from registrations.models import Registration
from registrations.workflow import Status

register = template.Library()

MINUTES_A_DAY = 24 * 60


@register.simple_tag(takes_context=True)
def offer(context: dict[str, Any], plan: Plan) -> SafeString:
    """The next step for this person in this plan, as a button, or the reason why there is none."""
    request = context["request"]
    now = timezone.now()
    values = {
        "plan": plan,
        "state": plan.state_at(now),
        "registration": own_registrations(request).get(plan.pk),
    }
    return render_to_string("registrations/_offer.html", values, request)


def own_registrations(request: Any) -> dict[int, Registration]:
    """One's live registrations by plan: asked once per page, however many plans it shows."""
    if not hasattr(request, "own_registrations"):
        live = Registration.objects.none()
        if request.user.is_authenticated:
            live = Registration.objects.owned_by(request.user).live().select_related("plan")
        request.own_registrations = {registration.plan_id: registration for registration in live}
    return request.own_registrations


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
def waited(since: datetime) -> str:
    """For how long, in one unit: nobody in a queue of thousands reads two."""
    minutes = int((timezone.now() - since).total_seconds() // 60)
    if minutes >= MINUTES_A_DAY:
        return f"{minutes // MINUTES_A_DAY} 天"
    return f"{minutes // 60} 小时" if minutes >= 60 else f"{minutes} 分钟" if minutes > 0 else "不到 1 分钟"


@register.filter
def of_key(values: dict[int, str], key: int) -> str:
    return values.get(key, "")


@register.filter
def reasons(codes: list[str] | None) -> list[Reason]:
    """Why a portrait was sent back; lines of the trail from before there were codes have none."""
    return known(codes or [])


@register.filter
def mended_by_cropping(reasons: list[Reason]) -> bool:
    """Whether another frame may be enough; where no reason has a code, it may."""
    return all(reason.by_cropping for reason in reasons)
