"""Seats: sold once, given back, moved along, and never more or fewer than there are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registrations import intake
from registrations.models import Registration
from registrations.workflow import Action, Status, StepRefused
from tests import scenes
from tests.registrations.reading import situation
from tests.registrations.threads import at_once

FASTER = "这份报名刚刚有了变化，这次操作没有生效。请看过最新内容后再操作；页面没有更新的，请刷新。"


def full(occupation):
    return f"“{occupation}”的名额已满，没有提交成功。您可以改选其他职业（工种）。"


def taken(*occupations):
    for occupation in occupations:
        occupation.refresh_from_db()
    return [occupation.seats_taken for occupation in occupations]


@pytest.fixture
def last_seat(plan):
    return scenes.occupation(plan, capacity=1)


def test_the_last_seat_is_sold_once(applicant, stranger, last_seat):
    first, second = scenes.draft(applicant, last_seat), scenes.draft(stranger, last_seat)
    first.take(Action.SUBMIT, by=applicant)
    was = situation(second)
    with pytest.raises(StepRefused) as refusal:
        second.take(Action.SUBMIT, by=stranger)
    assert (str(refusal.value), situation(second)) == (full(last_seat), was)
    assert (was["status"], was["trail"], taken(last_seat)) == (Status.DRAFT, [], [1])


@pytest.mark.parametrize(
    ("action", "left"),
    [
        (Action.RECALL, 0),
        (Action.WITHDRAW, 0),
        (Action.REJECT, 0),
        (Action.RETURN, 1),
        (Action.APPROVE, 1),
    ],
)
def test_which_step_gives_the_seat_back(applicant, stranger, last_seat, manager, action, left):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, last_seat, manager)
    by = applicant if action in {Action.RECALL, Action.WITHDRAW} else manager
    scenes.take(registration, action, by, "原因")
    assert taken(last_seat) == [left]
    waiting = scenes.draft(stranger, last_seat)
    if left:
        with pytest.raises(StepRefused, match="名额已满"):
            waiting.take(Action.SUBMIT, by=stranger)
    else:
        waiting.take(Action.SUBMIT, by=stranger)
    assert taken(last_seat) == [1]


def test_a_returned_one_that_is_withdrawn_gives_its_seat_back(applicant, last_seat, manager):
    returned = scenes.registration_at(Status.RETURNED, applicant, last_seat, manager)
    scenes.take(returned, Action.WITHDRAW, applicant)
    assert taken(last_seat) == [0]


def test_a_returned_one_is_submitted_again_on_its_own_last_seat(applicant, last_seat, manager):
    returned = scenes.registration_at(Status.RETURNED, applicant, last_seat, manager)
    again = scenes.take(returned, Action.SUBMIT, applicant)
    assert (again.seat, taken(last_seat)) == (last_seat, [1])


def test_another_occupation_after_a_return_moves_the_seat(applicant, plan, last_seat, manager):
    other = scenes.occupation(plan, capacity=1)
    returned = scenes.registration_at(Status.RETURNED, applicant, last_seat, manager)
    returned.write(returned.version, occupation=other)
    assert taken(last_seat, other) == [1, 0]
    again = scenes.take(returned, Action.SUBMIT, applicant)
    assert (again.seat, taken(last_seat, other)) == (other, [0, 1])


def test_a_full_other_occupation_leaves_the_seat_where_it_was(applicant, stranger, plan, last_seat, manager):
    other = scenes.occupation(plan, capacity=1)
    scenes.registration_at(Status.SUBMITTED, stranger, other, manager)
    returned = scenes.registration_at(Status.RETURNED, applicant, last_seat, manager)
    returned.write(returned.version, occupation=other)
    returned = scenes.fresh(returned)
    was = situation(returned)
    with pytest.raises(StepRefused) as refusal:
        returned.take(Action.SUBMIT, by=applicant)
    assert (str(refusal.value), situation(returned), taken(last_seat, other)) == (full(other), was, [1, 1])


def test_the_seat_that_is_given_back_is_the_one_that_was_held(applicant, plan, last_seat, manager):
    other = scenes.occupation(plan, capacity=1)
    returned = scenes.registration_at(Status.RETURNED, applicant, last_seat, manager)
    returned.write(returned.version, occupation=other)
    withdrawn = scenes.take(returned, Action.WITHDRAW, applicant)
    assert (withdrawn.seat, taken(last_seat, other)) == (None, [0, 0])


def test_reopening_takes_a_seat_again(applicant, last_seat, manager):
    rejected = scenes.registration_at(Status.REJECTED, applicant, last_seat, manager)
    reopened = scenes.take(rejected, Action.REOPEN, manager, "重新核对")
    assert (reopened.seat, taken(last_seat)) == (last_seat, [1])
    approved = scenes.take(reopened, Action.APPROVE, manager)
    assert (scenes.take(approved, Action.REOPEN, manager, "再核对").seat, taken(last_seat)) == (last_seat, [1])


def test_reopening_is_refused_where_the_seats_are_gone(applicant, stranger, last_seat, manager):
    rejected = scenes.registration_at(Status.REJECTED, applicant, last_seat, manager)
    scenes.registration_at(Status.SUBMITTED, stranger, last_seat, manager)
    was = situation(rejected)
    with pytest.raises(StepRefused) as refusal:
        rejected.take(Action.REOPEN, by=manager, note="重新核对")
    assert (str(refusal.value), situation(rejected), taken(last_seat)) == (
        f"“{last_seat}”的名额已满，不能重新审核。请先在竞赛计划里增加名额，或等有名额放出来再操作。",
        was,
        [1],
    )


def test_where_seats_are_not_limited_there_is_always_one(applicant, stranger, plan, manager):
    endless = scenes.occupation(plan, capacity=None)
    scenes.registration_at(Status.APPROVED, applicant, endless, manager)
    withdrawn = scenes.registration_at(Status.WITHDRAWN, stranger, endless, manager)
    assert (withdrawn.seat, taken(endless), endless.seats_left, endless.is_full) == (None, [1], None, False)


def test_two_counters_are_always_moved_in_the_same_order(applicant, stranger, plan, manager):
    """Two people who swap their occupations at the same moment must not wait for one another."""
    one, two = scenes.occupation(plan), scenes.occupation(plan)
    moved = []
    for person, before, after in [(applicant, one, two), (stranger, two, one)]:
        returned = scenes.registration_at(Status.RETURNED, person, before, manager)
        returned.write(returned.version, occupation=after)
        returned = scenes.fresh(returned)
        with CaptureQueriesContext(connection) as queries:
            returned.take(Action.SUBMIT, by=person)
        updates = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "plans_occupation"')]
        moved.append(["+ 1" in sql for sql in updates])
    assert (moved, taken(one, two)) == ([[False, True], [True, False]], [1, 1])


# At the same moment ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_eight_people_and_three_seats():
    occupation = scenes.occupation(scenes.open_plan(), capacity=3)
    people = [scenes.person() for _ in range(8)]
    portrait = scenes.portrait_of
    drafts = [scenes.draft(person, occupation, portrait=portrait(person)) for person in people]
    doings = [
        lambda draft=draft, person=person: draft.take(Action.SUBMIT, by=person).after
        for draft, person in zip(drafts, people, strict=True)
    ]
    answers = at_once(*doings)
    assert sorted(answers) == sorted([Status.SUBMITTED] * 3 + [full(occupation)] * 5)
    seated = Registration.objects.filter(status=Status.SUBMITTED, seat=occupation).count()
    waiting = Registration.objects.filter(status=Status.DRAFT, seat=None, submitted_at=None).count()
    assert (seated, waiting, taken(occupation)) == (3, 5, [3])


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_and_one_registration():
    plan = scenes.open_plan()
    occupation = scenes.occupation(plan, capacity=1)
    one, two = (scenes.member(plan, "reviewer") for _ in range(2))
    submitted = scenes.registration_at(Status.SUBMITTED, scenes.person(), occupation, one)
    left, right = scenes.fresh(submitted), scenes.fresh(submitted)
    answers = at_once(
        lambda: left.take(Action.APPROVE, by=one).after,
        lambda: right.take(Action.REJECT, by=two, note="不符合参赛条件").after,
    )
    (decision,) = [answer for answer in answers if answer != FASTER]
    trail = [line.after for line in submitted.events.all()]
    assert (answers.count(FASTER), trail) == (1, [decision, Status.SUBMITTED])
    assert (scenes.fresh(submitted).status, taken(occupation)) == (decision, [int(decision == Status.APPROVED)])


@pytest.mark.django_db(transaction=True)
def test_one_person_who_submits_twice_at_once():
    occupation = scenes.occupation(scenes.open_plan(), capacity=2)
    person = scenes.person()
    draft = scenes.draft(person, occupation)
    left, right = scenes.fresh(draft), scenes.fresh(draft)
    answers = at_once(*(lambda window=window: window.take(Action.SUBMIT, by=person).after for window in (left, right)))
    trail = [line.action for line in draft.events.all()]
    assert (sorted(answers), trail, taken(occupation)) == (sorted(["submitted", FASTER]), ["submit"], [1])


@pytest.mark.django_db(transaction=True)
def test_one_person_who_starts_in_four_windows_at_once():
    plan = scenes.open_plan()
    person = scenes.person()
    started = at_once(*(lambda: intake.start(person, plan).pk for _ in range(4)))
    (only,) = Registration.objects.all()
    assert started == [only.pk] * 4
