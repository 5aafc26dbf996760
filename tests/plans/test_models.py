"""Plans and what they offer: what the database promises, who belongs to them, when they are open."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from plans.models import CommitteeMember, Occupation, Plan, PlanState
from tests import scenes

NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("plan_opens_before_it_closes", {"registration_opens_at": NOW, "registration_closes_at": NOW}),
        ("plan_corrections_end_after_registration", {"correction_closes_at": NOW - 30 * DAY}),
        (
            "plan_competition_starts_before_it_ends",
            {"competition_starts_on": NOW.date(), "competition_ends_on": NOW.date() - DAY},
        ),
    ],
)
def test_the_database_refuses_times_in_the_wrong_order(plan, constraint, values):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Plan.objects.filter(pk=plan.pk).update(**values)


@pytest.mark.parametrize(
    ("constraint", "act"),
    [
        ("seats_taken_within_capacity", lambda found: Occupation.objects.filter(pk=found.pk).update(capacity=0)),
        ("seats_taken", lambda found: Occupation.objects.filter(pk=found.pk).update(seats_taken=-1)),
        (
            "one_occupation_per_division",
            lambda found: Occupation.objects.create(plan=found.plan, name=found.name, division=found.division),
        ),
        (
            "one_role_per_member_and_plan",
            lambda found: CommitteeMember.objects.create(
                plan=found.plan, user=found.plan.members.get().user, role="viewer"
            ),
        ),
        ("plans_plan_code", lambda found: scenes.open_plan(code=found.plan.code)),
    ],
)
def test_the_database_refuses(occupation, manager, constraint, act):
    Occupation.objects.take_seat(occupation.pk)
    unnamed = "" if connection.vendor == "postgresql" else "|UNIQUE constraint failed"
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        act(occupation)
    assert re.search(constraint + unnamed, str(refusal.value))


def test_the_last_seat_is_taken_once(plan):
    occupation = scenes.occupation(plan, capacity=2)
    assert [Occupation.objects.take_seat(occupation.pk) for _ in range(3)] == [True, True, False]
    occupation.refresh_from_db()
    assert (occupation.seats_taken, occupation.seats_left, occupation.is_full) == (2, 0, True)
    Occupation.objects.give_seat_back(occupation.pk)
    occupation.refresh_from_db()
    assert (occupation.seats_left, occupation.is_full) == (1, False)


def test_seats_without_a_limit(plan):
    occupation = scenes.occupation(plan, capacity=None)
    assert Occupation.objects.take_seat(occupation.pk)
    occupation.refresh_from_db()
    assert (occupation.seats_taken, occupation.seats_left, occupation.is_full) == (1, None, False)


def test_when_a_plan_is_open(plan):
    tick = timedelta(microseconds=1)
    opens, closes = plan.registration_opens_at, plan.registration_closes_at
    moments = {opens - tick: "未开始", opens: "报名中", closes - tick: "报名中", closes: "已截止"}
    assert {moment: plan.state_at(moment).label for moment in moments} == moments
    for moment, label in moments.items():
        found = {state.label for state in PlanState if Plan.objects.in_state(state, moment).exists()}
        assert found == {label}


@pytest.mark.parametrize(("published_at", "shown"), [(None, False), (NOW + DAY, False), (NOW - DAY, True)])
def test_what_is_published(db, published_at, shown):
    scenes.open_plan(published_at=published_at)
    assert [Plan.objects.published(NOW).exists(), Plan.objects.open_at(NOW).exists()] == [shown, shown]


def test_who_belongs_to_a_committee(plan, manager, reviewer, viewer, applicant):
    other = scenes.open_plan()
    roles = {role: [plan.has_member(user, role) for user in (manager, reviewer, viewer, applicant)] for role in ROLES}
    assert roles == {
        "manager": [True, False, False, False],
        "reviewer": [False, True, False, False],
        "viewer": [False, False, True, False],
    }
    people = [manager, reviewer, viewer, applicant]
    assert [plan.has_member(user) for user in people] == [True, True, True, False]
    assert [user.is_committee_member for user in people] == [True, True, True, False]
    assert [other.has_member(user) for user in people] == [False] * 4
    assert [list(Plan.objects.reviewable_by(user)) for user in people] == [[plan], [plan], [plan], []]


ROLES = ["manager", "reviewer", "viewer"]


def test_a_superuser_belongs_to_all(plan, applicant):
    applicant.is_superuser = True
    assert (plan.has_member(applicant), plan.has_member(applicant, "manager")) == (True, True)
    assert set(Plan.objects.reviewable_by(applicant)) == {plan}


def test_what_things_are_called(plan, manager):
    occupation = scenes.occupation(plan, name="电工")
    assert [str(plan), plan.level_label, str(occupation), str(plan.members.get())] == [
        plan.title,
        "市级",
        "电工（职工组）",
        "周敏（管理）",
    ]
    assert scenes.open_plan(level="national", category="一类").level_label == "国家级一类"


def test_corrections_end_with_the_registration_unless_they_have_a_day_of_their_own(plan):
    assert plan.corrections_end_at == plan.registration_closes_at
    plan.correction_closes_at = plan.registration_closes_at + DAY
    assert plan.corrections_end_at == plan.registration_closes_at + DAY
