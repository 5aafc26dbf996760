"""Connections to PostgreSQL that nobody waits for without end, and that are there again as soon as it is.

A server that is frozen, or a network that swallows packets, takes what is sent and never answers: TCP is content, and
libpq would wait for ever. So each wait for an answer has a bound here. What is slow and alive is another matter, the
server's (statement_timeout); competition_portal/hearing.py tells the two apart, docs/adr/0032 why so.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg.errors import ConnectionTimeout, OperationalError
from psycopg_pool import ConnectionPool

from competition_portal.hearing import Ear, Work

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 2  # libpq's least
# For each word of a server while a page's process connects to it: a call into the void that is begun just before the
# network is back must end, and another be made, before those who wait for it give up.
CONNECT_STEP_SECONDS = 0.6
# Until a request is told that there is no connection. Who has begun to wait before the database is back fails no later
# than so long after it; who begins then finds it.
BORROW_SECONDS = 1.0
# The same while the last call to the database has failed and the next one is being made: whoever comes now need not hold a
# thread for as long, and does not make those behind him wait.
HOPELESS_SECONDS = 0.1
# How long, and how often, a page's process calls a database that is away, whether or not anybody asks meanwhile.
KEEP_CALLING_SECONDS = 30.0
CALL_AGAIN_SECONDS = 0.1
BORROW_SECONDS_OF_COMMANDS = 5.0
CHECK_SECONDS = 0.5  # for a borrowed connection to answer to an empty question
# For the answer to one statement of a page. Commands and the worker ask what takes longer, and nobody waits for them.
ANSWER_SECONDS = 20.0
# Without a word to a statement, the server is called anew, on a connection for that, and must say something within
# as long as a call may take: else it is gone, and the statement with it.
ASK_SECONDS, CALL_SECONDS = 0.5, 1.2
ASK_SECONDS_OF_COMMANDS, CALL_SECONDS_OF_COMMANDS = 5.0, 5.0
ASK_AGAIN_SECONDS = 1.0
# A pooler that lets us in and has nobody for us may have too much to do, or a server that fell silent: from one call the two
# look the same. For so long it is taken for the first; a pool of which nobody is ever free answers to no page either.
UNVOUCHED_SECONDS = 300.0
# An attempt to connect that failed is made once more after this and given up then; whoever asks next begins another. By its
# own rule the pool waits twice as long after each, minutes in the end, and the database has long been back.
GIVE_UP_SECONDS = 0.1
# What the server is told of a session, for the case that it is we who vanish from its sight: it keeps the session, its
# transaction and its locks for two hours. Between two statements of a page there are milliseconds; a backup pauses for
# as long as its files take, so commands and the worker are found out by the keepalives alone.
KEEPALIVES = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
IDLE_IN_TRANSACTION = "10s"


class Silent(OperationalError):
    """The database has not answered in time; the connection is closed, for nobody knows what it would say next."""


def watched[Wanted, Value](
    gen: Generator[Wanted, int, Value], quiet: Callable[[float, float], None]
) -> Generator[Wanted, int, Value]:
    """As `gen`; as often as nothing has come for an interval, `quiet` is told when the wait began and when something has
    come last (monotonic), and may raise."""
    try:
        wanted = next(gen)
        began = since = time.monotonic()
        while True:
            if ready := (yield wanted):
                since = time.monotonic()
            else:
                quiet(began, since)
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value


class Patience:
    """That of one wait for an answer: it may take `seconds`, as long as the server is heard to work at it."""

    def __init__(self, seconds: float | None, ear: Ear | None, session: int) -> None:
        self.seconds, self.ear, self.session = seconds, ear, session
        self.work = Work(session)
        self.heard = self.vouched = 0.0
        self.ask_every = ASK_SECONDS if serving() else ASK_SECONDS_OF_COMMANDS
        self.missed = 0

    def quiet(self, began: float, since: float) -> None:
        now = time.monotonic()
        if self.seconds is not None and now - began > self.seconds:
            raise Silent(f"no answer within {self.seconds:g} seconds")
        if since > self.heard:
            self.heard, self.vouched, self.missed = since, since, 0
            self.work = Work(self.session)
        if self.ear is not None and now - self.heard > self.ask_every:
            self.ask(self.ear, now)

    def ask(self, ear: Ear, now: float) -> None:
        """Once an answer may still be under way when the server says that it has done its work, twice it is lost."""
        reply = ear.reply(self.heard)
        if reply is None:
            return
        self.missed = 0 if self.work.goes_on(reply) else self.missed + 1
        if not reply.alive or self.missed > 1:
            raise Silent("no answer, and none is to come" if reply.alive else "no answer, nor to a new call")
        if reply.vouched:
            self.vouched = now
        elif now - self.vouched > UNVOUCHED_SECONDS:
            raise Silent(f"no answer, and no word from behind the pooler within {UNVOUCHED_SECONDS:g} seconds")
        self.heard, self.ask_every = now, max(self.ask_every, ASK_AGAIN_SECONDS)


class BoundedConnection(psycopg.Connection[Any]):
    """Waits `patience` seconds for each answer; None is for as long as the server works at it."""

    patience: float | None = None
    step_seconds = CONNECT_STEP_SECONDS
    waiting: tuple[float, Patience] | None = None  # since when, and how

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Any:
        """psycopg's own, bounded as a whole by connect_timeout, and in a page's process also in each of its steps."""

        def quiet(began: float, since: float) -> None:
            if time.monotonic() - since > cls.step_seconds:
                raise ConnectionTimeout(f"no word within {cls.step_seconds:g} seconds")

        whole = super()._connect_gen(conninfo)
        return watched(whole, quiet) if serving() else whole

    def bear(self, began: float, since: float) -> None:
        """Whoever has an answer at once, as nearly everybody has, pays for no patience."""
        if self.waiting is None or self.waiting[0] != began:
            self.waiting = began, Patience(self.patience, ear_of(self), self.pgconn.backend_pid)
        self.waiting[1].quiet(began, since)

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(watched(gen, self.bear), interval)
        except Silent:
            self.close()
            raise


class Caller(BoundedConnection):
    """What an ear calls with: nobody waits for it but those who already wait."""

    step_seconds = CALL_SECONDS


class PooledConnection(BoundedConnection):
    well_at: ClassVar[float] = 0.0  # the moment (monotonic) when one of them last answered
    calling: ClassVar[threading.Lock] = threading.Lock()

    @classmethod
    def connect(cls, conninfo: str = "", **how: Any) -> "PooledConnection":
        """psycopg's own; in a page's process again and again for a while, in a thread of the pool's."""
        try:
            connection = super().connect(conninfo, **how)
        except OperationalError as problem:
            if not serving():
                raise
            logger.warning("the database is not reached, it is called again: %s", problem)
            cls.give_little_hope()
            # One of them calls for all: a server that is just starting has better things to do than to refuse them.
            with cls.calling:
                connection = cls.call_again(conninfo, how)
        expect_connections(within=BORROW_SECONDS)
        return connection

    @classmethod
    def call_again(cls, conninfo: str, how: dict[str, Any]) -> "PooledConnection":
        until = time.monotonic() + KEEP_CALLING_SECONDS
        while True:
            time.sleep(CALL_AGAIN_SECONDS)
            try:
                return super().connect(conninfo, **how)
            except OperationalError:
                cls.give_little_hope()
                if time.monotonic() > until:
                    expect_connections(within=BORROW_SECONDS)
                    raise

    @classmethod
    def give_little_hope(cls) -> None:
        """Unless one has answered lately: then new ones may be refused, but there are others that are used in turn."""
        if time.monotonic() - cls.well_at >= BORROW_SECONDS:
            expect_connections(within=HOPELESS_SECONDS)


EARS: WeakKeyDictionary[Any, Ear] = WeakKeyDictionary()  # one for each pool whose connections have been used


def expect_connections(within: float) -> None:
    """Seconds for those who borrow from now on."""
    for pool in list(EARS):
        if serving():
            pool.timeout = within


def ear_of(connection: BoundedConnection) -> Ear | None:
    """The one of its pool; a connection of nobody's, as an ear's own is, has none."""
    pool = getattr(connection, "_pool", None)  # which only a pool sets
    if pool is None:
        return None
    if pool not in EARS:
        seconds = CALL_SECONDS if serving() else CALL_SECONDS_OF_COMMANDS
        # Not the pool itself, which would then never be given up.
        conninfo, how = str(pool.conninfo), {**pool.kwargs, "connect_timeout": max(CONNECT_SECONDS, round(seconds))}

        def call() -> Caller:
            caller = Caller.connect(conninfo, **how)
            caller.patience = seconds
            return caller

        EARS[pool] = Ear(call)
    return EARS[pool]


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
    else:
        PooledConnection.well_at = time.monotonic()
        ear_of(connection)  # its pool is known from now on
    finally:
        connection.patience = patience


def pool(size: int) -> dict[str, Any]:
    """For DATABASES["default"]["OPTIONS"]["pool"]."""
    return {
        "min_size": 1,
        "max_size": size,
        "timeout": BORROW_SECONDS if serving() else BORROW_SECONDS_OF_COMMANDS,
        "reconnect_timeout": GIVE_UP_SECONDS,
        "connection_class": PooledConnection,
        "check": check,
    }


def session(given: str = "") -> str:
    """For DATABASES["default"]["OPTIONS"]["options"]: ours, and behind them what the operator has written, which wins."""
    told = KEEPALIVES | ({"idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION} if serving() else {})
    return " ".join([*(f"-c {name}={value}" for name, value in told.items()), given]).strip()
