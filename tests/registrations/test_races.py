"""A crowd at the same moment: exactly what there is gets sold, and every book that is kept says what a count says."""

import itertools
import random
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from threading import Event
from time import sleep
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from django.db.models.deletion import Collector
from django.db.models.functions import Lower

from accounts.erasure import erase
from accounts.models import User
from plans.models import Occupation, Plan
from profiles.models import Profile, StaleDetails
from registrations import bulk, deciding, intake, jobs, moves, undo
from registrations.decisions import DecisionForm
from registrations.jobs import State
from registrations.messages import Message
from registrations.models import Registration
from registrations.notifications import STEPS
from registrations.tally import Tally
from registrations.trail import ReviewEvent
from registrations.workflow import Action, Status, StepRefused
from tests import scenes
from tests.registrations.test_bulk import outcomes, standing
from tests.registrations.test_seats import FASTER, full
from tests.registrations.threads import at_once, crowd, waited_for
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

# SQLite has one writer at a time: there it is the order of things that is tried, not their simultaneity.
ON_POSTGRES = connection.vendor == "postgresql"
PEOPLE, AT_A_TIME = (500, 40) if ON_POSTGRES else (40, 8)


# What the books say, and what there is ------------------------------------------------------------------------------


def books(plan: Plan) -> dict[str, Any]:
    """Everything that is kept beside the registrations: seats, counts, the trail's ends, who was told of which line."""
    kept = Tally.objects.filter(plan=plan, count__gt=0)
    lines = ReviewEvent.objects.filter(registration__plan=plan).order_by("pk")
    told = Message.objects.filter(registration__plan=plan, key__startswith="step-")
    return {
        "seats": dict(plan.occupations.values_list("pk", "seats_taken")),
        "tallies": {(row.occupation_id, row.status): row.count for row in kept},
        "where the trail ends": {line.registration_id: line.after for line in lines},
        "told": Counter(told.values_list("person", "key")),
    }


def counted(plan: Plan) -> dict[str, Any]:
    """The same by counting: a GROUP BY over the registrations, and the trail line by line."""
    mine = Registration.objects.filter(plan=plan).order_by()
    grouped = mine.exclude(status=Status.DRAFT).values_list("occupation", "status").annotate(number=Count("pk"))
    seated = dict(mine.exclude(seat=None).values_list("seat").annotate(number=Count("pk")))
    lines = ReviewEvent.objects.filter(registration__plan=plan).select_related("registration")
    lines = lines.filter(undone=None)  # what was taken back in time was never told
    return {
        "seats": {pk: seated.get(pk, 0) for pk in plan.occupations.values_list("pk", flat=True)},
        "tallies": {(occupation, status): number for occupation, status, number in grouped},
        "where the trail ends": dict(mine.filter(events__isnull=False).values_list("pk", "status").distinct()),
        "told": Counter(
            (line.registration.applicant_id, f"step-{line.pk}") for line in lines if Action(line.action) in STEPS
        ),
    }


def broken_trails(plan: Plan) -> list[tuple[int, str, str]]:
    """Two lines of one registration, the second of which does not begin where the first one ended."""
    lines = ReviewEvent.objects.filter(registration__plan=plan).order_by("registration", "pk")
    return [
        (one.registration_id, one.after, two.before)
        for one, two in itertools.pairwise(lines)
        if one.registration_id == two.registration_id and one.after != two.before
    ]


def oversold(plan: Plan) -> list[str]:
    return [each.name for each in plan.occupations.all() if each.capacity and each.seats_taken > each.capacity]


def check(plan: Plan) -> None:
    assert (books(plan), broken_trails(plan), oversold(plan)) == (counted(plan), [], [])


def deadlocks() -> int:
    """How many the server has had to break so far; nobody may have noticed one that was tried again."""
    if not ON_POSTGRES:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def no_deadlock(transactional_db: None) -> Iterator[None]:
    """And threads that take turns more often than they would by themselves."""
    before, turns = deadlocks(), sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(turns)
    assert deadlocks() == before


# The people ---------------------------------------------------------------------------------------------------------


def drafts_of(number: int, *occupations: Occupation) -> list[Registration]:
    """Complete drafts of so many people, in turn for each occupation. They share a picture: photos are not in question."""
    portrait = scenes.portrait_of(scenes.person())
    turns = itertools.cycle(occupations)
    return [scenes.draft(scenes.person(), next(turns), portrait=portrait) for _ in range(number)]


def submit(draft: Registration) -> str:
    """As a request does it, with an instance of its own."""
    found = scenes.fresh(draft)
    return found.take(Action.SUBMIT, by=found.applicant).after


def press(registration: Registration, action: Action, by: Any) -> str:
    """A decision from the desk about what stands there now."""
    found = scenes.fresh(registration)
    form = DecisionForm(
        action, {"versions": DecisionForm.seal([found]), "note": "请核对后再提交。"}, registrations=[found]
    )
    assert form.is_valid()
    return deciding.decide(found, form, by).after


# The races ----------------------------------------------------------------------------------------------------------


def test_the_last_ten_seats_and_everybody_at_once() -> None:
    plan = scenes.open_plan()
    occupation = scenes.occupation(plan, capacity=10)
    drafts = drafts_of(PEOPLE, occupation)
    answers = crowd([partial(submit, draft) for draft in drafts], AT_A_TIME)
    assert Counter(answers) == {Status.SUBMITTED: 10, full(occupation): PEOPLE - 10}
    winners = {draft.pk for draft, answer in zip(drafts, answers, strict=True) if answer == Status.SUBMITTED}
    seated = set(Registration.objects.filter(seat=occupation).values_list("pk", flat=True))
    assert (seated, books(plan)["seats"]) == (winners, {occupation.pk: 10})
    check(plan)


def test_seats_that_come_back_while_everybody_wants_one() -> None:
    """Ten withdraw in the same moment: at the end they are sold again, as long as somebody asks, and never twice."""
    plan = scenes.open_plan()
    occupation = scenes.occupation(plan, capacity=10)
    drafts = drafts_of(AT_A_TIME * 2 + 10, occupation)
    holders, others = drafts[:10], drafts[10:]
    assert [submit(draft) for draft in holders] == [Status.SUBMITTED] * 10

    def withdraw(holder: Registration) -> str:
        return scenes.fresh(holder).take(Action.WITHDRAW, by=holder.applicant).after

    leaving = [partial(withdraw, holder) for holder in holders]
    asking = [partial(submit, draft) for draft in others]
    answers = Counter(
        crowd([each for pair in zip(leaving, asking, strict=False) for each in pair] + asking[10:], AT_A_TIME)
    )
    sold = answers[Status.SUBMITTED]
    assert answers == Counter({"withdrawn": 10, "submitted": sold, full(occupation): len(others) - sold})
    assert books(plan)["seats"] == {occupation.pk: sold}
    check(plan)


def test_two_reviewers_decide_everything_oppositely() -> None:
    plan = scenes.open_plan()
    occupation = scenes.occupation(plan, capacity=None)
    one, two = (scenes.member(plan, "reviewer", name) for name in ("周敏", "陈静"))
    waiting = drafts_of(AT_A_TIME, occupation)
    assert {submit(draft) for draft in waiting} == {Status.SUBMITTED}
    opposite = [(Action.APPROVE, one), (Action.REJECT, two)]
    seals = {each.pk: DecisionForm.seal([scenes.fresh(each)]) for each in waiting}

    def decide(each: Registration, action: Action, by: Any) -> str:
        sent = {"versions": seals[each.pk], "note": "不符合参赛条件。"}
        form = DecisionForm(action, sent, registrations=[each])
        assert form.is_valid()
        return deciding.decide(scenes.fresh(each), form, by).after

    answers = crowd([partial(decide, each, *how) for each in waiting for how in opposite], AT_A_TIME)
    for each, (left, right) in zip(waiting, itertools.batched(answers, 2, strict=True), strict=True):
        status = scenes.fresh(each).status
        told = right if status == Status.APPROVED else left
        assert (status in (left, right), told.startswith("已被") and told.endswith("这次的决定没有记下。")) == (
            True,
            True,
        )
    check(plan)


def test_everybody_presses_submit_three_times() -> None:
    plan = scenes.open_plan()
    occupation = scenes.occupation(plan, capacity=None)
    drafts = drafts_of(AT_A_TIME, occupation)
    answers = crowd([partial(submit, draft) for draft in drafts for _ in range(3)], AT_A_TIME)
    late = "这份报名现在是“待审核”，不能提交审核。请刷新页面查看最新状态。"
    assert [sorted(each).count(Status.SUBMITTED) for each in itertools.batched(answers, 3, strict=True)] == [1] * len(
        drafts
    )
    assert set(answers) <= {Status.SUBMITTED, FASTER, late}
    assert books(plan)["seats"] == {occupation.pk: len(drafts)}
    check(plan)


def test_submitted_twice_on_the_page_itself(sign_in: Any) -> None:
    """Both windows end at the same receipt."""
    plan = scenes.open_plan()
    (draft,) = drafts_of(1, scenes.occupation(plan, capacity=1))
    windows = [sign_in(draft.applicant) for _ in range(4)]
    address = f"/registrations/{draft.reference}/submit/"

    def send(window: Any) -> tuple[int, str]:
        answer = window.post(address, {"version": draft.version})
        return answer.status_code, answer.headers["Location"]

    answers = at_once(*(partial(send, window) for window in windows))
    assert answers == [(302, f"/registrations/{draft.reference}/submitted/")] * 4
    assert books(plan)["seats"] == {draft.occupation_id: 1}
    check(plan)


def test_a_job_against_single_decisions() -> None:
    plan = scenes.open_plan()
    occupation = scenes.occupation(plan, capacity=None)
    asking, colleague = (scenes.member(plan, "reviewer", name) for name in ("周敏", "陈静"))
    waiting = drafts_of(AT_A_TIME, occupation)
    assert {submit(draft) for draft in waiting} == {Status.SUBMITTED}
    job = bulk.ask(asking, plan, Action.REJECT, Registration.objects.filter(plan=plan).order_by("pk"), "/")
    assert job.hand_over(State.ASKED, arguments=bulk.Decision(Action.REJECT, "不符合参赛条件。").arguments())
    work = partial(jobs.run_job.func, str(job.public_id))
    singles = [partial(press, each, Action.APPROVE, colleague) for each in reversed(waiting)]
    answers = crowd([work, work, *singles], AT_A_TIME)
    approved = answers[2:].count(Status.APPROVED)
    assert (answers[:2], standing(job)) == ([None, None], ("done", len(waiting), len(waiting) - approved, approved))
    assert {each for outcome, each in outcomes(job) if outcome == "refused"} <= {"已被陈静处理：审核通过。"}
    assert books(plan)["seats"] == {occupation.pk: approved}
    check(plan)


def test_a_rejection_is_taken_back_while_others_want_the_seat() -> None:
    """Undoing takes the seat again, or is refused because it is sold: never both of them sit on it."""
    plan = scenes.open_plan()
    rooms = [scenes.occupation(plan, capacity=1) for _ in range(AT_A_TIME // 4)]
    reviewer = scenes.member(plan, "reviewer")
    holders, others = drafts_of(len(rooms), *rooms), drafts_of(len(rooms) * 3, *rooms)
    decisions = {}
    for holder in holders:
        submit(holder)
        decisions[holder.pk] = deciding_line(holder, Action.REJECT, reviewer)

    def take_back(holder: Registration) -> str:
        undo.take_back(scenes.fresh(holder), decisions[holder.pk], reviewer)
        return "undone"

    doings = [partial(take_back, holder) for holder in holders] + [partial(submit, draft) for draft in others]
    answers = crowd(doings, AT_A_TIME)
    won = Counter(answer for answer in answers if answer in {"undone", "submitted"})
    assert (sum(won.values()), books(plan)["seats"]) == (len(rooms), {room.pk: 1 for room in rooms})
    check(plan)


def deciding_line(registration: Registration, action: Action, by: Any) -> str:
    """The key of the decision's line, as the page has it."""
    press(registration, action, by)
    return str(registration.events.first().pk)  # type: ignore[union-attr]


def test_people_who_change_places_while_all_else_goes_on() -> None:
    """Returned ones swap two small occupations to and fro, others withdraw, decide, submit: nobody waits for ever."""
    plan = scenes.open_plan()
    small = [scenes.occupation(plan, capacity=AT_A_TIME // 2) for _ in range(3)]
    reviewer = scenes.member(plan, "reviewer")
    everybody = drafts_of(AT_A_TIME * 2, *small)
    for each in everybody[:AT_A_TIME]:
        submit(each)
        press(each, Action.RETURN, reviewer)
    dice = random.Random(20260801)

    def change(each: Registration) -> str:
        found = scenes.fresh(each)
        try:
            found.write(found.version, occupation=dice.choice(small))
        except StaleDetails:
            return "somebody was faster"
        return submit(each)

    def step(action: Action, each: Registration) -> str:
        found = scenes.fresh(each)
        return found.take(action, by=found.applicant).after

    doings = [partial(change, each) for each in everybody]
    doings += [
        partial(press, each, action, reviewer) for each in everybody for action in (Action.REJECT, Action.RETURN)
    ]
    doings += [partial(step, action, each) for each in everybody for action in (Action.RECALL, Action.WITHDRAW)]
    dice.shuffle(doings)
    crowd(doings, AT_A_TIME)
    check(plan)


def test_everybody_starts_twice() -> None:
    plan = scenes.open_plan()
    people = [scenes.person() for _ in range(AT_A_TIME)]
    started = crowd([lambda who=who: intake.start(who, plan).reference for who in people for _ in range(2)], AT_A_TIME)
    assert [one == two for one, two in itertools.batched(started, 2, strict=True)] == [True] * len(people)
    assert Registration.objects.filter(plan=plan).values_list(Lower("status")).distinct().count() == 1


def test_a_draft_is_deleted_in_one_window_and_submitted_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was acknowledged as submitted is there: whoever deletes has looked at the row that is deleted."""
    plan = scenes.open_plan()
    (draft,) = drafts_of(1, scenes.occupation(plan, capacity=1))
    collect, other, pool = Collector.collect, [], ThreadPoolExecutor(1)

    def submit_meanwhile() -> str:
        try:
            return submit(draft)
        except (StepRefused, Registration.DoesNotExist):
            return "refused"
        finally:
            connection.close()

    def slowly(self: Collector, *found: Any, **how: Any) -> None:
        """What is to be deleted has been read; now the other window has a second for itself."""
        collect(self, *found, **how)
        if not other:
            other.append(pool.submit(submit_meanwhile))
            wait(other, timeout=1)

    monkeypatch.setattr(Collector, "collect", slowly)
    try:
        scenes.fresh(draft).discard(draft.applicant)
        deleted = True
    except StepRefused:
        deleted = False
    answer = other[0].result(timeout=30)
    pool.shutdown()
    there = list(Registration.objects.values_list("status", flat=True))
    assert (answer, deleted, there) in [("refused", True, []), ("submitted", False, ["submitted"])]
    check(plan)


@pytest.mark.skipif(not ON_POSTGRES, reason="SQLite has one writer at a time")
def test_the_account_is_closed_in_one_window_and_its_draft_submitted_in_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Submitting holds the registration and looks for the account at its commit; closing holds the account and comes for
    the registration: neither waits for the other, and the seat that was taken meanwhile is given back."""
    occupation = scenes.occupation(scenes.open_plan(), capacity=1)
    (draft,) = drafts_of(1, occupation)
    create, submitted = ReviewEvent.objects.create, Event()

    def slowly(**values: Any) -> ReviewEvent:
        """The registration is written, its line is not yet."""
        if not submitted.is_set():
            submitted.set()
            until(waited_for, 20)
        return create(**values)

    def close() -> str:
        assert submitted.wait(20)
        erase(User.objects.get(pk=draft.applicant_id), "system")
        return "erased"

    monkeypatch.setattr(ReviewEvent.objects, "create", slowly)
    assert at_once(lambda: submit(draft), close) == ["submitted", "erased"]
    occupation.refresh_from_db()
    assert (occupation.seats_taken, Registration.objects.exists(), ReviewEvent.objects.exists()) == (0, False, False)
    check(occupation.plan)


def test_a_job_rejects_while_its_applicant_agrees_to_another_occupation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both want the registration and the proposal that waits: in the same order, or they wait for one another."""
    plan = scenes.open_plan()
    one, other = scenes.occupation(plan, capacity=None), scenes.occupation(plan, capacity=None)
    boss = scenes.member(plan, "manager")
    (draft,) = drafts_of(1, one)
    submit(draft)
    proposal = moves.propose(scenes.fresh(draft), other, reason="名额已满。", by=boss)
    job = bulk.ask(boss, plan, Action.REJECT, Registration.objects.filter(plan=plan), "/")
    assert job.hand_over(State.ASKED, arguments=bulk.Decision(Action.REJECT, "不符合参赛条件。").arguments())
    lapse, held = moves.lapse, Event()

    def slowly(*what: Any) -> None:
        held.set()
        sleep(0.5)
        lapse(*what)

    def agree() -> str:
        found = scenes.fresh(draft)
        assert held.wait(timeout=10)
        return moves.answer(found, Action.MOVE, str(proposal.pk), found.applicant).action

    monkeypatch.setattr(moves, "lapse", slowly)
    answers = at_once(partial(jobs.run_job.func, str(job.public_id)), agree)
    assert (answers[0], answers[1] in {FASTER, moves.GONE}) == (None, True)
    assert (standing(job), moves.MoveProposal.objects.get().state) == (("done", 1, 1, 0), "lapsed")
    check(plan)


def test_a_new_portrait_in_one_window_and_submitting_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever comes first: the portrait is kept, and nobody sees an error page."""
    plan = scenes.open_plan()
    (draft,) = drafts_of(1, scenes.occupation(plan, capacity=None))
    person, closed, other, pool = draft.applicant, Registration.closed_reason, [], ThreadPoolExecutor(1)
    first, second = scenes.portrait_of(person), scenes.portrait_of(person, "#dddddd")
    Profile.of(person).set_portrait(first)
    Registration.objects.filter(pk=draft.pk).update(portrait=first)

    def submit_meanwhile() -> str:
        try:
            return submit(draft)
        except StepRefused as refusal:
            return str(refusal)
        finally:
            connection.close()

    def slowly(self: Registration, *moment: Any) -> str:
        """The registration has been read; now the other window has a second for itself."""
        if not other:
            other.append(pool.submit(submit_meanwhile))
            wait(other, timeout=1)
        return closed(self, *moment)

    monkeypatch.setattr(Registration, "closed_reason", slowly)
    Profile.of(person).set_portrait(second)
    answer = other[0].result(timeout=30)
    pool.shutdown()
    assert (answer, Profile.of(person).portrait, scenes.fresh(draft).portrait) in [
        (FASTER, second, second),
        (Status.SUBMITTED, second, second),
    ]
    check(plan)
