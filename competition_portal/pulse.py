"""How a worker says that it is alive, while it works as well as between tasks."""

import logging
import time
from datetime import timedelta
from threading import Event, Thread

from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models.functions import Now

from competition_portal.models import WorkerPulse

logger = logging.getLogger(__name__)

BEAT_SECONDS = 10


def living(gone_after: float) -> set[str]:
    """The workers that were heard of within so many seconds."""
    since = Now() - timedelta(seconds=gone_after)
    return set(WorkerPulse.objects.filter(beat_at__gte=since).values_list("worker", flat=True))


class Pulse:
    """A context in which a thread beats for this worker. It ends with its process: a killed worker falls silent."""

    def __init__(self, worker: str, queues: str, every: float = BEAT_SECONDS) -> None:
        self.worker, self.queues, self.every = worker, queues, every
        self.ending = Event()
        self.unbroken_since: float | None = None
        self.thread = Thread(target=self.go_on, name="pulse", daemon=True)

    def __enter__(self) -> "Pulse":
        self.try_to_beat()
        self.thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.ending.set()
        self.thread.join(timeout=self.every)
        try:
            WorkerPulse.objects.filter(worker=self.worker).delete()
        except (OperationalError, InterfaceError):
            logger.warning("The worker could not say that it ends; it will be missed in a while.")

    def go_on(self) -> None:
        while not self.ending.wait(self.every):
            self.try_to_beat()
            close_old_connections()

    def try_to_beat(self) -> None:
        try:
            self.beat()
        except (OperationalError, InterfaceError):
            self.unbroken_since = None
        else:
            self.unbroken_since = self.unbroken_since or time.monotonic()

    def beat(self) -> None:
        rows = WorkerPulse.objects.filter(worker=self.worker)
        if not rows.update(beat_at=Now()):
            WorkerPulse.objects.create(worker=self.worker, queues=self.queues, started_at=Now(), beat_at=Now())

    def steady_for(self) -> float:
        """Seconds without a missed beat. After a pause of the database everybody looks dead for a while."""
        return time.monotonic() - self.unbroken_since if self.unbroken_since else 0.0
