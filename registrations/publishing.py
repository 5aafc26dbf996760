"""Tell the decisions that their plan has published: news, message and freed seat of each registration, once, in chunks."""

import logging
import time

from django.db import InterfaceError, OperationalError, transaction
from django.tasks import task
from django_tasks_db.models import DBTaskResult

from accounts import clock
from plans.models import Occupation, Plan
from registrations import moves, notifications, undo
from registrations.deliveries import ask_to_send
from registrations.models import Registration
from registrations.workflow import Status

logger = logging.getLogger(__name__)

# One task is short, so that a worker that is asked to end does so soon, and others come in between.
CHUNK, CHUNK_SECONDS = 200, 5.0


@task
def tell_decisions() -> None:
    if tell_some():  # where nobody could be told, the worker looks again after a while
        ask_to_tell()


def ask_to_tell() -> None:
    """Have a task look at what is published and not told. Called after the commit, and by the worker every so often."""
    waits = Registration.objects.to_be_told(clock.now()).exists()
    if waits and not DBTaskResult.objects.ready().filter(task_path=tell_decisions.module_path).exists():
        tell_decisions.enqueue()


def published(sender: object, plan: Plan, **kwargs: object) -> None:
    transaction.on_commit(ask_to_tell, robust=True)


def tell_some() -> int:
    """Tell a chunk; how many. Nobody knows who else does so: each registration is told by whoever comes first."""
    told, until = 0, time.monotonic() + CHUNK_SECONDS
    for pk in list(Registration.objects.to_be_told(clock.now()).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        try:
            told += tell(pk)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # one that breaks must not keep the others from being told
            logger.exception("the decision of registration %d could not be told", pk)
        if time.monotonic() > until:
            break
    if told:
        logger.info("%d decisions were told after their publication", told)
    ask_to_send()
    return told


@transaction.atomic
def tell(pk: int) -> bool:
    """One registration, wholly or not at all; whether it was told now."""
    waiting = Registration.objects.to_be_told(clock.now()).filter(pk=pk)
    registration = waiting.for_pages().select_for_update(of=("self",)).first()
    if registration is None:
        return False
    decision = undo.last_decision(registration)
    seat = registration.seat_id if registration.status == Status.REJECTED else None
    values = {"held": False, "unseen": True, "seat": None if seat else registration.seat_id}
    # The row that was locked is the row that is changed; where rows are not locked (SQLite), the condition decides.
    if not Registration.objects.filter(pk=pk, held=True, status=registration.status).update(**values):
        return False
    if decision:
        notifications.write_published(decision)
    if registration.status == Status.REJECTED:
        moves.lapse(registration, clock.now())
    if seat:
        Occupation.objects.give_seat_back(seat)
    return True
