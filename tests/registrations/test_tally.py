"""The kept counts: after whatever steps they say what counting would say, and `recount` finds where they do not."""

import importlib
import random
from contextlib import suppress
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext

from plans.models import Occupation
from registrations import moves, recount, removal, tally
from registrations.models import Registration
from registrations.tally import Kind, Tally
from registrations.workflow import TABLE, Action, Actor, Status, StepRefused
from tests import scenes
from tests.registrations.threads import at_once


def kept():
    return {row.kind: row.count for row in Tally.objects.all() if row.count}


def counted():
    found = {}
    for registration in Registration.objects.exclude(status=Status.DRAFT):
        found[registration.kind] = found.get(registration.kind, 0) + 1
    return found


def seats():
    return dict(Occupation.objects.exclude(seats_taken=0).values_list("pk", "seats_taken"))


def run(*arguments):
    call_command("recount", *arguments, stdout=(out := StringIO()))
    return out.getvalue()


# Kept in step ---------------------------------------------------------------------------------------------------------


def test_each_step_moves_one(applicant, occupation, manager):
    draft = scenes.draft(applicant, occupation)
    assert kept() == {}
    for action, by, status in [
        (Action.SUBMIT, applicant, "submitted"),
        (Action.RETURN, manager, "returned"),
        (Action.SUBMIT, applicant, "submitted"),
        (Action.REJECT, manager, "rejected"),
        (Action.REOPEN, manager, "submitted"),
        (Action.APPROVE, manager, "approved"),
        (Action.WITHDRAW, applicant, "withdrawn"),
    ]:
        scenes.take(draft, action, by, "原因")
        assert kept() == {Kind(occupation.plan_id, occupation.pk, status): 1}
    again = scenes.draft(applicant, occupation)
    scenes.take(again, Action.SUBMIT, applicant)
    scenes.take(again, Action.RECALL, applicant)
    assert kept() == {Kind(occupation.plan_id, occupation.pk, "withdrawn"): 1}


def test_a_refused_step_moves_none(applicant, stranger, plan, manager):
    full = scenes.occupation(plan, capacity=1)
    scenes.registration_at(Status.SUBMITTED, applicant, full, manager)
    with pytest.raises(StepRefused, match="名额已满"):
        scenes.draft(stranger, full).take(Action.SUBMIT, by=stranger)
    assert kept() == {Kind(plan.pk, full.pk, "submitted"): 1}


def test_another_occupation_after_a_return(applicant, plan, occupation, manager):
    other = scenes.occupation(plan)
    returned = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    for chosen in (other, None, occupation, occupation):
        returned.write(returned.version, occupation=chosen)
        assert kept() == counted() == {Kind(plan.pk, chosen and chosen.pk, "returned"): 1}
    returned.occupation = other  # as a form leaves the instance that it has judged
    returned.write(returned.version, occupation=other)
    assert kept() == {Kind(plan.pk, other.pk, "returned"): 1}


def test_an_occupation_changed_on_the_applicants_page(sign_in, applicant, plan, occupation, manager):
    other = scenes.occupation(plan)
    returned = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    sent = {"version": returned.version, "occupation": other.pk}
    sign_in(applicant).post(f"/registrations/{returned.reference}/occupation/", sent)
    assert kept() == counted() == {Kind(plan.pk, other.pk, "returned"): 1}


def test_what_is_removed_is_no_longer_counted(plan, occupation, manager):
    other = scenes.occupation(plan)
    for chosen in (occupation, occupation, other):
        scenes.registration_at(Status.SUBMITTED, scenes.person(), chosen, manager)
    scenes.draft(scenes.person(), occupation)
    removal.remove(Registration.objects.filter(occupation=occupation))
    assert kept() == {Kind(plan.pk, other.pk, "submitted"): 1}


@pytest.mark.parametrize("seed", range(6))
def test_after_any_walk_they_say_what_counting_says(plan, manager, seed):
    chance = random.Random(seed)
    occupations = [scenes.occupation(plan, capacity=chance.choice([1, 3, None])) for _ in range(3)]
    people = [scenes.person() for _ in range(4)]
    rows = [scenes.draft(person, chance.choice(occupations)).pk for person in people]
    for _ in range(60):
        number = chance.randrange(len(people))
        row, person = Registration.objects.for_pages().filter(pk=rows[number]).first(), people[number]
        if row is None or row.status == Status.WITHDRAWN:
            rows[number] = scenes.draft(person, chance.choice(occupations)).pk
        elif row.is_editable and chance.random() < 0.3:
            row.write(row.version, occupation=chance.choice([*occupations, None]))
        elif chance.random() < 0.05:
            removal.remove(Registration.objects.filter(pk=row.pk))
        else:
            action = chance.choice(list(Action))
            by = person if TABLE[action].actor == Actor.APPLICANT else manager
            with suppress(StepRefused):
                if action == Action.PROPOSE:
                    moves.propose(row, chance.choice(occupations), reason="人数不足", by=by)
                else:
                    row.take(action, by=by, note="原因")
        assert kept() == counted()
        assert seats() == dict(Registration.objects.exclude(seat=None).values_list("seat").annotate(Count("pk")))
    assert Tally.objects.exists()


def test_counts_are_always_moved_in_the_same_order(applicant, occupation, manager):
    """After the seats, and the same row first whichever way a registration goes."""
    ways = [(Action.SUBMIT, applicant), (Action.REJECT, manager), (Action.REOPEN, manager)]
    registration, seen = scenes.draft(applicant, occupation), []
    for action, by in ways:
        row = scenes.fresh(registration)
        with CaptureQueriesContext(connection) as queries:
            row.take(action, by=by, note="原因")
        updates = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
        tables = [sql.split('"')[1] for sql in updates if "_occupation" in sql or "_tally" in sql]
        statuses = [
            status for sql in updates if "_tally" in sql for status in ("rejected", "submitted") if f"'{status}'" in sql
        ]
        seen.append((tables[0], statuses))
    assert seen == [
        ("plans_occupation", ["submitted", "submitted"]),  # the row was not there yet
        ("plans_occupation", ["rejected", "rejected", "submitted"]),
        ("plans_occupation", ["rejected", "submitted"]),
    ]


def test_a_count_that_went_astray_stops_nobody(applicant, occupation, manager, caplog):
    submitted = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    Tally.objects.update(count=0)
    scenes.take(submitted, Action.APPROVE, manager)
    assert kept() == {Kind(occupation.plan_id, occupation.pk, "approved"): 1}
    expected = f"a tally of plan {occupation.plan_id} is less than what is to be taken from it: run recount"
    assert caplog.messages == [expected]


@pytest.mark.parametrize("occupied", [True, False])
def test_there_is_one_row_for_each(plan, occupation, occupied):
    kind = Kind(plan.pk, occupation.pk if occupied else None, "submitted")
    tally.make([kind, kind])
    tally.make([kind])
    assert Tally.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Tally.objects.create(plan=plan, occupation=occupation if occupied else None, status="submitted")
    with pytest.raises(IntegrityError), transaction.atomic():
        Tally.objects.update(count=-1)


def test_the_migration_counts_what_there_is(plan, occupation, manager):
    for status in (Status.SUBMITTED, Status.SUBMITTED, Status.RETURNED, Status.DRAFT):
        row = scenes.registration_at(status, scenes.person(), occupation, manager)
    scenes.registration_at(Status.RETURNED, scenes.person(), occupation, manager).write(1, occupation=None)
    was = kept()
    Tally.objects.all().delete()
    importlib.import_module("registrations.migrations.0005_queue_and_tallies").fill(apps, None)
    assert (kept(), row.status, len(was)) == (was, Status.DRAFT, 3)


# At the same moment ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_where_many_come_at_once():
    """Two make the first row, two come in one by one while two go out; recount runs in between."""
    plan = scenes.open_plan()
    occupation, boss = scenes.occupation(plan, capacity=None), scenes.member(plan, "manager")
    people = [scenes.person() for _ in range(6)]
    drafts = [scenes.draft(person, occupation) for person in people]
    at_once(
        *(lambda row=row, by=by: row.take(Action.SUBMIT, by=by) for row, by in zip(drafts[:4], people, strict=False))
    )
    assert kept() == counted() == {Kind(plan.pk, occupation.pk, "submitted"): 4}
    rows = [scenes.fresh(draft) for draft in drafts]
    at_once(
        lambda: rows[4].take(Action.SUBMIT, by=people[4]),
        lambda: rows[0].take(Action.REJECT, by=boss, note="原因"),
        lambda: recount.differences(plan, mend=True),
        lambda: rows[1].take(Action.APPROVE, by=boss),
        lambda: rows[5].take(Action.SUBMIT, by=people[5]),
        lambda: rows[2].take(Action.WITHDRAW, by=people[2]),
    )
    assert kept() == counted()
    assert sum(kept().values()) == 6


# recount --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def astray(plan, occupation, manager):
    """One row too many, one too few, one missing."""
    other = scenes.occupation(plan, name="焊工", division="student")
    for status, chosen in [(Status.SUBMITTED, occupation), (Status.APPROVED, occupation), (Status.RETURNED, other)]:
        scenes.registration_at(status, scenes.person(), chosen, manager)
    Tally.objects.filter(status="submitted").update(count=7)
    Tally.objects.filter(status="approved").update(count=0)
    Tally.objects.filter(status="returned").delete()
    return [
        f"{plan.code} {occupation} 审核通过：记的是 0，实际 1",
        f"{plan.code} {occupation} 待审核：记的是 7，实际 1",
        f"{plan.code} 焊工（学生组） 退回修改：记的是 0，实际 1",
        f"{plan.code} 焊工（学生组） 待审核：记的是 7，实际 0",
    ]


def test_recount_says_what_differs_and_mends_it(astray, plan):
    wrong = kept()
    with pytest.raises(CommandError) as refusal:
        call_command("recount", "--dry-run", stdout=(out := StringIO()))
    assert out.getvalue().splitlines() == astray
    assert str(refusal.value) == "核对了 1 个竞赛计划，4 处不一致，没有改动。去掉 --dry-run 再执行即可改正。"
    assert (refusal.value.returncode, kept()) == (1, wrong)
    assert run(plan.code).splitlines() == [*astray, "核对了 1 个竞赛计划，改正了 4 处。"]
    assert kept() == counted()
    assert run("--dry-run") == run() == "核对了 1 个竞赛计划，全部一致。\n"


def test_recount_mends_one_plan_alone(astray):
    elsewhere = scenes.open_plan(code="ELSEWHERE")
    assert run("ELSEWHERE") == "核对了 1 个竞赛计划，全部一致。\n"
    assert kept() != counted()
    assert elsewhere.tallies.filter(count__gt=0).count() == 0


def test_recount_of_what_is_not_there(plan):
    with pytest.raises(CommandError, match=f"没有竞赛计划 NOTHING。现有：{plan.code}。"):
        run("NOTHING")
