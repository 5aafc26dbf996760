"""The committee's desk, plain for now: the registrations of its plans, one on a page, and the steps of the table."""

from http import HTTPStatus
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts import kept_forms
from accounts.audit import record
from accounts.requests import signed_in
from accounts.verbs import Verb
from photos.delivery import deliver
from plans.admin import ChineseChoicesMixin, PlanPermissionMixin
from plans.models import Division, Occupation, Plan, Role
from registrations import export_pages
from registrations.decisions import DecisionForm
from registrations.models import Registration
from registrations.workflow import TABLE, Action, Actor, Status, StepRefused

COMMITTEE_ACTIONS = [action for action, line in TABLE.items() if line.actor != Actor.APPLICANT]
BULK_ACTIONS = {"approve_selected": Action.APPROVE, "return_selected": Action.RETURN, "reject_selected": Action.REJECT}
DETAIL_FIELDS = [
    *("legal_name", "document_type", "masked_number", "sex", "birth_date", "ethnicity", "political_status"),
    *("education", "school", "major", "employer", "employer_type", "position", "years_of_service"),
    *("skill_level", "certificate_number", "phone", "email", "address", "postcode"),
    *("emergency_contact", "emergency_phone"),
]


class OfferedFilter(admin.SimpleListFilter):
    """A filter that knows what it offers and nothing else: of a mistyped address nothing reaches the database."""

    column = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        value = str(self.value() or "")
        if not value:
            return queryset
        offered = {str(pk) for pk, _ in self.lookup_choices}
        return queryset.filter(**{self.column: value}) if value in offered else queryset.none()


class PlanFilter(OfferedFilter):
    """This person's plans."""

    title = "竞赛计划"
    parameter_name = "plan"
    column = "plan"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        plans = Plan.objects.reviewable_by(signed_in(request))
        return [(str(pk), title) for pk, title in plans.values_list("pk", "title")]


class OccupationFilter(OfferedFilter):
    """The occupations of the plan that is chosen already."""

    title = "职业（工种）"
    parameter_name = "occupation"
    column = "occupation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        plans = Plan.objects.reviewable_by(signed_in(request)).values_list("pk", flat=True)
        chosen = [pk for pk in plans if str(pk) == request.GET.get("plan")]
        return [(str(occupation.pk), str(occupation)) for occupation in Occupation.objects.filter(plan__in=chosen)]


class StatusFilter(OfferedFilter):
    title = "状态"
    parameter_name = "status"
    column = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, status.label) for status in Status if status != Status.DRAFT]


class DivisionFilter(OfferedFilter):
    title = "参赛组别"
    parameter_name = "division"
    column = "occupation__division"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(division.value, division.label) for division in Division]


@admin.register(Registration)
class RegistrationAdmin(ChineseChoicesMixin, PlanPermissionMixin, admin.ModelAdmin):
    """Shows and steps; it does not edit. Whoever is in no committee of the plan does not get past get_queryset()."""

    list_display = ["reference", "legal_name", "occupation", "state", "submitted_at", "plan"]
    list_filter = [PlanFilter, StatusFilter, OccupationFilter, DivisionFilter]
    list_select_related = ["plan", "occupation"]
    list_per_page = 50
    show_full_result_count = False
    ordering = ["submitted_at", "pk"]
    search_fields = ["reference", "=legal_name"]
    search_help_text = "报名编号，或完整的姓名"
    actions = list(BULK_ACTIONS)
    change_form_template = "admin/registrations/registration/desk.html"

    def plan_of(self, obj: Registration | None) -> Plan | None:
        return obj.plan if obj else None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        return Registration.objects.reviewable_by(signed_in(request)).for_pages().order_by(*self.ordering)

    def has_add_permission(self, request: HttpRequest, obj: Registration | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Registration | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Registration | None = None) -> bool:
        return False

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether any committee lets this person decide; take() asks for each registration."""
        user = signed_in(request)
        return user.is_superuser or user.committee_memberships.exclude(role=Role.VIEWER).exists()

    @admin.display(description="状态", ordering="status")
    def state(self, registration: Registration) -> str:
        return format_html('<span class="state state-{}">{}</span>', registration.status, registration.state.label)

    # One registration ---------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view
        own = [
            path("export/", page(self.choose_export), name="registrations_registration_export_plans"),
            path("export/<slug:code>/", page(self.export), name="registrations_registration_export"),
            path("<int:pk>/portrait/", page(self.portrait), name="registrations_registration_portrait"),
            path("<int:pk>/number/", page(self.show_number), name="registrations_registration_number"),
            *[
                path(
                    f"<int:pk>/{action.value}/",
                    page(self.decide),
                    {"action": action},
                    name=f"registrations_registration_{action.value}",
                )
                for action in COMMITTEE_ACTIONS
            ],
        ]
        return own + super().get_urls()

    def choose_export(self, request: HttpRequest) -> HttpResponse:
        return export_pages.choose(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def export(self, request: HttpRequest, code: str) -> HttpResponseBase:
        return export_pages.export(request, code, {**self.admin_site.each_context(request), "opts": self.opts})

    def find(self, request: HttpRequest, pk: int) -> Registration:
        found = self.get_queryset(request).filter(pk=pk).first()
        if found is None:
            raise Http404("no such registration in this person's plans")
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            raise PermissionDenied
        found = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdigit() else None
        if found is None:
            raise Http404("no such registration in this person's plans")
        return self.desk(request, found)

    def desk(self, request: HttpRequest, registration: Registration, **extra: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"{registration.reference} {registration.legal_name}",
            "opts": self.opts,
            "registration": registration,
            "fields": [self.shown(registration, name) for name in DETAIL_FIELDS],
            "events": registration.events.select_related("by__identity"),
            "offers": [
                (action, self.step_url(registration, action))
                for action in registration.actions_for(signed_in(request))
                if action in COMMITTEE_ACTIONS  # a manager who applied has the others on the own pages
            ],
            "may_see_number": bool(registration.actors(signed_in(request))),
            **extra,
        }
        return TemplateResponse(request, self.change_form_template, context)

    @staticmethod
    def shown(registration: Registration, name: str) -> tuple[str, Any]:
        if name == "masked_number":
            return "证件号码", registration.masked_number
        display = getattr(registration, f"get_{name}_display", None)
        label = str(Registration._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        return label, display() if display else getattr(registration, name)

    @staticmethod
    def step_url(registration: Registration, action: Action) -> str:
        """Where the step is asked about; with the version that is on the screen now."""
        page = reverse(f"admin:registrations_registration_{action.value}", args=[registration.pk])
        return f"{page}?version={registration.version}"

    def portrait(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The photo, to the committee: each delivery leaves one line, also as part of the desk's page."""
        registration = self.find(request, pk)
        if registration.portrait is None:
            raise Http404("no portrait")
        answer = deliver(registration.portrait)
        if request.method == "GET" and answer.status_code == HTTPStatus.OK:  # HEAD shows nothing
            record(signed_in(request), Verb.PHOTO_VIEWED, registration, subject=registration.applicant)
        return answer

    def show_number(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The full document number: a deliberate step, by POST, that leaves exactly one audit line."""
        registration = self.find(request, pk)
        if request.method != "POST" or not registration.actors(signed_in(request)):
            raise PermissionDenied
        record(signed_in(request), Verb.NUMBER_SHOWN, registration, subject=registration.applicant)
        return self.desk(request, registration, full_number=registration.document_number)

    # Decisions ----------------------------------------------------------------------------------------------------

    @kept_forms.form_page
    def decide(self, request: HttpRequest, pk: int, action: Action) -> HttpResponse:
        """One step for one registration: GET asks, POST takes it, bound to the version that was on the screen."""
        registration = self.find(request, pk)
        if action not in registration.actions_for(signed_in(request)) and request.method != "POST":
            messages.error(
                request, f"现在不能{action.label}：这份报名是“{registration.state.label}”，或您没有这个权限。"
            )
            return self.back(registration)
        read = request.GET.get("version", "")
        if read.isascii() and read.isdigit():
            registration.version = int(read)
        form = DecisionForm(action, request.POST or None, initial={"versions": DecisionForm.seal([registration])})
        if form.is_valid():
            self.take_each(request, form, [registration])
            return self.back(registration)
        kept_forms.restore(request, form)
        return self.ask(request, form, [registration], reverse("admin:registrations_registration_change", args=[pk]))

    @staticmethod
    def back(registration: Registration) -> HttpResponse:
        return redirect("admin:registrations_registration_change", registration.pk)

    def ask(
        self, request: HttpRequest, form: DecisionForm, registrations: list[Registration], back: str
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": form.action.label,
            "opts": self.opts,
            "form": form,
            "registrations": registrations,
            "back": back,
            "bulk_name": next((name for name, action in BULK_ACTIONS.items() if action == form.action), ""),
        }
        return TemplateResponse(request, "admin/registrations/registration/decide.html", context)

    def take_each(self, request: HttpRequest, form: DecisionForm, registrations: list[Registration]) -> None:
        """A loop over `take`: what cannot be done is said with its number, and does not stop the rest."""
        versions, done = form.cleaned_data["versions"], 0
        for registration in registrations:
            try:
                registration.version = versions.get(registration.pk, -1)
                registration.take(
                    form.action, by=signed_in(request), note=form.cleaned_data["note"], items=form.items()
                )
                done += 1
            except StepRefused as refusal:
                messages.error(request, f"{registration.reference} {registration.legal_name}：{refusal}")
        if done:
            messages.success(request, f"{form.action.label}：{done} 份。")

    def decide_selected(
        self, request: HttpRequest, queryset: QuerySet[Registration], action: Action
    ) -> HttpResponse | None:
        chosen = list(queryset)
        asked = "versions" in request.POST
        form = DecisionForm(action, request.POST if asked else None, initial={"versions": DecisionForm.seal(chosen)})
        if asked and form.is_valid():
            # What was asked about, not what the filtered list still shows: whoever was faster may have moved some.
            asked_about = self.get_queryset(request).filter(pk__in=form.cleaned_data["versions"])
            self.take_each(request, form, list(asked_about))
            return None
        return self.ask(request, form, chosen, request.get_full_path())

    @admin.action(description="审核通过", permissions=["decide"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        return self.decide_selected(request, queryset, Action.APPROVE)

    @admin.action(description="退回修改", permissions=["decide"])
    def return_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        return self.decide_selected(request, queryset, Action.RETURN)

    @admin.action(description="审核不通过", permissions=["decide"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        return self.decide_selected(request, queryset, Action.REJECT)
