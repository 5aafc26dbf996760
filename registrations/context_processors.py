"""What the frame of every page says: how many decisions have not been seen, how many messages not read."""

from functools import cache

from django.db.models import Count, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from registrations.messages import Message
from registrations.models import Registration


def news(request: HttpRequest) -> dict[str, object]:
    """Asked when a page shows it, not before: the page that says that the database is away has this, too."""

    @cache
    def counts() -> tuple[int, int]:
        user = getattr(request, "user", None)
        return counted(user) if user is not None and user.is_authenticated else (0, 0)

    return {
        "unseen_count": SimpleLazyObject(lambda: counts()[0]),
        "unread_count": SimpleLazyObject(lambda: counts()[1]),
    }


def counted(user: User) -> tuple[int, int]:
    """Decisions that were not seen and messages that were not read, in one query: it is on every page."""
    unseen = number(Registration.objects.owned_by(user).filter(unseen=True), "applicant")
    unread = number(Message.objects.owned_by(user).unread(), "person")
    return User.objects.filter(pk=user.pk).values_list(unseen, unread).get()


def number(rows: QuerySet, owner: str) -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values(owner).annotate(rows=Count("pk")).values("rows")), 0)
