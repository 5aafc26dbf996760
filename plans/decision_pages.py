"""公布审核结果: how many decisions wait, the question what publishing them will show to whom, and the publishing."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import clock
from accounts.once import once_per_form
from accounts.requests import signed_in
from plans import decisions
from plans.models import Plan, Role
from plans.plan_forms import DecisionsForm
from plans.plan_pages import Context, of_plan
from plans.publication import PublicationRefused

CHANGED = "刚才又有新的审核，份数和您看到的不一样了。还没有公布，请看过现在的份数再确认。"


@of_plan(Role.MANAGER)
def page(request: HttpRequest, plan: Plan, context: Context) -> HttpResponseBase:
    """GET shows how it stands. POST asks first; what was asked about comes back as `seen`, and is then done."""
    form = DecisionsForm(request.POST or None, initial={"at": plan.decisions_published_at})
    if request.method == "POST":
        try:
            if answer := answered(request, plan, form, context):
                return answer
        except PublicationRefused as refusal:
            messages.error(request, str(refusal))
            return back(plan)
    return TemplateResponse(request, "admin/plans/plan/decisions.html", {**context, **state(plan), "form": form})


page = once_per_form(require_http_methods(["GET", "HEAD", "POST"])(page))


def back(plan: Plan) -> HttpResponse:
    return redirect("admin:plans_plan_decisions", plan.code)


def state(plan: Plan) -> dict[str, Any]:
    now = clock.near()
    return {
        "title": f"公布审核结果：{plan.title}",
        "held": decisions.held(plan),
        "holding": plan.holds_decisions_at(now),
        "published": decisions.is_published(plan, now),
    }


def answered(request: HttpRequest, plan: Plan, form: DecisionsForm, context: Context) -> HttpResponseBase | None:
    """The answer to what was sent; None where the form has something to say. Raises PublicationRefused."""
    user = signed_in(request)
    if "cancel" in request.POST:
        decisions.cancel(plan, user)
        messages.success(request, "已取消定时公布。审核结果仍然不告诉报名人员，等您公布。")
        return back(plan)
    if not form.is_valid():
        return None
    at, now_held = form.cleaned_data["at"], decisions.held(plan)
    if "seen" in request.POST and (at or request.POST["seen"] == now_held.seal):
        decisions.publish(plan, user, at)
        messages.success(request, planned(plan) if at else published(now_held))
        return back(plan)
    if not plan.holds_decisions_at(clock.near()):
        raise PublicationRefused(decisions.why_not(plan))
    if "seen" in request.POST:
        messages.warning(request, CHANGED)
    context = {**context, **state(plan), "at": at, "typed": request.POST.get("at", "") if at else "", "held": now_held}
    return TemplateResponse(request, "admin/plans/plan/decisions_ask.html", context)


def published(held: decisions.Held) -> str:
    if not held.total:
        return "审核结果不再留待公布，以后审核后马上告诉本人。"
    return f"已公布 {held.total} 份审核结果，正在逐一通知。"


def planned(plan: Plan) -> str:
    local = timezone.localtime(plan.decisions_published_at)
    return f"将在 {local:%Y} 年 {local.month} 月 {local.day} 日 {local:%H:%M} 自动公布审核结果。"
