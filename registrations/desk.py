"""One registration as the committee's desk shows it: the person, the portrait, what was said of it, what can be done."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone

from accounts.models import User
from photos import measures
from photos.models import Portrait
from photos.spec import PhotoSpec
from plans.models import Role
from registrations import (
    claim_pages,
    claims,
    decision_fields,
    desk_changes,
    extensions,
    moves,
    reason_pages,
    return_reasons,
)
from registrations.decisions import DecisionForm, fixable
from registrations.desk_rows import others, trail_of
from registrations.desk_way import Way
from registrations.models import Registration
from registrations.steps import AlreadyRead, actions_for, actors
from registrations.trail import ReviewEvent, standing
from registrations.workflow import DECISIONS, MOVABLE, TABLE, Action, Actor, Status

COMMITTEE_ACTIONS = [
    action for action, line in TABLE.items() if line.target and line.actor in {Actor.COMMITTEE, Actor.MANAGER}
]
DETAIL_FIELDS = [
    *("legal_name", "document_type", "masked_number", "sex", "birth_date", "ethnicity", "political_status"),
    *("education", "school", "major", "employer", "employer_type", "position", "years_of_service"),
    *("skill_level", "certificate_number", "phone", "email", "address", "postcode"),
    *("emergency_contact", "emergency_phone"),
]
# What an occupation's conditions are about (参赛条件).
JUDGED_FIELDS = ["education", "school", "employer", "years_of_service", "skill_level", "certificate_number"]
# In the order of the buttons, each with its key (static/js/desk.js).
KEYS = {Action.APPROVE: "a", Action.RETURN: "r", Action.REJECT: "x", Action.REOPEN: ""}


@dataclass(frozen=True)
class Offered:
    """A step that this person can take: where, by which key, and for a decision the form that is taken on this page:
    its seal, with the id that it has, and its fields."""

    action: Action
    key: str
    address: str
    seal: str = ""
    fields: str = ""

    @property
    def at_once(self) -> bool:
        return self.action == Action.APPROVE

    @property
    def seal_id(self) -> str:
        return decision_fields.id_of(self.action) + "versions"


def content(registration: Registration, user: User, way: Way) -> dict[str, Any]:
    """All that the page shows, for the template, of a registration that was read with_role_of() this person.

    As many queries for a long history as for a short one: the trail is read once, and whole.
    """
    lines = trail_of(registration)
    role = Role.MANAGER if user.is_superuser else registration.role  # type: ignore[attr-defined]
    capacities = actors(registration, user, AlreadyRead(role, lines))
    can = actions_for(registration, user, capacities, lines)
    offers = [action for action in can if action in COMMITTEE_ACTIONS]
    reasons_url = reason_pages.address(registration.plan) if role == Role.MANAGER else ""
    return {
        "fields": details(registration),
        "conditions": conditions(registration),
        "judged": judged(registration),
        "attachments": list(registration.plan.attachments.all()),
        "photo": photo(registration, lines),
        "changes": desk_changes.since_return(registration, lines) if registration.status != Status.RETURNED else [],
        "earlier": others(registration, user),
        "events": trail(lines),
        "steps": steps(registration, offers, way, reasons_url),
        "may_see_number": bool(capacities),
        "may_end_claims": Actor.MANAGER in capacities,
        "claim": claim_of(registration, user, offers),
        "terms": terms(registration, can),
    }


def terms(registration: Registration, can: list[Action]) -> dict[str, Any]:
    """What holds for this one alone: more time, another occupation that is proposed; and what a manager can do about it."""
    return {
        "extension": extensions.of(registration.applicant, registration.plan) if registration.is_extended else None,
        "proposal": moves.shown(registration) if registration.status in MOVABLE else None,
        "can": can,
    }


def steps(registration: Registration, offers: list[Action], way: Way, reasons_url: str) -> list[Offered]:
    """Each decision's form is bound to what is on the page."""
    decisions = DECISIONS.intersection(offers)
    seal = DecisionForm.seal([registration]) if decisions else ""
    reasons = return_reasons.offered(registration.plan) if Action.RETURN in decisions else []
    to_fix = fixable([registration]) if Action.RETURN in decisions else {}

    def offered(action: Action, key: str) -> Offered:
        if action not in decisions:
            return Offered(action, key, way.step(action))
        said = (to_fix, reasons, reasons_url) if action == Action.RETURN else ({}, [], "")
        fields = "" if action == Action.APPROVE else decision_fields.rendered(action, *said)
        return Offered(action, key, way.step(action), seal, fields)

    return [offered(action, key) for action, key in KEYS.items() if action in offers]


def claim_of(registration: Registration, user: User, offers: list[Action]) -> dict[str, Any]:
    """Whether there is something to claim, and who has."""
    held = claims.current(registration) if registration.status == Status.SUBMITTED else None
    return {
        "offered": bool(DECISIONS.intersection(offers)),
        "mine": held is not None and held.by_id == user.pk,
        "others": held is not None and held.by_id != user.pk,
        "sentence": claim_pages.sentence(held, user) if held else "",
    }


def details(registration: Registration) -> list[tuple[str, Any]]:
    return [shown(registration, name) for name in DETAIL_FIELDS]


def shown(registration: Registration, name: str) -> tuple[str, Any]:
    if name == "masked_number":
        return "证件号码", registration.masked_number
    label = str(Registration._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return label, registration.shown(name)


def conditions(registration: Registration) -> list[tuple[str, str]]:
    """What the occupation asks of whoever takes part."""
    asked = registration.occupation
    if asked is None:
        return []
    said = [
        ("职业（工种）", str(asked)),
        ("竞赛标准等级", asked.skill_level),
        ("参赛条件", asked.requirements or "没有填写"),
    ]
    return [(label, value) for label, value in said if value]


def judged(registration: Registration) -> list[tuple[str, Any]]:
    """The person's own, in the order in which conditions usually name it."""
    return [("年龄", age(registration)), *[shown(registration, name) for name in JUDGED_FIELDS]]


def age(registration: Registration) -> str:
    """In whole years, on the competition's first day where that is known, else today."""
    born, begins = registration.birth_date, registration.plan.competition_starts_on
    if born is None:
        return ""
    years = years_between(born, begins or timezone.localdate())
    return f"竞赛开始时 {years} 岁" if begins else f"{years} 岁"


def years_between(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def trail(lines: list[ReviewEvent]) -> list[tuple[ReviewEvent, bool]]:
    """Every line, newest first, each with whether it was taken back."""
    undone = {line.undoes_id for line in lines}
    return [(line, line.pk in undone) for line in lines]


def photo(registration: Registration, lines: list[ReviewEvent]) -> dict[str, Any]:
    """For the template: the portrait's figures, what its applicant was warned of, and the one that stood here before."""
    portrait, before = registration.portrait, sent_back(registration, lines)
    fits = portrait is None or registration.photo_spec.same_picture(portrait.made_for)
    return {
        "figures": figures(portrait) if portrait else [],
        "judged": portrait is not None and bool(set(portrait.measured) - {"bytes"}),
        "doubts": portrait.doubts if portrait else [],
        "wanted": "" if fits else in_words(registration.photo_spec),
        "exchanged": bool(before),
        "former": kept(registration, before),
    }


def sent_back(registration: Registration, lines: Iterable[ReviewEvent]) -> str:
    """SHA-256 of the portrait that stood here when it was last sent back, if there is another one now; else empty."""
    line = next((line for line in standing(lines) if line.action == Action.RETURN), None)
    return line.portrait_sha256 if line and line.portrait_sha256 != registration.portrait_sha256 else ""


def kept(registration: Registration, sha256: str) -> Portrait | None:
    """The applicant's portrait, if it is still there: what nothing uses is removed after a while (docs/adr/0014)."""
    return Portrait.objects.filter(owner=registration.applicant_id, sha256=sha256).first() if sha256 else None


def former_portrait(registration: Registration) -> Portrait | None:
    return kept(registration, sent_back(registration, registration.events.all()))


def figures(portrait: Portrait) -> list[tuple[str, str]]:
    spec = portrait.made_for
    return [
        ("尺寸", f"{portrait.width}×{portrait.height} 像素，{spec.dpi} dpi"),
        *measures.told(portrait.measured),
        ("取自原件", f"{portrait.box_width}×{portrait.box_height} 像素"),
        ("裁切时的要求", in_words(spec)),
    ]


def in_words(spec: PhotoSpec) -> str:
    least = f"{spec.min_kilobytes}–" if spec.min_kilobytes else "不超过 "
    return (
        f"{spec.width}×{spec.height} 像素，{spec.dpi} dpi，{spec.background_label}背景，{least}{spec.max_kilobytes} KB"
    )
