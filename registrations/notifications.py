"""Whom we tell what: the message is written with what happened, and goes out when that is certain."""

import logging
from copy import copy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.redaction import mask_documents
from registrations.carriers import open_channels
from registrations.deliveries import ask_to_send
from registrations.messages import Channel, ChannelChoice, Delivery, Kind, Message
from registrations.undo import UNDO_FOR
from registrations.wording import has_sms, title_and_body
from registrations.workflow import DECISIONS, Action

if TYPE_CHECKING:
    from registrations.models import Registration
    from registrations.trail import ReviewEvent

logger = logging.getLogger(__name__)

# What is written about the past (a demonstration, say) is read in the portal, and sent to nobody.
OLD_NEWS = timedelta(days=1)
# A decision leaves when it cannot be taken back any more, also where the clocks of two machines differ a little.
SETTLED_AFTER = UNDO_FOR + timedelta(seconds=5)
STEPS = {
    Action.SUBMIT: Kind.SUBMITTED,
    Action.WITHDRAW: Kind.WITHDRAWN,
    Action.RETURN: Kind.RETURNED,
    Action.APPROVE: Kind.APPROVED,
    Action.REJECT: Kind.REJECTED,
    Action.REOPEN: Kind.REOPENED,
    Action.EXTEND: Kind.EXTENDED,
    Action.PROPOSE: Kind.PROPOSED,
    Action.RETRACT: Kind.RETRACTED,
    Action.MOVE: Kind.MOVED,
}
# Who has done it knows it; the receipt is there to be found again.
RECEIPTS = {Kind.SUBMITTED, Kind.WITHDRAWN, Kind.MOVED}


def write(event: "ReviewEvent") -> None:
    """Called inside the transaction of a step: there is no step without its message, nor a message without its step."""
    if event.action == Action.UNDO:
        take_back(event)
    elif (kind := STEPS.get(Action(event.action))) is not None:
        put(after_step(event), kind, key_of(event.pk), said(event), at=event.at, leaves_at=leaves_at(event))


def write_published(event: "ReviewEvent") -> None:
    """Of a decision that was held back: it becomes news now, however long ago it was taken."""
    put(after_step(event), STEPS[Action(event.action)], key_of(event.pk), said(event), leaves_at=leaves_at(event))


def key_of(event: int | None) -> str:
    return f"step-{event}"


def said(event: "ReviewEvent") -> dict[str, Any]:
    items = [f"{item.get('label', '')}：{mask_documents(item['sentence'])}" for item in event.items]
    return {"items": items, "note": mask_documents(event.note)}


def after_step(event: "ReviewEvent") -> "Registration":
    """As the step has left it: a returned one has another deadline."""
    after = copy(event.registration)
    after.status = event.after
    return after


def leaves_at(event: "ReviewEvent") -> datetime:
    return event.at + SETTLED_AFTER if event.action in DECISIONS else event.at


def take_back(event: "ReviewEvent") -> None:
    """The message of the decision that this undoes goes, too; where it has reached the person, another one says so.

    What waits is removed by one statement, which either finds it waiting or waits for whoever has begun to send it.
    """
    about = Message.objects.filter(registration=event.registration_id, key=key_of(event.undoes_id)).first()
    if about is None:
        return
    Delivery.objects.filter(message=about.pk, attempts=0).delete()
    if about.seen_at is None and not Delivery.objects.filter(message=about.pk).tried().exists():
        about.delete()
        return
    put(after_step(event), Kind.UNDONE, key_of(event.pk), {}, at=event.at)


def announce(event: "ReviewEvent") -> None:
    """Called once per step, after it is certain."""
    logger.info("registration %s: %s → %s", event.registration.reference, event.before, event.after)
    ask_to_send()


def put(
    registration: "Registration",
    kind: Kind,
    key: str,
    values: dict[str, Any],
    *,
    at: datetime | None = None,
    useful_until: datetime | None = None,
    leaves_at: datetime | None = None,
) -> Message:
    """Write a message and what is to be sent of it, not before `leaves_at` (aware). IntegrityError where the person has
    been told of this `key`."""
    title, body = title_and_body(kind, {**facts(registration), **values})
    now = timezone.now()
    message = Message.objects.create(
        person_id=registration.applicant_id,
        registration=registration,
        kind=kind,
        key=key,
        title=title,
        body=body,
        created_at=at or now,
        useful_until=useful_until,
        seen_at=(at or now) if kind in RECEIPTS else None,
    )
    if message.created_at > now - OLD_NEWS:
        ways = ways_out(registration, kind)
        moment = leaves_at or now
        Delivery.objects.bulk_create(Delivery(message=message, channel=way, next_try_at=moment) for way in ways)
    return message


def facts(registration: "Registration") -> dict[str, Any]:
    title = " ".join(registration.plan.title.split())  # it becomes part of a mail's subject, which is one line
    return {
        "registration": registration,
        "plan": registration.plan,
        "title": title,
        "deadline": registration.deadline(),
    }


def ways_out(registration: "Registration", kind: Kind) -> list[Channel]:
    """What the portal can, the person wants, and the thing is worth. Asked once more when it is sent."""
    ways = [channel for channel in open_channels() if channel != Channel.SMS or has_sms(kind)]
    if not ways:
        return []
    choice = ChannelChoice.of(registration.applicant)
    return [channel for channel in ways if choice.wants(channel)]


def put_once(registration: "Registration", kind: Kind, key: str, values: dict[str, Any], **also: Any) -> bool:
    """Whether the person was told now, and not before. For what is said by a clock, not by a step."""
    try:
        with transaction.atomic():
            put(registration, kind, key, values, **also)
    except IntegrityError:
        return False
    return True
