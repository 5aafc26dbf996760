"""Publishing a plan's decisions: all that were held back at once, now or at a moment, and never taken back."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

from accounts import clock
from accounts.audit import record
from accounts.models import User
from accounts.verbs import Verb
from plans.models import Plan
from plans.publication import PublicationRefused, told
from plans.signals import decisions_published


@dataclass(frozen=True)
class Held:
    """How many decisions wait for their publication, and how many registrations for their decision."""

    approved: int
    rejected: int
    waiting: int

    @property
    def total(self) -> int:
        return self.approved + self.rejected

    @property
    def seal(self) -> str:
        """What a question was about: it is asked again when that has changed."""
        return f"{self.approved}-{self.rejected}"


def held(plan: Plan) -> Held:
    found = plan.registrations.filter(Q(held=True) | Q(status="submitted")).order_by()
    counts = dict(found.values_list("status").annotate(number=Count("pk")))
    return Held(counts.get("approved", 0), counts.get("rejected", 0), counts.get("submitted", 0))


def is_published(plan: Plan, now: datetime) -> bool:
    return plan.holds_decisions and not plan.holds_decisions_at(now)


@transaction.atomic
def publish(plan: Plan, by: User, at: datetime | None = None) -> None:
    """Publish now, or at a moment to come (aware). Of two that press at once, one does. Raises PublicationRefused."""
    now = moment_of(plan)
    if at and at <= now:
        raise PublicationRefused("公布时间要晚于现在；要马上公布的，请按“现在公布”。")
    what = held(plan)
    if not still_holding(plan, now, at or now):
        raise PublicationRefused(why_not(plan))
    counted = f"{what.approved} approved, {what.rejected} rejected"
    if at:
        record(by, Verb.DECISIONS_PLANNED, plan, detail=f"at {told(at)}")
        return
    record(by, Verb.DECISIONS_PUBLISHED, plan, detail=counted)
    decisions_published.send(Plan, plan=plan)


def moment_of(plan: Plan) -> datetime:
    """Now, read when the plan's row is ours until the transaction's end: who waited for another has a later moment than
    that other, and so sees what the other has published."""
    Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    return clock.now()


def still_holding(plan: Plan, now: datetime, moment: datetime | None) -> bool:
    """Write the moment, if nothing is published yet."""
    if not Plan.objects.holding(now).filter(pk=plan.pk).update(decisions_published_at=moment):
        return False
    plan.decisions_published_at = moment
    return True


def why_not(plan: Plan) -> str:
    row = Plan.objects.get(pk=plan.pk)
    if not row.holds_decisions:
        return "这个竞赛计划的审核结果没有留待公布，审核后马上告诉本人，不用公布。"
    return f"审核结果已于 {told(row.decisions_published_at).replace('T', ' ')} 公布，没有改动。"  # type: ignore[arg-type]


@transaction.atomic
def cancel(plan: Plan, by: User) -> None:
    """Take the planned moment back: it stays held until somebody publishes. Raises PublicationRefused."""
    if not still_holding(plan, moment_of(plan), None):
        raise PublicationRefused(why_not(plan))
    record(by, Verb.DECISIONS_UNPLANNED, plan)
