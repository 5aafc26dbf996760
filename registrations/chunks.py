"""What is done for many registrations, a chunk in each task: one that breaks keeps no other from its turn."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import InterfaceError, OperationalError
from django.tasks import Task
from django.utils import timezone

from registrations.deliveries import ask_to_send

if TYPE_CHECKING:
    from registrations.models import Registration
    from registrations.querysets import RegistrationQuerySet

logger = logging.getLogger(__name__)

# One task is short, so that a worker that is asked to end does so soon, and others come in between.
CHUNK, CHUNK_SECONDS = 200, 5.0
AGAIN = timedelta(minutes=1)  # after a database that did not answer


class Chunk(NamedTuple):
    """For how many it was done, and the last primary key that was looked at, done or broken: None where nobody was left."""

    done: int
    last: int | None


def do_some(waiting: "RegistrationQuerySet", after: int, do: Callable[["Registration"], bool], what: str) -> Chunk:
    """Those whose primary keys come after this one, in their order. `what` has become of them, for the log: "told of …"."""
    done, last, until = 0, None, time.monotonic() + CHUNK_SECONDS
    for registration in waiting.filter(pk__gt=after).order_by("pk")[:CHUNK]:
        done, last = done + try_one(registration, partial(do, registration), what), registration.pk
        if time.monotonic() > until:
            break
    if done:
        logger.info("%d registrations were %s", done, what)
    ask_to_send()
    return Chunk(done, last)


def try_one(registration: "Registration", do: Callable[[], bool], what: str) -> bool:
    """Whether it was done. What breaks in one is for the log; a database that is away stops them all."""
    try:
        return do()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("registration %d could not be %s", registration.pk, what)
        return False


def go_on(task: Task[..., Any], *arguments: Any, after: int, some: Callable[[int], Chunk]) -> None:
    """What a task does: some of them, and the same task, whose last argument is the key after which it begins, for the
    rest. A database that does not answer is asked again after a while, and the error is raised."""
    try:
        last = some(after).last
    except (OperationalError, InterfaceError):
        task.using(run_after=timezone.now() + AGAIN).enqueue(*arguments, after)
        raise
    if last is not None:
        task.enqueue(*arguments, last)
