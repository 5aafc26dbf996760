"""/healthz and /readyz: whether this process lives, and whether what it depends on answers. For machines, not for people."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve
from django.views.decorators.http import require_safe

from accounts.middleware import before_confirmation
from competition_portal import dependencies
from competition_portal.in_time import Question

logger = logging.getLogger(__name__)

PATIENCE = 2.0  # seconds for all of them together; whoever asks is answered within three
KEPT = 1.0
# Without these no page can be served. What else is away makes the portal slower or poorer, not useless.
NEEDED = {"database", "migrations"}


def database() -> dict[str, str]:
    """The four that are in it, on one connection. The worker's beat is told apart by the database's own clock."""
    dependencies.ask_database()
    pending = dependencies.pending_migrations()
    found = {"database": "ok", "migrations": "pending" if pending else "ok"}
    found["clock"] = "ok" if dependencies.clock_is_right() else "wrong"
    return found | {"worker": "unknown" if pending else "ok" if dependencies.living_workers() else "none"}


def cache() -> dict[str, str]:
    dependencies.ask_cache()
    return {"cache": "ok"}


def storage() -> dict[str, str]:
    dependencies.ask_storage()
    return {"storage": "ok"}


# Who asks, and the names that share the fate of the question. Found by name when asked, so that a test can put in another.
QUESTIONS: list[tuple[Question[dict[str, str]], list[str]]] = [
    (Question(lambda: database(), KEPT), ["database", "migrations", "clock", "worker"]),
    (Question(lambda: cache(), KEPT), ["cache"]),
    (Question(lambda: storage(), KEPT), ["storage"]),
]


def answer_of(coming: Future[dict[str, str]], names: list[str], deadline: float) -> dict[str, str]:
    """Each name with a word. What the dependency itself said is not repeated: it has addresses and accounts in it."""
    try:
        return coming.result(timeout=max(deadline - time.monotonic(), 0))
    except TimeoutError:
        return dict.fromkeys(names, "timeout" if not coming.done() else "unreachable")
    except Exception:
        return dict.fromkeys(names, "unreachable")


def ask_all() -> dict[str, str]:
    deadline = time.monotonic() + PATIENCE
    coming = [(question.begin(), names) for question, names in QUESTIONS]
    found: dict[str, str] = {}
    for answer, names in coming:
        found |= answer_of(answer, names, deadline)
    return found


class Diary:
    """One line when something has gone or come back, instead of one for every probe. How it is away may change often."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known: dict[str, str] = {}

    def note(self, found: Mapping[str, str]) -> None:
        with self.lock:
            changed = {
                name: word for name, word in found.items() if (self.known.get(name, "ok") == "ok") != (word == "ok")
            }
            self.known = dict(found)
        for name, word in changed.items():
            logger.warning("readyz: %s is %s", name, word)


DIARY = Diary()


@require_safe
@login_not_required
@before_confirmation
def alive(request: HttpRequest) -> HttpResponse:
    """The process takes requests. It touches nothing: who cannot reach the database is not helped by a restart."""
    return JsonResponse({"status": "ok"})


@require_safe
@login_not_required
@before_confirmation
def ready(request: HttpRequest) -> HttpResponse:
    """200 when requests can be served, else 503; each dependency by name with ok, pending, wrong, none, timeout, unreachable."""
    found = ask_all()
    DIARY.note(found)
    well = all(found[name] == "ok" for name in NEEDED)
    response = JsonResponse(
        {"status": "ok" if well else "unavailable", "checks": found},
        status=HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE,
    )
    response._has_been_logged = True  # type: ignore[attr-defined]  # else Django writes a line for every probe
    return response


ADDRESSES = {"/healthz", "/readyz", "/metrics"}


class HealthMiddleware:
    """Answers these before anybody asks for a host's name, https or a session.

    A probe comes from the cluster itself: over plain http, to an address instead of a name, without a cookie.
    """

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info not in ADDRESSES:
            return self.get_response(request)
        match = resolve(request.path_info)
        request.resolver_match = match  # by whose name it is measured
        return match.func(request)
