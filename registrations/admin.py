"""The committee's desk: the registrations of its plans, one on a page, and the steps of the table."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html

from accounts import kept_forms
from accounts.audit import record
from accounts.requests import signed_in
from accounts.verbs import Verb
from photos.delivery import deliver, delivered
from photos.models import Portrait
from plans.models import Plan, Role
from plans.permissions import ChineseChoicesMixin, PlanPermissionMixin
from registrations import desk, export_pages, reason_pages
from registrations.decisions import DecisionForm, Seen
from registrations.desk_pages import DeskPages
from registrations.filters import DivisionFilter, OccupationFilter, PlanFilter, StatusFilter
from registrations.models import Registration
from registrations.workflow import Action, StepRefused

BULK_ACTIONS = {"approve_selected": Action.APPROVE, "return_selected": Action.RETURN, "reject_selected": Action.REJECT}


@admin.register(Registration)
class RegistrationAdmin(DeskPages, ChineseChoicesMixin, PlanPermissionMixin, admin.ModelAdmin):
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

    # Pages of our own -----------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view
        own = [
            path("export/", page(self.choose_export), name="registrations_registration_export_plans"),
            path("export/<slug:code>/", page(self.export), name="registrations_registration_export"),
            path("reasons/<slug:code>/", page(self.reasons), name="registrations_registration_reasons"),
            path("<int:pk>/portrait/", page(self.portrait), name="registrations_registration_portrait"),
            path("<int:pk>/portrait/former/", page(self.former_portrait), name="registrations_registration_former"),
            *self.desk_urls(),
        ]
        return own + super().get_urls()

    def choose_export(self, request: HttpRequest) -> HttpResponse:
        return export_pages.choose(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def export(self, request: HttpRequest, code: str) -> HttpResponseBase:
        return export_pages.export(request, code, {**self.admin_site.each_context(request), "opts": self.opts})

    @kept_forms.form_page
    def reasons(self, request: HttpRequest, code: str) -> HttpResponse:
        return reason_pages.edit(request, code, {**self.admin_site.each_context(request), "opts": self.opts})

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

    # Decisions ------------------------------------------------------------------------------------------------------

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
            "reasons_url": reason_pages.address_for(signed_in(request), form.plan),
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
                    whole=form.whole,
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
        seal = DecisionForm.seal(chosen)
        posted = request.POST if asked else None
        form = DecisionForm(action, posted, initial={"versions": seal}, registrations=chosen)
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
