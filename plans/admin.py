"""The committee edits its own plans, with occupations, attachments and members in one place."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from accounts import clock, kept_forms, once
from accounts.admin_pages import WithoutStockPages
from accounts.audit import record
from accounts.refused_access import note_refused_access
from accounts.requests import signed_in
from accounts.verbs import Verb
from plans import decision_pages, history, member_pages, members, photo_admin, plan_pages, publication
from plans.desk_form import PlanForm
from plans.forms import LINES
from plans.inlines import AttachmentInline, OccupationInline
from plans.member_admin import FIELDSET as MEMBERS
from plans.member_admin import MembersMixin
from plans.models import Plan, PlanState, Role
from plans.permissions import ChineseChoicesMixin, PlanPermissionMixin


class StateFilter(admin.SimpleListFilter):
    title = "状态"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unpublished", "未发布"), *((state.value, state.label) for state in PlanState)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Plan]) -> QuerySet[Plan]:
        now = clock.near()
        if self.value() == "unpublished":
            return queryset.exclude(pk__in=Plan.objects.published(now).values("pk"))
        if self.value() in set(PlanState):
            return queryset.filter(pk__in=Plan.objects.in_state(PlanState(str(self.value())), now).values("pk"))
        return queryset


@admin.register(Plan)
class PlanAdmin(
    WithoutStockPages,
    MembersMixin,
    photo_admin.PhotoRequirementsMixin,
    ChineseChoicesMixin,
    PlanPermissionMixin,
    admin.ModelAdmin,
):
    without = ["delete"]
    form = PlanForm
    list_display = ["title", "code", "state", "registration_opens_at", "registration_closes_at"]
    list_filter = [StateFilter, "level"]
    search_fields = ["title", "code"]
    readonly_fields = ["committee"]
    formfield_overrides = LINES
    inlines = [OccupationInline, AttachmentInline]
    actions = ["publish_now"]
    fieldsets = [
        (None, {"fields": [("code", "title"), ("level", "category"), ("organiser", "co_organiser"), "published_at"]}),
        ("报名时间", {"fields": ["registration_opens_at", "registration_closes_at", "correction_closes_at"]}),
        ("审核结果", {"fields": ["holds_decisions"]}),
        ("竞赛", {"fields": [("competition_starts_on", "competition_ends_on"), "place", "description"]}),
        photo_admin.FIELDSET,
        ("联系方式", {"fields": [("contact", "contact_phone")]}),
        MEMBERS,
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return Plan.objects.reviewable_by(signed_in(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Plan | None:
        """Django leads away from what is not there or not one's own; the log says that somebody tried."""
        found = super().get_object(request, object_id, from_field)
        if found is None:
            note_refused_access(request, "not found")
        elif request.method == "POST":
            # In Django's transaction: of two who save at once the second sees what the first has saved.
            return Plan.objects.select_for_update(no_key=True).get(pk=found.pk)
        return found

    def get_urls(self) -> list[Any]:
        pages = {
            "preview": plan_pages.preview,
            "publish": plan_pages.publish,
            "extend": plan_pages.extend,
            "copy": plan_pages.copy,
            "occupations": plan_pages.occupations,
            "template": plan_pages.template,
            "decisions": decision_pages.page,
        }
        own = [
            path(f"<slug:code>/{name}/", self.admin_site.admin_view(self.own_page(page)), name=f"plans_plan_{name}")
            for name, page in pages.items()
        ]
        return own + member_pages.pages() + super().get_urls()

    def own_page(self, page: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(page)
        def show(request: HttpRequest, code: str) -> HttpResponseBase:
            return page(request, code, {**self.admin_site.each_context(request), "opts": self.opts})

        return show

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "竞赛计划", **(extra_context or {})})

    @once.once_per_form
    @kept_forms.form_page
    def add_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().add_view(*args, **kwargs)

    @once.once_per_form
    @kept_forms.form_page
    def change_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().change_view(*args, **kwargs)
        except IntegrityError:
            # Somebody took the seat between our look and our write. Asked again, the form sees it and says so.
            return super().change_view(*args, **kwargs)

    @method_decorator(require_safe)
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django names the account; a committee knows the person."""
        answer = super().history_view(request, object_id, extra_context)
        if isinstance(answer, TemplateResponse) and (context := answer.context_data):
            page = context["action_list"]
            lines = list(page)  # read before the names: whoever is among them has one
            called = history.names(page.paginator.object_list)
            context["lines"] = [(line, called[line.user_id]) for line in lines]
        return answer

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        rows = [form for inline in context["inline_admin_formsets"] for form in inline.formset.forms]
        kept_forms.restore(request, context["adminform"].form, *rows)
        # Django puts a name between spaces, as English has it.
        context["title"] = str(context["title"]).replace(" ", "")
        return super().render_change_form(request, context, *args, **kwargs)

    def view_on_site(self, plan: Plan) -> str:
        return plan.get_absolute_url()

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        """Deleting a plan would take its registrations' history with it. An unpublished one may simply stay so."""
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change:
            members.appoint(form.instance, signed_in(request), Role.MANAGER, signed_in(request))
        record(signed_in(request), Verb.PLAN_CHANGED if change else Verb.PLAN_CREATED, form.instance)
        if change:
            before = form.initial["registration_closes_at"]
            corrections_before = form.initial["correction_closes_at"] or before
            for sentence in publication.moved(form.instance, before, corrections_before):
                messages.info(request, sentence)

    @admin.display(description="状态")
    def state(self, plan: Plan) -> str:
        return plan.state.label if plan.is_published_at(clock.near()) else "未发布"

    @admin.action(description="立即发布所选竞赛计划")
    def publish_now(self, request: HttpRequest, queryset: QuerySet[Plan]) -> None:
        for plan in queryset:
            if not self.has_change_permission(request, plan):
                messages.error(request, f"“{plan}”没有发布：您不是它的管理员。")
                continue
            try:
                publication.publish(plan, signed_in(request))
                messages.success(request, f"“{plan}”已发布。")
            except publication.PublicationRefused as refusal:
                messages.error(request, str(refusal))
