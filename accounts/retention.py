"""What is kept no longer than its time: the parts of the retention table, and the purge that walks through them.

settings.RETENTION says how many days each kind is kept. Rooms above register parts of their own (AppConfig.ready).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.erasure import remove_lines
from accounts.models import AuditEntry, Consent, KeptForm, SentForm, Session

BATCH = 200


class Part(Protocol):
    """One table, or one folder, of a kind of data."""

    @property
    def kind(self) -> str:
        """Its line in settings.RETENTION."""
        ...

    @property
    def label(self) -> str: ...

    def count(self, before: datetime) -> int:
        """How much there is that was kept since before this moment (aware, exclusive)."""
        ...

    def purge(self, before: datetime) -> Iterator[int]:
        """Remove it batch by batch, each committed before the next; yields how much each batch was."""
        ...


@dataclass(frozen=True)
class Rows:
    """Rows of a table. `due(before)` are those whose time is over; `remove(rows)` removes some of them."""

    kind: str
    label: str
    due: Callable[[datetime], models.QuerySet[Any]]
    remove: Callable[[models.QuerySet[Any]], int]

    def count(self, before: datetime) -> int:
        return self.due(before).count()

    def purge(self, before: datetime) -> Iterator[int]:
        """What changed since it was listed is asked about once more, and stays if its time is no longer over."""
        rows = self.due(before).order_by("pk")
        batch = list(rows.values_list("pk", flat=True)[:BATCH])
        while batch:
            with transaction.atomic():
                removed = self.remove(self.due(before).filter(pk__in=batch))
            yield removed
            batch = list(rows.filter(pk__gt=batch[-1]).values_list("pk", flat=True)[:BATCH])


def remove_rows(rows: models.QuerySet[Any]) -> int:
    return rows.delete()[1].get(rows.model._meta.label, 0)


def session_rows() -> models.QuerySet[Session]:
    return Session.objects.all()


REGISTERED: list[Part] = []
PARTS: tuple[Part, ...] = (
    Rows("sessions", "到期的登录会话", lambda before: session_rows().filter(expire_date__lt=before), remove_rows),
    Rows(
        "kept_forms",
        "没有保存的表单",
        lambda before: KeptForm.objects.filter(kept_at__lt=before).defer("content"),
        remove_rows,
    ),
    Rows(
        "kept_forms",
        "已办理的表单",
        lambda before: SentForm.objects.filter(sent_at__lt=before).defer("answer"),
        remove_rows,
    ),
    Rows(
        "consents",
        "已注销账户的同意记录",
        lambda before: Consent.objects.filter(at__lt=before, user__is_active=False, user__subject=None),
        remove_lines,
    ),
    Rows("audit", "操作记录", lambda before: AuditEntry.objects.filter(at__lt=before), remove_lines),
)


def register(*parts: Part) -> None:
    REGISTERED.extend(part for part in parts if part not in REGISTERED)


def parts() -> list[tuple[Part, datetime]]:
    """Every part with the moment before which its time is over, in the order of the table.

    Within a kind the parts stay in the order in which they were registered, but for one that is `last`: it clears up
    after the others, those of rooms above among them.
    """
    order = list(settings.RETENTION)
    now = timezone.now()
    found = sorted(REGISTERED, key=lambda part: (order.index(part.kind), getattr(part, "last", False)))
    return [(part, now - timedelta(days=settings.RETENTION[part.kind])) for part in found]
