"""Whoever can still submit is told that there is more time: by the worker, in chunks, everybody once."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.tasks import task

from accounts import clock
from plans.models import Plan
from registrations import chunks
from registrations.extensions import in_words
from registrations.messages import Kind
from registrations.models import Registration
from registrations.notifications import put_once
from registrations.querysets import RegistrationQuerySet
from registrations.workflow import Status


def tell(sender: object, plan: Plan, before: datetime, **kwargs: Any) -> str:
    """In the transaction that moved the deadline back, which holds the plan's row: whatever their number, it only asks
    for the telling. How many there are, for the committee."""
    waiting = plan.registrations.still_open(clock.now()).count()
    if not waiting:
        return "还没有需要通知的人。"
    text = f"报名截止时间从 {in_words(before)} 延长到 {in_words(plan.registration_closes_at)}。"
    tell_more.enqueue(plan.pk, f"{moment_of(plan)}-{plan.corrections_end_at:%Y%m%d%H%M}", text, 0)
    return f"正在通知 {waiting} 位还没有提交的报名人员。"


def moment_of(plan: Plan) -> str:
    """How the key of such a message begins."""
    return f"deadline-{plan.registration_closes_at:%Y%m%d%H%M}"


@task
def tell_more(plan: int, key: str, text: str, after: int) -> None:
    """Some of them, and a task for the rest. Of a deadline that was moved once more, the later task tells."""
    found = Plan.objects.filter(pk=plan).first()
    if found is not None and key.startswith(moment_of(found)):
        chunks.go_on(tell_more, plan, key, text, after=after, some=partial(tell_some, found, key, text))


def tell_some(plan: Plan, key: str, text: str, after: int) -> chunks.Chunk:
    waiting: RegistrationQuerySet = plan.registrations.still_open(clock.now())
    waiting = waiting.select_related("occupation", "applicant").defer("document_number")
    return chunks.do_some(waiting, after, partial(tell_one, key=key, text=text), "told of a later deadline")


def tell_one(registration: Registration, key: str, text: str) -> bool:
    """Whether this person was told now."""
    return put_once(registration, Kind.DEADLINE, key, {"text": text}, useful_until=registration.deadline())
