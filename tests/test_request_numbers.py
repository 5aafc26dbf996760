"""One number goes through: from the proxy's header to the portal's lines, its database, its tasks and back in the answer."""

import json
import logging

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve
from django_tasks_db.models import DBTaskResult

from accounts.log_lines import JsonFormatter
from accounts.models import AuditEntry
from accounts.origin import OriginMiddleware, RequestIdFilter
from accounts.work import Work
from competition_portal import queries
from competition_portal.request_metrics import RequestMeter
from competition_portal.worker import PortalWorker
from tests import tasks
from tests.accounts.test_origin import NUMBER
from tests.measured import value

SENT = "3f2a9c0011e84b7d95a6c2d4e8f01b37"  # as nginx makes them
on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no list of what runs; the PostgreSQL run shows it"
)


@pytest.fixture
def lines(monkeypatch):
    """What the portal writes, as objects."""

    class Kept(logging.Handler):
        def emit(self, record):
            written.append(json.loads(self.format(record)))

    written, handler = [], Kept()
    handler.setFormatter(JsonFormatter())
    handler.addFilter(RequestIdFilter())
    loggers = [logging.getLogger(name) for name in ("django", "competition_portal", "tests.of.numbers")]
    levels = {logger: logger.level for logger in loggers}
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    yield written
    for logger in loggers:
        logger.removeHandler(handler)
        logger.setLevel(levels[logger])


@pytest.mark.parametrize("said", [SENT, "bcdfghjkmnpqrs"])
def test_the_proxys_number_is_ours(applicant, sign_in, settings, said):
    settings.TRUSTED_PROXIES = 1
    answer = sign_in(applicant).post("/accounts/logout/", headers={"X-Request-ID": said})
    assert (answer["X-Request-ID"], AuditEntry.objects.get().request_id) == (said, said)


@pytest.mark.parametrize(
    ("proxies", "said"),
    [
        (0, SENT),
        *[
            (1, wrong)
            for wrong in (
                *(
                    "",
                    SENT[:-1],
                    f"{SENT}0",
                    SENT.upper(),
                    f"{SENT},{SENT}",
                    f" {SENT}x",
                    f"{SENT}\n",
                    "*/ DROP TABLE x;",
                ),
                *("aeiouaeiouaeio", "bcdfghjkmnpqr", "11010519491231002X", "3f2a9c00-11e8-4b7d-95a6-c2d4e8f01b37"),
            )
        ],
    ],
)
def test_anything_else_is_not_believed(settings, proxies, said):
    settings.TRUSTED_PROXIES = proxies
    answer = Client().get("/healthz", headers={"X-Request-ID": said})
    assert NUMBER.fullmatch(answer["X-Request-ID"])


def walk(rf, view):
    """One request with the proxy's number through the portal's own outermost layers."""
    return OriginMiddleware(RequestMeter(view))(rf.get("/", headers={"X-Request-ID": SENT}))


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_one_number_from_the_proxy_to_the_task(rf, settings, lines, tmp_path):
    settings.TRUSTED_PROXIES = 1
    running = []

    def view(request):
        request.resolver_match = resolve("/plans/")
        logging.getLogger("tests.of.numbers").warning("in the view")
        with connection.cursor() as cursor:
            cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()")
            running.extend(cursor.fetchone())
        tasks.leave_mark.enqueue(str(tmp_path / "marks"))
        return HttpResponse()

    answer = walk(rf, view)
    assert answer["X-Request-ID"] == SENT
    assert running == [f"/* request {SENT} */ SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()"]
    PortalWorker(once=True).work()
    said = {(line["message"].split(" ")[0], line["request_id"]) for line in lines if "worker" not in line["message"]}
    assert said == {("in", SENT), ("task", SENT)}
    (task,) = [line for line in lines if line["message"].startswith("task ")]
    assert (task["view"], task["queries"] >= 1) == ("tests.tasks.leave_mark", True)


@pytest.mark.django_db(transaction=True)
def test_a_task_says_the_number_of_whoever_asked_for_it(rf, settings, lines, tmp_path):
    settings.TRUSTED_PROXIES = 1

    def view(request):
        tasks.leave_mark.enqueue(str(tmp_path / "marks"))
        return HttpResponse()

    walk(rf, view)
    tasks.leave_mark.enqueue(str(tmp_path / "marks"))  # nobody's
    tasks.leave_mark.enqueue(str(tmp_path / "marks"))
    forged = DBTaskResult.objects.latest("enqueued_at")
    DBTaskResult.objects.filter(pk=forged.pk).update(args_kwargs={**forged.args_kwargs, "request_id": "x\nforged"})
    assert [row.args_kwargs.get("request_id") for row in DBTaskResult.objects.order_by("enqueued_at")] == [
        SENT,
        None,
        "x\nforged",
    ]
    PortalWorker(once=True).work()
    assert (tmp_path / "marks").read_text() == "xxx"
    numbers = [line["request_id"] for line in lines if line["message"].startswith("task ")]
    assert (len(numbers), numbers.count(SENT)) == (3, 1)
    assert [NUMBER.fullmatch(number) is not None for number in numbers if number != SENT] == [True, True]


# What is slow ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "bare"),
    [
        ('SELECT "a" FROM "t1" WHERE "x" = %s LIMIT 21', 'SELECT "a" FROM "t1" WHERE "x" = %s LIMIT ?'),
        (
            "SELECT 1 FROM t WHERE name = '王''晓明' AND n IN (%s, %s, %s)",
            "SELECT ? FROM t WHERE name = ? AND n IN (…)",
        ),
        ("/* request bcdfghjkmnpqrs */ SELECT\n  x", "SELECT x"),
        ("SELECT x WHERE n IN (11, 22)", "SELECT x WHERE n IN (…)"),
        ("SELECT " + "x, " * 1000, ("SELECT " + "x, " * 1000)[:1500].strip()),
    ],
)
def test_the_shape_of_a_statement_has_no_value_in_it(sql, bare):
    assert queries.shape(sql).strip() == bare


def test_a_slow_statement_is_told_once_by_its_shape(plan, settings, lines):
    settings.SLOW_QUERY_MS = 0
    before = value("portal_slow_queries_total", view="plans:detail")
    answer = Client().get(f"/plans/{plan.code}/")
    told = [line for line in lines if line["message"].startswith("slow query: ")]
    assert value("portal_slow_queries_total", view="plans:detail") == before + len(told) >= 1
    assert {(line["request_id"], line["view"], line["level"]) for line in told} == {
        (answer["X-Request-ID"], "plans:detail", "WARNING")
    }
    assert " in plans:detail: SELECT " in told[0]["message"]
    assert (plan.code in json.dumps(told), told[0]["duration_ms"] >= 0) == (False, True)


def test_a_statement_that_fails_is_told_too(db, settings, lines):
    settings.SLOW_QUERY_MS = 0
    work = Work("a.task")
    with pytest.raises(ZeroDivisionError), queries.watched(work), connection.execute_wrapper(fail):
        connection.cursor().execute("SELECT 1")
    assert ([line["message"].split(": ")[-1] for line in lines], work.queries) == (["SELECT ?"], 1)


def fail(*arguments):
    raise ZeroDivisionError


def test_ordinary_statements_and_requests_are_not_told(plan, settings, lines):
    settings.SLOW_QUERY_MS = settings.SLOW_REQUEST_MS = 600_000
    Client().get(f"/plans/{plan.code}/")
    assert lines == []


def test_a_slow_request_is_told_with_what_it_was_spent_on(plan, settings, lines):
    settings.SLOW_REQUEST_MS, settings.SLOW_QUERY_MS = 0, 600_000
    before = value("portal_slow_requests_total", view="plans:detail")
    answer = Client().get(f"/plans/{plan.code}/")
    (line,) = lines
    assert (line["view"], line["method"], line["status"], line["request_id"]) == (
        *("plans:detail", "GET", 200),
        answer["X-Request-ID"],
    )
    assert (line["queries"] >= 1, 0 <= line["database_ms"] <= line["duration_ms"]) == (True, True)
    assert value("portal_slow_requests_total", view="plans:detail") == before + 1
    Client().get("/readyz")
    assert lines == [line], "a probe says itself what it has waited for"


@pytest.mark.parametrize("debug", [True, False])
def test_a_developers_browser_is_told_what_took_how_long(plan, settings, debug):
    settings.DEBUG = debug
    said = Client().get(f"/plans/{plan.code}/").headers.get("Server-Timing")
    assert (said is not None) == debug
    if said:
        total, database = said.split(", ")
        assert total.startswith("total;dur=") and float(total.partition("dur=")[2]) > 0
        assert database.startswith("db;dur=") and database.endswith(' queries"')
