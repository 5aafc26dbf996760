"""The committee edits its own plans, with occupations, attachments and members in one place."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminIntegerFieldWidget
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import kept_forms
from accounts.audit import record
from accounts.models import User
from accounts.refused_access import note_refused_access
from accounts.requests import signed_in
from accounts.verbs import Verb
from plans import photo_admin
from plans.forms import AttachmentForm
from plans.models import Attachment, CommitteeMember, Occupation, Plan, PlanState, Role

MOST_KEPT_ROWS = 50


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


class KeptRowsMixin:
    """Rows that were being added when the session ended get their places again; PlanAdmin fills them in."""

    def get_extra(self, request: HttpRequest, obj: Plan | None = None, **kwargs: Any) -> int:
        extra: int = super().get_extra(request, obj, **kwargs)  # type: ignore[misc]
        typed = kept_forms.kept(request) if request.method == "GET" else None
        if typed is None:
            return extra
        prefix = self.model._meta.get_field("plan").remote_field.get_accessor_name()  # type: ignore[attr-defined]
        try:
            added = int(typed.get(f"{prefix}-TOTAL_FORMS", "")) - int(typed.get(f"{prefix}-INITIAL_FORMS", ""))
        except ValueError:
            return extra
        return max(0, min(added, MOST_KEPT_ROWS))


class OccupationForm(forms.ModelForm):
    capacity = forms.IntegerField(
        label="名额",
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text="不填为不限名额。",
        error_messages={
            "invalid": "名额请填写整数；不限名额请留空。",
            "min_value": "名额至少为 1；不限名额请留空。",
            "max_value": "名额太大，请核对；不限名额请留空。",
        },
        widget=AdminIntegerFieldWidget,
    )

    def clean_capacity(self) -> int | None:
        capacity: int | None = self.cleaned_data["capacity"]
        if capacity is not None and capacity < self.instance.seats_taken:
            raise forms.ValidationError(f"已有 {self.instance.seats_taken} 人占用名额，名额不能少于这个数。")
        return capacity


class KeepsWhatIsWanted:
    """Django would name everything that hangs on an occupation, the drafts of applicants too."""

    def hand_clean_DELETE(self) -> None:  # noqa: N802  (Django's name)
        try:
            super().hand_clean_DELETE()  # type: ignore[misc]
        except forms.ValidationError as problem:
            name = self.instance  # type: ignore[attr-defined]
            raise forms.ValidationError(
                f"“{name}”已有人填写或报名，不能删除。要停止报名，可以把名额改成已占的名额。"
            ) from problem


class OccupationInline(KeptRowsMixin, ChineseChoicesMixin, PlanPermissionMixin, admin.StackedInline):
    model = Occupation
    form = OccupationForm
    extra = 0
    fields = [("name", "division", "code"), ("skill_level", "capacity", "seats_taken"), "requirements"]
    readonly_fields = ["seats_taken"]

    def get_formset(self, request: HttpRequest, obj: Plan | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form = type("OccupationForm", (KeepsWhatIsWanted, formset.form), {})
        return formset


class AttachmentInline(KeptRowsMixin, PlanPermissionMixin, admin.TabularInline):
    model = Attachment
    form = AttachmentForm
    extra = 0


class CommitteeMemberForm(forms.ModelForm):
    """A member is named by the account code that is on the person's own page: nobody looks through a list of people."""

    account = forms.CharField(
        label="账户代号",
        max_length=64,
        help_text="由本人在“个人身份信息”页面上查到，形如 u-0123456789abcdef。",
        error_messages={"required": "请填写账户代号。"},
    )

    class Meta:
        model = CommitteeMember
        fields = ["account", "role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["account"] = self.instance.user.username
            self.fields["account"].disabled = True

    def clean_account(self) -> str:
        username: str = self.cleaned_data["account"].strip()
        if self.instance.pk:
            return username
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise forms.ValidationError("没有这个账户代号，请向本人核对。")
        if CommitteeMember.objects.filter(plan=self.instance.plan_id, user=user).exists():
            raise forms.ValidationError("这个账户已经是该竞赛计划的组委会成员。")
        self.instance.user = user
        return username


class CommitteeMemberFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        """The account is no field of the model's own form: nobody else notices that two new rows name the same one."""
        super().clean()
        added = [form.instance.user_id for form in self.extra_forms if form.instance.user_id]
        if len(added) != len(set(added)):
            raise forms.ValidationError("这个账户填写了两次，请删去一个。")


class CommitteeMemberInline(KeptRowsMixin, ChineseChoicesMixin, PlanPermissionMixin, admin.TabularInline):
    model = CommitteeMember
    form = CommitteeMemberForm
    formset = CommitteeMemberFormSet
    extra = 0
    fields = ["person", "account", "role"]
    readonly_fields = ["person"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CommitteeMember]:
        return super().get_queryset(request).select_related("user__identity")

    @admin.display(description="姓名")
    def person(self, member: CommitteeMember) -> str:
        return member.user.legal_name if member.user_id else ""


class StateFilter(admin.SimpleListFilter):
    title = "状态"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unpublished", "未发布"), *((state.value, state.label) for state in PlanState)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Plan]) -> QuerySet[Plan]:
        now = timezone.now()
        if self.value() == "unpublished":
            return queryset.exclude(pk__in=Plan.objects.published(now).values("pk"))
        if self.value() in set(PlanState):
            return queryset.filter(pk__in=Plan.objects.in_state(PlanState(str(self.value())), now).values("pk"))
        return queryset


def record_member(request: HttpRequest, verb: Verb, member: CommitteeMember) -> None:
    """A line as the command add_committee_member writes it."""
    record(signed_in(request), verb, member.user, detail=f"{member.plan.code} {member.role}")


@admin.register(Plan)
class PlanAdmin(photo_admin.PhotoRequirementsMixin, ChineseChoicesMixin, PlanPermissionMixin, admin.ModelAdmin):
    list_display = ["title", "code", "state", "registration_opens_at", "registration_closes_at"]
    list_filter = [StateFilter, "level"]
    search_fields = ["title", "code"]
    inlines = [OccupationInline, AttachmentInline, CommitteeMemberInline]
    actions = ["publish_now"]
    fieldsets = [
        (None, {"fields": [("code", "title"), ("level", "category"), ("organiser", "co_organiser"), "published_at"]}),
        ("报名时间", {"fields": ["registration_opens_at", "registration_closes_at", "correction_closes_at"]}),
        ("竞赛", {"fields": [("competition_starts_on", "competition_ends_on"), "place", "description"]}),
        photo_admin.FIELDSET,
        ("联系方式", {"fields": [("contact", "contact_phone")]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return Plan.objects.reviewable_by(signed_in(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Plan | None:
        """Django leads away from what is not there or not one's own; the log says that somebody tried."""
        found = super().get_object(request, object_id, from_field)
        if found is None:
            note_refused_access(request, "not found")
        return found

    @kept_forms.form_page
    def add_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().add_view(*args, **kwargs)

    @kept_forms.form_page
    def change_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().change_view(*args, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        rows = [form for inline in context["inline_admin_formsets"] for form in inline.formset.forms]
        kept_forms.restore(request, context["adminform"].form, *rows)
        return super().render_change_form(request, context, *args, **kwargs)

    def view_on_site(self, plan: Plan) -> str:
        return plan.get_absolute_url()

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        """Deleting a plan would take its registrations' history with it. An unpublished one may simply stay so."""
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change:
            plan = form.instance
            member, added = CommitteeMember.objects.get_or_create(
                plan=plan, user=signed_in(request), defaults={"role": Role.MANAGER}
            )
            if added:
                record_member(request, Verb.MEMBER_ADDED, member)
        record(signed_in(request), Verb.PLAN_CHANGED if change else Verb.PLAN_CREATED, form.instance)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Who came into the committee, changed the role or left it, each in a line of its own."""
        super().save_formset(request, form, formset, change)
        if formset.model is not CommitteeMember:
            return
        for member in formset.new_objects:
            record_member(request, Verb.MEMBER_ADDED, member)
        for member, _ in formset.changed_objects:
            record_member(request, Verb.MEMBER_CHANGED, member)
        for member in formset.deleted_objects:
            record_member(request, Verb.MEMBER_REMOVED, member)

    @admin.display(description="状态")
    def state(self, plan: Plan) -> str:
        published = plan.published_at and plan.published_at <= timezone.now()
        return plan.state.label if published else "未发布"

    @admin.action(description="立即发布所选竞赛计划")
    def publish_now(self, request: HttpRequest, queryset: QuerySet[Plan]) -> None:
        for plan in queryset:
            if not self.has_change_permission(request, plan):
                messages.error(request, f"“{plan}”没有发布：您不是它的管理员。")
                continue
            if plan.published_at and plan.published_at <= timezone.now():
                messages.info(request, f"“{plan}”早已发布，没有改动。")
                continue
            Plan.objects.filter(pk=plan.pk).update(published_at=timezone.now())
            record(signed_in(request), Verb.PLAN_PUBLISHED, plan)
            messages.success(request, f"“{plan}”已发布。")
