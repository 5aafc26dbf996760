"""The committee's desk: the registrations of its plans, one on a page, and the steps of the table."""

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
from accounts.admin_pages import WithoutStockPages
from accounts.audit import record
from accounts.requests import signed_in
from accounts.verbs import Verb
from photos.delivery import deliver, delivered
from photos.models import Portrait
from plans.models import Plan, Role
from plans.permissions import ChineseChoicesMixin, PlanPermissionMixin
from registrations import desk, export_pages
from registrations.decisions import DecisionForm, Seen
from registrations.filters import DivisionFilter, OccupationFilter, PlanFilter, StatusFilter
from registrations.models import Registration
from registrations.workflow import TABLE, Action, Actor, StepRefused

COMMITTEE_ACTIONS = [action for action, line in TABLE.items() if line.actor != Actor.APPLICANT]
BULK_ACTIONS = {"approve_selected": Action.APPROVE, "return_selected": Action.RETURN, "reject_selected": Action.REJECT}


@admin.register(Registration)
class RegistrationAdmin(WithoutStockPages, ChineseChoicesMixin, PlanPermissionMixin, admin.ModelAdmin):
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
            path("<int:pk>/portrait/former/", page(self.former_portrait), name="registrations_registration_former"),
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
            "fields": desk.details(registration),
            "photo": desk.photo(registration),
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
    def step_url(registration: Registration, action: Action) -> str:
        """Where the step is asked about; with the version and the portrait that are on the screen now."""
        page = reverse(f"admin:registrations_registration_{action.value}", args=[registration.pk])
        return f"{page}?version={registration.version}&portrait={registration.portrait_id or ''}"

    def portrait(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The photo, to the committee: each delivery leaves one line, also as part of the desk's page."""
        registration = self.find(request, pk)
        return self.deliver_photo(request, registration, registration.portrait)

    def former_portrait(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The photo that was sent back, to the committee that sent it back."""
        registration = self.find(request, pk)
        return self.deliver_photo(request, registration, desk.former_portrait(registration), "photo sent back")

    @staticmethod
    def deliver_photo(
        request: HttpRequest, registration: Registration, portrait: Portrait | None, detail: str = ""
    ) -> HttpResponse:
        if portrait is None:
            raise Http404("no portrait")
        answer = deliver(portrait)
        if request.method == "GET" and delivered(answer):  # HEAD shows nothing
            record(signed_in(request), Verb.PHOTO_VIEWED, registration, subject=registration.applicant, detail=detail)
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
        """One step for one registration: GET asks, POST takes it, bound to the version and portrait on the screen."""
        registration = self.find(request, pk)
        if action not in registration.actions_for(signed_in(request)) and request.method != "POST":
            messages.error(
                request, f"现在不能{action.label}：这份报名是“{registration.state.label}”，或您没有这个权限。"
            )
            return self.back(registration)
        seal = DecisionForm.seal_of({registration.pk: self.seen(request, registration)})
        form = DecisionForm(action, request.POST or None, initial={"versions": seal})
        if form.is_valid():
            self.take_each(request, form, [registration])
            return self.back(registration)
        kept_forms.restore(request, form)
        return self.ask(request, form, [registration], reverse("admin:registrations_registration_change", args=[pk]))

    @staticmethod
    def seen(request: HttpRequest, registration: Registration) -> Seen:
        """What was on the desk's page on which the step was chosen: its link says so (step_url)."""
        now, read, portrait = Seen.of(registration), request.GET.get("version", ""), request.GET.get("portrait")
        version = int(read) if read.isascii() and read.isdigit() and len(read) < 10 else now.version
        same = portrait in {None, str(registration.portrait_id or "")}
        return Seen(version, now.portrait if same else "another")

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
        sealed, done = form.cleaned_data["versions"], 0
        for registration in registrations:
            try:
                seen = sealed.get(registration.pk) or Seen(-1, registration.portrait_sha256)
                registration.version = seen.version
                registration.take(
                    form.action,
                    by=signed_in(request),
                    note=form.cleaned_data["note"],
                    items=form.items(),
                    seen_portrait=seen.portrait,
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
