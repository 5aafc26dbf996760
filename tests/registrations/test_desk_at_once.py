"""The desk at the same moment: opposite decisions, one button pressed twice, two colleagues who open the same one."""

import pytest

from registrations import claims, deciding, undo
from registrations.claims import Claim
from registrations.decisions import DecisionForm
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def submitted(transactional_db):
    occupation = scenes.occupation(scenes.open_plan())
    manager = scenes.member(occupation.plan, "manager")
    return scenes.registration_at(Status.SUBMITTED, scenes.person("王晓明"), occupation, manager)


def pressing(registration, action, by, seal=None):
    """As a request does it: read it, then decide."""
    seal = seal or DecisionForm.seal([registration])
    sent = {"versions": seal, "note": "不符合。"}

    def press():
        form = DecisionForm(action, sent, registrations=[registration])
        assert form.is_valid()
        return deciding.decide(scenes.fresh(registration), form, by).pk

    return press


def test_of_two_opposite_decisions_one_wins_and_the_other_is_told_by_whom(submitted):
    one, two = (scenes.member(submitted.plan, "reviewer", name) for name in ("周敏", "陈静"))
    answers = at_once(pressing(submitted, Action.APPROVE, one), pressing(submitted, Action.REJECT, two))
    event = submitted.events.first()
    refusals = [answer for answer in answers if isinstance(answer, str)]
    assert (submitted.events.count(), answers.count(event.pk), len(refusals)) == (2, 1, 1)
    label = {"approve": "审核通过", "reject": "审核不通过"}[event.action]
    assert refusals[0].startswith(f"已被{event.by}处理：{label}（")


def test_a_button_that_is_pressed_twice_decides_once(submitted):
    reviewer = scenes.member(submitted.plan, "reviewer")
    seal = DecisionForm.seal([submitted])
    answers = at_once(*[pressing(submitted, Action.APPROVE, reviewer, seal)] * 2)
    event = submitted.events.first()
    assert (answers, submitted.events.count(), scenes.fresh(submitted).status) == ([event.pk] * 2, 2, "approved")


def test_taken_back_twice_at_once_it_is_one_line(submitted):
    reviewer = scenes.member(submitted.plan, "reviewer")
    scenes.take(submitted, Action.REJECT, reviewer, "不符合。")
    decision = str(submitted.events.first().pk)
    answers = at_once(*[lambda: undo.take_back(scenes.fresh(submitted), decision, reviewer)] * 2)
    assert answers == [None, None]
    assert [event.action for event in submitted.events.all()] == ["undo", "reject", "submit"]
    occupation = scenes.fresh(submitted).occupation
    assert (scenes.fresh(submitted).status, occupation.seats_taken) == (Status.SUBMITTED, 1)


def test_of_two_who_open_it_one_has_the_claim_and_both_are_told_whose_it_is(submitted):
    one, two = (scenes.member(submitted.plan, "reviewer", name) for name in ("周敏", "陈静"))
    held = at_once(lambda: claims.claim(submitted, one).by_id, lambda: claims.claim(submitted, two).by_id)
    assert (held[0] == held[1], list(Claim.objects.values_list("by", flat=True))) == (True, [held[0]])
