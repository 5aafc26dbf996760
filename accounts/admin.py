"""Accounts and the record of who did what, to read."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import audit_words
from accounts.admin_pages import WithoutStockPages
from accounts.audit_search import PARAMETERS, BoundedPaginator, QuestionFilter
from accounts.models import AuditEntry, User

admin.site.unregister(Group)  # nothing here asks Django's own permissions: a group would promise what it cannot give


class ReadOnlyAdmin(WithoutStockPages, admin.ModelAdmin):
    """Shows, never edits: what changes a row elsewhere leaves a line somewhere."""

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ["username", "legal_name", "is_active", "is_staff", "is_auditor", "is_superuser", "date_joined"]
    list_select_related = ["identity"]
    list_filter = ["is_active", "is_staff", "is_auditor", "is_superuser"]
    search_fields = ["username"]
    fields = [
        *("username", "issuer", "subject", "legal_name", "is_active"),
        *("is_staff", "is_auditor", "is_superuser", "date_joined"),
    ]

    @admin.display(description="姓名", empty_value="未确认")
    def legal_name(self, user: User) -> str:
        return user.legal_name


COLUMNS = (
    "moment",
    "verb_in_words",
    "actor_in_words",
    "subject",
    "target_in_words",
    "address",
    "detail_in_words",
    "request_id",
)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """For auditors and superusers. Nobody adds, changes or removes a line; reading it leaves none (docs/adr/0008)."""

    list_display = [*COLUMNS]
    fields = [*COLUMNS]
    list_filter = [QuestionFilter]
    sortable_by = ()
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    actions = None
    change_list_template = "admin/accounts/auditentry/change_list.html"

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.is_superuser or getattr(request.user, "is_auditor", False)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only what the form asks: no pattern that keeps the database busy."""
        return lookup in PARAMETERS

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            raise PermissionDenied
        # The table is wide; without the list of rooms beside it, it shows from where as well.
        page = {"title": "操作记录", "is_nav_sidebar_enabled": False}
        return super().changelist_view(request, {**page, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One line; its own text, in UTC and with the verb's code, is for logs."""
        return super().change_view(request, object_id, form_url, {"subtitle": None, **(extra_context or {})})

    @admin.display(description="时间")
    def moment(self, entry: AuditEntry) -> str:
        return f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="操作")
    def verb_in_words(self, entry: AuditEntry) -> str:
        return entry.verb_label

    @admin.display(description="操作人")
    def actor_in_words(self, entry: AuditEntry) -> str:
        return audit_words.actor(entry.actor)

    @admin.display(description="对象")
    def target_in_words(self, entry: AuditEntry) -> str:
        return audit_words.target(entry.target)

    @admin.display(description="说明")
    def detail_in_words(self, entry: AuditEntry) -> str:
        return audit_words.detail(entry.verb, entry.detail)
