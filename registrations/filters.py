"""The filters of the committee's list."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.requests import signed_in
from plans.models import Division, Occupation, Plan
from registrations.models import Registration
from registrations.workflow import Status


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
