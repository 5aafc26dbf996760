"""The one way to another status: bound to a version and to the clock, told after the commit, undone as a whole."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction

from registrations import notifications, steps
from registrations.models import Registration
from registrations.trail import ReviewEvent
from registrations.workflow import Action, Status, StepRefused
from tests import scenes
from tests.registrations.reading import situation
from tests.registrations.threads import at_once

BEIJING = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 5, 20, 12, 0, tzinfo=BEIJING)
FASTER = "这份报名刚刚有了变化，这次操作没有生效。请看过最新内容后再操作；页面没有更新的，请刷新。"
LATE = "已经过了截止时间，不能再操作。如有特殊情况，请联系组委会。"
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def told(monkeypatch):
    """The references of those whom `announce` was called for."""
    heard = []
    monkeypatch.setattr(notifications, "announce", lambda event: heard.append((event.registration_id, event.action)))
    return heard


def refusal_of(registration, action, by, note="", portrait=None):
    with pytest.raises(StepRefused) as refusal:
        registration.take(action, by=by, note=note, seen_portrait=portrait)
    return str(refusal.value)


# Nobody was faster ----------------------------------------------------------------------------------------------------


def test_of_two_windows_the_second_is_refused(applicant, occupation, reviewer, manager):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    first, second = scenes.fresh(registration), scenes.fresh(registration)
    first.take(Action.APPROVE, by=reviewer)
    was = situation(registration)
    assert (refusal_of(second, Action.REJECT, manager, "重复报名"), situation(registration)) == (FASTER, was)


def test_a_step_is_about_the_version_that_was_read(applicant, occupation):
    read = scenes.draft(applicant, occupation)
    scenes.fresh(read).write(read.version, employer="北京第二机床厂")
    was = situation(read)
    assert (refusal_of(read, Action.SUBMIT, applicant), situation(read)) == (FASTER, was)


def test_what_was_reviewed_is_what_is_approved(applicant, occupation, reviewer, manager):
    on_screen = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    scenes.take(on_screen, Action.RECALL, applicant)
    again = scenes.fresh(on_screen)
    again.set_portrait(scenes.portrait_of(applicant, "#112233"))
    scenes.take(again, Action.SUBMIT, applicant)
    was = situation(on_screen)
    assert (refusal_of(on_screen, Action.APPROVE, reviewer), situation(on_screen)) == (FASTER, was)


def test_the_line_says_which_portrait_and_version(applicant, occupation, reviewer):
    registration = scenes.draft(applicant, occupation)
    portrait = registration.portrait.sha256
    submitted = scenes.fresh(registration).take(Action.SUBMIT, by=applicant)
    items = [{"field": "portrait", "label": "证件照", "sentence": "请换一张"}]
    returned = scenes.fresh(registration).take(Action.RETURN, by=reviewer, items=items)
    scenes.fresh(registration).set_portrait(scenes.portrait_of(applicant, "#445566"))
    again = scenes.fresh(registration).take(Action.SUBMIT, by=applicant)
    lines = [(line.portrait_sha256, line.version, line.note, line.items) for line in (submitted, returned, again)]
    assert lines == [
        (portrait, registration.version, "", []),
        (portrait, registration.version, "", items),
        (scenes.fresh(registration).portrait.sha256, registration.version + 1, "", []),
    ]
    assert portrait != again.portrait_sha256
    assert list(registration.events.all()) == [again, returned, submitted]


PHOTO_CHANGED = "已换过照片，请看过新照片后再决定。"


def test_a_decision_names_the_portrait_that_was_seen(applicant, occupation, reviewer, manager):
    submitted = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    was, seen = situation(submitted), submitted.portrait.sha256
    for other in ("", "0" * 64):
        assert refusal_of(submitted, Action.APPROVE, reviewer, portrait=other) == PHOTO_CHANGED
        assert situation(submitted) == was
    event = submitted.take(Action.APPROVE, by=reviewer, seen_portrait=seen)
    assert (event.after, event.portrait_sha256) == ("approved", seen)


def test_a_portrait_that_was_exchanged_behind_the_instance_is_noticed(applicant, occupation, reviewer, manager):
    """Of the same version, as no road of ours makes it: the statement that writes the status looks for itself."""
    on_screen = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    other = scenes.portrait_of(applicant, "#112233")
    Registration.objects.filter(pk=on_screen.pk).update(portrait=other)
    was, seen = situation(on_screen), on_screen.portrait.sha256
    assert refusal_of(on_screen, Action.APPROVE, reviewer, portrait=seen) == PHOTO_CHANGED
    assert refusal_of(on_screen, Action.APPROVE, reviewer) == FASTER
    assert situation(on_screen) == was


def test_another_change_is_not_said_to_be_one_of_the_photo(applicant, occupation, reviewer, manager):
    on_screen = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    scenes.take(on_screen, Action.RECALL, applicant)
    again = scenes.fresh(on_screen)
    again.write(again.version, employer="北京第二机床厂")
    scenes.take(again, Action.SUBMIT, applicant)
    assert refusal_of(on_screen, Action.APPROVE, reviewer, portrait=on_screen.portrait.sha256) == FASTER


@pytest.mark.django_db(transaction=True)
def test_the_photo_is_exchanged_while_somebody_decides():
    """Two connections at the same moment: whoever comes second is refused, and nothing is done by halves."""
    occupation = scenes.occupation(scenes.open_plan())
    reviewer, person = scenes.member(occupation.plan, "reviewer"), scenes.person()
    submitted = scenes.registration_at(Status.SUBMITTED, person, occupation, reviewer)
    seen, other = submitted.portrait.sha256, scenes.portrait_of(person, "#112233")
    looking = scenes.fresh(submitted)

    def exchange():
        for_change = scenes.take(submitted, Action.RECALL, person)
        for_change.set_portrait(other)
        return scenes.take(for_change, Action.SUBMIT, person).status

    decided, exchanged = at_once(lambda: looking.take(Action.APPROVE, by=reviewer, seen_portrait=seen).after, exchange)
    now, trail = scenes.fresh(submitted), [line.portrait_sha256 for line in submitted.events.filter(action="approve")]
    if decided == Status.APPROVED:
        assert (now.status, now.portrait.sha256, trail) == (Status.APPROVED, seen, [seen])
        assert exchanged.startswith(("这份报名现在是“审核通过”", "这份报名刚刚有了变化"))
    else:
        assert decided in {PHOTO_CHANGED, FASTER}
        assert (now.status, now.portrait.sha256, trail) == (Status.SUBMITTED, other.sha256, [])


@pytest.mark.django_db(transaction=True)
def test_what_another_connection_has_exchanged_is_not_decided():
    occupation = scenes.occupation(scenes.open_plan())
    reviewer, person = scenes.member(occupation.plan, "reviewer"), scenes.person()
    submitted = scenes.registration_at(Status.SUBMITTED, person, occupation, reviewer)
    looking, other = scenes.fresh(submitted), scenes.portrait_of(person, "#112233")

    def exchange():
        for_change = scenes.take(submitted, Action.RECALL, person)
        for_change.set_portrait(other)
        return scenes.take(for_change, Action.SUBMIT, person).status

    assert at_once(exchange) == [Status.SUBMITTED]
    was, seen = situation(submitted), looking.portrait.sha256
    (answer,) = at_once(lambda: looking.take(Action.REJECT, by=reviewer, note="不符合", seen_portrait=seen).after)
    assert (answer, situation(submitted)) == (PHOTO_CHANGED, was)


def test_the_instance_knows_what_it_has_become(applicant, occupation):
    registration = scenes.draft(applicant, occupation)
    event = registration.take(Action.SUBMIT, by=applicant)
    assert (registration.status, registration.seat, registration.submitted_at) == ("submitted", occupation, event.at)


# In time --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def closing_at_noon():
    with time_machine.travel(NOON - timedelta(days=1), tick=False) as clock:
        yield scenes.occupation(scenes.open_plan(registration_closes_at=NOON)), clock


@pytest.mark.parametrize(
    ("before", "action"),
    [
        (Status.DRAFT, Action.SUBMIT),
        (Status.RETURNED, Action.SUBMIT),
        (Status.SUBMITTED, Action.RECALL),
        (Status.SUBMITTED, Action.WITHDRAW),
        (Status.RETURNED, Action.WITHDRAW),
        (Status.APPROVED, Action.WITHDRAW),
    ],
)
def test_the_deadline_itself_is_too_late(applicant, manager, closing_at_noon, before, action):
    occupation, clock = closing_at_noon
    manager = scenes.member(occupation.plan, "manager")
    registration = scenes.registration_at(before, applicant, occupation, manager)
    was = situation(registration)
    clock.move_to(NOON)
    assert (refusal_of(registration, action, applicant), situation(registration)) == (LATE, was)
    assert action not in registration.actions_for(applicant)
    clock.move_to(NOON - MICROSECOND)
    assert action in registration.actions_for(applicant)
    event = registration.take(action, by=applicant)
    assert (event.at, scenes.fresh(registration).status) == (NOON - MICROSECOND, event.after)


def test_the_committee_is_not_bound_by_the_deadline(applicant, closing_at_noon):
    occupation, clock = closing_at_noon
    manager = scenes.member(occupation.plan, "manager")
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    clock.move_to(NOON + timedelta(days=30))
    for action in (Action.APPROVE, Action.REOPEN, Action.RETURN):
        registration = scenes.take(registration, action, manager, "补充审核")
    assert registration.status == Status.RETURNED


CLOSED = "报名已于 2026 年 5 月 20 日 12:00 截止，不能再修改或提交。"
CORRECTIONS_CLOSED = "报名已于 2026 年 5 月 23 日 12:00 截止，不能再修改或提交。"


def test_what_was_returned_may_be_corrected_longer(applicant, stranger, closing_at_noon):
    occupation, clock = closing_at_noon
    plan, later = occupation.plan, NOON + timedelta(days=3)
    plan.correction_closes_at = later
    plan.save()
    manager = scenes.member(plan, "manager")
    returned = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    draft = scenes.draft(stranger, occupation)
    clock.move_to(later - MICROSECOND)
    assert (returned.closed_reason(), returned.deadline()) == ("", later)
    assert (draft.closed_reason(), refusal_of(draft, Action.SUBMIT, stranger)) == (CLOSED, LATE)
    clock.move_to(later)
    assert (returned.closed_reason(), refusal_of(returned, Action.SUBMIT, applicant)) == (CORRECTIONS_CLOSED, LATE)
    clock.move_to(later - MICROSECOND)
    returned.take(Action.SUBMIT, by=applicant)
    assert scenes.fresh(returned).status == Status.SUBMITTED


def test_a_draft_of_a_plan_that_was_put_off_waits(applicant, occupation):
    draft = scenes.draft(applicant, occupation)
    plan = occupation.plan
    plan.registration_opens_at, plan.registration_closes_at = NOON, NOON + timedelta(days=9)
    plan.save()
    draft = scenes.fresh(draft)
    was = situation(draft)
    with time_machine.travel(NOON - MICROSECOND, tick=False):
        sentences = draft.closed_reason(), refusal_of(draft, Action.SUBMIT, applicant)
    assert sentences == ("报名还没有开始，不能修改。", "报名还没有开始，请在开始后再提交。")
    assert situation(draft) == was
    with time_machine.travel(NOON, tick=False):
        assert draft.closed_reason() == ""
        draft.take(Action.SUBMIT, by=applicant)
    assert draft.submitted_at == NOON


# Complete -------------------------------------------------------------------------------------------------------------


def test_what_is_incomplete_is_refused_with_every_sentence(applicant, occupation):
    gaps = {"phone": "", "address": "", "employer": "", "portrait": None}
    draft = scenes.draft(applicant, occupation, **gaps)
    was = situation(draft)
    sentence = "还有 4 处没有填写完整：请填写手机；请填写通信地址；请填写工作单位；请上传证件照。"
    assert (refusal_of(draft, Action.SUBMIT, applicant), situation(draft)) == (sentence, was)


def test_without_an_occupation_there_is_no_submitting(applicant, occupation):
    draft = scenes.draft(applicant, occupation)
    draft.write(draft.version, occupation=None)
    sentence = "还有 1 处没有填写完整：请选择参赛的职业（工种）。"
    assert (refusal_of(draft, Action.SUBMIT, applicant), scenes.fresh(draft).status) == (sentence, Status.DRAFT)


# After the commit, or not at all --------------------------------------------------------------------------------------


def test_people_are_told_after_the_commit_and_once(applicant, occupation, told, django_capture_on_commit_callbacks):
    draft = scenes.draft(applicant, occupation)
    with django_capture_on_commit_callbacks(execute=True):
        draft.take(Action.SUBMIT, by=applicant)
        before = list(told)
    assert (before, told) == ([], [(draft.pk, "submit")])


def test_of_a_refused_step_nobody_is_told(applicant, occupation, told, django_capture_on_commit_callbacks):
    draft = scenes.draft(applicant, occupation, phone="")
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        refusal_of(draft, Action.SUBMIT, applicant)
    assert (callbacks, told) == ([], [])


def test_what_is_rolled_back_never_was(applicant, occupation, told, django_capture_on_commit_callbacks):
    draft = scenes.draft(applicant, occupation)
    was = situation(draft)
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(KeyboardInterrupt), transaction.atomic():
        draft.take(Action.SUBMIT, by=applicant)
        raise KeyboardInterrupt
    assert (situation(draft), told) == (was, [])


@pytest.mark.parametrize("failing", [(ReviewEvent.objects, "create"), (steps, "move_seat")])
def test_a_step_that_breaks_in_its_middle_leaves_everything(applicant, occupation, monkeypatch, failing):
    draft = scenes.draft(applicant, occupation)
    was = situation(draft)

    def breaks(*args, **kwargs):
        raise RuntimeError("the machine stops here")

    owner, name = failing
    monkeypatch.setattr(owner if owner is steps else type(owner), name, breaks)
    with pytest.raises(RuntimeError, match="the machine stops here"):
        draft.take(Action.SUBMIT, by=applicant)
    assert situation(draft) == was


def test_the_log_names_no_person(applicant, occupation, caplog):
    draft = scenes.draft(applicant, occupation)
    event = draft.take(Action.SUBMIT, by=applicant)
    with caplog.at_level("INFO", "registrations.notifications"):
        notifications.announce(event)
    assert caplog.messages == [f"registration {draft.reference}: draft → submitted"]


# Deleting a draft -----------------------------------------------------------------------------------------------------


def test_a_draft_is_deleted_by_its_owner_and_its_trail_stays(applicant, occupation):
    registration = scenes.take(scenes.draft(applicant, occupation), Action.SUBMIT, applicant)
    registration = scenes.take(registration, Action.RECALL, applicant)
    registration.discard(applicant)
    occupation.refresh_from_db()
    lines = list(ReviewEvent.objects.values_list("action", flat=True))
    assert (Registration.objects.count(), lines, occupation.seats_taken) == (0, ["recall", "submit"], 0)


def test_nobody_else_deletes_a_draft(applicant, occupation, manager):
    draft = scenes.draft(applicant, occupation)
    with pytest.raises(StepRefused) as refusal:
        draft.discard(manager)
    assert (str(refusal.value), Registration.objects.count()) == ("只有报名人员本人可以删除草稿。", 1)


def test_what_was_submitted_meanwhile_is_not_deleted(applicant, occupation):
    draft = scenes.draft(applicant, occupation)
    scenes.take(draft, Action.SUBMIT, applicant)
    was = situation(draft)
    with pytest.raises(StepRefused) as refusal:
        draft.discard(applicant)
    sentence = "只有“填写中”的报名可以删除。请刷新页面查看最新状态。"
    assert (str(refusal.value), situation(draft)) == (sentence, was)
