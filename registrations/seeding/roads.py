"""How a seeded registration came to its status: the steps, when each was taken, and what it left behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from random import Random
from typing import Any

from plans.models import Plan
from registrations import notifications
from registrations.messages import Message
from registrations.models import Registration
from registrations.snapshots import Snapshot, label_of
from registrations.trail import ReviewEvent
from registrations.wording import title_and_body
from registrations.workflow import TABLE, Action, Seat, Status

ROADS: dict[str, tuple[Action, ...]] = {
    "draft": (),
    "recalled": (Action.SUBMIT, Action.RECALL),
    "submitted": (Action.SUBMIT,),
    "resubmitted": (Action.SUBMIT, Action.RETURN, Action.SUBMIT),
    "returned": (Action.SUBMIT, Action.RETURN),
    "approved": (Action.SUBMIT, Action.APPROVE),
    "rejected": (Action.SUBMIT, Action.REJECT),
    "withdrawn": (Action.SUBMIT, Action.WITHDRAW),
}
# Of a hundred: what an hour before the deadline looks like.
FATES = [
    fate
    for fate, number in {
        "draft": 6, "recalled": 2, "submitted": 54, "resubmitted": 5, "returned": 8, "approved": 17, "rejected": 4,
        "withdrawn": 4,
    }.items()
    for _ in range(number)
]  # fmt: skip
TO_FIX = {
    "field": "address",
    "label": label_of(Registration(), "address"),
    "code": "",
    "sentence": "请把通信地址写到门牌号。",
}
AMENDED = "{} 2 单元 301 室"
REFUSED = "工作单位不在本市，不符合参赛条件。"
STAND_IN = "SEED-REF-ERENCE"  # where a message names the registration
COMMITTEES = {Action.RETURN, Action.APPROVE, Action.REJECT}


@dataclass(frozen=True)
class Left:
    """What stands beside a registration when its road is done; keys are given when it is written."""

    events: list[ReviewEvent]
    snapshots: list[Snapshot]
    messages: list[Message]


def walk(
    registration: Registration, fate: str, opened_at: datetime, now: datetime, chance: Random, deciders: Sequence[int]
) -> Left:
    """Take `registration`, a draft that is complete, to where this fate leads, between two aware moments."""
    road, left = ROADS[fate], Left([], [], [])
    moments = sorted(chance.random() for _ in range(len(road) + 1))
    began, *at = (opened_at + (now - opened_at) * moment for moment in moments)
    registration.created_at, registration.version = began, 1
    decider = chance.choice(deciders)
    for action, moment in zip(road, at, strict=True):
        if registration.status == Status.RETURNED:
            registration.address = AMENDED.format(registration.address)
            registration.version += 1
        take(registration, action, moment, decider, left)
    if road:
        registration.unseen = road[-1] in COMMITTEES and chance.random() < 0.5
        if not registration.unseen:
            for message in left.messages:
                message.seen_at = message.seen_at or now
    return left


def take(registration: Registration, action: Action, at: datetime, decider: int, left: Left) -> None:
    """As registrations/steps.py does it, on rows that are still to be written."""
    line, returns = TABLE[action], action == Action.RETURN
    event = ReviewEvent(
        registration=registration,
        action=action.value,
        before=registration.status,
        after=str(line.after(registration.state).value),
        by_id=decider if action in COMMITTEES else registration.applicant_id,
        note=REFUSED if action == Action.REJECT else "",
        items=[TO_FIX] if returns else [],
        portrait_sha256=registration.portrait_sha256,
        version=registration.version,
        at=at,
    )
    left.events.append(event)
    if returns:
        left.snapshots.append(
            Snapshot(
                event=event,
                registration=registration,
                details=registration.details(),
                occupation_id=registration.occupation_id,
                occupation_name=str(registration.occupation),
                portrait_sha256=registration.portrait_sha256,
            )
        )
    if action in notifications.STEPS:
        left.messages.append(told(registration, event))
    registration.status = event.after
    if line.complete:
        registration.submitted_at = at
    if line.seat != Seat.KEEP:
        registration.seat = registration.occupation if line.seat == Seat.TAKE else None


def told(registration: Registration, event: ReviewEvent) -> Message:
    """What the person is told of it. Its key names the line, and is set when that has one."""
    kind = notifications.STEPS[Action(event.action)]
    title, body = words(kind, registration.plan, registration.occupation_id, event.after, event.note, bool(event.items))
    return Message(
        person_id=registration.applicant_id,
        registration=registration,
        kind=kind.value,
        title=title.replace(STAND_IN, registration.reference),
        body=body.replace(STAND_IN, registration.reference),
        created_at=event.at,
        seen_at=event.at if kind in notifications.RECEIPTS else None,
    )


@cache
def words(kind: Any, plan: Plan, occupation: int, after: str, note: str, to_fix: bool) -> tuple[str, str]:
    """The templates' own words, rendered once for all who are told the same."""
    registration = Registration(reference=STAND_IN, plan=plan, occupation_id=occupation, status=after)
    event = ReviewEvent(items=[TO_FIX] if to_fix else [], note=note, after=after)
    event.registration = registration
    told_of = notifications.after_step(event)
    return title_and_body(kind, {**notifications.facts(told_of), **notifications.said(event)})


def number_lines(left: Left, keys: Sequence[int]) -> None:
    """Give each line its key, and tell it to what refers to it."""
    for event, key in zip(left.events, keys, strict=True):
        event.pk = key
    for snapshot in left.snapshots:
        snapshot.event_id = snapshot.event.pk
    told_of = [event for event in left.events if Action(event.action) in notifications.STEPS]
    for message, event in zip(left.messages, told_of, strict=True):
        message.key = notifications.key_of(event.pk)
