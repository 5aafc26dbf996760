"""Whether a PostgreSQL that does not answer to a statement still answers to anybody, and whether it works at it."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.errors import ConnectionTimeout

# Which sessions of this database are at work. Where the role may not see it, or nothing is recorded, all of them are.
# Behind a pooler the number by which a client knows its session is made up, and says nothing.
AT_WORK = """
SELECT pg_backend_pid(), array_agg(pid) FROM pg_stat_activity
WHERE datname = current_database() AND coalesce(state, '') NOT LIKE 'idle%'
"""


@dataclass(frozen=True)
class Reply:
    """What came of one call: whether anybody answered, and the sessions at work, None where that is not known."""

    begun_at: float
    alive: bool
    at_work: frozenset[int] | None = None

    def works_for(self, session: int) -> bool:
        return self.alive and (self.at_work is None or session in self.at_work)


class Ear:
    """Calls the server anew, by one thread at a time, however many want to know: who hangs, hangs once.

    `call` returns a connection in bounded time or raises psycopg's ConnectionTimeout; anything else is an answer, too.
    """

    def __init__(self, call: Callable[[], psycopg.Connection[Any]]) -> None:
        self.call = call
        self.lock = threading.Lock()
        self.calling = False
        self.last: Reply | None = None

    def reply(self, since: float) -> Reply | None:
        """That to a call which was begun at `since` (monotonic) or later; None while it is not there yet."""
        with self.lock:
            if self.calling:
                return None
            if self.last is not None and self.last.begun_at >= since:
                return self.last
            self.calling = True
            # A daemon: a process that ends does not wait for what hangs.
            threading.Thread(target=self.listen, name="ear", daemon=True).start()
            return None

    def listen(self) -> None:
        began = time.monotonic()
        reply = Reply(began, alive=True)
        try:
            reply = Reply(began, True, self.at_work())
        except ConnectionTimeout:
            reply = Reply(began, alive=False)
        except psycopg.Error:
            pass  # it refuses, or has more sessions than it can bear: it is there
        finally:
            with self.lock:
                self.calling, self.last = False, reply

    def at_work(self) -> frozenset[int] | None:
        with self.call() as caller:
            known_as = caller.info.backend_pid
            found: frozenset[int] | None = None
            with suppress(psycopg.Error):  # a pooler has let us in, and has nobody free
                [(number, sessions)] = caller.execute(AT_WORK).fetchall()
                found = frozenset(sessions) if number == known_as else None
            return found
