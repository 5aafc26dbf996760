"""Whether a PostgreSQL that does not answer to a statement still answers to anybody, and whether it works at it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.errors import ConnectionTimeout

# Which sessions of this database are at work, and at the statement of which moment. Where the role may not see it, or nothing
# is recorded, all of them are.
AT_WORK = """
SELECT pg_backend_pid(), array_agg(pid), array_agg(pid || ' ' || coalesce(query_start::text, ''))
FROM pg_stat_activity WHERE datname = current_database() AND coalesce(state, '') NOT LIKE 'idle%'
"""


@dataclass(frozen=True)
class Reply:
    """What came of one call: whether anybody answered, and what is worked at, None where that is not known.

    `sessions` are the numbers of those at work. Behind a pooler the number by which a client knows its session is made up
    and says nothing; there it is `statements`. `vouched` is whether the server itself was heard: a pooler lets people in
    whether or not it still reaches one.
    """

    begun_at: float
    alive: bool
    sessions: frozenset[int] | None = None
    statements: frozenset[str] | None = None
    vouched: bool = True


class Work:
    """Whether, as far as the replies to one who waits tell, the server still works for him."""

    def __init__(self, session: int) -> None:
        self.session = session
        self.ours: frozenset[str] | None = None  # one of these, if any

    def goes_on(self, reply: Reply) -> bool:
        """Behind a pooler: whether anything is worked at that was so at each call before; else the search begins anew."""
        if reply.sessions is not None:
            return self.session in reply.sessions
        if reply.statements is None:
            return reply.alive
        still = reply.statements if self.ours is None else self.ours & reply.statements
        self.ours = still or reply.statements
        return bool(still)


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
            reply = self.ask(began)
        except ConnectionTimeout:
            reply = Reply(began, alive=False)
        except psycopg.Error:
            pass  # it refuses, or has more sessions than it can bear: it is there
        finally:
            with self.lock:
                self.calling, self.last = False, reply

    def ask(self, began: float) -> Reply:
        with self.call() as caller:
            known_as = caller.info.backend_pid
            try:
                [(number, sessions, statements)] = caller.execute(AT_WORK).fetchall()
            except psycopg.Error:  # a pooler has let us in, and has nobody free, or nobody who answers
                return Reply(began, alive=True, vouched=False)
            if number == known_as:
                return Reply(began, alive=True, sessions=frozenset(sessions))
            return Reply(began, alive=True, statements=frozenset(statements))
