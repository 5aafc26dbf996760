"""Whoever can still submit is told that there is more time."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from plans.models import Plan
from registrations.notifications import tell_everyone_with_a_draft


def tell(sender: object, plan: Plan, before: datetime, **kwargs: Any) -> str:
    """For the committee that moved the deadline back: how many were told."""
    told = tell_everyone_with_a_draft(
        plan, f"报名截止时间从 {in_words(before)} 延长到 {in_words(plan.registration_closes_at)}。"
    )
    return f"已通知 {told} 位还没有提交的报名人员。" if told else "还没有需要通知的人。"


def in_words(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.year} 年 {local.month} 月 {local.day} 日 {local:%H:%M}"
