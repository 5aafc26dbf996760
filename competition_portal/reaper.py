"""Tasks whose worker is gone: a worker that was killed leaves them RUNNING for ever, unless somebody looks."""

import logging
from datetime import timedelta

from django.db.models.functions import Now
from django.tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from competition_portal.models import WorkerPulse
from competition_portal.pulse import living

logger = logging.getLogger(__name__)

# A task that takes its worker with it each time (too much memory, say) must not do so for ever.
MOST_WORKERS = 5
LOST = "competition_portal.reaper.WorkerLost"


class WorkerLost(Exception):
    """What a task has failed of that so many workers did not survive."""


def reap(me: str, gone_after: float) -> int:
    """Give back the tasks of workers that were not heard of for `gone_after` seconds; how many.

    Called between the tasks of worker `me`, which therefore has none: what is said to be running there was lost, too.
    """
    # First what runs, then who lives: who begins in between has no task here, and is not taken for dead.
    running = list(DBTaskResult.objects.running().only("id", "worker_ids", "started_at", "task_path"))
    alive = living(gone_after) - {me}
    lost = [row for row in running if not row.worker_ids or row.worker_ids[-1] not in alive]
    number = sum(give_back(row) for row in lost)
    forget(gone_after)
    return number


def give_back(row: DBTaskResult) -> bool:
    """Bound to the moment at which it was begun: who has begun it anew meanwhile keeps it."""
    same = DBTaskResult.objects.running().filter(pk=row.pk, started_at=row.started_at)
    if len(row.worker_ids) >= MOST_WORKERS:
        logger.error("task %s %s is given up: %d workers were lost over it", row.pk, row.task_path, MOST_WORKERS)
        values = {"status": TaskResultStatus.FAILED, "finished_at": Now(), "exception_class_path": LOST}
        return bool(same.update(**values))
    logger.warning("task %s %s is taken up again: its worker is gone", row.pk, row.task_path)
    return bool(same.update(status=TaskResultStatus.READY))


def forget(gone_after: float) -> None:
    """Rows of workers that did not say goodbye."""
    WorkerPulse.objects.filter(beat_at__lt=Now() - timedelta(seconds=gone_after)).delete()
