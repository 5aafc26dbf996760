"""The desk's pages about one person: more time for a registration or for a name, another occupation to be agreed on."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from accounts import kept_forms, limits, once
from accounts.audit import record
from accounts.models import User
from accounts.requests import signed_in
from accounts.verbs import Verb
from plans.member_forms import NamedPersonForm
from plans.models import Plan, Role
from registrations import extensions, moves
from registrations.extensions import in_words
from registrations.models import Registration
from registrations.terms_forms import ExtensionForm, ProposalForm
from registrations.workflow import MOVABLE, TABLE, Action, Actor, StepRefused

if TYPE_CHECKING:
    from registrations.admin import RegistrationAdmin

SALT = "registrations.terms_pages"
SECONDS_TO_CONFIRM = 1800
LISTED = 200

type View = Callable[..., HttpResponse]


def urls(desk: "RegistrationAdmin") -> list[URLPattern]:
    """For get_urls() of the desk, whose door is in front of each."""

    def page(view: View, name: str, route: str, *, by_post: bool = False) -> URLPattern:
        @wraps(view)
        def inner(request: HttpRequest, **where: Any) -> HttpResponse:
            context = {**desk.admin_site.each_context(request), "opts": desk.opts}
            subject: Any = desk.find(request, where["pk"]) if "pk" in where else managed(request, where["code"])
            return view(request, subject, context)

        door = desk.admin_site.admin_view(require_POST(inner) if by_post else inner)
        return path(route, door, name=f"registrations_registration_{name}")

    return [
        page(extend, "extend", "<int:pk>/extend/"),
        page(propose, "propose", "<int:pk>/propose/"),
        page(retract, "retract", "<int:pk>/retract/", by_post=True),
        page(listed, "extensions", "extensions/<slug:code>/"),
        page(find, "extension_find", "extensions/<slug:code>/find/", by_post=True),
        page(give, "extension_give", "extensions/<slug:code>/give/", by_post=True),
    ]


def managed(request: HttpRequest, code: str) -> Plan:
    plan = get_object_or_404(Plan.objects.reviewable_by(signed_in(request)), code=code)
    if not plan.has_member(signed_in(request), Role.MANAGER):
        raise PermissionDenied
    return plan


def allowed(request: HttpRequest, registration: Registration) -> None:
    """Managers of the plan, but not about what is their own."""
    if Actor.MANAGER not in registration.actors(signed_in(request)):
        raise PermissionDenied


def back(registration: Registration) -> HttpResponse:
    return redirect("admin:registrations_registration_change", registration.pk)


def shown(request: HttpRequest, name: str, context: dict[str, Any], **more: Any) -> HttpResponse:
    return TemplateResponse(request, f"admin/registrations/registration/{name}.html", {**context, **more})


# More time for a registration ------------------------------------------------------------------------------------------


@once.once_per_form
@kept_forms.form_page
def extend(request: HttpRequest, registration: Registration, context: dict[str, Any]) -> HttpResponse:
    allowed(request, registration)
    if registration.shown_status not in TABLE[Action.EXTEND].sources:
        messages.error(request, f"这份报名现在是“{registration.state.label}”，不能延长截止时间。")
        return back(registration)
    held = standing(registration.plan, registration.applicant)
    form = ExtensionForm(request.POST or None, held=held)
    if form.is_valid() and granted(request, registration.plan, registration.applicant, form):
        return back(registration)
    kept_forms.restore(request, form)
    person = registration.applicant
    more = {"title": "延长个人截止时间", "registration": registration, "person": person, "form": form, "held": held}
    return shown(request, "extend", context, usual=registration.usual_deadline(), plan=registration.plan, **more)


def standing(plan: Plan, person: User) -> extensions.Extension | None:
    """What is more than everybody has."""
    held = extensions.of(person, plan)
    return held if held and held.stands else None


def granted(request: HttpRequest, plan: Plan, person: User, form: ExtensionForm) -> bool:
    """Do it and say so, or say at the form why not."""
    asked = form.cleaned_data
    try:
        given = extensions.grant(
            plan, person, asked["until"], reason=asked["reason"], by=signed_in(request), seen=asked["seen"]
        )
    except StepRefused as refusal:
        form.add_error(None, str(refusal))
        return False
    name = person.legal_name
    said = f"{name}的延期已结束。" if form.ends else f"{name}的截止时间已调整为 {in_words(given.until)}。"
    messages.success(request, f"{said}对方登录后能看到；已开始报名的，会同时收到通知。")
    return True


# More time for a name: who has not begun, or has a draft, which stays unseen -------------------------------------------


def listed(request: HttpRequest, plan: Plan, context: dict[str, Any]) -> HttpResponse:
    if request.method not in {"GET", "HEAD"}:
        return redirect("admin:registrations_registration_extensions", plan.code)
    return list_page(request, plan, context, NamedPersonForm())


def list_page(request: HttpRequest, plan: Plan, context: dict[str, Any], form: NamedPersonForm) -> HttpResponse:
    given = plan.extensions.select_related("plan", "person__identity", "by__identity")[:LISTED]
    return shown(request, "extensions", context, title="个人延期", plan=plan, form=form, given=given)


def find(request: HttpRequest, plan: Plan, context: dict[str, Any]) -> HttpResponse:
    """Who is meant. The answer is the same whether this person has begun or not: drafts are nobody else's."""
    form = NamedPersonForm(request.POST)
    if not form.is_valid():
        return list_page(request, plan, context, form)
    try:
        limits.MEMBER.claim(signed_in(request))
    except limits.LimitReached as reached:
        form.add_error(None, str(reached))
        response = list_page(request, plan, context, form)
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = str(reached.retry_after)
        return response
    person = form.found()
    record(signed_in(request), Verb.PERSON_SOUGHT, plan, subject=person, detail="found" if person else "not found")
    if person is None or person == request.user:
        form.add_error(None, form.not_found if person is None else "不能给自己延长，请由另一位管理成员操作。")
        return list_page(request, plan, context, form)
    held = standing(plan, person)
    return give_page(request, plan, context, person, ExtensionForm(held=held))


def give_page(
    request: HttpRequest, plan: Plan, context: dict[str, Any], person: User, form: ExtensionForm
) -> HttpResponse:
    sealed = signing.dumps([plan.pk, signed_in(request).pk, person.pk], salt=SALT)
    more = {"person": person, "form": form, "held": standing(plan, person), "sealed": sealed}
    return shown(
        request, "extend", context, title="延长个人截止时间", plan=plan, usual=plan.registration_closes_at, **more
    )


@once.once_per_form
def give(request: HttpRequest, plan: Plan, context: dict[str, Any]) -> HttpResponse:
    """For whom the page asked about, nobody else: sealed for this plan and this manager."""
    to_list = redirect("admin:registrations_registration_extensions", plan.code)
    person = unsealed(request, plan)
    if person is None:
        messages.error(request, "页面已过期，没有保存。请重新查找这个人。")
        return to_list
    form = ExtensionForm(request.POST, held=standing(plan, person))
    if form.is_valid() and granted(request, plan, person, form):
        return to_list
    return give_page(request, plan, context, person, form)


def unsealed(request: HttpRequest, plan: Plan) -> User | None:
    try:
        sealed = signing.loads(request.POST.get("sealed", ""), salt=SALT, max_age=SECONDS_TO_CONFIRM)
    except signing.BadSignature:
        return None
    if sealed[:2] != [plan.pk, signed_in(request).pk]:
        return None
    return User.objects.select_related("identity").filter(pk=sealed[2], is_active=True).first()


# Another occupation ----------------------------------------------------------------------------------------------------


@once.once_per_form
@kept_forms.form_page
def propose(request: HttpRequest, registration: Registration, context: dict[str, Any]) -> HttpResponse:
    allowed(request, registration)
    if registration.status not in MOVABLE or moves.waiting(registration):
        messages.error(request, moves.refusal(registration, False) or "这份报名现在的状态不能调整职业（工种）。")
        return back(registration)
    form = ProposalForm(registration, request.POST or None)
    if form.is_valid():
        asked = form.cleaned_data
        try:
            moves.propose(registration, asked["occupation"], reason=asked["reason"], by=signed_in(request))
        except StepRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "建议已发给报名人员。对方同意之前，什么都不会改变。")
            return back(registration)
    kept_forms.restore(request, form)
    more = {"title": "建议调整职业（工种）", "registration": registration, "plan": registration.plan, "form": form}
    return shown(request, "propose", context, **more)


@once.once_per_form
def retract(request: HttpRequest, registration: Registration, context: dict[str, Any]) -> HttpResponse:
    allowed(request, registration)
    try:
        moves.answer(registration, Action.RETRACT, request.POST.get("proposal", ""), signed_in(request))
    except StepRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "建议已收回，报名人员会收到通知。")
    return back(registration)
