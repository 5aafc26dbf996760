"""/metrics: who may read it, what it counts by which words, and that it answers while the database is away."""

import http.client
import socket
import time
from datetime import timedelta
from threading import Event

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from competition_portal import dependencies, health, metrics, state_metrics, worker_metrics
from competition_portal.pulse import Pulse
from plans import views as plan_views
from plans.models import Occupation
from profiles.models import Profile
from registrations.messages import Delivery, DeliveryState
from registrations.models import Registration
from registrations.workflow import Status
from tests import scenes, tasks
from tests.measured import samples, told, value

TOKEN = "only-for-tests-0123456789abcdefghij"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def with_a_token(settings, monkeypatch):
    """And without what was answered a moment ago."""
    settings.METRICS_TOKEN = TOKEN
    questions = [(health.Question(question.ask, question.kept), names) for question, names in health.QUESTIONS]
    monkeypatch.setattr(health, "QUESTIONS", questions)
    monkeypatch.setattr(metrics, "STATE", metrics.Question(metrics.STATE.ask, 0))


def scrape(**headers):
    answer = Client().get("/metrics", headers=BEARER | headers)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return answer.content.decode()


# Who may read it ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer 令牌"],
)
def test_without_the_token_nothing_is_told(said):
    answer = Client().get("/metrics", headers={} if said is None else {"Authorization": said})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.content.decode() == "请在 Authorization 里写 Bearer 和 METRICS_TOKEN 的值。\n"


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", f"Bearer {TOKEN}"])
def test_while_there_is_no_token_there_is_no_such_address(db, settings, authorization):
    settings.METRICS_TOKEN = ""
    answer = Client().get("/metrics", headers={"Authorization": authorization})
    assert (answer.status_code, "<h1>没有找到这个页面</h1>" in answer.content.decode()) == (404, True)


@pytest.mark.django_db(transaction=True)
def test_whoever_scrapes_needs_neither_our_name_nor_https(settings):
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["jnjs.example.cn"]
    assert told(scrape(host="10.244.0.7:8000"), "portal_dependency_up", dependency="database") == 1


def test_it_is_only_read():
    client = Client(headers=BEARER)
    assert [getattr(client, way)("/metrics").status_code for way in ("post", "put", "delete")] == [405] * 3


# Requests -------------------------------------------------------------------------------------------------------------


def test_a_request_is_counted_by_its_view_and_never_by_its_address(plan):
    def seen():
        return [
            value("portal_requests_total", view="plans:detail", method="GET", status="2xx"),
            value("portal_request_seconds_count", view="plans:detail"),
            value("portal_database_queries_count", view="plans:detail"),
            value("portal_database_seconds_count", view="plans:detail"),
        ]

    before = seen()
    queries = value("portal_database_queries_sum", view="plans:detail")
    assert [Client().get(f"/plans/{plan.code}/").status_code for _ in range(3)] == [200] * 3
    assert seen() == [number + 3 for number in before]
    assert value("portal_database_queries_sum", view="plans:detail") - queries >= 3
    assert value("portal_requests_in_progress") == 0


def test_what_nobody_has_thought_of_makes_no_series(db):
    client = Client()
    ask = [lambda n: client.get(f"/nothing/{n}/"), lambda n: client.generic(f"BREW{n}", "/healthz")]
    ask += [lambda n: client.get(f"/plans/{n}/"), lambda n: client.get(f"/static/{n}.css")]
    for each in ask:
        each(0)
    before = set(samples(metrics.counted().decode()))
    for number in range(1, 20):
        for each in ask:
            each(number)
    assert set(samples(metrics.counted().decode())) - before == set()
    views = {dict(labels)["view"] for name, labels in before if name == "portal_requests_total"}
    assert {"unmatched", "static", "healthz", "plans:detail"} <= views
    assert value("portal_requests_total", view="healthz", method="other", status="4xx") >= 20


def test_a_failure_is_counted_with_its_kind(db, monkeypatch):
    def broken(*arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(plan_views.Plan.objects, "open_at", broken)
    failures = {"view": "front", "kind": "ZeroDivisionError"}
    answers = {"view": "front", "method": "GET", "status": "5xx"}
    before = value("portal_failures_total", **failures), value("portal_requests_total", **answers)
    assert Client(raise_request_exception=False).get("/").status_code == 500
    after = value("portal_failures_total", **failures), value("portal_requests_total", **answers)
    assert after == (before[0] + 1, before[1] + 1)


def test_a_login_is_counted_by_the_kind_of_its_outcome(db):
    before = value("portal_logins_total", outcome="unknown_state")
    assert Client().get("/accounts/callback/?state=11010519491231002X").status_code == 400
    assert value("portal_logins_total", outcome="unknown_state") == before + 1


# What the database knows ----------------------------------------------------------------------------------------------


def families():
    """What state_metrics found, as (name, labels' values): value."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in state_metrics.ask()
        for sample in family.samples
    }


def test_the_state_of_the_portal(plan, occupation, manager):
    for status in [*[Status.SUBMITTED] * 3, Status.APPROVED, Status.DRAFT]:
        scenes.registration_at(status, scenes.person("王晓明"), occupation, manager)
    DBTaskResult.objects.all().delete()
    tasks.leave_mark.enqueue("x")
    DBTaskResult.objects.update(enqueued_at=timezone.now() - timedelta(seconds=90))
    found = families()
    code = plan.code
    place = (code, occupation.name, occupation.division)
    occupation.refresh_from_db()
    assert {
        status: found["portal_registrations", code, status] for status in ("submitted", "approved", "returned")
    } == {
        "submitted": 3,
        "approved": 1,
        "returned": 0,
    }
    assert ("portal_registrations", code, "draft") not in found
    assert (found["portal_seats_taken", *place], occupation.seats_taken) == (4, 4)
    assert found.get(("portal_seats_capacity", *place)) == occupation.capacity
    assert {key[1]: number for key, number in found.items() if key[0] == "portal_tasks"} == {
        "waiting": 1,
        "running": 0,
        "failed": 0,
    }
    assert 90 <= found["portal_task_oldest_seconds",] < 300
    assert found["portal_workers",] == 0


def test_messages_that_have_not_gone_out(applicant, occupation, manager, settings):
    settings.MAIL_FROM = "noreply@example.cn"
    Profile.objects.update_or_create(user=applicant, defaults={"email": "someone@example.cn"})
    scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    first, *_ = Delivery.objects.order_by("pk")
    Delivery.objects.exclude(pk=first.pk).delete()
    found = families()
    assert found["portal_deliveries", "mail", "waiting"] == 1
    first.message.created_at = timezone.now() - timedelta(hours=2)
    first.message.save()
    assert 7200 <= families()["portal_delivery_oldest_seconds", "mail"] < 7300
    Delivery.objects.update(state=DeliveryState.GIVEN_UP)
    found = families()
    assert [found["portal_deliveries", "mail", state] for state in ("waiting", "given_up")] == [0, 1]
    assert found["portal_delivery_oldest_seconds", "mail"] == 0


def test_registrations_are_never_counted_for_it_nor_does_it_ask_more_for_more_plans(
    applicant, occupation, manager, django_assert_num_queries
):
    scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    with django_assert_num_queries(8) as captured:
        state_metrics.ask()
    table = f'"{Registration._meta.db_table}"'
    assert [query["sql"] for query in captured if table in query["sql"]] == []
    for _ in range(3):
        scenes.occupation(scenes.open_plan())
    with django_assert_num_queries(8):
        assert len(state_metrics.ask()) == 8


def test_plans_that_are_long_over_have_no_series_and_the_others_not_without_end(plan, occupation, monkeypatch):
    over = scenes.open_plan()
    scenes.occupation(over)
    long_ago = timezone.now() - timedelta(days=61)
    type(over).objects.filter(pk=over.pk).update(
        registration_opens_at=long_ago, registration_closes_at=long_ago + timedelta(hours=1)
    )
    codes = {key[1] for key in families() if key[0] in {"portal_registrations", "portal_seats_taken"}}
    assert codes == {plan.code}
    monkeypatch.setattr(state_metrics, "MOST_OCCUPATIONS", 2)
    Occupation.objects.bulk_create(Occupation(plan=plan, name=f"职业{n}", division="worker") for n in range(5))
    assert len([key for key in families() if key[0] == "portal_seats_taken"]) == 2


@pytest.mark.django_db(transaction=True)
def test_all_of_it_stands_in_the_answer():
    Client().get("/plans/")
    with Pulse("worker-1", "*"):
        text = scrape()
    assert told(text, "portal_state_known") == 1
    assert told(text, "portal_workers") == 1
    assert told(text, "portal_requests_total", view="plans:list", method="GET", status="2xx") >= 1
    assert {name: told(text, "portal_dependency_up", dependency=name) for name in ("database", "cache", "worker")} == {
        "database": 1,
        "cache": 1,
        "worker": 1,
    }


# When the database is away --------------------------------------------------------------------------------------------


def away(*arguments, **values):
    raise OperationalError("connection to server at 10.1.2.3, user portal, password secret-detail failed")


def test_what_is_known_without_the_database_is_still_told(monkeypatch, caplog):
    """Without a mark for the database: whoever asks it fails here."""
    monkeypatch.setattr(dependencies, "ask_database", away)
    monkeypatch.setattr(dependencies, "ask_cache", lambda: None)
    monkeypatch.setattr(state_metrics, "ask", away)
    Client().get("/healthz")
    text = scrape()
    assert (told(text, "portal_state_known"), told(text, "portal_workers")) == (0, None)
    assert told(text, "portal_dependency_up", dependency="database") == 0
    assert told(text, "portal_dependency_up", dependency="cache") == 1
    assert told(text, "portal_requests_total", view="healthz", method="GET", status="2xx") >= 1
    assert "secret-detail" not in text + caplog.text
    assert caplog.messages.count("metrics: the database's figures are missing (OperationalError)") == 1


def test_a_database_that_says_nothing_holds_nobody_up(monkeypatch):
    end = Event()
    for name in ("ask_database", "ask_cache"):
        monkeypatch.setattr(dependencies, name, lambda: end.wait(60))
    monkeypatch.setattr(state_metrics, "ask", lambda: end.wait(60))
    monkeypatch.setattr(health, "PATIENCE", 0.3)
    try:
        began = time.monotonic()
        text = scrape()
        took = time.monotonic() - began
    finally:
        end.set()
    assert (told(text, "portal_state_known"), took < 30) == (0, True)
    assert told(text, "portal_dependency_up", dependency="database") == 0


# The worker -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_tasks_are_counted_by_name_and_outcome(tmp_path, log_watch):
    name, broken = "tests.tasks.leave_mark", "tests.tasks.fail"
    before = value("portal_task_runs_total", task=name, outcome="successful")
    failed = value("portal_task_runs_total", task=broken, outcome="failed")
    tasks.leave_mark.enqueue(str(tmp_path / "marks"))
    tasks.leave_mark.enqueue(str(tmp_path / "marks"))
    tasks.fail.enqueue("x")
    call_command("run_worker", once=True)
    log_watch.found.clear()  # what this failure says is masked on its way out
    assert value("portal_task_runs_total", task=name, outcome="successful") == before + 2
    assert value("portal_task_runs_total", task=broken, outcome="failed") == failed + 1
    assert value("portal_task_seconds_count", task=name) >= 2
    assert value("portal_database_queries_count", view=name) >= 2


def ask_worker(port, path="/metrics", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


def test_a_worker_tells_it_on_a_port_of_its_own(capfd):
    worker_metrics.RUNS.labels("a.task", "successful").inc()
    with worker_metrics.served(free_port(), "127.0.0.1") as port:
        status, text = ask_worker(port, **BEARER)
        assert (status, told(text, "portal_task_runs_total", task="a.task", outcome="successful") >= 1) == (200, True)
        assert ask_worker(port) == (401, metrics.REFUSED)
        assert ask_worker(port, Authorization="Bearer wrong") == (401, metrics.REFUSED)
        assert ask_worker(port, "/", **BEARER) == (404, "这里只有 /metrics。\n")
    assert capfd.readouterr() == ("", "")
    with pytest.raises(ConnectionRefusedError):
        ask_worker(port)


def test_a_port_that_is_taken_is_named(db, settings):
    with worker_metrics.served(free_port()) as taken:
        settings.WORKER_METRICS_PORT = taken
        with pytest.raises(CommandError, match=f"端口 {taken} 用不了（.+）。请换一个 WORKER_METRICS_PORT。"):
            call_command("run_worker", once=True)
