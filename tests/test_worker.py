"""The worker: ends when asked, bears a database that is away, and takes up what a killed one has left."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.tasks import TaskResultStatus
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from competition_portal import reaper
from competition_portal.management.commands import run_worker
from competition_portal.models import WorkerPulse
from competition_portal.pulse import Pulse, living
from competition_portal.worker import Chore, PortalWorker
from tests import tasks
from tests.waiting import until

ROOT = Path(__file__).resolve().parent.parent


def states():
    return [row.status for row in DBTaskResult.objects.order_by("enqueued_at")]


def database_url():
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{database['NAME']}"
    # A socket's folder stands before the name, with a slash of its own.
    place = f"{database['HOST']}:{database['PORT']}" if database["PORT"] else f"/{database['HOST']}"
    return f"postgres://{database['USER']}:{database['PASSWORD']}@{place}/{database['NAME']}"


@contextmanager
def running(*arguments, **variables):
    """A worker of its own process, on the test's database."""
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"} | variables
    command = [sys.executable, "-m", "django", "run_worker", "--interval", "0.1", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def text_of(path):
    return path.read_text() if path.exists() else ""


# One process ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_it_does_what_is_there_and_says_so_in_a_line_each(tmp_path, caplog):
    for _ in range(12):
        tasks.leave_mark.enqueue(str(tmp_path / "marks"))
    with caplog.at_level("INFO", "competition_portal.worker"):
        call_command("run_worker", once=True)
    assert (text_of(tmp_path / "marks"), states()) == ("x" * 12, ["SUCCESSFUL"] * 12)
    lines = [message for message in caplog.messages if message.startswith("task ")]
    assert len(lines) == 12
    assert lines[0].partition(" in ")[0].split(" ", 2)[2] == "tests.tasks.leave_mark: successful"
    assert str(tmp_path) not in "".join(lines)
    assert WorkerPulse.objects.count() == 0  # it said goodbye


@pytest.mark.django_db(transaction=True)
def test_what_a_failure_said_is_not_kept(tmp_path, caplog, log_watch):
    tasks.fail.enqueue("x")
    call_command("run_worker", once=True)
    row = DBTaskResult.objects.get()
    assert (row.status, row.exception_class_path) == ("FAILED", "builtins.RuntimeError")
    lines = row.traceback.splitlines()
    assert [line.strip().startswith('File "') for line in lines] == [True] * len(lines) and len(lines) >= 2
    assert "someone@example.cn" not in row.traceback and "1101" not in row.traceback
    log_watch.found.clear()  # what reaches the log is masked on its way out


@pytest.mark.django_db(transaction=True)
def test_it_does_its_own_queues_alone(tmp_path):
    tasks.leave_mark.enqueue(str(tmp_path / "default"))
    tasks.leave_mark.using(queue_name="messages").enqueue(str(tmp_path / "messages"))
    call_command("run_worker", once=True, queues="messages")
    assert (text_of(tmp_path / "default"), text_of(tmp_path / "messages")) == ("", "x")


def test_a_queue_that_is_not_there_is_named(db):
    with pytest.raises(CommandError, match="没有队列 mails。现有：default、messages。"):
        call_command("run_worker", queues="mails")


@pytest.mark.parametrize("text", ["0", "-1", "nan", "soon", "1e9"])
def test_seconds_are_seconds(text):
    with pytest.raises(run_worker.ArgumentTypeError):
        run_worker.seconds(text)


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_a_database_that_is_away_and_goes_on(tmp_path, monkeypatch, caplog):
    tasks.leave_mark.enqueue(str(tmp_path / "marks"))
    worker = PortalWorker(interval=0.05, once=True)
    broken = iter([OperationalError("could not connect to 13812342671"), OperationalError("still away")])
    really = worker.round

    def round_or_not():
        if problem := next(broken, None):
            raise problem
        return really()

    monkeypatch.setattr(worker, "round", round_or_not)
    worker.work()
    assert text_of(tmp_path / "marks") == "x"
    away = f"worker {worker.worker_id}: the database is away (OperationalError)"
    assert caplog.messages.count(away) == 2
    assert "13812342671" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_chore_that_fails_keeps_nothing_from_being_done(tmp_path, caplog):
    tasks.leave_mark.enqueue(str(tmp_path / "marks"))
    worker = PortalWorker(interval=0.05, once=True)
    done = []
    worker.chores = [Chore("broken", 60, lambda: 1 / 0), Chore("sound", 60, lambda: done.append(1))]
    worker.work()
    assert (text_of(tmp_path / "marks"), done) == ("x", [1])
    assert f"worker {worker.worker_id}: broken failed" in caplog.messages


# Who is alive -----------------------------------------------------------------------------------------------------------


def left_by(worker, **values):
    now = timezone.now()
    given = {"status": TaskResultStatus.RUNNING, "worker_ids": [worker], "started_at": now, "run_after": now}
    return DBTaskResult.objects.create(
        **{"args_kwargs": {"args": [], "kwargs": {}}, "task_path": "x", "backend_name": "default", **given, **values}
    )


def heard_of(worker, seconds_ago):
    then = timezone.now() - timedelta(seconds=seconds_ago)
    WorkerPulse.objects.create(worker=worker, queues="*", started_at=then, beat_at=then)


def test_the_task_of_a_silent_worker_is_given_back_and_that_of_a_living_one_is_not(db, caplog):
    heard_of("silent", 61)
    heard_of("living", 50)
    lost, unknown, own, kept = (left_by(name) for name in ("silent", "never heard of", "me", "living"))
    waiting = left_by("living", status=TaskResultStatus.READY)
    assert reaper.reap("me", 60) == 3
    found = {row.pk: row.status for row in DBTaskResult.objects.all()}
    ready = dict.fromkeys([lost.pk, unknown.pk, own.pk, waiting.pk], "READY")
    assert found == {**ready, kept.pk: "RUNNING"}
    assert f"task {lost.pk} x is taken up again: its worker is gone" in caplog.messages
    assert list(WorkerPulse.objects.values_list("worker", flat=True)) == ["living"]


def test_a_worker_that_begins_while_others_are_judged_keeps_its_task(db, monkeypatch):
    heard_of("silent", 61)
    lost = left_by("silent")

    def asked(gone_after):
        answer = living(gone_after)
        heard_of("new", 0)
        left_by("new")
        return answer

    monkeypatch.setattr(reaper, "living", asked)
    assert reaper.reap("me", 60) == 1
    assert (states(), list(WorkerPulse.objects.values_list("worker", flat=True))) == (["READY", "RUNNING"], ["new"])
    lost.refresh_from_db()
    assert lost.status == TaskResultStatus.READY


def test_a_task_that_was_begun_anew_meanwhile_is_left_alone(db):
    row = left_by("silent")
    DBTaskResult.objects.update(started_at=timezone.now() + timedelta(seconds=1))
    assert reaper.give_back(row) is False
    assert states() == ["RUNNING"]


def test_a_task_that_no_worker_survives_is_given_up(db, caplog):
    row = left_by("silent", worker_ids=["a", "b", "c", "d", "e"])
    assert reaper.reap("me", 60) == 1
    row.refresh_from_db()
    assert (row.status, row.exception_class_path) == ("FAILED", "competition_portal.reaper.WorkerLost")
    assert f"task {row.pk} x is given up: 5 workers were lost over it" in caplog.messages


@pytest.mark.django_db(transaction=True)
def test_it_beats_while_it_works_and_is_silent_when_it_ends():
    with Pulse("me", "*", every=0.05):
        WorkerPulse.objects.update(beat_at=timezone.now() - timedelta(hours=1))
        until(lambda: living(60) == {"me"}, patience=10)
    assert living(60) == set()


@pytest.mark.django_db(transaction=True)
def test_who_was_silent_itself_does_not_judge(monkeypatch):
    """When the database is back, nobody has been heard of for a while."""
    left_by("living")
    worker = PortalWorker(gone_after=60)
    with worker.pulse:
        worker.reap()
        assert states() == ["RUNNING"]
        worker.pulse.unbroken_since = time.monotonic() - 61
        monkeypatch.setattr(worker.pulse, "beat", lambda: (_ for _ in ()).throw(OperationalError()))
        worker.pulse.try_to_beat()
        worker.reap()
        assert states() == ["RUNNING"]
        worker.pulse.unbroken_since = time.monotonic() - 61
        worker.reap()
        assert states() == ["READY"]


# Killed, and asked to end -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_worker_has_left_is_brought_to_an_end_by_another(tmp_path):
    marks = tmp_path / "marks"
    tasks.hold.enqueue(str(marks))
    with running() as first:
        until(lambda: text_of(marks) == "b")
        first.send_signal(signal.SIGKILL)
        assert first.wait() == -signal.SIGKILL
    assert states() == ["RUNNING"]
    (tmp_path / "marks.go").touch()
    with running("--gone-after", "2") as second:
        until(lambda: states() == ["SUCCESSFUL"])
        assert second.poll() is None
    assert text_of(marks) == "bbe"


@pytest.mark.django_db(transaction=True)
def test_asked_to_end_it_finishes_what_it_does_and_begins_nothing_new(tmp_path):
    marks = tmp_path / "marks"
    tasks.hold.enqueue(str(marks))
    tasks.leave_mark.enqueue(str(tmp_path / "later"))
    with running() as worker:
        until(lambda: text_of(marks) == "b")
        worker.send_signal(signal.SIGTERM)
        (tmp_path / "marks.go").touch()
        assert worker.wait(timeout=30) == 0
    assert (text_of(marks), text_of(tmp_path / "later"), states()) == ("be", "", ["SUCCESSFUL", "READY"])
    assert WorkerPulse.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_asked_twice_it_ends_at_once_and_leaves_the_task_to_another(tmp_path):
    tasks.hold.enqueue(str(tmp_path / "marks"))
    with running() as worker:
        until(lambda: text_of(tmp_path / "marks") == "b")
        worker.send_signal(signal.SIGTERM)
        time.sleep(0.5)  # two signals at once would be one
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 1
    assert states() == ["RUNNING"]
