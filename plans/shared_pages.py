"""What everybody is shown alike may be kept for some seconds by whoever stands between: nobody's page is (ADR 0024)."""

import math
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.db.models import Min, Q
from django.http import HttpRequest, HttpResponse

from accounts import clock
from plans.models import Plan

SECONDS = 10  # so late, at most, a stranger sees what a manager has just published or taken back
ON_THE_WAY = 1  # from the look at the clock to the arrival at whoever keeps the page: its age is counted from there
MOMENTS = ("published_at", "registration_opens_at", "registration_closes_at")


def shared[View: Callable[..., HttpResponse]](view: View) -> View:
    """Mark a view that says the same to all who come without any cookie: their answers may be shared.

    Whoever brings a cookie, of whichever kind, or is given one, neither fills what is shared nor gets it: the answer
    stays `private, no-store`, and `Vary: Cookie` tells the two apart. Nothing but a page (200) is shared.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        now = clock.near()
        response = view(request, *args, **kwargs)
        if request.COOKIES or response.cookies or "CSRF_COOKIE_NEEDS_UPDATE" in request.META:
            return response
        if response.status_code == 200 and (seconds := seconds_that_hold(now)) > 0:
            response["Cache-Control"] = f"public, max-age={seconds}"
            response["Vary"] = "Cookie"
        return response

    return answer  # type: ignore[return-value]


def seconds_that_hold(now: datetime) -> int:
    """How long what a page says at this moment (aware) is true: until a plan appears, opens or closes, SECONDS at most.

    Zero or less where that is too soon to be kept at all: a deadline is right to the second.
    """
    ahead = {name: Min(name, filter=Q(**{f"{name}__gt": now})) for name in MOMENTS}
    found = Plan.objects.exclude(published_at=None).aggregate(**ahead)
    nearest = min((moment for moment in found.values() if moment), default=None)
    if nearest is None:
        return SECONDS
    return min(SECONDS, math.floor((nearest - now).total_seconds()) - ON_THE_WAY)
