"""/healthz and /readyz: quick, quiet and discreet, also when everything around is away."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pytest
from django.core.cache.backends.db import DatabaseCache
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.urls import reverse

from competition_portal import dependencies, health
from competition_portal.pulse import Pulse
from photos.storages import PrivateFolder

WELL = {"database": "ok", "migrations": "ok", "clock": "ok", "worker": "none", "cache": "ok", "storage": "ok"}
AWAY = {"database": "unreachable", "migrations": "unreachable", "clock": "unreachable", "worker": "unreachable"}
SLOW = {"database": "timeout", "migrations": "timeout", "clock": "timeout", "worker": "timeout"}


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what was answered a moment ago nor what was noted."""
    questions = [(health.Question(question.ask, question.kept), names) for question, names in health.QUESTIONS]
    monkeypatch.setattr(health, "QUESTIONS", questions)
    monkeypatch.setattr(health, "DIARY", health.Diary())


def probe(address="/readyz", **more):
    response = Client().get(address, **more)
    return response.status_code, json.loads(response.content)


def away(*args, **kwargs):
    raise OperationalError("connection to server at 10.1.2.3, user portal, password secret-detail failed")


# /healthz ---------------------------------------------------------------------------------------------------------------


def test_it_lives_and_touches_nothing(monkeypatch):
    """Without a mark for the database: the first question to it would fail this test."""
    monkeypatch.setattr(health, "ask_all", away)
    client = Client()
    client.cookies["portal_session"] = "somebody's"
    response = client.get("/healthz")
    assert (response.status_code, json.loads(response.content)) == (200, {"status": "ok"})
    assert (response["Content-Type"], response.cookies) == ("application/json", {})


@pytest.mark.parametrize("name", ["healthz", "readyz"])
def test_a_probe_needs_neither_our_name_nor_https(db, settings, name):
    """Else a cluster would restart every replica that asks for https."""
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["jnjs.example.cn"]
    response = Client().get(reverse(name), headers={"host": "10.244.0.7:8000"})
    assert (response.status_code, response.headers.get("Location")) == (200, None)
    assert Client().get("/plans/", headers={"host": "10.244.0.7:8000"}).status_code == 400


@pytest.mark.parametrize("name", ["healthz", "readyz"])
def test_only_reading(db, name):
    client = Client()
    assert client.head(reverse(name)).content == b""
    assert [getattr(client, way)(reverse(name)).status_code for way in ("post", "put", "delete")] == [405] * 3


# /readyz ----------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_all_is_well():
    assert probe() == (200, {"status": "ok", "checks": WELL})


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_heard():
    with Pulse("worker-1", "*"):
        assert probe() == (200, {"status": "ok", "checks": {**WELL, "worker": "ok"}})


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_is_not_done(caplog):
    row = MigrationRecorder.Migration.objects.filter(app="registrations").last()
    row.delete()
    try:
        found = {**WELL, "migrations": "pending", "worker": "unknown"}
        assert probe() == (503, {"status": "unavailable", "checks": found})
        assert dependencies.pending_migrations() == [f"registrations.{row.name}"]
    finally:
        row.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_what_a_newer_version_has_done_is_no_fault():
    row = MigrationRecorder.Migration.objects.create(app="registrations", name="9999_of_the_next_version")
    try:
        assert probe() == (200, {"status": "ok", "checks": WELL})
    finally:
        row.delete()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "owner", "method"), [("cache", DatabaseCache, "get"), ("storage", PrivateFolder, "walk")]
)
def test_what_can_be_done_without(monkeypatch, name, owner, method):
    monkeypatch.setattr(owner, method, away)
    assert probe() == (200, {"status": "ok", "checks": {**WELL, name: "unreachable"}})


def test_a_database_that_refuses(monkeypatch, caplog):
    monkeypatch.setattr(dependencies, "ask_database", away)
    monkeypatch.setattr(dependencies, "ask_cache", lambda: None)
    response = Client(raise_request_exception=False).get("/readyz")
    assert (response.status_code, json.loads(response.content)) == (
        503,
        {"status": "unavailable", "checks": {**AWAY, "cache": "ok", "storage": "ok"}},
    )
    assert "secret-detail" not in response.content.decode() + caplog.text
    assert response["Cache-Control"] == "private, no-store"


@contextmanager
def silent_server() -> Iterator[int]:
    """It takes connections and says nothing: what a frozen database looks like."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_never_answers(monkeypatch):
    """Really one: libpq's own patience begins with the connection and is longer than a probe's."""
    import psycopg

    with silent_server() as port:

        def ask():
            psycopg.connect(f"host=127.0.0.1 port={port} user=portal dbname=portal connect_timeout=10")

        monkeypatch.setattr(dependencies, "ask_database", ask)
        assert probe() == (503, {"status": "unavailable", "checks": {**WELL, **SLOW}})
        # It is still being waited for, but not by whoever asked.
        assert (health.QUESTIONS[0][0].begin().done(), health.PATIENCE < 3) == (False, True)


@pytest.mark.django_db(transaction=True)
def test_who_hangs_hangs_once_and_is_asked_again_when_it_is_over(monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    begun, end = [], Event()

    def ask():
        begun.append("x")
        end.wait(30)

    monkeypatch.setattr(dependencies, "ask_storage", ask)
    assert [probe()[1]["checks"]["storage"] for _ in range(3)] == ["timeout"] * 3
    assert begun == ["x"]
    end.set()
    monkeypatch.setattr(health, "PATIENCE", 30)
    assert (probe()[1]["checks"]["storage"], len(begun)) == ("ok", 1)


def test_a_thread_that_cannot_be_had_is_not_waited_for(monkeypatch):
    """A replica that was out of threads for a moment is ready again afterwards."""

    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(health, "QUESTIONS", [(health.Question(lambda: {"cache": "ok"}), ["cache"])])
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", start)
        assert health.ask_all() == {"cache": "unreachable"}
    assert health.ask_all() == {"cache": "ok"}


@pytest.mark.django_db(transaction=True)
def test_without_end_costs_one_question(monkeypatch):
    asked = []
    monkeypatch.setattr(dependencies, "ask_storage", lambda: asked.append("x"))
    for question, _ in health.QUESTIONS:
        question.kept = 3600
    assert ({probe()[0] for _ in range(20)}, asked) == ({200}, ["x"])


@pytest.mark.django_db(transaction=True)
def test_one_line_when_something_goes_or_comes_back(monkeypatch, caplog):
    """A database that is away refuses now and is silent then: that is one thing, not a line for each."""
    for question, _ in health.QUESTIONS:
        question.kept = 0
    there, end = dependencies.ask_database, Event()
    with Pulse("worker-1", "*"), caplog.at_level("INFO"):
        probe(), probe()
        monkeypatch.setattr(dependencies, "ask_database", away)
        probe(), probe(), probe()
        monkeypatch.setattr(health, "PATIENCE", 0.2)
        monkeypatch.setattr(dependencies, "ask_database", lambda: end.wait(30))
        assert probe()[1]["checks"]["database"] == "timeout"
        end.set()
        monkeypatch.setattr(health, "PATIENCE", 30)
        monkeypatch.setattr(dependencies, "ask_database", there)
        probe(), probe()
    names = ("database", "migrations", "clock", "worker")
    said = [message for message in caplog.messages if message.split()[1] in names]
    assert sorted(said) == sorted(f"readyz: {name} is {word}" for name in names for word in ("unreachable", "ok"))
