"""Several people at the same moment: threads with database connections of their own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection, connections

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


def crowd(doings: Sequence[Callable[[], Any]], at_a_time: int) -> list[Any]:
    """As `at_once`, for more people than a database has connections: `at_a_time` of them act together, each on a
    connection that is really its own, and whoever is through makes room for the next one."""
    barrier = Barrier(at_a_time)

    def arrive() -> None:
        own = connections["default"]
        options = {name: value for name, value in own.settings_dict["OPTIONS"].items() if name != "pool"}
        own.settings_dict = {**own.settings_dict, "OPTIONS": options, "CONN_MAX_AGE": None}
        own.ensure_connection()
        barrier.wait(timeout=60)

    def run(doing: Callable[[], Any]) -> Any:
        try:
            return doing()
        except StepRefused as refusal:
            return str(refusal)

    def leave(_: int) -> None:
        barrier.wait(timeout=60)  # so that each thread takes one of these
        connection.close()

    with ThreadPoolExecutor(at_a_time, initializer=arrive) as pool:
        try:
            return list(pool.map(run, doings))
        finally:
            list(pool.map(leave, range(at_a_time)))


def waited_for() -> bool:
    """Whether another connection waits for a lock that this one holds, in its transaction (PostgreSQL)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])
