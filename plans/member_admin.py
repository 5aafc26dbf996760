"""The committee in a plan's form: how many there are, and the way to their own page (plans/member_pages.py)."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from plans.models import Plan

FIELDSET: tuple[str, Any] = ("组委会", {"fields": ["committee"]})


class MembersMixin:
    @admin.display(description="组委会成员")
    def committee(self, plan: Plan) -> str:
        if plan.pk is None:
            return "保存以后，您是这个计划的管理成员，可以再加入其他人。"
        address = reverse("admin:plans_plan_members", args=[plan.code])
        return format_html('{} 人　<a href="{}">查看和管理成员</a>', plan.members.count(), address)
