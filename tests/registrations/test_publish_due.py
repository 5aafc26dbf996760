"""`manage.py publish_due` and the worker's chore: whoever comes first tells what is published."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from competition_portal.worker import PortalWorker
from plans.models import Plan
from registrations import chunks, publishing
from registrations.messages import Message
from registrations.models import Registration
from registrations.workflow import Status
from tests import scenes


@pytest.fixture
def published(occupation, manager):
    """Two people whose decisions are published, and who have not been told."""
    Plan.objects.filter(pk=occupation.plan_id).update(holds_decisions=True)
    occupation.refresh_from_db()
    for name, status in (("王晓明", Status.APPROVED), ("李芳", Status.REJECTED)):
        scenes.registration_at(status, scenes.person(name), occupation, manager)
    assert run("--dry-run") == "要通知 0 人。没有通知任何人。\n"
    Plan.objects.update(decisions_published_at=timezone.now())


def run(*arguments):
    call_command("publish_due", *arguments, stdout=(said := io.StringIO()))
    return said.getvalue()


def told():
    return list(Message.objects.exclude(kind="submitted").order_by("pk").values_list("kind", flat=True))


def test_it_counts_tells_and_has_nothing_left_to_do(published):
    assert (run("--dry-run"), told()) == ("要通知 2 人。没有通知任何人。\n", [])
    assert (run(), told()) == ("已通知 2 人。\n", ["approved", "rejected"])
    assert (run(), told()) == ("已通知 0 人。\n", ["approved", "rejected"])


def test_what_could_not_be_told_is_an_error(published, monkeypatch):
    def broken(event):
        raise ValueError("broken")

    with monkeypatch.context() as patch:
        patch.setattr("registrations.notifications.write_published", broken)
        with pytest.raises(CommandError) as problem:
            run()
    assert (str(problem.value), problem.value.returncode) == ("还有 2 人没能通知，原因见日志。请再执行一次。", 1)
    assert run() == "已通知 2 人。\n"


def test_the_worker_looks_by_itself_and_the_task_is_asked_for_once(published):
    (chore,) = [chore for chore in PortalWorker(once=True).chores if chore.name == "decisions"]
    chore.do()
    chore.do()
    tasks = DBTaskResult.objects.filter(task_path=publishing.tell_decisions.module_path)
    assert (tasks.count(), told()) == (1, [])
    publishing.tell_decisions.call()
    assert told() == ["approved", "rejected"]
    tasks.delete()
    chore.do()
    assert tasks.count() == 0


@pytest.fixture
def broken(published, occupation, manager, monkeypatch):
    """Two more, who come after a whole chunk of those that break; the names of the latter, while they do."""
    Plan.objects.update(decisions_published_at=None)
    occupation.plan.refresh_from_db()
    for name in ("孙三", "周四"):
        scenes.registration_at(Status.APPROVED, scenes.person(name), occupation, manager)
    Plan.objects.update(decisions_published_at=timezone.now())
    names, write = {"王晓明", "李芳"}, publishing.notifications.write_published

    def write_or_break(event):
        if event.registration.legal_name in names:
            raise ValueError("broken")
        write(event)

    monkeypatch.setattr("registrations.notifications.write_published", write_or_break)
    monkeypatch.setattr(chunks, "CHUNK", 2)
    return names


def told_names():
    told = Message.objects.exclude(kind="submitted").order_by("pk")
    return list(told.values_list("registration__legal_name", flat=True))


def tasks_run(limit=10):
    """What the worker does with its tasks; how many there were, if they end at all."""
    tasks = DBTaskResult.objects.filter(task_path=publishing.tell_decisions.module_path)
    for number in range(limit):
        task = tasks.order_by("enqueued_at").first()
        if task is None:
            return number
        arguments = task.args_kwargs["args"]
        task.delete()
        publishing.tell_decisions.call(*arguments)
    return None


def test_those_that_break_every_time_keep_no_later_one_from_being_told(broken):
    """A whole chunk of them: the next task goes on behind, and the worker begins anew after a while."""
    publishing.ask_to_tell()
    assert (tasks_run(), told_names()) == (3, ["孙三", "周四"])
    broken.clear()
    publishing.ask_to_tell()
    assert (tasks_run(), told_names()) == (2, ["孙三", "周四", "王晓明", "李芳"])
    assert not Registration.objects.filter(held=True).exists()


def test_the_command_goes_on_behind_those_that_break_too(broken):
    with pytest.raises(CommandError) as problem:
        run()
    assert str(problem.value) == "还有 2 人没能通知，原因见日志。请再执行一次。"
    assert told_names() == ["孙三", "周四"]


def test_a_database_that_is_away_is_asked_again_by_one_task(published, monkeypatch):
    def away(pk):
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr(publishing, "tell", away)
        publishing.tell_decisions.call()
    again = DBTaskResult.objects.get()
    assert (again.args_kwargs["args"], again.run_after > timezone.now()) == ([0], True)
    publishing.ask_to_tell()
    assert (DBTaskResult.objects.count(), tasks_run(), told()) == (1, 2, ["approved", "rejected"])
