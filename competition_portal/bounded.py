"""Connections to PostgreSQL that nobody waits for without end, and that are there again as soon as it is.

A server that is frozen, or a network that swallows packets, takes what is sent and never answers: TCP is content, and
libpq would wait for ever. So each wait for an answer has a bound here. What is slow and alive is another matter, the
server's (statement_timeout).
"""

import os
from typing import Any

import psycopg
from psycopg.errors import OperationalError
from psycopg_pool import ConnectionPool

CONNECT_SECONDS = 2  # libpq's least
# Until a request is told that there is no connection. Who has begun to wait before the database is back fails no later
# than so long after it; who begins then finds it.
BORROW_SECONDS = 1.0
BORROW_SECONDS_OF_COMMANDS = 5.0
CHECK_SECONDS = 0.5  # for a borrowed connection to answer to an empty question
# For the answer to one statement of a page. Commands and the worker ask what takes longer, and nobody waits for them.
ANSWER_SECONDS = 20.0
# A failed attempt to connect is made once more after this and given up then; whoever asks next begins another. By its own
# rule the pool waits twice as long after each, minutes in the end, and the database has long been back.
GIVE_UP_SECONDS = 0.1


class Silent(OperationalError):
    """The database has not answered in time; the connection is closed, for nobody knows what it would say next."""


class BoundedConnection(psycopg.Connection[Any]):
    """Waits `patience` seconds for each answer; None is for ever."""

    patience: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        if timeout is not None or self.patience is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.errors._WaitTimeout as problem:
            self.close()
            raise Silent(f"no answer within {self.patience:g} seconds") from problem


def serving() -> bool:
    """Whether this process answers pages: gunicorn says so of its own (deploy/gunicorn.conf.py)."""
    return "gunicorn" in os.environ.get("SERVER_SOFTWARE", "")


def check(connection: BoundedConnection) -> None:
    """On each borrowing: it answers at once, or another one is taken.

    Where one is broken, its neighbours are as a rule: they go too, or each of the next requests finds another of them.
    """
    patience = ANSWER_SECONDS if serving() else None
    connection.patience = CHECK_SECONDS
    try:
        ConnectionPool.check_connection(connection)
    except Exception:
        if connection._pool is not None:
            connection._pool.drain()  # type: ignore[attr-defined]  # a ConnectionPool, as Django makes it
        raise
    finally:
        connection.patience = patience


def pool(size: int) -> dict[str, Any]:
    """For DATABASES["default"]["OPTIONS"]["pool"]."""
    return {
        "min_size": 1,
        "max_size": size,
        "timeout": BORROW_SECONDS if serving() else BORROW_SECONDS_OF_COMMANDS,
        "reconnect_timeout": GIVE_UP_SECONDS,
        "connection_class": BoundedConnection,
        "check": check,
    }
