"""The whole table, status × action × person, written down a second time; illegal steps leave everything as it was."""

import pytest
import time_machine
from django.utils import timezone

from registrations import moves, workflow
from registrations.workflow import ACTION_LABELS, STATUS_LABELS, Action, Actor, Status, StepRefused
from tests import scenes
from tests.registrations.reading import situation

NOTE = "请重新上传清晰的证件照。"
PEOPLE = ["applicant", "stranger", "viewer", "reviewer", "manager", "superuser", "manager of another plan"]
COMMITTEE = ("reviewer", "manager", "superuser")
MANAGERS = ("manager", "superuser")

# (from, action, who) → (to, whether a seat is held afterwards, whether the applicant has something new to read)
LEGAL = {
    ("draft", "submit", ("applicant",)): ("submitted", True, False),
    ("returned", "submit", ("applicant",)): ("submitted", True, False),
    ("submitted", "recall", ("applicant",)): ("draft", False, False),
    ("submitted", "withdraw", ("applicant",)): ("withdrawn", False, False),
    ("returned", "withdraw", ("applicant",)): ("withdrawn", False, False),
    ("approved", "withdraw", ("applicant",)): ("withdrawn", False, False),
    ("submitted", "return", COMMITTEE): ("returned", True, True),
    ("submitted", "approve", COMMITTEE): ("approved", True, True),
    ("submitted", "reject", COMMITTEE): ("rejected", False, True),
    ("approved", "reopen", MANAGERS): ("submitted", True, True),
    ("rejected", "reopen", MANAGERS): ("submitted", True, True),
    # In these scenes it is the manager who has just decided.
    ("returned", "undo", ("manager",)): ("submitted", True, False),
    ("approved", "undo", ("manager",)): ("submitted", True, False),
    ("rejected", "undo", ("manager",)): ("submitted", True, False),
    ("submitted", "extend", MANAGERS): ("submitted", True, True),
    ("returned", "extend", MANAGERS): ("returned", True, True),
    ("approved", "extend", MANAGERS): ("approved", True, True),
    ("withdrawn", "extend", MANAGERS): ("withdrawn", False, True),
    ("submitted", "propose", MANAGERS): ("submitted", True, True),
    ("returned", "propose", MANAGERS): ("returned", True, True),
    ("approved", "propose", MANAGERS): ("approved", True, True),
}
# These need a proposal that waits for its answer; while there is one, there is no other (below).
TO_A_PROPOSAL = {
    (before, action, who): before
    for before in ("submitted", "returned", "approved")
    for action, people in {"retract": MANAGERS, "move": ("applicant",), "decline": ("applicant",)}.items()
    for who in people
}
STEPS = [(before, action, who, *after) for (before, action, people), after in LEGAL.items() for who in people]
ALLOWED = {(before, action, who) for before, action, who, *_ in STEPS}


@pytest.fixture(autouse=True)
def one_moment():
    """A decision can be taken back within seconds: however slow the machine, here they do not pass."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def people(applicant, stranger, viewer, reviewer, manager):
    superuser = scenes.person("赵总")
    superuser.is_superuser = True
    superuser.save()
    other = scenes.member(scenes.open_plan(), "manager")
    return dict(zip(PEOPLE, [applicant, stranger, viewer, reviewer, manager, superuser, other], strict=True))


def test_the_names_of_the_statuses_and_actions():
    assert [(status.value, status.label) for status in Status] == [
        ("draft", "填写中"),
        ("submitted", "待审核"),
        ("returned", "退回修改"),
        ("approved", "审核通过"),
        ("rejected", "审核不通过"),
        ("withdrawn", "已撤回"),
    ]
    assert [(action.value, action.label) for action in Action] == [
        ("submit", "提交审核"),
        ("recall", "撤回修改"),
        ("withdraw", "撤回报名"),
        ("return", "退回修改"),
        ("approve", "审核通过"),
        ("reject", "审核不通过"),
        ("reopen", "重新审核"),
        ("undo", "撤销决定"),
        ("extend", "调整个人截止时间"),
        ("propose", "建议调整职业（工种）"),
        ("retract", "收回调整职业（工种）的建议"),
        ("move", "同意调整职业（工种）"),
        ("decline", "不同意调整职业（工种）"),
    ]


@pytest.mark.parametrize(("before", "action", "who", "after", "seated", "unseen"), STEPS)
def test_a_legal_step(people, occupation, manager, before, action, who, after, seated, unseen):
    registration = scenes.registration_at(Status(before), people["applicant"], occupation, manager)
    was = situation(registration)
    event = scenes.fresh(registration).take(Action(action), by=people[who], note=f" {NOTE}\n")
    now = situation(registration)
    occupation.refresh_from_db()
    assert now == {
        **was,
        "status": after,
        "seat_id": occupation.pk if seated else None,
        "unseen": unseen,
        "submitted_at": event.at if action == "submit" else was["submitted_at"],
        "seats": [(occupation.pk, int(seated))],
        "trail": [(event.pk, action, before, after, people[who].pk, NOTE), *was["trail"]],
    }


@pytest.mark.parametrize("before", list(Status))
def test_every_other_step_is_refused_and_changes_nothing(people, occupation, manager, before):
    registration = scenes.registration_at(before, people["applicant"], occupation, manager)
    was = situation(registration)
    for action in Action:
        for who in PEOPLE:
            if (before, action, who) not in ALLOWED:
                with pytest.raises(StepRefused):
                    scenes.fresh(registration).take(action, by=people[who], note=NOTE)
    assert situation(registration) == was


@pytest.mark.parametrize("before", list(Status))
def test_the_page_offers_what_the_table_allows(people, occupation, manager, before):
    registration = scenes.registration_at(before, people["applicant"], occupation, manager)
    offered = {who: set(registration.actions_for(person)) for who, person in people.items()}
    assert offered == {who: {action for action in Action if (before, action, who) in ALLOWED} for who in PEOPLE}


def proposed(people, occupation, manager, before):
    """A registration to which another occupation is proposed; nobody decided it just now."""
    registration = scenes.registration_at(Status(before), people["applicant"], occupation, manager)
    other = scenes.occupation(occupation.plan, capacity=1)
    moves.propose(scenes.fresh(registration), other, reason="人数不足", by=manager)
    return scenes.fresh(registration), other


@pytest.mark.parametrize(("before", "action", "who"), TO_A_PROPOSAL)
def test_a_step_about_a_proposal(people, occupation, manager, before, action, who):
    registration, other = proposed(people, occupation, manager, before)
    was = situation(registration)
    event = registration.take(Action(action), by=people[who], note=NOTE)
    moved = action == "move"
    after = {"seat_id": other.pk, "occupation_id": other.pk, "version": was["version"] + 1} if moved else {}
    assert situation(scenes.fresh(registration)) == {
        **was,
        **after,
        "unseen": who != "applicant",
        "seats": [(occupation.pk, int(not moved)), (other.pk, int(moved))],
        "trail": [(event.pk, action, before, before, people[who].pk, NOTE), *was["trail"]],
    }
    state = {"retract": "retracted", "move": "agreed", "decline": "declined"}[action]
    assert list(registration.proposals.values_list("state", flat=True)) == [state]


@pytest.mark.parametrize("before", ["submitted", "returned", "approved"])
def test_while_a_proposal_waits(people, occupation, manager, before):
    """All that is legal otherwise stays so, but for another proposal and for taking back a decision before it."""
    registration, _ = proposed(people, occupation, manager, before)
    usual = {(action, who) for at, action, who in ALLOWED if at == before and action not in {"propose", "undo"}}
    usual |= {(action, who) for at, action, who in TO_A_PROPOSAL if at == before}
    offered = {(action.value, who) for who, person in people.items() for action in registration.actions_for(person)}
    assert offered == usual
    was = situation(registration)
    for action in Action:
        for who in PEOPLE:
            if (action.value, who) not in usual:
                with pytest.raises(StepRefused):
                    scenes.fresh(registration).take(action, by=people[who], note=NOTE)
    assert situation(registration) == was


@pytest.mark.parametrize(
    ("before", "action"),
    [
        *(("submitted", "approve"), ("submitted", "return"), ("approved", "reopen")),
        *(("approved", "extend"), ("approved", "propose")),
    ],
)
def test_nobody_reviews_their_own(occupation, manager, before, action):
    own = scenes.registration_at(Status(before), manager, occupation, scenes.member(occupation.plan, "manager"))
    was = situation(own)
    with pytest.raises(StepRefused) as refusal:
        scenes.fresh(own).take(Action(action), by=manager, note=NOTE)
    assert (str(refusal.value), situation(own)) == (f"您不能对这份报名执行“{Action(action).label}”。", was)


# The table alone, without a row ---------------------------------------------------------------------------------------

BY_ACTOR = {
    Actor.APPLICANT: {
        "draft": ["submit"],
        "submitted": ["recall", "withdraw", "move", "decline"],
        "returned": ["submit", "withdraw", "move", "decline"],
        "approved": ["withdraw", "move", "decline"],
        "rejected": [],
        "withdrawn": [],
    },
    Actor.COMMITTEE: {
        "draft": [],
        "submitted": ["return", "approve", "reject"],
        "returned": [],
        "approved": [],
        "rejected": [],
        "withdrawn": [],
    },
    Actor.MANAGER: {
        "draft": [],
        "submitted": ["extend", "propose", "retract"],
        "returned": ["extend", "propose", "retract"],
        "approved": ["reopen", "extend", "propose", "retract"],
        "rejected": ["reopen"],
        "withdrawn": ["extend"],
    },
    Actor.DECIDER: {
        "draft": [],
        "submitted": [],
        "returned": ["undo"],
        "approved": ["undo"],
        "rejected": ["undo"],
        "withdrawn": [],
    },
}


@pytest.mark.parametrize("actor", list(Actor))
def test_what_is_possible(actor):
    assert {status.value: workflow.possible(status, {actor}) for status in Status} == BY_ACTOR[actor]


@pytest.mark.parametrize("status", list(Status))
def test_nothing_is_possible_to_nobody(status):
    assert workflow.possible(status, set()) == []


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("status", list(Status))
def test_check_says_which_of_the_two_is_wrong(status, action):
    label = ACTION_LABELS[action]
    for actors in [set(), *({actor} for actor in Actor), set(Actor)]:
        actor = next(actor for actor in Actor if any(action in found for found in BY_ACTOR[actor].values()))
        if actor not in actors:
            expected = f"您不能对这份报名执行“{label}”。"
        elif action not in BY_ACTOR[actor][status]:
            expected = f"这份报名现在是“{STATUS_LABELS[status]}”，不能{label}。请刷新页面查看最新状态。"
        else:
            assert workflow.check(action, status, actors, NOTE) == workflow.TABLE[action]
            continue
        with pytest.raises(StepRefused) as refusal:
            workflow.check(action, status, actors, NOTE)
        assert str(refusal.value) == expected


@pytest.mark.parametrize("note", ["", "  \n", "\u3000"])
@pytest.mark.parametrize(
    ("action", "status", "sentence"),
    [
        ("return", "submitted", "请写明退回修改的原因，让报名人员知道该怎么做。"),
        ("reject", "submitted", "请写明审核不通过的原因，让报名人员知道该怎么做。"),
        ("reopen", "approved", "请写明重新审核的原因，让报名人员知道该怎么做。"),
        ("reopen", "rejected", "请写明重新审核的原因，让报名人员知道该怎么做。"),
        ("extend", "submitted", "请写明调整个人截止时间的原因，让报名人员知道该怎么做。"),
        ("propose", "approved", "请写明建议调整职业（工种）的原因，让报名人员知道该怎么做。"),
    ],
)
def test_a_step_that_needs_a_reason(action, status, sentence, note):
    with pytest.raises(StepRefused) as refusal:
        workflow.check(Action(action), Status(status), set(Actor), note)
    assert str(refusal.value) == sentence
