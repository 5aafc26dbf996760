"""Whoever can still submit is told that there is more time: by the worker, in chunks, everybody once."""

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError
from django.tasks import task
from django.utils import timezone

from accounts import clock
from plans.models import Plan
from registrations.deliveries import ask_to_send
from registrations.extensions import in_words
from registrations.messages import Kind
from registrations.models import Registration
from registrations.notifications import put_once

logger = logging.getLogger(__name__)

# One task is short, so that a worker that is asked to end does so soon, and others come in between.
CHUNK, CHUNK_SECONDS = 200, 5.0
AGAIN = timedelta(minutes=1)  # after a database that did not answer


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
    if found is None or not key.startswith(moment_of(found)):
        return
    try:
        last = tell_some(found, key, text, after)
    except (OperationalError, InterfaceError):
        tell_more.using(run_after=timezone.now() + AGAIN).enqueue(plan, key, text, after)
        raise
    if last is not None:
        tell_more.enqueue(plan, key, text, last)


def tell_some(plan: Plan, key: str, text: str, after: int) -> int | None:
    """Tell those whose primary keys come after this one; the last key that was looked at, None where nobody is left."""
    last, told, until = None, 0, time.monotonic() + CHUNK_SECONDS
    waiting = plan.registrations.still_open(clock.now()).filter(pk__gt=after).order_by("pk")
    for registration in waiting.select_related("occupation", "applicant").defer("document_number")[:CHUNK]:
        told, last = told + tell_one(registration, key, text), registration.pk
        if time.monotonic() > until:
            break
    if told:
        logger.info("%d people were told of a later deadline", told)
        ask_to_send()
    return last


def tell_one(registration: Registration, key: str, text: str) -> bool:
    """Whether this person was told now."""
    try:
        return put_once(registration, Kind.DEADLINE, key, {"text": text}, useful_until=registration.deadline())
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # one that breaks must not keep the others from being told
        logger.exception("registration %d could not be told of a later deadline", registration.pk)
        return False
