"""The whole table, status × action × person, written down a second time; illegal steps leave everything as it was."""

import pytest
import time_machine
from django.utils import timezone

from registrations import workflow
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


@pytest.mark.parametrize(
    ("before", "action"), [("submitted", "approve"), ("submitted", "return"), ("approved", "reopen")]
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
        "submitted": ["recall", "withdraw"],
        "returned": ["submit", "withdraw"],
        "approved": ["withdraw"],
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
        "submitted": [],
        "returned": [],
        "approved": ["reopen"],
        "rejected": ["reopen"],
        "withdrawn": [],
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
    ],
)
def test_a_step_that_needs_a_reason(action, status, sentence, note):
    with pytest.raises(StepRefused) as refusal:
        workflow.check(Action(action), Status(status), set(Actor), note)
    assert str(refusal.value) == sentence
