"""The counter of seats, and where a plan stands at a moment."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from plans.models import Occupation, Plan, PlanState
from tests import scenes

NOON = datetime(2026, 5, 20, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
MICROSECOND = timedelta(microseconds=1)


def taken(occupation):
    return Occupation.objects.get(pk=occupation.pk).seats_taken


@pytest.mark.parametrize(
    ("capacity", "before", "sold", "after"),
    [
        (3, 0, True, 1),
        (3, 2, True, 3),
        (3, 3, False, 3),
        (1, 1, False, 1),
        (None, 0, True, 1),
        (None, 9999, True, 10000),
    ],
)
def test_a_seat_is_sold_where_one_is_left(plan, capacity, before, sold, after):
    occupation = scenes.occupation(plan, capacity=capacity, seats_taken=before)
    neighbour = scenes.occupation(plan, capacity=5, seats_taken=2)
    assert (Occupation.objects.take_seat(occupation.pk), taken(occupation), taken(neighbour)) == (sold, after, 2)


def test_a_seat_is_one_statement(occupation, django_assert_num_queries):
    with django_assert_num_queries(2):
        Occupation.objects.take_seat(occupation.pk)
        Occupation.objects.give_seat_back(occupation.pk)
    assert taken(occupation) == 0


def test_an_occupation_that_is_gone_has_no_seat(occupation):
    Occupation.objects.all().delete()
    assert Occupation.objects.take_seat(occupation.pk) is False


def test_a_seat_comes_back_where_it_was_taken(plan):
    occupation = scenes.occupation(plan, capacity=3, seats_taken=3)
    neighbour = scenes.occupation(plan, capacity=3, seats_taken=3)
    Occupation.objects.give_seat_back(occupation.pk)
    assert (taken(occupation), taken(neighbour)) == (2, 3)


def test_more_than_were_taken_do_not_come_back(occupation):
    with pytest.raises(IntegrityError, match="seats_taken"), transaction.atomic():
        Occupation.objects.give_seat_back(occupation.pk)
    assert taken(occupation) == 0


@pytest.mark.parametrize(
    ("capacity", "seats_taken", "left", "full"),
    [(3, 0, 3, False), (3, 2, 1, False), (3, 3, 0, True), (None, 0, None, False), (None, 500, None, False)],
)
def test_what_is_left(capacity, seats_taken, left, full):
    occupation = Occupation(capacity=capacity, seats_taken=seats_taken)
    assert (occupation.seats_left, occupation.is_full) == (left, full)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (NOON - timedelta(days=1) - MICROSECOND, PlanState.SOON),
        (NOON - timedelta(days=1), PlanState.OPEN),
        (NOON - MICROSECOND, PlanState.OPEN),
        (NOON, PlanState.CLOSED),
    ],
)
def test_where_a_plan_stands_in_python_and_in_the_database(db, now, state):
    """From the opening on, up to the closing without it."""
    plan = scenes.open_plan(
        registration_opens_at=NOON - timedelta(days=1),
        registration_closes_at=NOON,
        published_at=NOON - timedelta(days=9),
    )
    found = {candidate for candidate in PlanState if Plan.objects.in_state(candidate, now).exists()}
    assert (plan.state_at(now), found, Plan.objects.open_at(now).exists()) == (state, {state}, state == PlanState.OPEN)


@pytest.mark.parametrize(("published_at", "there"), [(None, False), (NOON, True), (NOON + MICROSECOND, False)])
def test_what_is_published(db, published_at, there):
    scenes.open_plan(published_at=published_at)
    assert Plan.objects.published(NOON).exists() is there


def test_corrections_end_with_the_registration_unless_a_plan_says_otherwise():
    later = NOON + timedelta(days=3)
    plans = [Plan(registration_closes_at=NOON), Plan(registration_closes_at=NOON, correction_closes_at=later)]
    assert [plan.corrections_end_at for plan in plans] == [NOON, later]


def test_whoever_saves_a_row_leaves_the_counter_alone(occupation):
    """The plan's form was opened before somebody took a seat."""
    Occupation.objects.take_seat(occupation.pk)
    occupation.capacity = 50
    occupation.save()
    assert (taken(occupation), Occupation.objects.get(pk=occupation.pk).capacity) == (1, 50)
