"""Another occupation: proposed by a manager, agreed to or not by the applicant, with its seat and its counts."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from registrations import moves
from registrations.moves import MoveProposal
from registrations.tally import Tally
from registrations.workflow import Action, Status, StepRefused
from tests import scenes
from tests.registrations.reading import every_row, notices, situation, text_of
from tests.registrations.test_seats import FASTER, taken
from tests.registrations.threads import at_once

WHY = "原职业（工种）人数不足，不能开赛"


@pytest.fixture
def other(plan):
    return scenes.occupation(plan, capacity=1)


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


def propose(registration, occupation, by, reason=WHY):
    return moves.propose(scenes.fresh(registration), occupation, reason=reason, by=by)


def refused(doing):
    with pytest.raises(StepRefused) as refusal:
        doing()
    return str(refusal.value)


def states(registration):
    return list(registration.proposals.order_by("pk").values_list("state", flat=True))


def counts():
    return {(row.occupation_id, row.status): row.count for row in Tally.objects.exclude(count=0)}


# Proposing ------------------------------------------------------------------------------------------------------------


def test_what_cannot_be_proposed(applicant, plan, occupation, other, submitted, manager, reviewer):
    scenes.registration_at(Status.SUBMITTED, scenes.person(), other, manager)
    other.refresh_from_db()
    foreign = scenes.occupation(scenes.open_plan())
    another = "请选择这个竞赛计划里的另一个职业（工种）。"
    was = every_row()
    assert [refused(lambda to=to: propose(submitted, to, manager)) for to in (foreign, occupation, other)] == [
        another,
        another,
        f"“{other}”的名额已满。请先增加名额，或选择别的职业（工种）。",
    ]
    free = plan.occupations.get(pk=occupation.pk)
    assert refused(lambda: propose(submitted, free, reviewer)) == "您不能对这份报名执行“建议调整职业（工种）”。"
    blank = "请写明建议调整职业（工种）的原因，让报名人员知道该怎么做。"
    assert refused(lambda: propose(submitted, other, manager, reason=" ")) == blank
    assert every_row() == was


def test_one_at_a_time(plan, other, submitted, manager):
    propose(submitted, other, manager)
    assert refused(lambda: propose(submitted, scenes.occupation(plan), manager)) == moves.WAITS
    values = {"registration": submitted, "occupation": other, "reason": WHY, "by": manager}
    with pytest.raises(IntegrityError), transaction.atomic():
        MoveProposal.objects.create(**values)
    moves.answer(scenes.fresh(submitted), Action.RETRACT, str(moves.waiting(submitted).pk), manager)
    propose(submitted, other, manager)
    assert states(submitted) == ["retracted", "waiting"]


def test_it_changes_nothing_but_tells_its_applicant(applicant, occupation, other, submitted, manager):
    propose(submitted, other, manager)
    now = scenes.fresh(submitted)
    assert (now.occupation, now.seat_id, taken(occupation, other)) == (occupation, occupation.pk, [1, 0])
    message = applicant.messages.first()
    assert (message.title, message.body.splitlines()) == (
        f"请答复：组委会建议调整职业（工种）：{submitted.plan.title}",
        [
            f"组委会建议调整您的报名（{submitted.reference}）的职业（工种）。",
            "",
            f"职业（工种）：{occupation} → {other}",
            "",
            f"原因：{WHY}",
            "",
            "请打开这份报名，选择同意或不同意。您同意之前，什么都不会改变。",
        ],
    )


# Answering ------------------------------------------------------------------------------------------------------------


def answer_page(registration):
    return f"/registrations/{registration.reference}/move/"


def test_agreeing_on_the_page(applicant, occupation, other, submitted, manager, sign_in):
    proposal, visitor = propose(submitted, other, manager), sign_in(applicant)
    page = text_of(visitor.get(submitted.get_absolute_url()).content.decode())
    assert f"现在{occupation} 建议调整为{other} 原因{WHY}" in page
    sent = {"proposal": proposal.pk, "answer": "agree"}
    said = "已同意，您的职业（工种）已经调整。"
    for _ in range(2):  # the second click
        answer = visitor.post(answer_page(submitted), sent, follow=True)
        assert [str(message) for message in answer.context["messages"]] == [said]
    now = scenes.fresh(submitted)
    assert (now.occupation, now.seat_id, now.status, now.version) == (
        other,
        other.pk,
        "submitted",
        submitted.version + 1,
    )
    assert (taken(occupation, other), counts()) == ([0, 1], {(other.pk, "submitted"): 1})
    assert states(submitted) == ["agreed"]
    line = submitted.events.first()
    assert (line.action, line.by, line.items[0]["sentence"]) == ("move", applicant, f"{occupation} → {other}")
    assert "请您答复" not in visitor.get(submitted.get_absolute_url()).content.decode()
    assert applicant.messages.first().title == f"已调整职业（工种）：{submitted.plan.title}"


def test_declining_and_what_is_no_answer(applicant, occupation, other, submitted, manager, sign_in):
    proposal, visitor = propose(submitted, other, manager), sign_in(applicant)
    was = every_row()
    for sent, said in [
        ({"proposal": proposal.pk, "answer": "perhaps"}, "没有答复：请按“同意”或“不同意”。"),
        ({"proposal": proposal.pk + 1, "answer": "agree"}, moves.GONE),
        ({"proposal": "²", "answer": "agree"}, moves.GONE),
        ({"answer": "decline"}, moves.GONE),
    ]:
        answer = visitor.post(answer_page(submitted), sent, follow=True)
        assert ([str(message) for message in answer.context["messages"]], every_row()) == ([said], was)
    visitor.post(answer_page(submitted), {"proposal": proposal.pk, "answer": "decline"})
    assert (states(submitted), taken(occupation, other)) == (["declined"], [1, 0])
    assert (submitted.events.first().action, scenes.fresh(submitted).occupation) == ("decline", occupation)


def test_where_it_is_full_meanwhile_nothing_is_lost(applicant, occupation, other, submitted, manager, sign_in):
    proposal = propose(submitted, other, manager)
    scenes.registration_at(Status.SUBMITTED, scenes.person(), other, manager)
    was, visitor = situation(submitted), sign_in(applicant)
    assert f"“{other}”现在没有名额，暂时不能同意。请联系组委会，或等有名额再来。" in notices(
        visitor.get(submitted.get_absolute_url())
    )
    sent = {"proposal": proposal.pk, "answer": "agree"}
    answer = visitor.post(answer_page(submitted), sent, follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        f"“{other}”的名额已满，没有调整，您的报名和原来的名额不变。请联系组委会，或等有名额放出来再同意。"
    ]
    assert (situation(submitted), states(submitted)) == (was, ["waiting"])


@pytest.mark.parametrize("status", [Status.RETURNED, Status.APPROVED])
def test_the_status_stays(applicant, plan, occupation, other, manager, status):
    registration = scenes.registration_at(status, applicant, occupation, manager)
    if status == Status.RETURNED:  # its applicant has chosen another one already, which holds no seat yet
        registration.write(registration.version, occupation=scenes.occupation(plan))
    propose(registration, other, manager)
    now = scenes.take(registration, Action.MOVE, applicant)
    assert (now.status, now.occupation, now.seat) == (status, other, other)
    assert (taken(occupation, other), counts()) == ([0, 1], {(other.pk, status): 1})


def test_who_has_seen_the_other_occupation_cannot_decide(applicant, other, submitted, manager):
    seen = scenes.fresh(submitted)
    propose(submitted, other, manager)
    scenes.take(submitted, Action.MOVE, applicant)
    assert refused(lambda: seen.take(Action.APPROVE, by=manager)) == FASTER


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Action.RECALL, ["lapsed"]),
        (Action.WITHDRAW, ["lapsed"]),
        (Action.REJECT, ["lapsed"]),
        (Action.APPROVE, ["waiting"]),
        (Action.RETURN, ["waiting"]),
    ],
)
def test_which_step_makes_it_void(applicant, other, submitted, manager, action, expected):
    propose(submitted, other, manager)
    scenes.take(submitted, action, applicant if action in {Action.RECALL, Action.WITHDRAW} else manager, "原因")
    assert states(submitted) == expected
    if expected == ["lapsed"]:
        assert refused(lambda: moves.answer(scenes.fresh(submitted), Action.MOVE, "1", applicant)) == moves.GONE


# The desk -------------------------------------------------------------------------------------------------------------


def desk_page(registration, name):
    return f"/admin/registrations/registration/{registration.pk}/{name}/"


def test_from_the_desk(applicant, plan, other, submitted, manager, sign_in):
    desk = sign_in(manager)
    foreign = scenes.occupation(scenes.open_plan())
    wrong = desk.post(desk_page(submitted, "propose"), {"occupation": foreign.pk, "reason": ""}).content.decode()
    assert "请选择这个竞赛计划里的另一个职业（工种）。" in wrong
    assert ("请写明原因，报名人员会看到。" in wrong, str(foreign) in wrong) == (True, False)
    sent = {"occupation": other.pk, "reason": WHY}
    page = text_of(desk.post(desk_page(submitted, "propose"), sent, follow=True).content.decode())
    assert "建议已发给报名人员。对方同意之前，什么都不会改变。" in page
    assert f"已建议调整为 {other}（{manager}，" in page
    again = desk.post(desk_page(submitted, "propose"), sent, follow=True)
    assert [str(message) for message in again.context["messages"]] == [moves.WAITS]
    gone = desk.post(desk_page(submitted, "retract"), {"proposal": "0"}, follow=True)
    assert [str(message) for message in gone.context["messages"]] == [moves.GONE]
    number = moves.waiting(submitted).pk
    back = desk.post(desk_page(submitted, "retract"), {"proposal": number}, follow=True)
    assert [str(message) for message in back.context["messages"]] == ["建议已收回，报名人员会收到通知。"]
    assert (states(submitted), applicant.messages.first().kind) == (["retracted"], "retracted")


@pytest.mark.parametrize("name", ["extend", "propose", "retract"])
def test_nobody_does_it_for_themselves(plan, occupation, other, manager, sign_in, name):
    own = scenes.registration_at(Status.SUBMITTED, manager, occupation, scenes.member(plan, "manager"))
    was = situation(own)
    sent = {"occupation": other.pk, "reason": WHY, "until": "2099-01-01T10:00"}
    assert sign_in(manager).post(desk_page(own, name), sent).status_code == 403
    assert situation(own) == was


@pytest.mark.parametrize("status", [Status.REJECTED, Status.WITHDRAWN])
def test_what_is_over_is_not_moved(applicant, occupation, other, manager, sign_in, status):
    registration = scenes.registration_at(status, applicant, occupation, manager)
    sent = {"occupation": other.pk, "reason": WHY}
    answer = sign_in(manager).post(desk_page(registration, "propose"), sent, follow=True)
    said = ["这份报名现在的状态不能调整职业（工种）。"]
    assert ([str(message) for message in answer.context["messages"]], states(registration)) == (said, [])


# At the same moment ---------------------------------------------------------------------------------------------------


def test_the_seats_are_moved_in_the_same_order_both_ways(applicant, stranger, plan, manager):
    one, two = scenes.occupation(plan), scenes.occupation(plan)
    moved = []
    for person, before, after in [(applicant, one, two), (stranger, two, one)]:
        registration = scenes.registration_at(Status.APPROVED, person, before, manager)
        propose(registration, after, manager)
        row = scenes.fresh(registration)
        with CaptureQueriesContext(connection) as queries:
            row.take(Action.MOVE, by=person)
        updates = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "plans_occupation"')]
        moved.append(["+ 1" in sql for sql in updates])
    assert (moved, taken(one, two)) == ([[False, True], [True, False]], [1, 1])


@pytest.mark.django_db(transaction=True)
def test_six_who_agree_to_two_seats_at_once():
    plan = scenes.open_plan()
    manager, before = scenes.member(plan, "manager"), scenes.occupation(plan)
    other = scenes.occupation(plan, capacity=2)
    people = [scenes.person() for _ in range(6)]
    rows = [scenes.registration_at(Status.APPROVED, person, before, manager) for person in people]
    for row in rows:
        propose(row, other, manager)
    doings = [
        lambda row=row, person=person: row.take(Action.MOVE, by=person).action
        for row, person in zip(map(scenes.fresh, rows), people, strict=True)
    ]
    answers = at_once(*doings)
    assert answers.count("move") == 2
    assert {answer for answer in answers if answer != "move"} == {
        f"“{other}”的名额已满，没有调整，您的报名和原来的名额不变。请联系组委会，或等有名额放出来再同意。"
    }
    assert (taken(before, other), counts()) == ([4, 2], {(before.pk, "approved"): 4, (other.pk, "approved"): 2})
    assert sorted(states(row)[0] for row in rows) == ["agreed"] * 2 + ["waiting"] * 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("against", [Action.APPROVE, Action.RETRACT, Action.REJECT])
def test_agreeing_against_the_committee_in_the_same_instant(against):
    """One after the other, or one is told; never half of both."""
    plan = scenes.open_plan()
    manager, before, other = scenes.member(plan, "manager"), scenes.occupation(plan), scenes.occupation(plan)
    person = scenes.person()
    row = scenes.registration_at(Status.SUBMITTED, person, before, manager)
    propose(row, other, manager)
    left, right = scenes.fresh(row), scenes.fresh(row)
    answers = at_once(
        lambda: left.take(Action.MOVE, by=person).action, lambda: right.take(against, by=manager, note=WHY).action
    )
    assert len([answer for answer in answers if answer in {FASTER, moves.GONE}]) == 1
    now = scenes.fresh(row)
    seat = None if now.status == Status.REJECTED else now.occupation_id
    assert (now.occupation, now.seat_id) == (other if answers[0] == "move" else before, seat)
    assert taken(before, other) == [int(seat == before.pk), int(seat == other.pk)]
    assert counts() == {(now.occupation_id, now.status): 1}
