"""组委会成员: a plan's committee on a page of its own. Every member reads it; managers add, change, invite and remove."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import limits, once
from accounts.audit import record
from accounts.models import User
from accounts.requests import signed_in
from accounts.verbs import Verb
from plans import members
from plans.invitation_links import link_of
from plans.member_forms import WAYS, RoleForm, blank
from plans.models import CommitteeMember, Invitation, Plan, Role

SALT = "plans.member_pages"
SECONDS_TO_CONFIRM = 600
MOST_OPEN_INVITATIONS = 50
INVITATIONS_SHOWN = 100


def pages() -> list[URLPattern]:
    """The addresses below that of the plans' list; PlanAdmin adds them to its own."""
    inside = admin.site.admin_view
    return [
        path("<slug:code>/members/", inside(show), name="plans_plan_members"),
        path("<slug:code>/members/find/<slug:way>/", inside(find), name="plans_plan_member_find"),
        path("<slug:code>/members/add/", inside(add), name="plans_plan_member_add"),
        path("<slug:code>/members/<int:pk>/role/", inside(change_role), name="plans_plan_member_role"),
        path("<slug:code>/members/<int:pk>/remove/", inside(remove), name="plans_plan_member_remove"),
        path("<slug:code>/members/invite/", inside(invite), name="plans_plan_member_invite"),
        path("<slug:code>/members/invitations/<int:pk>/revoke/", inside(revoke), name="plans_plan_member_revoke"),
    ]


def plan_of(request: HttpRequest, code: str) -> Plan:
    return get_object_or_404(Plan.objects.reviewable_by(signed_in(request)), code=code)


def managed(request: HttpRequest, code: str) -> Plan:
    """The plan, for whoever gives the roles in it: others of its committee are refused, to the rest there is none."""
    plan = plan_of(request, code)
    if not plan.has_member(signed_in(request), Role.MANAGER):
        raise PermissionDenied
    return plan


def page(request: HttpRequest, plan: Plan, template: str, **context: Any) -> HttpResponse:
    common = {**admin.site.each_context(request), "opts": Plan._meta, "plan": plan}
    return TemplateResponse(request, f"admin/plans/plan/{template}.html", {"title": "组委会成员", **common, **context})


def whole(request: HttpRequest, plan: Plan, link: str = "", status: int = HTTPStatus.OK, **bound: Any) -> HttpResponse:
    """The page with everything on it: the members, the ways to add one, the invitations."""
    manages = plan.has_member(signed_in(request), Role.MANAGER)
    listed = plan.members.select_related("user__identity", "added_by__identity").order_by("role", "pk")
    invitations = plan.invitations.select_related("by__identity", "used_by__identity")[:INVITATIONS_SHOWN]
    response = page(
        request,
        plan,
        "members",
        members=listed,
        manages=manages,
        roles=Role,
        invitations=invitations if manages else [],
        link=link,
        wrong=any(form.errors for form in bound.values()),
        **blank(**bound),
    )
    response.status_code = status
    return response


@require_safe
def show(request: HttpRequest, code: str) -> HttpResponse:
    return whole(request, plan_of(request, code))


def back(plan: Plan) -> HttpResponse:
    return redirect("admin:plans_plan_members", plan.code)


def told(request: HttpRequest, done: Callable[[], object], sentence: str) -> None:
    """Do it and say so, or say why not."""
    try:
        done()
    except members.MemberRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, sentence)


# Adding -------------------------------------------------------------------------------------------------------------


@require_POST
def find(request: HttpRequest, code: str, way: str) -> HttpResponse:
    """Who is meant: one page asks whether it is this person, and shows no more than was typed to find them."""
    plan = managed(request, code)
    if way not in WAYS:
        raise PermissionDenied
    form: Any = WAYS[way](request.POST, auto_id=f"{way}_%s")
    if not form.is_valid():
        return whole(request, plan, **{way: form})
    try:
        limits.MEMBER.claim(signed_in(request))
    except limits.LimitReached as reached:
        form.add_error(None, str(reached))
        response = whole(request, plan, status=HTTPStatus.TOO_MANY_REQUESTS, **{way: form})
        response["Retry-After"] = str(reached.retry_after)
        return response
    user = form.found()
    record(signed_in(request), Verb.MEMBER_SOUGHT, plan, subject=user, detail="found" if user else "not found")
    if user is None:
        form.add_error(None, form.not_found)
        return whole(request, plan, **{way: form})
    return ask_to_add(request, plan, user, form.cleaned_data["role"], form.cleaned_data.get("last", ""))


def ask_to_add(request: HttpRequest, plan: Plan, user: User, role: str, last: str) -> HttpResponse:
    sealed = signing.dumps([plan.pk, signed_in(request).pk, user.pk, role], salt=SALT)
    held = plan.members.filter(user=user).first()
    return page(request, plan, "member_add", person=user, role=Role(role), last=last, sealed=sealed, held=held)


@once.once_per_form
@require_POST
def add(request: HttpRequest, code: str) -> HttpResponse:
    """What the page asked about, nothing else: sealed for this plan and this manager, for ten minutes."""
    plan, by = managed(request, code), signed_in(request)
    try:
        *here, person, role = signing.loads(request.POST.get("sealed", ""), salt=SALT, max_age=SECONDS_TO_CONFIRM)
        user = User.objects.select_related("identity").get(pk=person, is_active=True)
    except (signing.BadSignature, User.DoesNotExist):
        here = []
    if here != [plan.pk, by.pk]:
        messages.error(request, "没有添加：这一页打开得太久了。请重新查找一次。")
        return back(plan)
    told(request, lambda: members.appoint(plan, user, role, by), f"{user}已加入组委会，角色是“{Role(role).label}”。")
    return back(plan)


# Changing and removing ----------------------------------------------------------------------------------------------


def member_of(plan: Plan, pk: int) -> CommitteeMember:
    return get_object_or_404(plan.members.select_related("plan", "user__identity"), pk=pk)


@require_POST
def change_role(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    plan = managed(request, code)
    member, form = member_of(plan, pk), RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "没有改动：没有这个角色，请重新选择。")
        return back(plan)
    role = Role(form.cleaned_data["role"])
    if member.role == role:
        messages.info(request, f"没有改动：{member.user}的角色已经是“{role.label}”。")
        return back(plan)
    changed = f"{member.user}的角色已改为“{role.label}”。"
    told(request, lambda: members.change_role(member, role, signed_in(request)), changed)
    return back(plan) if plan.has_member(signed_in(request)) else redirect("admin:index")


@once.once_per_form
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """GET asks, and says plainly when it is oneself who goes."""
    plan = managed(request, code)
    member = member_of(plan, pk)
    if request.method != "POST":
        return page(request, plan, "member_remove", member=member, oneself=member.user == request.user)
    told(request, lambda: members.remove(member, signed_in(request)), f"{member.user}已移出“{plan}”的组委会。")
    return back(plan) if plan.has_member(signed_in(request)) else redirect("admin:index")


# Inviting -----------------------------------------------------------------------------------------------------------


@require_POST
def invite(request: HttpRequest, code: str) -> HttpResponse:
    """The link stands in this one answer and nowhere else: no redirect, which would have to keep it somewhere.

    Whoever sends the form once more is shown the same link: its token is made of the form's key.
    """
    plan = managed(request, code)
    form = RoleForm(request.POST, auto_id="invite_%s")
    if form.is_valid() and plan.invitations.open_at(timezone.now()).count() >= MOST_OPEN_INVITATIONS:
        form.add_error(None, f"等待接受的邀请已有 {MOST_OPEN_INVITATIONS} 个。请先撤销不再需要的。")
    if not form.is_valid():
        return whole(request, plan, invite=form)
    _, token = members.invite(plan, form.cleaned_data["role"], signed_in(request), once.key_of(request))
    return whole(request, plan, link=request.build_absolute_uri(link_of(token)))


@require_POST
def revoke(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    plan = managed(request, code)
    invitation = get_object_or_404(Invitation.objects.select_related("plan"), plan=plan, pk=pk)
    if members.revoke(invitation, signed_in(request)):
        messages.success(request, "邀请已撤销，那个链接不能再用。")
    else:
        messages.info(request, f"没有改动：这个邀请{invitation.standing.label}。")
    return back(plan)
