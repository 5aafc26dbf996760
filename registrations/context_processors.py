"""What the frame of every page says: how many decisions have not been seen, how many messages not read."""

from collections.abc import Callable

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from registrations.messages import Message
from registrations.models import Registration


def news(request: HttpRequest) -> dict[str, object]:
    """Asked when a page shows it, not before: the page that says that the database is away has this, too."""

    def count(of: Callable[[User], int]) -> SimpleLazyObject:
        def now() -> int:
            user = getattr(request, "user", None)
            return of(user) if user is not None and user.is_authenticated else 0

        return SimpleLazyObject(now)

    return {
        "unseen_count": count(lambda user: Registration.objects.owned_by(user).filter(unseen=True).count()),
        "unread_count": count(lambda user: Message.objects.owned_by(user).unread().count()),
    }
