"""Claims: who is looking at a registration, shown to the others, and in nobody's way."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from registrations.claims import Claim
from registrations.decisions import DecisionForm
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.reading import text_of
from tests.registrations.test_admin import of, steps

SCRIPTED = {"do": "claim", "scripted": "1"}


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


@pytest.fixture
def colleague(plan):
    return scenes.member(plan, "reviewer", "陈静")


def until(minutes=10):
    return timezone.now() + timedelta(minutes=minutes)


def clock_time(moment):
    return f"{timezone.localtime(moment):%H:%M}"


def held():
    return list(Claim.objects.order_by("pk").values_list("registration", "by", "until"))


def notice(answer):
    page = answer.content.decode()
    return text_of(page[page.index("data-claimed") :].partition(">")[2].partition("</p>")[0])


def test_opening_alone_claims_nothing(sign_in, submitted, reviewer):
    sign_in(reviewer).get(of(submitted))
    assert held() == []


def test_a_claim_is_told_to_its_owner_and_shown_to_the_others(clock, sign_in, submitted, reviewer, colleague):
    answer = sign_in(reviewer).post(of(submitted, "claim"), SCRIPTED)
    sentence = f"正在审核，到 {clock_time(until())} 为止。"
    assert answer.json() == {"mine": True, "until": until().isoformat(), "sentence": f"您{sentence}"}
    assert held() == [(submitted.pk, reviewer.pk, until())]
    pages = [sign_in(person).get(of(submitted)) for person in (reviewer, colleague)]
    assert [notice(page) for page in pages] == [f"您{sentence}", f"周敏{sentence}"]
    assert [steps(page) for page in pages] == [["审核通过", "退回修改", "审核不通过"], []]
    second = sign_in(colleague).post(of(submitted, "claim"), SCRIPTED)
    assert second.json() == {"mine": False, "until": until().isoformat(), "sentence": f"周敏{sentence}"}
    assert held() == [(submitted.pk, reviewer.pk, until())]


def test_it_is_renewed_and_ends_by_time(clock, sign_in, submitted, reviewer, colleague):
    visitor = sign_in(reviewer)
    visitor.post(of(submitted, "claim"), SCRIPTED)
    clock.shift(timedelta(minutes=9))
    visitor.post(of(submitted, "claim"), SCRIPTED)
    assert held() == [(submitted.pk, reviewer.pk, until())]
    clock.shift(timedelta(minutes=10))
    assert notice(sign_in(colleague).get(of(submitted))) == ""
    assert sign_in(colleague).post(of(submitted, "claim"), SCRIPTED).json()["mine"] is True
    assert held() == [(submitted.pk, colleague.pk, until())]


def test_what_one_has_forgotten_goes_with_the_next(clock, sign_in, submitted, stranger, occupation, manager, reviewer):
    other = scenes.registration_at(Status.SUBMITTED, stranger, occupation, manager)
    sign_in(reviewer).post(of(other, "claim"), SCRIPTED)
    clock.shift(timedelta(minutes=10))
    sign_in(reviewer).post(of(submitted, "claim"), SCRIPTED)
    assert held() == [(submitted.pk, reviewer.pk, until())]


def test_it_is_taken_over_on_purpose(clock, sign_in, submitted, reviewer, colleague):
    sign_in(reviewer).post(of(submitted, "claim"), SCRIPTED)
    answer = sign_in(colleague).post(of(submitted, "claim"), {"do": "take_over"}, follow=True)
    assert (answer.redirect_chain, held()) == (
        [(f"{of(submitted)}?status=submitted", 302)], [(submitted.pk, colleague.pk, until())],
    )  # fmt: skip
    assert steps(answer) == ["审核通过", "退回修改", "审核不通过"]


def test_leaving_lets_go_of_the_claim_that_is_meant(clock, sign_in, submitted, reviewer, colleague):
    """A page that is left late does not end the claim of the one that was opened since."""
    visitor = sign_in(reviewer)
    old = visitor.post(of(submitted, "claim"), SCRIPTED).json()["until"]
    clock.shift(timedelta(seconds=1))
    new = visitor.post(of(submitted, "claim"), SCRIPTED).json()["until"]
    release = {"do": "release", "scripted": "1"}
    sign_in(colleague).post(of(submitted, "claim"), {**release, "until": new})
    assert visitor.post(of(submitted, "claim"), {**release, "until": old}).json()["mine"] is True
    assert visitor.post(of(submitted, "claim"), {**release, "until": new}).json() == {
        "mine": False, "until": "", "sentence": "",
    }  # fmt: skip
    assert held() == []


@pytest.mark.parametrize("text", ["", "x", "2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", "\x00"])
def test_without_a_readable_moment_ones_own_is_let_go(sign_in, submitted, reviewer, text):
    visitor = sign_in(reviewer)
    visitor.post(of(submitted, "claim"), SCRIPTED)
    visitor.post(of(submitted, "claim"), {"do": "release", "until": text})
    assert held() == []


def test_a_manager_ends_anybodys(sign_in, submitted, reviewer, colleague, manager):
    sign_in(reviewer).post(of(submitted, "claim"), SCRIPTED)
    sign_in(colleague).post(of(submitted, "claim"), {"do": "end"})
    assert len(held()) == 1
    shown = [">释放<" in sign_in(person).get(of(submitted)).content.decode() for person in (colleague, manager)]
    sign_in(manager).post(of(submitted, "claim"), {"do": "end"})
    assert (shown, held()) == ([False, True], [])


@pytest.mark.parametrize("action", [Action.APPROVE, Action.RETURN, Action.REJECT])
def test_deciding_ends_it_whoevers_it_is(sign_in, submitted, reviewer, colleague, action):
    """And it is in nobody's way: the version and the photo decide, not the claim."""
    sign_in(reviewer).post(of(submitted, "claim"), SCRIPTED)
    sent = {"versions": DecisionForm.seal([submitted]), "note": "请改。"}
    sign_in(colleague).post(of(submitted, action.value), sent)
    assert (scenes.fresh(submitted).status, held()) == (submitted.events.first().after, [])
    assert submitted.events.first().by == colleague


def test_what_does_not_wait_is_not_claimed(sign_in, applicant, occupation, manager, reviewer):
    approved = scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    answer = sign_in(reviewer).post(of(approved, "claim"), SCRIPTED)
    assert (answer.json(), held()) == ({"mine": False, "until": "", "sentence": ""}, [])


def test_neither_a_viewer_nor_the_applicant_claims(sign_in, submitted, viewer, occupation, manager):
    own = scenes.registration_at(Status.SUBMITTED, manager, occupation, scenes.member(occupation.plan, "manager"))
    answers = [
        sign_in(viewer).post(of(submitted, "claim"), SCRIPTED),
        sign_in(manager).post(of(own, "claim"), SCRIPTED),
    ]
    assert ([answer.status_code for answer in answers], held()) == ([403, 403], [])


def test_another_plans_member_finds_nothing_to_claim(sign_in, submitted):
    stranger = scenes.member(scenes.open_plan(), "manager")
    assert sign_in(stranger).post(of(submitted, "claim"), SCRIPTED).status_code == 404
    assert held() == []


def test_claiming_is_no_sign_of_a_person_at_the_screen(sign_in, submitted, reviewer):
    """The page renews it by itself: that must not keep a session alive."""
    visitor = sign_in(reviewer)
    visitor.get(of(submitted))
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
        before = dict(visitor.session)
        visitor.post(of(submitted, "claim"), SCRIPTED)
        assert dict(visitor.session) == before
