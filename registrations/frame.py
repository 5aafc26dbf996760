"""What every page says of the person who looks at it: news in its frame, one's own registration beside each plan.

One query for all of it, asked when the first part is shown: half of what a page costs is asking.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, CharField, Count, DateTimeField, IntegerField, QuerySet, Value
from django.http import HttpRequest

from accounts.models import User
from registrations.extensions import Extension
from registrations.messages import Message
from registrations.models import Registration
from registrations.workflow import Status

REGISTRATION, EXTENSION, UNREAD = range(3)
# In the order of the columns of `rows`, after the first, which says what kind of row it is.
COLUMNS = ("pk", "plan", "reference", "status", "held", "extended_until")
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
    unseen, unread, live, extensions = 0, 0, {}, {}
    for kind, *columns, is_unseen in rows(user):
        if kind == UNREAD:
            unread = columns[0]
        elif kind == EXTENSION:
            extensions[columns[1]] = columns[-1]
        else:
            unseen += is_unseen
            if columns[3] != Status.WITHDRAWN:
                live[columns[1]] = registration(user, columns)
    return Own(unseen, unread, live, extensions)


def rows(user: User) -> Iterable[Any]:
    """One's registrations, extensions and the number of unread messages, one below the other."""
    registrations: QuerySet = Registration.objects.owned_by(user).order_by()
    extensions = Extension.objects.filter(person=user).order_by()
    unread = Message.objects.owned_by(user).unread().order_by().values("person")
    return registrations.values_list(Value(REGISTRATION), *COLUMNS, "unseen").union(
        extensions.values_list(Value(EXTENSION), "pk", "plan", NOTHING, NOTHING, NO, "until", NO),
        unread.values_list(Value(UNREAD), Count("pk"), ZERO, NOTHING, NOTHING, NO, NEVER, NO),
        all=True,
    )


def registration(user: User, columns: list[Any]) -> Registration:
    """As far as an offer needs it: anything else that is asked of it costs a query."""
    known = dict(zip(("id", "plan_id", *COLUMNS[2:]), columns, strict=True)) | {"applicant_id": user.pk}
    names = [field.attname for field in Registration._meta.concrete_fields if field.attname in known]
    return Registration.from_db("default", names, [known[name] for name in names])
