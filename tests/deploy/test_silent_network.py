"""A database host that vanishes without a word: connections stay open, and no byte comes.

Once only, in the PostgreSQL run: it has a PostgreSQL of its own, behind a relay that swallows. One outage of twenty
seconds, in which everything is tried; what was seen is asserted afterwards, promise by promise.
"""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import requests
from django.db import connection
from psycopg_pool import ConnectionPool, PoolTimeout

from competition_portal import bounded, hearing
from scripts.postgres import Cluster, cluster
from tests.deploy import sites
from tests.deploy.relay import Relay, Way, relay
from tests.deploy.test_away import PROMISE, RETURN, Answer, Browser, form_on
from tests.waiting import until

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="it has a PostgreSQL of its own: once is enough"
)

AT_ONCE = 20
SAVED = {"phone": "13812340000", "employer": "北京精工机械有限公司"}
TYPED = {"phone": "13812349999", "employer": "北京精工“机械”有限公司"}
TASK: LiteralString = "SELECT status FROM django_tasks_database_dbtaskresult"
FORGOTTEN: LiteralString = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
ENQUEUE = "import django, sys; django.setup(); from tests import tasks; tasks.hold.enqueue(sys.argv[1])"


@dataclass
class Outage:
    """What was seen of it. Moments are seconds after the network was back."""

    trapped: Answer | None = None
    posts: list[Answer] = field(default_factory=list)
    gets: list[Answer] = field(default_factory=list)
    at_once: list[Answer] = field(default_factory=list)
    ready: tuple[int, str, float] = (0, "", 0.0)
    alive: tuple[int, float] = (0, 0.0)
    back: list[tuple[float, float, int]] = field(default_factory=list)  # began, ended, status
    sent_again: tuple[int, str] = (0, "")
    kept: str = ""
    task: str = ""
    worker_log: str = ""
    log: str = ""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Cluster]:
    with cluster() as server, server.running():
        yield server


@pytest.fixture(scope="module")
def network(postgres: Cluster) -> Iterator[Relay]:
    with relay(postgres.folder / ".s.PGSQL.5432") as between:
        yield between


@contextmanager
def worker(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "manage.py", "run_worker", "--interval", "0.1", "--gone-after", "3"]
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=sites.ROOT, env=environment, stdout=file, stderr=file)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def asked(origin: str, path: str) -> tuple[int, str, float]:
    began = time.monotonic()
    answer = requests.get(origin + path, timeout=30)
    return answer.status_code, answer.text, time.monotonic() - began


def in_postgres(postgres: Cluster, question: LiteralString) -> Any:
    with psycopg.connect(host=str(postgres.folder), user="portal", dbname="postgres") as there:
        [(answer,)] = there.execute(question).fetchall()
    return answer


def all_together(work: Callable[[], Answer]) -> list[Answer]:
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        return [coming.result() for coming in [crowd.submit(work) for _ in range(AT_ONCE)]]


@pytest.fixture(scope="module")
def outage(postgres: Cluster, network: Relay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    folder = tmp_path_factory.mktemp("silent")
    environment = sites.surroundings(folder, DATABASE_URL=f"postgres://portal@127.0.0.1:{network.port}/postgres")
    keys = sites.prepared(environment)
    marks, log = folder / "marks", folder / "worker.log"
    sites.run("-c", ENQUEUE, str(marks), environment=environment)
    with (
        worker({**environment, "LOG_LEVEL": "INFO"}, log) as process,
        sites.replica(folder / "portal.log", environment) as (_, origin),
    ):
        until(marks.exists)  # the task is in its middle
        seen = Outage()
        me = Browser(origin, keys["王晓明"])
        stranger = partial(Browser(origin, keys["李芳"]).ask, "GET", "/profile/")
        assert {answer.status for answer in all_together(stranger)} == {200}  # both processes have connections open
        assert me.ask("POST", "/profile/", {**form_on(me.ask("GET", "/profile/"), "version"), **SAVED}).status == 302
        form = {**form_on(me.ask("GET", "/profile/"), "version"), **TYPED}
        vanish(seen, network, me, form)
        assert in_postgres(postgres, FORGOTTEN) == 1  # with its locks
        Path(f"{marks}.go").touch()  # the task ends; what it has to say is swallowed
        stay_away(seen, origin, me, form, stranger)
        until(lambda: "the database is away" in log.read_text())
        until(lambda: in_postgres(postgres, FORGOTTEN) == 0)
        come_back(seen, network, stranger)
        again = me.ask("POST", "/profile/", form)
        seen.sent_again, seen.kept = (again.status, again.target), me.ask("GET", "/profile/").text
        until(lambda: in_postgres(postgres, TASK) == "SUCCESSFUL")
        seen.task, seen.worker_log = marks.read_text(), log.read_text()
        seen.log = (folder / "portal.log").read_text()
        assert process.poll() is None
        yield seen


def vanish(seen: Outage, network: Relay, me: Browser, form: dict[str, str]) -> None:
    """In the middle of a statement: it has arrived, its answer does not."""
    network.swallow_after(b'UPDATE "profiles_profile"')
    seen.trapped = me.ask("POST", "/profile/", form)
    assert network.trapped.is_set()


def stay_away(seen: Outage, origin: str, me: Browser, form: dict[str, str], stranger: Callable[[], Answer]) -> None:
    seen.at_once = all_together(stranger)
    for _ in range(10):
        seen.posts.append(me.ask("POST", "/profile/", form))
        seen.gets.append(me.ask("GET", "/profile/"))
    seen.ready = asked(origin, "/readyz")
    status, _, seconds = asked(origin, "/healthz")
    seen.alive = (status, seconds)


def come_back(seen: Outage, network: Relay, stranger: Callable[[], Answer]) -> None:
    """Six people ask without a pause, from before the network is back until three seconds after."""
    over = threading.Event()
    told: list[tuple[float, float, int]] = []

    def go_on() -> None:
        while not over.is_set():
            began = time.monotonic()
            status = stranger().status
            told.append((began, time.monotonic(), status))

    crowd = [threading.Thread(target=go_on, daemon=True) for _ in range(6)]
    for one in crowd:
        one.start()
    time.sleep(1)
    network.turn(Way.RELAY)
    back = time.monotonic()
    time.sleep(3 * RETURN)
    over.set()
    for one in crowd:
        one.join()
    seen.back = [(began - back, ended - back, status) for began, ended, status in told]


def test_whoever_is_in_the_middle_of_a_statement_is_told_in_time(outage: Outage) -> None:
    assert outage.trapped is not None
    assert (outage.trapped.status, outage.trapped.seconds < PROMISE) == (503, True), outage.trapped.seconds
    assert 'value="13812349999"' in outage.trapped.text


def test_whoever_comes_is_told_in_time_and_has_what_was_typed(outage: Outage) -> None:
    """The tenth, too; and twenty at once, for eight threads: nobody holds one for long."""
    answers = [*outage.posts, *outage.gets, *outage.at_once]
    assert len(answers) == 20 + AT_ONCE
    assert {answer.status for answer in answers} == {503}
    assert max(answer.seconds for answer in answers) < PROMISE
    assert all("系统暂时不可用" in answer.text for answer in answers)
    for answer in outage.posts:
        assert 'value="13812349999"' in answer.text
        assert "北京精工“机械”有限公司" in answer.text


def test_probes_say_which_of_them_is_away(outage: Outage) -> None:
    status, text, seconds = outage.ready
    assert (status, seconds < PROMISE) == (503, True), seconds
    assert '"database": "unreachable"' in text or '"database": "timeout"' in text
    assert '"storage": "ok"' in text
    assert (outage.alive[0], outage.alive[1] < 1) == (200, True)


def test_the_log_says_why_and_does_not_say_it_for_each_call(outage: Outage) -> None:
    told = re.findall("the database is not reached, it is called again: (.*)", outage.log)
    assert set(told) == {"no word within 0.6 seconds"}
    assert len(told) < 20  # two processes, three threads of a pool each


def test_nothing_fails_a_second_after_it_is_back(outage: Outage) -> None:
    failed = [ended for _, ended, status in outage.back if status != 200]
    assert failed, "they did not ask while it was away"
    assert max(failed) < RETURN
    assert len([began for began, _, status in outage.back if began > 0 and status == 200]) > 20


def test_what_was_swallowed_in_its_middle_can_be_sent_again(outage: Outage) -> None:
    """Nothing is locked by the session that PostgreSQL still believed in."""
    assert outage.sent_again == (302, "/profile/")
    assert 'value="13812349999"' in outage.kept


def test_the_worker_comes_back_and_its_task_is_done(outage: Outage) -> None:
    """Once more, for nobody knows whether it was done (docs/operations/worker.md)."""
    assert "is taken up again" in outage.worker_log
    assert outage.task == "bebe"


# One statement ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pool(network: Relay, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectionPool]:
    """As a page's process has it."""
    monkeypatch.setenv("SERVER_SOFTWARE", "gunicorn")
    network.turn(Way.RELAY)
    kwargs = {"host": "127.0.0.1", "port": network.port, "user": "portal", "dbname": "postgres", "autocommit": True}
    with ConnectionPool(kwargs={**kwargs, "connect_timeout": 2}, open=False, **bounded.pool(3)) as opened:
        yield opened


def test_what_takes_long_is_waited_for_as_long_as_the_server_works(pool: ConnectionPool) -> None:
    with pool.connection() as there:
        [(one,)] = there.execute("SELECT 1 FROM pg_sleep(2)").fetchall()
    ear = bounded.EARS[pool]
    assert (one, ear.last is not None and ear.last.alive) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_the_portals_own_connections_are_known_to_be_worked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_SOFTWARE", "gunicorn")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_sleep(1)")
        there = connection.connection
    reply = bounded.EARS[there._pool].last
    assert reply is not None
    at_work = [hearing.Work(session).goes_on(reply) for session in (there.info.backend_pid, -1)]
    assert (reply.alive, reply.vouched, at_work) == (True, True, [True, False])


def test_a_server_that_has_no_more_sessions_to_give_is_there(
    pool: ConnectionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise psycopg.OperationalError("FATAL: sorry, too many clients already")

    with pool.connection() as there:
        there.execute("SELECT 1")
        monkeypatch.setattr(bounded.ear_of(there), "call", refused)
        assert there.execute("SELECT 1 FROM pg_sleep(1.5)").fetchall() == [(1,)]


def test_an_answer_that_was_lost_is_not_waited_for(pool: ConnectionPool, network: Relay) -> None:
    """The network is back before anybody has noticed: the server answers to everybody, and works at nothing of ours."""
    with pytest.raises(bounded.Silent, match="none is to come"), pool.connection() as there:
        network.swallow_after(b"SELECT 'lost'")
        threading.Timer(0.2, network.turn, [Way.RELAY]).start()
        began = time.monotonic()
        there.execute("SELECT 'lost'")
    assert network.trapped.is_set()
    assert time.monotonic() - began < PROMISE


def test_a_network_that_refuses_and_is_back(pool: ConnectionPool, network: Relay) -> None:
    """Whoever is connected is told, whoever calls is refused; the next one after it is back has a connection at once."""
    with pool.connection() as there:
        there.execute("SELECT 1")
    network.turn(Way.REFUSE)
    for _ in range(3):
        with pytest.raises(PoolTimeout), pool.connection():
            pass
    network.turn(Way.RELAY)
    began = time.monotonic()
    with pool.connection(timeout=RETURN) as there:
        assert there.execute("SELECT 1").fetchall() == [(1,)]
    assert time.monotonic() - began < RETURN
