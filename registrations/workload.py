"""What waits at the desk of one person: their plans, the role in each, and how many registrations are to be decided."""

from dataclasses import dataclass

from django.db.models import Sum
from django.urls import reverse

from accounts.models import User
from plans.models import CommitteeMember, Plan, Role
from registrations.tally import Tally
from registrations.workflow import Status

MOST_PLANS = 100


@dataclass(frozen=True)
class Work:
    """One plan. `role` is None for whoever sees it without being a member: a superuser."""

    plan: Plan
    role: Role | None
    waiting: int

    @property
    def role_label(self) -> str:
        return str(self.role.label) if self.role else "系统管理员"

    @property
    def decides(self) -> bool:
        return self.role != Role.VIEWER

    @property
    def manages(self) -> bool:
        return self.role in {None, Role.MANAGER}

    @property
    def queue(self) -> str:
        return reverse("admin:registrations_registration_queue", args=[self.plan.code])


def of(user: User) -> list[Work]:
    """Three queries, however many plans there are: what waits most first, then what closes last."""
    plans = list(Plan.objects.reviewable_by(user)[:MOST_PLANS])
    roles = dict(CommitteeMember.objects.filter(user=user).values_list("plan", "role"))
    kept = Tally.objects.filter(plan__in=plans, status=Status.SUBMITTED).order_by()
    waiting = dict(kept.values_list("plan").annotate(Sum("count")))
    work = [Work(plan, Role(roles[plan.pk]) if plan.pk in roles else None, waiting.get(plan.pk, 0)) for plan in plans]
    return sorted(work, key=lambda each: -each.waiting)
