"""What the frame of every page says: how many decisions have not been seen, how many messages not read."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from registrations.frame import own


def news(request: HttpRequest) -> dict[str, object]:
    """Asked when a page shows it, not before: the page that says that the database is away has this, too."""
    return {
        "unseen_count": SimpleLazyObject(lambda: own(request).unseen),
        "unread_count": SimpleLazyObject(lambda: own(request).unread),
    }
