"""What the frame of every page says: how many decisions have not been seen, how many messages not read."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from registrations.messages import Message
from registrations.models import Registration


def news(request: HttpRequest) -> dict[str, object]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"unseen_count": 0, "unread_count": 0}
    unseen = Registration.objects.owned_by(user).filter(unseen=True)
    unread = Message.objects.owned_by(user).unread()
    return {"unseen_count": SimpleLazyObject(unseen.count), "unread_count": SimpleLazyObject(unread.count)}
