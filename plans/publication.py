"""When applicants see a plan: published now or at a moment, taken back while nobody has begun, its deadlines moved."""

from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from accounts import clock
from accounts.audit import record
from accounts.models import User
from accounts.verbs import Verb
from plans.models import Plan
from plans.signals import deadlines_moved


class PublicationRefused(Exception):
    """What is not done. `str()` is the sentence for the person at the screen."""


def gaps(plan: Plan, now: datetime) -> list[str]:
    """What keeps this plan from being published, each as a sentence that says what to do."""
    found = []
    if not plan.occupations.exists():
        found.append("还没有职业（工种），请先添加或导入。")
    if plan.registration_closes_at <= now:
        found.append("报名截止时间已经过去，请先改好报名时间。")
    return found


def still_published(plan: Plan, now: datetime) -> bool:
    """Whether it is, and stays so until the caller's transaction ends: withdraw() waits for whoever has asked.

    A lock that many share (PostgreSQL's FOR KEY SHARE), so that those who begin do not wait for one another. The foreign
    key alone would take it too late, at the commit. Who has waited for the lock judges the row as it is then. SQLite has
    one writer at a time.
    """
    if connection.vendor != "postgresql":
        return Plan.objects.published(now).filter(pk=plan.pk).exists()
    with connection.cursor() as cursor:
        sql = "SELECT 1 FROM plans_plan WHERE id = %s AND published_at <= %s FOR KEY SHARE"
        cursor.execute(sql, [plan.pk, now])
        return cursor.fetchone() is not None


@transaction.atomic
def publish(plan: Plan, by: User, at: datetime | None = None) -> None:
    """Publish now, or at a moment to come (aware). Judged by the row, which is held. Raises PublicationRefused."""
    held = Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    now = clock.now()
    if held.is_published_at(now):
        raise PublicationRefused(f"“{plan}”早已发布，没有改动。")
    if problems := gaps(held, now):
        raise PublicationRefused(f"“{plan}”没有发布：{''.join(problems)}")
    if at and not now < at < held.registration_closes_at:
        raise PublicationRefused("发布时间要晚于现在、早于报名截止时间。")
    Plan.objects.filter(pk=plan.pk).update(published_at=at or now)
    record(by, Verb.PLAN_PUBLISHED, plan, detail=f"at {told(at)}" if at else "")


@transaction.atomic
def withdraw(plan: Plan, by: User) -> None:
    """Take it back while nobody has so much as begun a draft. Raises PublicationRefused.

    The row is held: who begins in the same moment waits for it, and looks again (registrations/intake.py).
    """
    held = Plan.objects.select_for_update().get(pk=plan.pk)
    if held.published_at is None:
        raise PublicationRefused(f"“{plan}”没有发布，不用撤回。")
    if reason := held.why_it_stays_published():
        raise PublicationRefused(reason)
    Plan.objects.filter(pk=plan.pk).update(published_at=None)
    record(by, Verb.PLAN_WITHDRAWN, plan)


@transaction.atomic
def extend(plan: Plan, by: User, closes_at: datetime, corrections: datetime | None) -> list[str]:
    """Move the deadline back, and that for corrections if given (both aware). Raises PublicationRefused.

    The sentences are of whoever listens to `deadlines_moved` and tells the applicants.
    """
    held = Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)  # who begins meanwhile need not wait
    if closes_at <= max(held.registration_closes_at, clock.now()):
        raise PublicationRefused("新的截止时间要晚于原来的截止时间，也要晚于现在。")
    if corrections and corrections < closes_at:
        raise PublicationRefused("修改截止时间不能早于新的报名截止时间；不另设就留空。")
    before, corrections_before = held.registration_closes_at, held.corrections_end_at
    held.registration_closes_at, held.correction_closes_at = closes_at, corrections
    held.save(update_fields=["registration_closes_at", "correction_closes_at"])
    named = [f"{name} {was} → {ends}" for name, was, ends in moves(held, before, corrections_before)]
    record(by, Verb.DEADLINE_EXTENDED, held, detail=", ".join(named))
    return moved(held, before, corrections_before)


def moved(plan: Plan, before: datetime, corrections_before: datetime) -> list[str]:
    """Have those told for whom a plan that was saved ends at another time than these (aware): sentences for the committee."""
    if not moves(plan, before, corrections_before):
        return []
    moments = {"before": before, "corrections_before": corrections_before}
    return [sentence for _, sentence in deadlines_moved.send(Plan, plan=plan, **moments) if sentence]


def moves(plan: Plan, before: datetime, corrections_before: datetime) -> list[tuple[str, str, str]]:
    """Of each deadline that is another one than it was, to the minute as a form has it: its code, and both moments."""
    pairs = {
        "registration": (before, plan.registration_closes_at),
        "corrections": (corrections_before, plan.corrections_end_at),
    }
    found = [(name, told(was), told(ends)) for name, (was, ends) in pairs.items()]
    return [(name, was, ends) for name, was, ends in found if was != ends]


def told(moment: datetime) -> str:
    """For the record, in Beijing's time."""
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}"
