"""Make the demonstration in an empty database, all or nothing, and keep its plans from going stale."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from accounts import identity
from accounts.audit import record
from accounts.models import AuditEntry, Consent, User
from accounts.oidc import remember_vouched
from accounts.verbs import Verb
from photos.findings import Doubt
from photos.models import Portrait, Upload
from photos.pipeline import suggest_box
from plans.models import Attachment, CommitteeMember, Occupation, Plan, Role
from profiles.models import Profile
from registrations import intake
from registrations.decisions import items_of
from registrations.demonstration import amends, terms
from registrations.demonstration.calendar import moments
from registrations.demonstration.people import KNOWN, OPERATOR, Person
from registrations.demonstration.plans import PLANS, Outline
from registrations.demonstration.portraits import MEN, Look, draw
from registrations.demonstration.stories import Story, known_details, stories
from registrations.models import Registration
from registrations.workflow import TABLE, Action, Actor, Status

ACTOR = "command:demo"


class DemonstrationRefused(Exception):
    """The database is no place for a demonstration. `str()` is the sentence for the operator."""


def prepare(now: datetime | None = None, *, rehearsing: bool = False) -> int | None:
    """Make the demonstration where there is nothing, or refresh the plans of the one that there is.

    Returns how many plans were refreshed, None when everything was made. Raises DemonstrationRefused. `now` is aware.
    Rehearsing, it answers the same and leaves everything as it is.
    """
    now = timezone.localtime(now)
    with transaction.atomic():
        made = AuditEntry.objects.filter(actor=ACTOR, verb=Verb.DEMONSTRATION_MADE).first()
        if made is None:
            refuse_foreign_database()
            if not rehearsing:
                make(now)
            return None
        if made.detail != settings.OIDC_OP_ISSUER:
            raise DemonstrationRefused(
                f"这里的演示数据属于认证平台 {made.detail}，演示账号在 {settings.OIDC_OP_ISSUER} 上登录不进去。"
                "请换一个空的数据库（DATA_DIR 或 DATABASE_URL），或改回原来的 OIDC_OP_ISSUER。"
            )
        refreshed = refresh(now)
        transaction.set_rollback(rehearsing)
        return refreshed


def refuse_foreign_database() -> None:
    """Whatever was not made here may be real."""
    held = {"个账户": User.objects.count(), "个竞赛计划": Plan.objects.count(), "份报名": Registration.objects.count()}
    if any(held.values()):
        counted = "、".join(f"{number} {unit}" for unit, number in held.items() if number)
        raise DemonstrationRefused(
            f"这个数据库里已经有 {counted}，不是演示数据，没有写入任何内容。"
            "请换一个空的数据库（DATA_DIR 或 DATABASE_URL）再执行。"
        )


def make(now: datetime) -> None:
    users = {username: enter(person) for username, person in KNOWN.items()}
    appoint_operator(users[OPERATOR])
    fill_profile(users["wangxiaoming"], known_details("wangxiaoming", PLANS[0].trades[0]), MEN[0])
    plans = {outline.code: publish(outline, users, now) for outline in PLANS}
    for story in stories():
        tell(story, plans[story.plan.code], now)
    terms.arrange(plans)
    record(ACTOR, Verb.DEMONSTRATION_MADE, detail=settings.OIDC_OP_ISSUER)


def enter(person: Person) -> User:
    """The account, as after a first visit: vouched for by the platform, then confirmed."""
    user, created = User.objects.from_platform(settings.OIDC_OP_ISSUER, person.subject)
    if created:
        remember_vouched(user, person.claims)
        held = user.identity
        document = identity.parse(person.document_type, person.number, today=timezone.localdate())
        held.confirm(legal_name=person.name, document=document)
        Consent.give(user)
    return user


def appoint_operator(user: User) -> None:
    user.is_staff = user.is_superuser = True
    user.save(update_fields=["is_staff", "is_superuser"])
    record(ACTOR, Verb.STAFF_GRANTED, user, detail="superuser")


def publish(outline: Outline, users: dict[str, User], now: datetime) -> Plan:
    window = outline.window
    competition = window.competition_on(now)
    plan = Plan.objects.create(
        code=outline.code,
        title=outline.title,
        level=outline.level,
        category=outline.category,
        organiser=outline.organiser,
        co_organiser=outline.co_organiser,
        place=outline.place,
        contact=outline.contact,
        contact_phone=outline.contact_phone,
        description=outline.description,
        registration_opens_at=window.opens_at(now),
        registration_closes_at=window.closes_at(now),
        correction_closes_at=window.corrections_close_at(now),
        competition_starts_on=competition,
        competition_ends_on=competition + timedelta(days=1),
        holds_decisions=outline.holds_decisions,
        published_at=min(window.opens_at(now), now) - timedelta(days=3) if outline.published else None,
    )
    Occupation.objects.bulk_create(
        Occupation(
            plan=plan,
            name=trade.name,
            code=trade.code,
            division=trade.division,
            skill_level=trade.skill_level,
            requirements=trade.requirements,
            capacity=trade.capacity,
        )
        for trade in outline.trades
    )
    CommitteeMember.objects.bulk_create(
        CommitteeMember(plan=plan, user=users[username], role=role) for username, role in outline.members.items()
    )
    attachment = Attachment(plan=plan, title="竞赛规程.xlsx")
    attachment.file.save(f"{outline.code}.xlsx", ContentFile(outline.regulations()), save=False)
    attachment.save()
    return plan


def fill_profile(user: User, details: dict[str, object], look: Look | None) -> Profile:
    """The profile as its form writes it: what the document says goes before what was typed. Filled only once."""
    profile = Profile.of(user)
    if profile.is_empty:
        known = {name: value for name in ("sex", "birth_date") if (value := getattr(profile, name))}
        profile.save_details(profile.version, {**profile.details(), **details, **known})
        if look:
            profile.set_portrait(portrait(user, look))
    return profile


def portrait(user: User, look: Look) -> Portrait:
    upload = Upload.objects.receive(user, draw(look))
    # One stands before a grey wall, which is why she gets it back; and nobody drawn has a face for a detector.
    return upload.crop(suggest_box(upload.width, upload.height), confirmed=list(Doubt))


def tell(story: Story, plan: Plan, now: datetime) -> None:
    """Start the registration, fill it in, and take its steps, each at a plausible moment of the past."""
    user = enter(story.person)
    fill_profile(user, story.details, story.look if story.trade else None)
    opens_at = timezone.localtime(plan.registration_opens_at)
    until = min(now, plan.registration_closes_at)
    began, *at = moments(opens_at, until, story.serial, len(story.road) + 1)
    registration = intake.start(user, plan, at=began)
    if story.trade:
        occupation = plan.occupations.get(name=story.trade.name, division=story.trade.division)
        registration.write(registration.version, occupation=occupation)
    for action, moment in zip(story.road, at, strict=True):
        take(registration, story, action, moment)
    if story.seen:
        Registration.objects.filter(pk=registration.pk).update(unseen=False)
        registration.messages.mark_read()


def take(registration: Registration, story: Story, action: Action, moment: datetime) -> None:
    if registration.status == Status.RETURNED:
        amends.answer(registration)
    items = items_of(story.items(action), story.reasons(action))
    registration.take(action, by=actor(registration, action), note=story.note(action), items=items, at=moment)


def actor(registration: Registration, action: Action) -> User:
    """Who takes this step: the applicant, or somebody in the plan's committee who may."""
    roles = {Actor.COMMITTEE: [Role.REVIEWER, Role.MANAGER], Actor.MANAGER: [Role.MANAGER]}
    asked = TABLE[action].actor
    if asked == Actor.APPLICANT:
        return registration.applicant
    member = registration.plan.members.filter(role__in=roles[asked]).select_related("user").order_by("-role").first()
    if member is None:
        raise LookupError(f"nobody in the committee of {registration.plan.code} can {action}")
    return member.user


def refresh(now: datetime) -> int:
    """Move the dates of plans that no longer show what they are there for; how many. What else was edited stays."""
    held = Plan.objects.in_bulk([outline.code for outline in PLANS], field_name="code")
    stale = [outline for outline in PLANS if outline.code in held and is_stale(outline, held[outline.code], now)]
    for outline in stale:
        move(held[outline.code], outline, now)
    if stale:
        record(ACTOR, Verb.DEMONSTRATION_REFRESHED, detail="、".join(outline.code for outline in stale))
    return len(stale)


def is_stale(outline: Outline, plan: Plan, now: datetime) -> bool:
    return outline.window.is_stale(now, plan.registration_opens_at, plan.registration_closes_at)


def move(plan: Plan, outline: Outline, now: datetime) -> None:
    """What is open stays opened when it was: its registrations are older than today."""
    window = outline.window
    if window.is_ahead:
        plan.registration_opens_at = window.opens_at(now)
    plan.registration_closes_at = window.closes_at(now)
    plan.correction_closes_at = window.corrections_close_at(now)
    plan.competition_starts_on = window.competition_on(now)
    plan.competition_ends_on = window.competition_on(now) + timedelta(days=1)
    plan.save(
        update_fields=[
            "registration_opens_at",
            "registration_closes_at",
            "correction_closes_at",
            "competition_starts_on",
            "competition_ends_on",
        ]
    )


def counts(labels: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
    """(label, number) of registrations for each (status, label)."""
    return [(label, Registration.objects.filter(status=status).count()) for status, label in labels]
