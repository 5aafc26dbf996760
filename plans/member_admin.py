"""The committee's members, as rows of the plan's form, and the line that each change of them leaves."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.audit import record
from accounts.models import User
from accounts.requests import signed_in
from accounts.verbs import Verb
from plans.inlines import KeptRowsMixin
from plans.models import CommitteeMember
from plans.permissions import ChineseChoicesMixin, PlanPermissionMixin


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


def record_member(request: HttpRequest, verb: Verb, member: CommitteeMember) -> None:
    """A line as the command add_committee_member writes it."""
    record(signed_in(request), verb, member.user, detail=f"{member.plan.code} {member.role}")
