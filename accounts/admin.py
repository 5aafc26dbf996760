"""Accounts and the record of who did what, for superusers, to read."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from accounts.models import AuditEntry, User

admin.site.unregister(Group)  # nothing here asks Django's own permissions: a group would promise what it cannot give


class ReadOnlyAdmin(admin.ModelAdmin):
    """Shows, never edits: what changes a row elsewhere leaves a line somewhere."""

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ["username", "legal_name", "is_active", "is_staff", "is_superuser", "date_joined"]
    list_select_related = ["identity"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["username"]
    fields = ["username", "issuer", "subject", "legal_name", "is_active", "is_staff", "is_superuser", "date_joined"]

    @admin.display(description="姓名", empty_value="未确认")
    def legal_name(self, user: User) -> str:
        return user.legal_name


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor", "verb", "target", "detail"]
    list_filter = ["verb"]
    search_fields = ["actor", "target"]
    show_full_result_count = False
