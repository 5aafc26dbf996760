"""What every page says of the person who looks at it: news in its frame, one's own registration beside each plan.

One query for all of it, asked when the first part is shown: half of what a page costs is asking.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import BooleanField, CharField, Count, DateTimeField, IntegerField, QuerySet, Value
from django.http import HttpRequest

from accounts.models import User
from registrations.extensions import Extension
from registrations.messages import Message
from registrations.models import Registration
from registrations.workflow import Status

REGISTRATION, EXTENSION, UNREAD = range(3)
COLUMNS = ("id", "plan_id", "applicant_id", "reference", "status", "held", "unseen", "extended_until")
ANYBODY = -1  # nobody's key
NO, NOTHING, ZERO = Value(False, BooleanField()), Value("", CharField()), Value(0, IntegerField())
NEVER = Value(None, DateTimeField())


@dataclass(frozen=True)
class Own:
    """What a page needs to know; a stranger has nothing of it."""

    unseen: int = 0  # decisions that were not looked at
    unread: int = 0  # messages
    registrations: dict[int, Registration] = field(default_factory=dict)  # the live one by plan, without its details
    extensions: dict[int, datetime] = field(default_factory=dict)  # until when one has more time, by plan


def own(request: HttpRequest) -> Own:
    """Asked once per page, however much of it the page shows."""
    found: Own | None = getattr(request, "own", None)
    if found is None:
        user = getattr(request, "user", None)
        found = of(user) if isinstance(user, User) and user.is_authenticated else Own()
        request.own = found  # type: ignore[attr-defined]
    return found


def of(user: User) -> Own:
    unseen, unread = 0, 0
    live: dict[int, Registration] = {}
    extensions: dict[int, datetime] = {}
    sql, params = statement()
    found: Iterable[Any] = Registration.objects.raw(sql, [user.pk if param == ANYBODY else param for param in params])
    for row in found:
        if row.row_kind == UNREAD:
            unread = row.pk
        elif row.row_kind == EXTENSION:
            extensions[row.plan_id] = row.extended_until
        else:
            unseen += row.unseen
            if row.status != Status.WITHDRAWN:
                live[row.plan_id] = row
    return Own(unseen, unread, live, extensions)


@cache
def statement() -> tuple[str, tuple[Any, ...]]:
    """The question as the ORM writes it, once in each process: for every page, writing costs more than asking."""
    sql, params = rows(ANYBODY).query.sql_with_params()
    return sql, tuple(params)


def rows(user: int) -> QuerySet:
    """One's registrations, extensions and the number of unread messages, one below the other.

    Of a registration there is what an offer needs; anything else that is asked of it costs a query.
    """
    registrations: QuerySet = Registration.objects.filter(applicant=user).order_by()
    extensions = Extension.objects.filter(person=user).order_by()
    unread = Message.objects.filter(person=user).unread().order_by().values("person")
    return (
        registrations.annotate(row_kind=Value(REGISTRATION))
        .values_list("row_kind", *COLUMNS)
        .union(
            extensions.values_list(Value(EXTENSION), "pk", "plan", "person", NOTHING, NOTHING, NO, NO, "until"),
            unread.values_list(Value(UNREAD), Count("pk"), ZERO, ZERO, NOTHING, NOTHING, NO, NO, NEVER),
            all=True,
        )
    )
