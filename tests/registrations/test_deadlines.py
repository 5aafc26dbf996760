"""A later deadline: the answer asks for the telling, the worker tells, everybody once."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from plans import publication
from plans.models import Plan
from registrations import chunks, deadlines
from registrations.extensions import in_words
from registrations.workflow import Status
from tests import scenes
from tests.registrations.test_messages import told


@pytest.fixture
def three(occupation, manager):
    """A draft, one that waits for its decision, one that was sent back."""
    people = [scenes.person(name) for name in ("甲一", "乙二", "丙三")]
    scenes.draft(people[0], occupation)
    scenes.registration_at(Status.SUBMITTED, people[1], occupation, manager)
    scenes.registration_at(Status.RETURNED, people[2], occupation, manager)
    return people


def extend(plan, manager, **span):
    later = Plan.objects.get(pk=plan.pk).registration_closes_at + timedelta(**span)
    return publication.extend(plan, manager, later, None)


def work():
    """What the worker does, task by task; how many there were."""
    waiting, done = DBTaskResult.objects.filter(task_path=deadlines.tell_more.module_path), 0
    while task := waiting.order_by("enqueued_at").first():
        arguments, done = task.args_kwargs["args"], done + 1
        task.delete()
        deadlines.tell_more.call(*arguments)
    return done


def told_of_a_deadline(people):
    return [[title for kind, title in told(person) if kind == "deadline"] for person in people]


def test_who_can_still_submit_is_told_of_another_deadline_once(three, plan, manager, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 1)
    before = in_words(plan.registration_closes_at)
    assert extend(plan, manager, days=3) == ["正在通知 2 位还没有提交的报名人员。"]
    arguments = DBTaskResult.objects.get().args_kwargs["args"]
    assert (told_of_a_deadline(three), work()) == ([[], [], []], 3)
    sentence = ["截止时间有变化"]
    assert told_of_a_deadline(three) == [sentence, [], sentence]
    after = in_words(Plan.objects.get().registration_closes_at)
    assert three[0].messages.get().body.startswith(f"报名截止时间从 {before} 延长到 {after}。\n您的报名（")
    deadlines.tell_more.call(*arguments)  # taken up again by another worker
    assert (work(), told_of_a_deadline(three)) == (2, [sentence, [], sentence])


def test_a_deadline_that_is_moved_twice_is_told_as_it_is_in_the_end(three, plan, manager):
    extend(plan, manager, days=1)
    extend(plan, manager, days=1)
    work()
    (body,) = three[0].messages.values_list("body", flat=True)
    assert f"延长到 {in_words(Plan.objects.get().registration_closes_at)}。" in body


def test_nobody_is_left_to_be_told(plan, manager):
    assert (extend(plan, manager, days=1), work()) == (["还没有需要通知的人。"], 0)


def test_moving_a_deadline_costs_the_same_for_many(plan, occupation, manager):
    """The plan's row is held meanwhile, and the answer waits: nobody is told before it."""
    counted = []
    for _ in range(3):
        scenes.draft(scenes.person(), occupation)
        with CaptureQueriesContext(connection) as asked:
            extend(plan, manager, days=1)
        counted.append(len(asked))
    assert counted == [counted[0]] * 3


def test_a_database_that_is_away_delays_the_telling(three, plan, manager, monkeypatch):
    extend(plan, manager, days=3)
    arguments = DBTaskResult.objects.get().args_kwargs["args"]
    DBTaskResult.objects.all().delete()

    def away(*what, **how):
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr(deadlines, "put_once", away)
        deadlines.tell_more.call(*arguments)
    again = DBTaskResult.objects.get()
    assert (again.args_kwargs["args"], again.run_after > timezone.now()) == (arguments, True)
    assert (work(), told_of_a_deadline(three)) == (2, [["截止时间有变化"], [], ["截止时间有变化"]])


def test_one_that_breaks_keeps_nobody_else_from_being_told(three, plan, manager, monkeypatch, caplog):
    extend(plan, manager, days=3)

    def breaks(registration, *what, **how):
        if registration.applicant_id == three[0].pk:
            raise ValueError("broken")
        return put_once(registration, *what, **how)

    put_once = deadlines.put_once
    monkeypatch.setattr(deadlines, "put_once", breaks)
    work()
    assert told_of_a_deadline(three) == [[], [], ["截止时间有变化"]]
    assert [record.levelname for record in caplog.records if "could not be told" in record.message] == ["ERROR"]
