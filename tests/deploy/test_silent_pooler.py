"""A PostgreSQL that falls silent behind PgBouncer: to a command the pooler goes on answering as if nothing had happened.

deploy/pgbouncer.ini as it is, before a network that swallows. Commands are in a hurry here; what they wait for is the same.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from competition_portal import bounded
from competition_portal.hearing import Reply, Work
from scripts import debian
from scripts.postgres import cluster
from tests.deploy import sites
from tests.deploy.relay import Relay, Way, relay
from tests.waiting import until

postgresql_alone = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="it has a PostgreSQL of its own: once is enough"
)

CONNECTIONS = 2  # of PgBouncer to PostgreSQL
HURRY = {"ASK_SECONDS_OF_COMMANDS": 0.5, "CALL_SECONDS_OF_COMMANDS": 4.0, "UNVOUCHED_SECONDS": 8.0}


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Relay, dict[str, Any]]]:
    with ExitStack() as parts:
        server = parts.enter_context(cluster())
        parts.enter_context(server.running())
        network = parts.enter_context(relay(server.folder / ".s.PGSQL.5432"))
        folder = tmp_path_factory.mktemp("pooler")
        program = debian.provide(debian.PGBOUNCER)
        url = parts.enter_context(sites.pooler(program, folder, server.url, CONNECTIONS, network.port))
        port = int(url.rpartition(":")[2].partition("/")[0])
        yield (
            network,
            {"host": "127.0.0.1", "port": port, "user": "portal", "dbname": "postgres", "autocommit": True},
        )


@pytest.fixture
def command(behind: tuple[Relay, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """A connection as a command has it; nobody else's is open."""
    network, address = behind
    network.turn(Way.RELAY)
    until(lambda: whole(address))
    for name, seconds in HURRY.items():
        monkeypatch.setattr(bounded, name, seconds)
    with (
        ConnectionPool(kwargs={**address, "connect_timeout": 2}, open=False, **bounded.pool(1)) as pool,
        pool.connection() as there,
    ):
        yield there


def beside(address: dict[str, Any], seconds: float) -> Future[bool]:
    """Whether somebody else's statement, which takes so long, was answered."""

    def ask() -> bool:
        try:
            with psycopg.connect(**address) as other:
                return other.execute("SELECT pg_sleep(%s)", [seconds]).rowcount == 1
        except psycopg.OperationalError:
            return False

    future: Future[bool] = Future()
    threading.Thread(target=lambda: future.set_result(ask()), daemon=True).start()
    return future


def whole(address: dict[str, Any]) -> bool:
    """Whether the pooler has all its connections: for a quarter of a minute after one has failed it tries no other."""
    return all(asked.result() for asked in [beside(address, 0.5) for _ in range(CONNECTIONS)])


@postgresql_alone
def test_a_server_that_stays_silent_is_given_up(behind, command) -> None:
    """By then the pooler has no connection left that answers, and makes none: it refuses, as if it had too much to do."""
    network, _ = behind
    network.swallow_after(b"SELECT 'never'")
    began = time.monotonic()
    with pytest.raises(bounded.Silent, match="no word from behind the pooler within 8 seconds"):
        command.execute("SELECT 'never'")
    assert network.trapped.is_set()
    assert HURRY["UNVOUCHED_SECONDS"] < time.monotonic() - began < 8 + 2 * (4 + 1)


@postgresql_alone
def test_an_answer_that_was_lost_is_not_waited_for(behind, command) -> None:
    """The server is back, and to whoever asks the pooler all is well: nothing is worked at as long as that statement."""
    network, _ = behind
    network.swallow_after(b"SELECT 'lost'")
    threading.Timer(0.2, network.turn, [Way.RELAY]).start()
    with pytest.raises(bounded.Silent, match="none is to come"):
        command.execute("SELECT 'lost'")
    assert network.trapped.is_set()


@postgresql_alone
def test_what_takes_long_is_waited_for_as_long_as_the_server_works(behind, command) -> None:
    """Longer than nothing may be heard from behind the pooler."""
    assert command.execute("SELECT 1 FROM pg_sleep(10)").fetchall() == [(1,)]
    last = bounded.ear_of(command).last
    assert (last.alive, last.vouched, last.sessions, len(last.statements)) == (True, True, None, 2)  # ours, the ear's


@postgresql_alone
def test_what_takes_long_is_waited_for_while_the_pooler_refuses_everybody(behind, command) -> None:
    _, address = behind
    other = beside(address, 7)  # the pool is full
    assert command.execute("SELECT 1 FROM pg_sleep(6)").fetchall() == [(1,)]
    assert not bounded.ear_of(command).last.vouched
    assert other.result()


# What the replies tell --------------------------------------------------------------------------------------------------


def told(*statements: str) -> Reply:
    return Reply(0, alive=True, statements=frozenset(statements))


def test_ours_is_among_what_was_there_each_time() -> None:
    work = Work(4711)
    assert [work.goes_on(told(*at)) for at in (["1 a", "2 b"], ["1 a", "3 c"], ["1 a"])] == [True] * 3


def test_of_what_comes_and_goes_nothing_is_ours() -> None:
    work = Work(4711)
    assert [work.goes_on(told(*at)) for at in (["1 a"], ["2 b"], ["3 c"])] == [True, False, False]


def test_a_statement_that_was_begun_only_after_the_first_call_is_found() -> None:
    work = Work(4711)
    assert [work.goes_on(told(*at)) for at in (["1 a"], ["2 b"], ["2 b", "3 c"])] == [True, False, True]


def test_who_was_only_let_in_has_learnt_nothing() -> None:
    work = Work(4711)
    refused = Reply(0, alive=True, vouched=False)
    assert [work.goes_on(reply) for reply in (told("1 a"), refused, told("1 a"), told("2 b"))] == [True] * 3 + [False]
