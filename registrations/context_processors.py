"""What the frame of every page says: how many decisions have not been seen."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from registrations.models import Registration


def unseen_decisions(request: HttpRequest) -> dict[str, object]:
    def count() -> int:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return 0
        return Registration.objects.owned_by(user).filter(unseen=True).count()

    return {"unseen_count": SimpleLazyObject(count)}
