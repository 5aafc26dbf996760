"""`manage.py publish_due` and the worker's chore: whoever comes first tells what is published."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from competition_portal.worker import PortalWorker
from plans.models import Plan
from registrations import publishing
from registrations.messages import Message
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
