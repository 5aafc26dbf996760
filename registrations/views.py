"""The applicant's pages: start, fill in, check, submit, and 已报名竞赛管理."""

from copy import copy
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import kept_forms, limits, once
from accounts.models import User
from accounts.paging import Pages
from accounts.requests import SignedInRequest, held_identity, signed_in
from accounts.written import Question
from photos.views import PhotoPages
from plans.models import Plan
from profiles.models import StaleDetails
from registrations import intake, moves
from registrations.corrections import LOCKED
from registrations.forms import OccupationForm, RegistrationForm
from registrations.models import Registration
from registrations.workflow import DECISIONS, TABLE, Action, Status, StepRefused

REGISTRATIONS_PER_PAGE = 20
SAVED = "已保存。提交审核之前都可以修改。"
OTHER_TAB = "这份报名刚刚在另一个窗口里修改过，请核对最新内容后再操作。"


OWN = Question(
    lambda user, reference: Registration.objects.filter(applicant=user, reference=reference).for_owner(), -1, "-"
)


def own(user: User, reference: str) -> Registration:
    """One's own registration. A stranger's does not exist."""
    registration = OWN.answer(user.pk, reference)
    if registration is None:
        raise Http404
    registration.applicant = user  # who is here already, with the identity
    return registration


@require_safe
def own_list(request: SignedInRequest) -> HttpResponse:
    registrations = Registration.objects.owned_by(request.user).for_list()
    page = Pages(registrations, REGISTRATIONS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "registrations/list.html", {"page": page})


@require_POST
def start(request: SignedInRequest, code: str) -> HttpResponse:
    """报名: a draft filled from the profile, or the registration that there is already."""
    plan = get_object_or_404(Plan.objects.published(), code=code)
    try:
        registration = intake.start(request.user, plan)
    except StepRefused as refusal:
        messages.error(request, str(refusal))
        return redirect(plan)
    return redirect(
        "registrations:edit" if registration.is_editable else "registrations:detail", registration.reference
    )


@require_safe
def detail(request: SignedInRequest, reference: str) -> HttpResponse:
    registration = own(request.user, reference)
    events = registration.shown_events()
    context = {
        "registration": registration,
        "events": events,
        "decision": next((event for event in events if event.action in DECISIONS), None),
        "correction": registration.correction(),
        "proposal": moves.shown(registration),
        "actions": registration.actions_for(request.user),
    }
    return render(request, "registrations/detail.html", context)


@require_POST
def seen(request: SignedInRequest, reference: str) -> HttpResponse:
    """The person has read the decision: the count in the menu goes down."""
    registration = own(request.user, reference)
    Registration.objects.filter(pk=registration.pk).update(unseen=False)
    registration.messages.mark_read()
    return redirect(registration)


@kept_forms.form_page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, reference: str) -> HttpResponse:
    """The form. Each of its buttons saves first and then goes on: to the photo, the occupation, the page to check."""
    registration = own(request.user, reference)
    if request.method != "POST" and not registration.is_editable:
        return redirect(registration)
    correction = registration.correction()
    form = RegistrationForm(
        held_identity(request.user),
        request.POST or None,
        instance=copy(registration),  # a form writes what was typed into its own
        correction=correction,
    )
    if form.is_valid():
        try:
            intake.save(registration, form.cleaned_data["version"], form.values(), form.answers())
        except StepRefused as refusal:
            form.add_error(None, str(refusal))
        except StaleDetails:
            registration = own(request.user, reference)
            if form.says_what_stands(registration):  # the second click
                return saved(request, registration, SAVED)
            form.tell_of_other_tab(registration)
        else:
            return saved(request, registration, SAVED)
    kept_forms.restore(request, form)
    context = {
        "form": form,
        "registration": registration,
        "occupations": list(registration.plan.occupations.all()),
        "correction": correction,
    }
    return render(request, "registrations/edit.html", context)


def saved(request: SignedInRequest, registration: Registration, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect(after_saving(request, registration))


def after_saving(request: SignedInRequest, registration: Registration) -> str:
    pages = {"photo": "photo:upload", "occupation": "occupation", "check": "check"}
    page = pages.get(request.POST.get("then", ""), "check" if came_from_check(request) else "edit")
    return reverse(f"registrations:{page}", args=[registration.reference])


def came_from_check(request: HttpRequest) -> bool:
    return request.GET.get("back") == "check"


@kept_forms.form_page
@require_http_methods(["GET", "HEAD", "POST"])
def occupation(request: SignedInRequest, reference: str) -> HttpResponse:
    """The list of the plan's occupations, on a page of its own."""
    registration = own(request.user, reference)
    if request.method != "POST" and not registration.is_editable:
        return redirect(registration)
    if registration.is_editable and not registration.only_open({"occupation": None}):
        messages.error(request, f"职业（工种）没有改动：{LOCKED}")
        return redirect("registrations:edit", reference)
    form = OccupationForm(registration, request.POST or None)
    if form.is_valid():
        try:
            values = {**registration.details(), "occupation": form.cleaned_data["occupation"]}
            intake.save(registration, form.cleaned_data["version"], values)
        except StepRefused as refusal:
            form.add_error(None, str(refusal))
        except StaleDetails:
            registration = own(request.user, reference)
            if form.says_what_stands(registration):
                return saved(request, registration, f"职业（工种）已保存：{form.cleaned_data['occupation']}。")
            form.tell_of_other_tab(registration)
        else:
            return saved(request, registration, f"职业（工种）已保存：{form.cleaned_data['occupation']}。")
    kept_forms.restore(request, form)
    context = {"form": form, "registration": registration, "occupations": list(registration.plan.occupations.all())}
    return render(request, "registrations/occupation.html", context)


@require_safe
def check(request: SignedInRequest, reference: str) -> HttpResponse:
    """Everything on one page, before it is submitted."""
    registration = own(request.user, reference)
    if not registration.is_editable:
        return redirect(registration)
    correction = registration.correction()
    context = {
        "registration": registration,
        "missing": registration.missing(),
        "closed_reason": registration.closed_reason(),
        "correction": correction,
        "restricted": correction is not None and not correction.whole,
    }
    return render(request, "registrations/check.html", context)


@once.once_per_form
@require_http_methods(["GET", "HEAD", "POST"])
def ask_and_take(request: SignedInRequest, reference: str, action: Action) -> HttpResponse:
    """A step of the applicant's: GET asks, POST takes it. Pressed twice, it ends on the same page."""
    registration = own(request.user, reference)
    done = reverse("registrations:submitted" if action == Action.SUBMIT else "registrations:detail", args=[reference])
    if request.method == "POST":
        if action == Action.SUBMIT:
            limits.SUBMIT.claim(request.user)
        try:
            registration.version = int(request.POST.get("version") or registration.version)
            registration.take(action, by=request.user)
        except (StepRefused, ValueError) as refusal:
            return refused(request, reference, action, str(refusal) if isinstance(refusal, StepRefused) else OTHER_TAB)
        return redirect(done)
    if action not in registration.actions_for(request.user):
        return refused(request, reference, action, f"现在不能{action.label}。")
    correction = registration.correction()
    if action == Action.SUBMIT and (registration.missing() or correction and correction.left):
        return redirect("registrations:check", reference)
    return render(request, "registrations/ask.html", {"registration": registration, "action": action})


def refused(request: SignedInRequest, reference: str, action: Action, sentence: str) -> HttpResponse:
    """Say why not, and show the registration as it is. A second click on what is done is no error."""
    registration = own(request.user, reference)
    if registration.shown_status == TABLE[action].target:
        return redirect("registrations:submitted" if action == Action.SUBMIT else "registrations:detail", reference)
    messages.error(request, sentence)
    editing = action == Action.SUBMIT and registration.is_editable
    return redirect("registrations:check" if editing else "registrations:detail", reference)


@require_safe
def submitted(request: SignedInRequest, reference: str) -> HttpResponse:
    """The receipt: it arrived, this is its number, this comes next."""
    registration = own(request.user, reference)
    if registration.shown_status != Status.SUBMITTED:
        return redirect(registration)
    return render(request, "registrations/submitted.html", {"registration": registration})


@once.once_per_form
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: SignedInRequest, reference: str) -> HttpResponse:
    registration = own(request.user, reference)
    if request.method == "POST":
        try:
            registration.discard(request.user)
        except StepRefused as refusal:
            messages.error(request, str(refusal))
            return redirect(registration)
        messages.success(request, f"草稿 {reference} 已删除。")
        return redirect("registrations:list")
    if registration.shown_status != Status.DRAFT:
        messages.error(request, "只有“填写中”的报名可以删除。")
        return redirect(registration)
    return render(request, "registrations/delete.html", {"registration": registration})


class RegistrationPhotos(PhotoPages):
    """The photo pages (photos/views.py) for one's own registration."""

    def find(self, request: HttpRequest, **kwargs: Any) -> Registration:
        return own(signed_in(request), kwargs["reference"])

    def way_back(self, request: HttpRequest, subject: Any) -> str:
        page = "check" if came_from_check(request) else "edit"
        return reverse(f"registrations:{page}", args=[subject.reference])
