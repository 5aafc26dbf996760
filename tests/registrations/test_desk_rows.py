"""What the desk reads of one registration: never more than reviewable_by() lets this person see."""

import pytest

from accounts.models import User
from plans.models import Role
from registrations import desk_rows
from registrations.models import Registration
from registrations.workflow import Status
from tests import scenes


@pytest.fixture
def registrations(occupation, manager):
    return [scenes.registration_at(status, scenes.person(), occupation, manager) for status in Status]


@pytest.fixture
def people(plan, manager):
    elsewhere = scenes.open_plan()
    operator = scenes.person("马运维")
    User.objects.filter(pk=operator.pk).update(is_superuser=True, is_staff=True)
    operator.refresh_from_db()
    return {
        "manager": manager,
        "reviewer": scenes.member(plan, Role.REVIEWER, "韩梅"),
        "viewer": scenes.member(plan, Role.VIEWER, "高远"),
        "of another plan": scenes.member(elsewhere, Role.MANAGER, "别处"),
        "nobody": scenes.person("外人"),
        "operator": operator,
    }


def test_whoever_asks_finds_what_they_may_see_and_nothing_else(registrations, people):
    for name, user in people.items():
        may_see = set(Registration.objects.reviewable_by(user).values_list("pk", flat=True))
        seen = {row.pk for row in registrations if desk_rows.found(user, row.pk) is not None}
        assert seen == may_see, name
        assert bool(seen) is (name not in {"of another plan", "nobody"})
    for row in registrations:
        if found := desk_rows.found(people["reviewer"], row.pk):
            assert (found.role, found.plan, found.applicant) == (Role.REVIEWER, row.plan, row.applicant)
        if found := desk_rows.found(people["operator"], row.pk):
            assert found.role is None


def test_a_key_that_no_row_can_have_is_nobodys(people):
    for pk in (0, 2**31, 2**63 - 1, 2**63, 10**30):
        assert desk_rows.found(people["manager"], pk) is None


def test_the_persons_others_are_those_of_ones_own_committees(plan, occupation, manager, people):
    applicant = scenes.person("王晓明")
    mine = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    other = scenes.open_plan()
    chief = scenes.member(other, Role.MANAGER, "他人")
    theirs = scenes.registration_at(Status.SUBMITTED, applicant, scenes.occupation(other), chief)
    drafted = scenes.draft(applicant, scenes.occupation(scenes.open_plan()))
    assert desk_rows.others(scenes.fresh(mine), manager) == []
    assert desk_rows.others(scenes.fresh(mine), people["operator"]) == [theirs]
    assert desk_rows.others(scenes.fresh(mine), chief) == [theirs]
    assert drafted not in desk_rows.others(scenes.fresh(mine), people["operator"])
    scenes.CommitteeMember.objects.create(plan=other, user=manager, role=Role.VIEWER)
    assert desk_rows.others(scenes.fresh(mine), manager) == [theirs]


def test_the_trail_is_whole_and_knows_its_registration(registrations, django_assert_num_queries):
    row = next(each for each in registrations if each.status == Status.RETURNED)
    expected = list(row.events.all())
    with django_assert_num_queries(1):
        lines = desk_rows.trail_of(row)
        assert [line.registration for line in lines] == [row] * len(expected)
        assert [str(line.by) for line in lines]
    assert lines == expected
