"""Several people at the same moment: threads with database connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

from registrations.workflow import StepRefused


def at_once(*doings: Callable[[], Any]) -> list[Any]:
    """What each returns, or the sentence with which it was refused. Nobody begins before everybody is ready."""
    barrier = Barrier(len(doings))

    def run(doing: Callable[[], Any]) -> Any:
        barrier.wait(timeout=10)  # before a connection is asked for: the pool may have fewer than there are threads
        try:
            return doing()
        except StepRefused as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(doings)) as pool:
        return list(pool.map(run, doings))
