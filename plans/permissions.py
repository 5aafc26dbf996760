"""Who may do what in the admin: the committee's roles decide, Django's own permissions are not asked."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import User
from accounts.requests import signed_in
from plans.models import Plan, Role


def belongs_to_a_committee(user: User) -> bool:
    return user.is_active and (user.is_staff or user.is_superuser or user.is_committee_member)


class PlanPermissionMixin:
    """Seeing asks for any role in the plan, changing for the manager's; nothing here asks Django's own permissions."""

    def plan_of(self, obj: Any) -> Plan | None:
        return obj

    def has_module_permission(self, request: HttpRequest) -> bool:
        return belongs_to_a_committee(signed_in(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        plan = self.plan_of(obj)
        return belongs_to_a_committee(signed_in(request)) if plan is None else plan.has_member(signed_in(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        plan = self.plan_of(obj)
        return (
            belongs_to_a_committee(signed_in(request))
            if plan is None
            else plan.has_member(signed_in(request), Role.MANAGER)
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj) if obj else request.user.is_staff

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj) if obj else False


class ChineseChoicesMixin:
    """Django has no Chinese for the empty line of a list."""

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        empty = [("", "无" if db_field.blank else "请选择")]
        kwargs["choices"] = db_field.get_choices(include_blank=True, blank_choice=empty)
        return super().formfield_for_choice_field(db_field, request, **kwargs)  # type: ignore[misc]

    def get_action_choices(
        self, request: HttpRequest, default_choices: Any = None, action_location: Any = admin.ActionLocation.CHANGE_LIST
    ) -> list[tuple[str, str]]:
        choices = default_choices or [("", "请选择操作")]
        return super().get_action_choices(request, choices, action_location)  # type: ignore[misc]
