"""Tell the decisions that their plan has published: news, message and freed seat of each registration, once, in chunks."""

from collections.abc import Iterator

from django.db import transaction
from django.tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from accounts import clock
from plans.models import Occupation, Plan
from registrations import chunks, moves, notifications, undo
from registrations.models import Registration
from registrations.workflow import Status


@task
def tell_decisions(after: int = 0) -> None:
    """Each task goes on behind the one before, or many that break would keep the later ones from their turn for ever. The
    worker begins anew after a while."""
    chunks.go_on(tell_decisions, after=after, some=tell_some)


def ask_to_tell() -> None:
    """Have a task look at what is published and not told. Called after the commit, and by the worker every so often."""
    waits = Registration.objects.to_be_told(clock.now()).exists()
    # Also one that waits for a database that did not answer: it is asked by one task.
    asked = DBTaskResult.objects.filter(status=TaskResultStatus.READY, task_path=tell_decisions.module_path)
    if waits and not asked.exists():
        tell_decisions.enqueue()


def published(sender: object, plan: Plan, **kwargs: object) -> None:
    transaction.on_commit(ask_to_tell, robust=True)


def tell_all() -> Iterator[int]:
    """All, from the first to the last; of each chunk, how many were told."""
    after: int | None = 0
    while after is not None:
        told, after = tell_some(after)
        yield told


def tell_some(after: int = 0) -> chunks.Chunk:
    """Tell a chunk. Nobody knows who else does so: each registration is told by whoever comes first."""
    waiting = Registration.objects.to_be_told(clock.now()).only("pk")
    return chunks.do_some(waiting, after, lambda each: tell(each.pk), "told of a published decision")


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
