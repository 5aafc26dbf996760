"""The committee's desk: the registrations of its plans, one on a page, and the steps of the table."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from accounts import kept_forms, once
from accounts.admin_pages import WithoutStockPages
from accounts.audit import record
from accounts.requests import signed_in
from accounts.verbs import Verb
from photos.delivery import deliver, delivered
from photos.models import Portrait
from plans.models import Plan
from plans.permissions import ChineseChoicesMixin, PlanPermissionMixin
from registrations import (
    desk,
    export_pages,
    export_urls,
    job_pages,
    queue_pages,
    reason_pages,
    statistics_pages,
    terms_pages,
)
from registrations.desk_pages import DeskPages
from registrations.models import Registration


@admin.register(Registration)
class RegistrationAdmin(DeskPages, WithoutStockPages, ChineseChoicesMixin, PlanPermissionMixin, admin.ModelAdmin):
    """Shows and steps; it does not edit. Whoever is in no committee of the plan does not get past get_queryset()."""

    ordering = ["submitted_at", "pk"]
    change_form_template = "admin/registrations/registration/desk.html"

    def plan_of(self, obj: Registration | None) -> Plan | None:
        return obj.plan if obj else None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        return (
            Registration.objects.reviewable_by(signed_in(request)).for_desk(signed_in(request)).order_by(*self.ordering)
        )

    def has_add_permission(self, request: HttpRequest, obj: Registration | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Registration | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Registration | None = None) -> bool:
        return False

    # Pages of our own -----------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view
        own = [
            path("queue/<slug:code>/", page(self.queue), name="registrations_registration_queue"),
            path("export/", page(self.choose_export), name="registrations_registration_export_plans"),
            *export_urls.urls(self),
            path("statistics/<slug:code>/", page(self.statistics), name="registrations_registration_statistics"),
            path("reasons/<slug:code>/", page(self.reasons), name="registrations_registration_reasons"),
            path("<int:pk>/portrait/", page(self.portrait), name="registrations_registration_portrait"),
            path("<int:pk>/portrait/former/", page(self.former_portrait), name="registrations_registration_former"),
            *self.desk_urls(),
        ]
        return own + job_pages.urls(self) + terms_pages.urls(self) + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Not Django's list, which searches by addresses and counts tables: each plan has a queue of its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return queue_pages.choose(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def queue(self, request: HttpRequest, code: str) -> HttpResponse:
        return queue_pages.queue(request, code, {**self.admin_site.each_context(request), "opts": self.opts})

    def choose_export(self, request: HttpRequest) -> HttpResponse:
        return export_pages.choose(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def statistics(self, request: HttpRequest, code: str) -> HttpResponse:
        return statistics_pages.page(request, code, {**self.admin_site.each_context(request), "opts": self.opts})

    @once.once_per_form
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
