"""From the profile into a registration: at the start, when the profile changes, and the other way round once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from profiles.models import Profile, StaleDetails
from registrations import intake
from registrations.models import Registration
from registrations.workflow import Action, Status, StepRefused
from tests import scenes
from tests.scenes import COMPLETE

DAY = timedelta(days=1)


def saved_profile(user, **values):
    profile = Profile.of(user)
    profile.save_details(profile.version, {**COMPLETE, **values})
    return Profile.of(user)


# The start ------------------------------------------------------------------------------------------------------------


def test_a_draft_is_filled_from_the_profile(applicant, plan):
    profile = saved_profile(applicant)
    profile.set_portrait(scenes.portrait_of(applicant))
    draft = scenes.fresh(intake.start(applicant, plan))
    held = applicant.identity
    assert draft.details() == COMPLETE == profile.details()
    assert (draft.portrait, draft.applicant, draft.plan) == (profile.portrait, applicant, plan)
    assert (draft.status, draft.occupation, draft.seat, draft.submitted_at, draft.unseen) == (
        Status.DRAFT, None, None, None, False,
    )  # fmt: skip
    copied = ("legal_name", "document_type", "document_number", "document_index")
    assert [getattr(draft, name) for name in copied] == [getattr(held, name) for name in copied]


def test_without_a_profile_a_draft_knows_what_the_document_and_the_platform_say(applicant, plan):
    applicant.identity.phone = "13800000000"
    draft = intake.start(applicant, plan)
    known = {name: value for name, value in draft.details().items() if value not in {"", None}}
    assert known == {"sex": "male", "birth_date": COMPLETE["birth_date"], "phone": "13800000000"}
    assert Profile.objects.count() == 0


@pytest.mark.parametrize("status", [status for status in Status if status != Status.WITHDRAWN])
def test_a_second_start_comes_back_to_the_live_one(applicant, occupation, manager, status):
    first = scenes.registration_at(status, applicant, occupation, manager)
    again = intake.start(applicant, occupation.plan)
    assert (again, Registration.objects.count(), scenes.fresh(first).status) == (first, 1, status)


def test_after_withdrawing_one_starts_anew(applicant, occupation, manager):
    withdrawn = scenes.registration_at(Status.WITHDRAWN, applicant, occupation, manager)
    again = intake.start(applicant, occupation.plan)
    assert (again.status, again == withdrawn, again.reference == withdrawn.reference) == (Status.DRAFT, False, False)


def test_who_was_faster_in_another_window_is_found(applicant, plan, monkeypatch):
    """Both asked before either wrote: the database decides, and both come to the same draft."""
    asked, faster = Profile.of, []

    def somebody_is_faster(user):
        faster.append(Registration.begin(user, plan))
        return asked(user)

    monkeypatch.setattr(Profile, "of", somebody_is_faster)
    started = intake.start(applicant, plan)
    assert ([started], list(Registration.objects.all())) == (faster, faster)


@pytest.mark.parametrize(
    ("opens", "closes", "sentence"),
    [
        (DAY, 2 * DAY, "这个竞赛还没有开始报名。"),
        (-2 * DAY, -DAY, "这个竞赛的报名已经截止。"),
        (-2 * DAY, timedelta(0), "这个竞赛的报名已经截止。"),
    ],
)
def test_what_is_not_open_cannot_be_started(applicant, opens, closes, sentence):
    now = timezone.now()
    plan = scenes.open_plan(registration_opens_at=now + opens, registration_closes_at=now + closes)
    with pytest.raises(StepRefused) as refusal:
        intake.start(applicant, plan)
    assert (str(refusal.value), Registration.objects.count()) == (sentence, 0)


# From the profile into what can still be edited -----------------------------------------------------------------------


@pytest.mark.parametrize("status", list(Status))
def test_a_changed_profile_reaches_what_can_still_be_edited(applicant, occupation, manager, status):
    saved_profile(applicant)
    registration = scenes.registration_at(status, applicant, occupation, manager)
    before = scenes.fresh(registration)
    profile = saved_profile(applicant, employer="北京第二机床厂", postcode="")
    after = scenes.fresh(registration)
    if status in {Status.DRAFT, Status.RETURNED}:
        assert (after.details(), after.version) == (profile.details(), before.version + 1)
    else:
        assert (after.details(), after.version) == (before.details(), before.version)
    assert after.details() | {"employer": "", "postcode": ""} == before.details() | {"employer": "", "postcode": ""}


def test_only_what_was_changed_is_carried_on(applicant, occupation):
    saved_profile(applicant)
    draft = scenes.draft(applicant, occupation, address="参赛期间住海淀区")
    saved_profile(applicant, employer="北京第二机床厂")
    after = scenes.fresh(draft)
    assert (after.address, after.employer) == ("参赛期间住海淀区", "北京第二机床厂")


def test_saving_a_profile_without_a_change_touches_nothing(applicant, occupation):
    saved_profile(applicant)
    draft = scenes.draft(applicant, occupation)
    saved_profile(applicant)
    assert scenes.fresh(draft).version == draft.version


def test_what_is_out_of_time_stays_as_it_is(applicant, stranger, occupation, manager):
    plan = occupation.plan
    saved_profile(applicant)
    draft = scenes.draft(applicant, occupation)
    plan.registration_closes_at = timezone.now()
    plan.save()
    saved_profile(applicant, employer="北京第二机床厂")
    assert scenes.fresh(draft).details() == draft.details()


def test_a_returned_one_is_reached_until_corrections_end(applicant, occupation, manager):
    plan = occupation.plan
    returned = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    plan.registration_closes_at, plan.correction_closes_at = timezone.now(), timezone.now() + DAY
    plan.save()
    saved_profile(applicant, employer="北京第二机床厂")
    assert scenes.fresh(returned).employer == "北京第二机床厂"


def test_somebody_elses_registration_is_not_reached(applicant, stranger, occupation):
    theirs = scenes.draft(stranger, occupation)
    saved_profile(applicant, employer="北京第二机床厂")
    assert scenes.fresh(theirs).details() == theirs.details()


def test_a_new_portrait_replaces_the_profiles_former_one_or_none(applicant):
    plans = [scenes.occupation(scenes.open_plan()) for _ in range(3)]
    former, made_for_it, new = (scenes.portrait_of(applicant, colour) for colour in ("#111111", "#222222", "#333333"))
    Profile.of(applicant).set_portrait(former)
    drafts = [
        scenes.draft(applicant, occupation, portrait=portrait)
        for occupation, portrait in zip(plans, [former, None, made_for_it], strict=True)
    ]
    Profile.of(applicant).set_portrait(new)
    assert [scenes.fresh(draft).portrait for draft in drafts] == [new, new, made_for_it]


def test_a_new_portrait_does_not_reach_what_was_submitted(applicant, occupation, manager):
    former = scenes.portrait_of(applicant, "#111111")
    Profile.of(applicant).set_portrait(former)
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    used = registration.portrait
    Profile.of(applicant).set_portrait(scenes.portrait_of(applicant, "#333333"))
    assert scenes.fresh(registration).portrait == used


# From the first registration into the profile -------------------------------------------------------------------------


def typed(occupation, **values):
    return {**COMPLETE, "occupation": occupation, **values}


def test_a_first_registration_fills_an_empty_profile(applicant, occupation):
    draft = intake.start(applicant, occupation.plan)
    intake.save(draft, draft.version, typed(occupation))
    assert (Profile.of(applicant).details(), scenes.fresh(draft).details()) == (COMPLETE, COMPLETE)


def test_what_is_typed_later_fills_what_the_first_saving_left_empty(applicant, occupation):
    """Whoever begins with the photo or the occupation saves a form that is still empty."""
    draft = intake.start(applicant, occupation.plan)
    empty = {name: "" if isinstance(value, str) else None for name, value in COMPLETE.items()}
    known = {"sex": COMPLETE["sex"], "birth_date": COMPLETE["birth_date"]}
    intake.save(draft, draft.version, typed(occupation, **{**empty, **known}))
    assert Profile.of(applicant).details() == {**empty, **known}
    intake.save(scenes.fresh(draft), draft.version, typed(occupation))
    assert (Profile.of(applicant).details(), scenes.fresh(draft).details()) == (COMPLETE, COMPLETE)


def test_what_the_profile_says_is_not_overwritten(applicant, occupation):
    saved_profile(applicant)
    draft = intake.start(applicant, occupation.plan)
    intake.save(draft, draft.version, typed(occupation, employer="北京第二机床厂"))
    assert Profile.of(applicant).details() == COMPLETE
    assert scenes.fresh(draft).details() == {**COMPLETE, "employer": "北京第二机床厂"}


def test_a_second_registration_leaves_the_profile_alone(applicant, occupation):
    first = intake.start(applicant, occupation.plan)
    intake.save(first, first.version, typed(occupation, school=""))
    other = scenes.occupation(scenes.open_plan())
    second = intake.start(applicant, other.plan)
    intake.save(second, second.version, typed(other, employer="北京第二机床厂"))
    assert Profile.of(applicant).details() == {**COMPLETE, "school": ""}
    assert scenes.fresh(first).details() == {**COMPLETE, "school": ""}


def test_a_stale_form_saves_nothing(applicant, occupation):
    draft = intake.start(applicant, occupation.plan)
    intake.save(scenes.fresh(draft), draft.version, typed(occupation))
    with pytest.raises(StaleDetails):
        intake.save(draft, draft.version, typed(occupation, employer="北京第二机床厂"))
    assert (scenes.fresh(draft).details(), Profile.of(applicant).details()) == (COMPLETE, COMPLETE)


@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.APPROVED, Status.REJECTED, Status.WITHDRAWN])
def test_what_is_no_longer_a_draft_is_not_saved(applicant, occupation, manager, status):
    registration = scenes.registration_at(status, applicant, occupation, manager)
    with pytest.raises(StepRefused) as refusal:
        intake.save(registration, registration.version, typed(occupation, employer="北京第二机床厂"))
    assert str(refusal.value) == f"这份报名现在是“{status.label}”，不能修改。"
    assert scenes.fresh(registration).details() == registration.details()


def test_what_is_submitted_while_it_is_being_saved_stays_as_submitted(applicant, occupation):
    """The page was read as a draft; between reading and writing the other window submitted."""
    draft = scenes.draft(applicant, occupation)
    scenes.take(draft, Action.SUBMIT, applicant)
    with pytest.raises(StaleDetails):
        intake.save(draft, draft.version, typed(occupation, employer="北京第二机床厂"))
    assert scenes.fresh(draft).details() == COMPLETE
