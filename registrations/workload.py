"""What waits at the desk of one person: their plans, the role in each, and how many registrations are to be decided."""

from dataclasses import dataclass

from django.db.models import Count
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from plans.models import CommitteeMember, Plan, Role
from registrations.models import Registration
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
        try:
            return reverse("admin:registrations_registration_queue", args=[self.plan.code])
        except NoReverseMatch:
            return f"{reverse('admin:registrations_registration_changelist')}?plan={self.plan.pk}"


def of(user: User) -> list[Work]:
    """Three queries, however many plans there are: what waits most first, then what closes last."""
    plans = list(Plan.objects.reviewable_by(user)[:MOST_PLANS])
    roles = dict(CommitteeMember.objects.filter(user=user).values_list("plan", "role"))
    waiting = dict(
        Registration.objects.filter(plan__in=plans, status=Status.SUBMITTED)
        .order_by()
        .values_list("plan")
        .annotate(Count("pk"))
    )
    work = [Work(plan, Role(roles[plan.pk]) if plan.pk in roles else None, waiting.get(plan.pk, 0)) for plan in plans]
    return sorted(work, key=lambda each: -each.waiting)
