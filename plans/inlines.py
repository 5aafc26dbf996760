"""What is edited within a plan: its occupations and attachments, as rows of its form."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminIntegerFieldWidget
from django.http import HttpRequest

from accounts import kept_forms
from plans.desk_form import RowsFormSet
from plans.forms import LINES, AttachmentForm
from plans.models import Attachment, Occupation, Plan
from plans.permissions import ChineseChoicesMixin, PlanPermissionMixin

MOST_KEPT_ROWS = 50


class KeptRowsMixin:
    """Rows that were on the page when the session ended get their places again, whatever stands now; PlanAdmin fills them in.

    Without JavaScript nothing adds a row on the page: its address does (templates/admin/plans/plan/change_form.html).
    """

    def get_extra(self, request: HttpRequest, obj: Plan | None = None, **kwargs: Any) -> int:
        extra: int = super().get_extra(request, obj, **kwargs) + ("rows" in request.GET)  # type: ignore[misc]
        typed = kept_forms.kept(request) if request.method == "GET" else None
        if typed is None:
            return extra
        standing = self.model._default_manager.filter(plan=obj).count() if obj else 0  # type: ignore[attr-defined]
        prefix = self.model._meta.get_field("plan").remote_field.get_accessor_name()  # type: ignore[attr-defined]
        try:
            added = int(typed.get(f"{prefix}-TOTAL_FORMS", "")) - standing
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
    formset = RowsFormSet
    extra = 0
    fields = [("name", "division", "code"), ("skill_level", "capacity", "seats_taken"), "requirements"]
    readonly_fields = ["seats_taken"]
    formfield_overrides = LINES

    def get_formset(self, request: HttpRequest, obj: Plan | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form = type("OccupationForm", (KeepsWhatIsWanted, formset.form), {})
        return formset


class AttachmentInline(KeptRowsMixin, PlanPermissionMixin, admin.StackedInline):
    """Stacked: Django's table of rows has a column whose heading says nothing to a screen reader."""

    model = Attachment
    form = AttachmentForm
    formset = RowsFormSet
    extra = 0
    fields = [("title", "file")]
