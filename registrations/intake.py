"""How details come into a registration: from the profile at the start, from a changed profile later."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts import clock
from accounts.models import User
from accounts.requests import held_identity
from photos.models import Portrait
from photos.subjects import fits
from plans import publication
from plans.models import Plan, PlanState
from profiles.models import Profile
from registrations import extensions
from registrations.models import Registration
from registrations.workflow import StepRefused

EMPTY = ("", None)


def start(user: User, plan: Plan, *, at: datetime | None = None) -> Registration:
    """A draft in this plan, filled from the profile; or the live one that there is. StepRefused when it is not open.

    `at` (aware) is for a start in the past, which the demonstration tells; else now.
    """
    existing = Registration.objects.owned_by(user).live().filter(plan=plan).first()
    if existing:
        return existing
    now = at or clock.now()
    if plan.state_at(now) == PlanState.SOON:
        raise StepRefused("这个竞赛还没有开始报名。")
    if plan.state_at(now) != PlanState.OPEN and now >= extensions.closing(plan, user):
        raise StepRefused("这个竞赛的报名已经截止。")
    profile = Profile.of(user)
    draft = Registration(portrait=usable(profile.portrait, plan), **profile.details())
    held_identity(user).copy_document_to(draft)
    copied = ["portrait", *profile.details(), "legal_name", "document_type", "document_number", "document_index"]
    try:
        with transaction.atomic():
            User.objects.hold(user.pk)  # who gives this person more time waits here
            if at is None and not publication.still_published(plan, now):
                raise StepRefused("这个竞赛计划刚刚撤回发布，暂时不能报名。")
            values = {name: getattr(draft, name) for name in copied}
            given = extensions.given_until(user, plan)
            return Registration.begin(user, plan, created_at=now, extended_until=given, **values)
    except IntegrityError:  # the other tab, the second click
        return Registration.objects.owned_by(user).live().get(plan=plan)


def usable(portrait: Portrait | None, plan: Plan) -> Portrait | None:
    """The portrait where it is as this plan wants it, else None: the person is told to crop it once more."""
    return portrait if portrait and fits(portrait, plan.photo_spec) else None


def flow(sender: object, profile: Profile, changed: dict[str, tuple[Any, Any]], **kwargs: object) -> None:
    """Carry a changed profile into every registration that can still be edited.

    A portrait is only replaced where the profile's former one stands, or none, and the new one is as the plan wants
    it: one made for a plan stays. In the profile's transaction, with the rows held: what is submitted in another window
    meanwhile is either submitted before, and stays as it was, or finds another version.
    """
    if not changed:
        return
    editable = Registration.objects.owned_by(profile.user).editable().select_related("plan")
    for registration in editable.select_for_update(of=("self",)).order_by("pk"):
        if registration.closed_reason():
            continue
        values = {name: after for name, (_, after) in changed.items()}
        if "portrait" in changed:
            former, new = changed["portrait"]
            its_own = registration.portrait_id not in {None, former and former.pk}
            if its_own or not usable(new, registration.plan):
                del values["portrait"]
        values = {name: value for name, value in values.items() if getattr(registration, name) != value}
        if values := registration.only_open(values):
            registration.write(registration.version, **values)


def save(
    registration: Registration, version: int, values: dict[str, Any], answers: dict[str, str] | None = None
) -> None:
    """Save what was typed into a registration; a first one fills an empty profile. StepRefused, StaleDetails or AccountEnded.

    `answers` say, by field, why what was sent back stays as it is.
    """
    if reason := registration.closed_reason(clock.now()):
        raise StepRefused(reason)
    with transaction.atomic():
        User.objects.hold(registration.applicant_id)  # the profile is written as well, and writes back (flow)
        registration.write(version, **values)
        if answers and (correction := registration.correction()):
            correction.answer(answers)
        fill_profile(registration)


def fill_profile(registration: Registration) -> None:
    """A first registration fills what the profile leaves empty; what stands there stays.

    At each saving, because the first may have been of an empty form, on the way to the photo or the occupation.
    """
    user = registration.applicant
    if Registration.objects.owned_by(user).exclude(pk=registration.pk).exists():
        return
    profile, values = Profile.of(user), registration.details()
    known = profile.details()
    gaps = {name: values[name] for name, value in known.items() if value in EMPTY and values[name] not in EMPTY}
    if profile.is_empty or gaps:
        profile.put_details(profile.version, {**known, **gaps})
