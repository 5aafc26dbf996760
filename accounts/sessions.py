"""How long a sign-in lasts: how long without a request, how long at the most, and whose it was when it is over.

A session holds when it was begun and when its person was last seen. One that is over loses all it held but a sealed
note of whose it was, so that what was being typed can be kept for that person and for nobody else.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from accounts.fields import TamperedCiphertext, decrypt_text, encrypt_text
from accounts.models import User

STARTED, SEEN, NOTE = "started", "seen", "ended"
NOTE_CONTEXT = "session.ended"
# Not at every request: each would be an UPDATE of the row, and of requests side by side the slower one would write
# back what the faster one has just changed. A person may therefore be out a minute early, never late.
SEEN_EVERY_SECONDS = 60
WARNING_SECONDS = 120
NOTE_SECONDS = 3600
IDLE, FULL = "idle", "full"


@dataclass(frozen=True)
class Ended:
    """A session that was over: whose (primary key), why (IDLE or FULL), and after how many seconds."""

    user: int
    why: str
    seconds: int


def in_background[View: Callable[..., HttpResponse]](view: View) -> View:
    """Mark a view that a page asks by itself: asking it is no sign of a person at the screen."""
    view.in_background = True  # type: ignore[attr-defined]
    return view


def is_staff(user: User) -> bool:
    """Whoever can see other people's data: the shorter limit is theirs. Asked anew each time, so a role counts at once."""
    return user.is_staff or user.is_superuser or user.is_auditor or user.is_committee_member


def idle_limit(user: User) -> int:
    """Seconds without a request after which this person's session is over."""
    shorter = min(settings.SESSION_IDLE_STAFF_SECONDS, settings.SESSION_IDLE_SECONDS)
    return shorter if is_staff(user) else settings.SESSION_IDLE_SECONDS


def warning_before(idle: int) -> int:
    """How many seconds before the end the warning comes: two minutes, or half of a limit that is shorter than four."""
    return min(WARNING_SECONDS, idle // 2)


def now() -> int:
    return int(time.time())


# A session's way ----------------------------------------------------------------------------------------------------


def begin(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """user_logged_in: a new key, and nothing of what the session held before anybody was known.

    But for the questions to the platform that other tabs still wait for an answer to: each is answered once, in secrets
    that are of no use elsewhere.
    """
    session = request.session
    if session.session_key == request.COOKIES.get(settings.SESSION_COOKIE_NAME):
        session.cycle_key()  # Django leaves the key alone where the same person signs in once more
    for name in set(session.keys()) - {SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY, "oidc_states"}:
        del session[name]
    session[STARTED] = session[SEEN] = now()


def note_seen(request: HttpRequest, *, at_once: bool = False) -> None:
    """Somebody is there. Written at most once a minute, or a tenth of a short limit, unless `at_once`."""
    shortest = min(settings.SESSION_IDLE_STAFF_SECONDS, settings.SESSION_IDLE_SECONDS)
    if at_once or now() - request.session[SEEN] >= min(SEEN_EVERY_SECONDS, shortest // 10):
        request.session[SEEN] = now()


def times(request: HttpRequest) -> tuple[int, int]:
    """When the session was begun and its person last seen, in seconds of the epoch; long ago where it does not say."""
    started, seen = request.session.get(STARTED), request.session.get(SEEN)
    return (started, seen) if isinstance(started, int) and isinstance(seen, int) else (0, 0)


def over(request: HttpRequest) -> tuple[str, int] | None:
    """Why the session of a signed-in person is over and after how many seconds, or None while it goes on.

    The person is only looked up between the two limits: most requests come long before.
    """
    started, seen = times(request)
    if now() - started >= settings.SESSION_MAX_SECONDS:
        return FULL, settings.SESSION_MAX_SECONDS
    idle = now() - seen
    if idle < min(settings.SESSION_IDLE_STAFF_SECONDS, settings.SESSION_IDLE_SECONDS):
        return None
    limit = settings.SESSION_IDLE_SECONDS
    if idle < limit and request.user.is_authenticated:
        limit = idle_limit(request.user)
    return (IDLE, limit) if idle >= limit else None


def end(request: HttpRequest, why: str, seconds: int) -> None:
    """Sign the person out and leave the note. Under the same key: other tabs ask at the same moment, and must find it.

    The key is nobody's from now on, and the next login begins another.
    """
    note = {"user": int(request.session[SESSION_KEY]), "why": why, "seconds": seconds, "at": now()}
    for name in list(request.session.keys()):
        del request.session[name]
    request.session[NOTE] = encrypt_text(json.dumps(note), NOTE_CONTEXT)
    request.session.set_expiry(NOTE_SECONDS)
    request.user = AnonymousUser()


def ended(request: HttpRequest) -> Ended | None:
    """Whose session this browser had until it was over, for an hour; None for everybody else."""
    sealed = request.session.get(NOTE)
    if not sealed:
        return None
    try:
        note = json.loads(decrypt_text(sealed, NOTE_CONTEXT))
    except TamperedCiphertext:  # its key is gone from the ring
        return None
    return Ended(note["user"], note["why"], note["seconds"]) if now() - note["at"] < NOTE_SECONDS else None


def left(request: HttpRequest, user: User) -> dict[str, Any]:
    """What a page needs to know of its session: seconds that are left, how long before the end to warn, and whether
    the end is final (the whole time is used up) or going on would put it off."""
    started, seen = times(request)
    idle = idle_limit(user)
    until_idle, until_full = seen + idle - now(), started + settings.SESSION_MAX_SECONDS - now()
    warning = warning_before(idle)
    return {
        "left": max(0, min(until_idle, until_full)),
        "warning": warning,
        "final": until_full <= min(until_idle, warning),
    }


def mark_of(user: User) -> str:
    """The same for the same person, and nothing that could be known elsewhere."""
    return salted_hmac("accounts.sessions.mark", str(user.pk), algorithm="sha256").hexdigest()[:32]


class SessionLimits:
    """Ends a session that is over before anything looks at it, and notes that somebody is there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session and (reason := over(request)):
            end(request, *reason)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if SESSION_KEY in request.session and not getattr(view, "in_background", False):
            note_seen(request)


def for_pages(request: HttpRequest) -> dict[str, Any]:
    """Context processor: in how many seconds a page must ask for the first time how long its session has left, and in
    how many it is over for certain, should the server not answer. Neither asks for roles."""
    if SESSION_KEY not in getattr(request, "session", {}) or not isinstance(request.user, User):
        return {}
    started, seen = times(request)
    full = started + settings.SESSION_MAX_SECONDS
    shortest = min(settings.SESSION_IDLE_STAFF_SECONDS, settings.SESSION_IDLE_SECONDS)
    first = min(seen + shortest, full) - warning_before(shortest) - now()
    last = min(seen + settings.SESSION_IDLE_SECONDS, full) - now()
    times_of_page = {"session_asks_after": max(0, first), "session_ends_after": max(0, last)}
    return {**times_of_page, "session_mark": mark_of(request.user)}
