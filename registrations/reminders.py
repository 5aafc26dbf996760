"""Reminders: who has not submitted is told while there is still time, 72 and 24 hours before the end, each once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from registrations import chunks
from registrations.deliveries import ask_to_send
from registrations.messages import Kind, Message
from registrations.models import Registration, RegistrationQuerySet
from registrations.notifications import put_once
from registrations.workflow import Status

HOURS = (24, 72)  # the nearest first: who is late says only that
# Nobody is reminded of what lies open on the desk.
AT_REST = timedelta(hours=1)
# Nor of what they were told about a moment ago: that it was sent back, that the deadline has changed.
QUIET = timedelta(hours=6)
KINDS = {Status.DRAFT: Kind.DRAFT_DUE, Status.RETURNED: Kind.RETURN_DUE}
LABELS = {Kind.DRAFT_DUE: "草稿没有提交", Kind.RETURN_DUE: "退回后没有重新提交"}


@dataclass(frozen=True)
class Reminder:
    registration: Registration
    hours: int

    @property
    def kind(self) -> Kind:
        return KINDS[self.registration.state]

    @property
    def key(self) -> str:
        """With the deadline: where that is put off, the time begins anew."""
        return f"{self.kind.value}-{self.hours}-{self.registration.deadline():%Y%m%d%H%M}"

    def give(self) -> bool:
        values = {"hours": self.hours}
        return put_once(self.registration, self.kind, self.key, values, useful_until=self.registration.deadline())


def due(now: datetime) -> Iterator[Reminder]:
    """Whom to remind now. Who has been reminded at these hours is not among them, nor who cannot submit any more."""
    begin = now
    for hours in HOURS:
        end = now + timedelta(hours=hours)
        for registration in waiting(now, begin, end, hours).iterator(chunk_size=500):
            if not registration.closed_reason(now):
                yield Reminder(registration, hours)
        begin = end


def waiting(now: datetime, begin: datetime, end: datetime, hours: int) -> RegistrationQuerySet:
    about = Message.objects.filter(registration=OuterRef("pk"))
    told = Q()
    for status, kind in KINDS.items():
        same = about.filter(key__startswith=f"{kind.value}-{hours}-", useful_until=OuterRef("due_at"))
        told |= Q(Exists(same), status=status)
    found = Registration.objects.due_between(begin, end).filter(
        ~Exists(about.filter(created_at__gt=now - QUIET)),
        plan__published_at__lte=now,
        updated_at__lt=now - AT_REST,
        applicant__is_active=True,
    )
    return found.exclude(told).select_related("plan", "occupation", "applicant").order_by("pk")


def send(now: datetime | None = None) -> dict[Kind, int]:
    """Remind whoever is due; how many, by kind. Safe to be called by several at once: each message is written once."""
    given = dict.fromkeys(LABELS, 0)
    for reminder in due(now or timezone.now()):
        given[reminder.kind] += chunks.try_one(reminder.registration, reminder.give, "reminded")
    ask_to_send()
    return given
