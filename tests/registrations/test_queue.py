"""The queue's filter, its places and what comes next: the same addresses, no gaps, nobody's own."""

import base64
import struct
from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from registrations.models import Registration
from registrations.position import Position
from registrations.queue import Order, QueueFilter
from registrations.workflow import Action, Status
from tests import scenes

MOMENT = datetime(2026, 5, 20, 8, 30, 15, 123456, tzinfo=UTC)


def submitted(occupation, manager, *, ago=0, person=None):
    """One that was submitted so many minutes ago."""
    registration = scenes.registration_at(Status.SUBMITTED, person or scenes.person(), occupation, manager)
    Registration.objects.filter(pk=registration.pk).update(submitted_at=timezone.now() - timedelta(minutes=ago))
    return scenes.fresh(registration)


def read(plan, text):
    return QueueFilter.read(plan, QueryDict(text))


# In an address --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values", "again"),
    [
        ("", {}, "status=submitted"),
        ("status=all", {"status": None}, "status=all"),
        ("status=returned&order=newest", {"status": Status.RETURNED, "order": Order.NEWEST}, "status=returned&order=newest"),
        ("order=newest&division=student&status=all", {"status": None, "division": "student", "order": Order.NEWEST}, "status=all&division=student&order=newest"),
        ("status=draft", {}, "status=submitted"),
        ("status=x&order=x&division=x&occupation=x&q=王晓明", {}, "status=submitted"),
        ("status=approved&status=all", {"status": None}, "status=all"),
        ("status=%00&division=%00&occupation=%C2%B2", {}, "status=submitted"),
    ],
)  # fmt: skip
def test_a_filter_is_read_and_said_again(plan, text, values, again):
    found = read(plan, text)
    assert (found, found.query_string()) == (QueueFilter(plan, **values), again)
    assert read(plan, again) == found


def test_an_occupation_of_the_plan_and_no_other(plan, occupation):
    elsewhere = scenes.occupation(scenes.open_plan())
    found = read(plan, f"occupation={occupation.pk}&division=student")
    assert (found.occupation, found.division) == (occupation.pk, "")
    assert found.query_string() == f"status=submitted&occupation={occupation.pk}"
    for strange in (elsewhere.pk, 0, -1, f"{occupation.pk} ", "9" * 30, "١"):
        assert read(plan, f"occupation={strange}") == QueueFilter(plan)


def test_what_a_filter_lets_through(plan, occupation, manager, applicant):
    student = scenes.occupation(plan, division="student")
    one = submitted(occupation, manager, ago=1)
    two = submitted(student, manager, ago=2)
    back = scenes.registration_at(Status.RETURNED, scenes.person(), occupation, manager)
    recalled = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    scenes.take(recalled, Action.RECALL, applicant)
    submitted(scenes.occupation(scenes.open_plan()), manager)

    def shown(text):
        return list(read(plan, text).apply(Registration.objects.all()))

    assert shown("") == [two, one]
    assert shown("order=newest") == [one, two]
    assert shown("status=all") == [two, one, back]
    assert shown("status=returned") == [back]
    assert shown("division=student") == [two]
    assert shown(f"occupation={occupation.pk}") == [one]
    assert shown("status=rejected") == []


# Places ---------------------------------------------------------------------------------------------------------------


def test_a_place_is_read_as_it_was_said():
    places = [Position(MOMENT, 7), Position(datetime(1970, 1, 1, tzinfo=UTC), 0), Position(MOMENT, 2**63 - 1)]
    assert [Position.read(str(place)) for place in places] == places
    assert all(
        set(str(place)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") for place in places
    )


@pytest.mark.parametrize(
    "text",
    ["", "x", "金", "=", "====", "AAAA", str(Position(MOMENT, 7))[:-2], str(Position(MOMENT, 7)) + "AA", "A" * 5000, "\x00",
     base64.urlsafe_b64encode(struct.pack(">QQ", 2**63, 1)).decode(), base64.urlsafe_b64encode(struct.pack(">QQ", 1, 2**63)).decode()],
)  # fmt: skip
def test_what_is_no_place_is_none(text):
    assert Position.read(text) is None


@pytest.mark.parametrize("order", list(Order))
def test_places_leave_nothing_out_and_show_nothing_twice(plan, occupation, manager, order):
    """Also where several came in the same microsecond."""
    rows = [submitted(occupation, manager, ago=ago) for ago in (3, 1, 2)]
    Registration.objects.filter(pk__in=[row.pk for row in rows[:2]]).update(submitted_at=MOMENT)
    asked, everything = QueueFilter(plan, order=order), Registration.objects.all()
    whole = list(asked.apply(everything))
    for number, row in enumerate(whole):
        place = Position.of(row)
        after, before = asked.beyond(everything, place), asked.beyond(everything, place, before=True)
        assert (list(after), list(before)) == (whole[number + 1 :], whole[:number][::-1])


# The next one ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(Order))
def test_the_next_one_in_the_same_order_and_then_from_the_beginning(plan, occupation, manager, reviewer, order):
    rows = [submitted(occupation, manager, ago=ago) for ago in (3, 2, 1)]
    asked = QueueFilter(plan, order=order)
    walk = list(asked.apply(Registration.objects.all()))
    assert set(walk) == set(rows)
    assert [asked.next_after(row, reviewer) for row in walk] == [*walk[1:], walk[0]]
    scenes.take(walk[1], Action.APPROVE, reviewer)
    assert asked.next_after(walk[0], reviewer) == walk[2]
    assert asked.next_after(scenes.fresh(walk[1]), reviewer) == walk[2]
    scenes.take(walk[2], Action.APPROVE, reviewer)
    assert asked.next_after(walk[0], reviewer) is None


def test_the_next_one_is_in_the_filter_and_not_ones_own(plan, occupation, manager, reviewer):
    student = scenes.occupation(plan, division="student")
    first = submitted(occupation, manager, ago=9)
    submitted(student, manager, ago=8)
    submitted(occupation, manager, ago=7, person=reviewer)
    last = submitted(occupation, manager, ago=6)
    back = scenes.registration_at(Status.RETURNED, scenes.person(), occupation, manager)
    asked = read(plan, f"occupation={occupation.pk}&status=all")
    assert (asked.next_after(first, reviewer), asked.next_after(back, reviewer)) == (last, first)
    assert read(plan, "status=returned").next_after(first, reviewer) is None
    among = Registration.objects.exclude(pk=last.pk)
    assert asked.next_after(first, reviewer, among) is None


def test_who_is_not_in_the_committee_is_given_none(plan, occupation, manager, stranger):
    first = submitted(occupation, manager, ago=2)
    submitted(occupation, manager, ago=1)
    elsewhere = scenes.member(scenes.open_plan(), "manager")
    assert [QueueFilter(plan).next_after(first, person) for person in (stranger, elsewhere)] == [None, None]
