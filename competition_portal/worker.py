"""A worker: runs the tasks that are kept in the database, says that it is alive, and does the chores between them."""

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from accounts import kept_forms, origin
from accounts.work import Work
from competition_portal import queries, reaper, worker_metrics
from competition_portal.pulse import Pulse
from competition_portal.task_records import request_id_of
from registrations import carried, deliveries, publishing, reminders

logger = logging.getLogger(__name__)

GONE_AFTER = 60.0  # seconds without a beat after which a worker is taken for dead
REAP_EVERY = 15.0
SWEEP_EVERY = 30.0
REMIND_EVERY = 300.0
CLEAR_EVERY = 600.0
TASKS_PER_ROUND = 10
LONGEST_WAIT = 30.0  # seconds between two tries to reach a database that is away
NAP = 0.2  # a signal that arrives in a sleep is seen after so long


@dataclass
class Chore:
    """Something that is done between tasks, every so many seconds. It must bear being done by several workers."""

    name: str
    every: float
    do: Callable[[], object]
    last: float | None = None

    def is_due(self) -> bool:
        return self.last is None or time.monotonic() - self.last >= self.every


class PortalWorker(Worker):
    """django-tasks-db's worker, round by round: it bears a database that is away, and ends when asked to, not before."""

    def __init__(
        self, queues: Sequence[str] = ("*",), interval: float = 1.0, gone_after: float = GONE_AFTER, once: bool = False
    ) -> None:
        super().__init__(
            queue_names=list(queues),
            excluded_queue_names=[],
            interval=interval,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=TASKS_PER_ROUND,
            worker_id=get_random_string(32),
        )
        self.gone_after, self.once = gone_after, once
        self.chores = [
            Chore("reaper", min(REAP_EVERY, gone_after / 2), self.reap),
            Chore("deliveries", SWEEP_EVERY, deliveries.sweep),
            Chore("decisions", SWEEP_EVERY, publishing.ask_to_tell),
            Chore("reminders", REMIND_EVERY, reminders.send),
            Chore("exports", CLEAR_EVERY, carried.drop_expired),
            Chore("forms", CLEAR_EVERY, kept_forms.drop_expired),
        ]
        self.pulse = Pulse(self.worker_id, ",".join(queues), min(10.0, gone_after / 3))

    def work(self) -> None:
        """Until it is asked to end; with `once`, until there is nothing to do."""
        logger.info("worker %s begins; queues: %s", self.worker_id, ",".join(self.queue_names))
        wait = self.interval
        with self.pulse:
            while self.running:
                try:
                    self.do_chores()
                    busy = self.round()
                    wait = self.interval
                except (OperationalError, InterfaceError) as problem:
                    logger.warning("worker %s: the database is away (%s)", self.worker_id, type(problem).__name__)
                    close_old_connections()
                    wait = min(2 * wait, LONGEST_WAIT)
                    self.nap(wait)
                else:
                    self.rest(busy)
        logger.info("worker %s ends", self.worker_id)

    def rest(self, busy: bool) -> None:
        if self.once and not busy:
            self.running = False
        elif not busy:
            self.nap(self.interval)

    def round(self) -> bool:
        """Run what is ready, a few of them; whether there was anything."""
        self._run_tasks = 0
        self.run()
        return self._run_tasks > 0

    def nap(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.running and time.monotonic() < until:
            time.sleep(min(NAP, seconds))

    def run_task(self, row: DBTaskResult) -> None:
        """All that is logged meanwhile carries the number of the request that asked for it. Arguments are not logged."""
        token = origin.CURRENT.set(origin.Origin(request_id=request_id_of(row)))
        work, began = Work(row.task_path), time.monotonic()
        try:
            with queries.watched(work):
                super().run_task(row)
                self.tell(row, work, time.monotonic() - began)
        finally:
            origin.CURRENT.reset(token)

    def tell(self, row: DBTaskResult, work: Work, took: float) -> None:
        outcome = str(row.status).lower()
        worker_metrics.note(work, outcome, took)
        logger.info(
            "task %s %s: %s in %.1f s",
            *(row.pk, row.task_path, outcome, took),
            extra={"duration_ms": round(took * 1000, 1), "queries": work.queries},
        )

    def do_chores(self) -> None:
        for chore in self.chores:
            if not self.running or not chore.is_due():
                continue
            chore.last = time.monotonic()
            try:
                chore.do()
            except (OperationalError, InterfaceError):
                raise
            except Exception:  # one chore that fails must not keep the others, nor the tasks, from being done
                worker_metrics.CHORE_FAILURES.labels(chore.name).inc()
                logger.exception("worker %s: %s failed", self.worker_id, chore.name)

    def reap(self) -> None:
        """Who was itself silent for a while does not judge others: a database that was away made everybody silent."""
        if self.pulse.steady_for() >= self.gone_after:
            reaper.reap(self.worker_id, self.gone_after)

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """Once: finish the running task, then end. Twice: end here and now; the task is taken up by another worker."""
        if not self.running:
            os._exit(1)
        self.running = False
