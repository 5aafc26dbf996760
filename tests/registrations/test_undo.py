"""Taking back a decision: by whoever took it, within ten seconds, and as an honest line of its own."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from plans.models import Role
from registrations.models import Registration
from registrations.steps import AlreadyRead, actors
from registrations.workflow import Action, Actor, Status, StepRefused
from tests import scenes
from tests.registrations.reading import changes_since_return, situation

LATE = "已经超过 10 秒，不能撤销。已通过或不通过的，可以请管理成员“重新审核”。"
DECIDED = [(Action.APPROVE, Status.APPROVED), (Action.RETURN, Status.RETURNED), (Action.REJECT, Status.REJECTED)]


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


def refused(registration, by):
    was = situation(registration)
    with pytest.raises(StepRefused) as refusal:
        scenes.fresh(registration).take(Action.UNDO, by=by)
    assert situation(registration) == was
    return str(refusal.value)


@pytest.mark.parametrize(("action", "status"), DECIDED)
@pytest.mark.parametrize("seconds", [0, 10])
def test_a_decision_is_taken_back_to_where_it_was(clock, submitted, reviewer, action, status, seconds):
    was = situation(submitted)
    decided = scenes.fresh(submitted).take(action, by=reviewer, note="请改。")
    assert scenes.fresh(submitted).status == status
    clock.shift(timedelta(seconds=seconds))
    undone = scenes.fresh(submitted).take(Action.UNDO, by=reviewer)
    lines = [
        (undone.pk, "undo", status, "submitted", reviewer.pk, ""),
        (decided.pk, action, "submitted", status, reviewer.pk, "请改。"),
    ]
    assert situation(submitted) == {**was, "trail": [*lines, *was["trail"]]}
    assert (undone.undoes, list(submitted.events.standing().values_list("action", flat=True))) == (decided, ["submit"])


@pytest.mark.parametrize(("action", "status"), DECIDED)
def test_what_a_page_has_read_is_not_asked_once_more(submitted, reviewer, action, status, django_assert_num_queries):
    scenes.take(submitted, action, reviewer, "请改。")
    registration = scenes.fresh(submitted)
    read = AlreadyRead(Role.REVIEWER, list(registration.events.all()))
    with django_assert_num_queries(0):
        capacities = actors(registration, reviewer, read)
    assert capacities == actors(registration, reviewer) == {Actor.COMMITTEE, Actor.DECIDER}


@pytest.mark.parametrize(("action", "status"), DECIDED)
def test_after_ten_seconds_it_stands(clock, submitted, reviewer, action, status):
    scenes.take(submitted, action, reviewer, "请改。")
    assert Action.UNDO in scenes.fresh(submitted).actions_for(reviewer)
    clock.shift(timedelta(seconds=10, microseconds=1))
    assert Action.UNDO not in scenes.fresh(submitted).actions_for(reviewer)
    assert refused(submitted, reviewer) == LATE


def test_nobody_takes_back_what_another_decided(submitted, reviewer, manager, viewer, applicant):
    scenes.take(submitted, Action.APPROVE, reviewer)
    for other in (manager, viewer, applicant):
        assert refused(submitted, other) == "您不能对这份报名执行“撤销决定”。"


def test_it_is_taken_back_once(submitted, reviewer):
    scenes.take(submitted, Action.APPROVE, reviewer)
    scenes.take(submitted, Action.UNDO, reviewer)
    assert refused(submitted, reviewer) == "您不能对这份报名执行“撤销决定”。"
    again = scenes.take(submitted, Action.APPROVE, reviewer)
    assert (again.status, scenes.take(again, Action.UNDO, reviewer).status) == (Status.APPROVED, Status.SUBMITTED)


def test_whoever_has_left_the_committee_takes_nothing_back(submitted, reviewer):
    scenes.take(submitted, Action.APPROVE, reviewer)
    reviewer.committee_memberships.all().delete()
    assert refused(submitted, reviewer) == "您不能对这份报名执行“撤销决定”。"


def test_a_reopening_is_no_decision_to_take_back(submitted, manager):
    scenes.take(submitted, Action.APPROVE, manager)
    scenes.take(submitted, Action.REOPEN, manager, "看错了。")
    assert refused(submitted, manager) == "您不能对这份报名执行“撤销决定”。"


def test_not_once_the_applicant_has_begun_to_mend_it(submitted, reviewer):
    returned = scenes.take(submitted, Action.RETURN, reviewer, "请改。")
    returned.write(returned.version, phone="13812342672")
    assert refused(submitted, reviewer) == "报名人员已经在修改，不能撤销。等重新提交后再审核。"


def test_a_rejected_one_whose_seat_has_gone_stays_rejected(plan, applicant, stranger, manager):
    last = scenes.occupation(plan, capacity=1)
    rejected = scenes.registration_at(Status.REJECTED, applicant, last, manager)
    scenes.registration_at(Status.SUBMITTED, stranger, last, manager)
    assert refused(rejected, manager) == (
        f"“{last}”的名额已满，不能撤销。请由管理成员增加名额，或等有名额放出来，再“重新审核”。"
    )


def test_what_was_returned_by_mistake_hides_no_changes(submitted, applicant, manager):
    """Changes are told since the return that stands."""
    returned = scenes.take(submitted, Action.RETURN, manager, "手机打不通。")
    returned.write(returned.version, phone="13812342672")
    scenes.take(returned, Action.SUBMIT, applicant)
    scenes.take(submitted, Action.RETURN, manager, "点错了。")
    back = scenes.take(submitted, Action.UNDO, manager)
    assert [change.field for change in changes_since_return(back)] == ["phone"]


def test_the_applicant_reads_nothing_of_what_was_taken_back(sign_in, submitted, applicant, reviewer):
    scenes.take(submitted, Action.REJECT, reviewer, "点错人了。")
    scenes.take(submitted, Action.UNDO, reviewer)
    page = sign_in(applicant).get(submitted.get_absolute_url()).content.decode()
    assert ("点错人了" in page, "撤销决定" in page, "待审核" in page) == (False, False, True)
    assert Registration.objects.get().unseen is False
