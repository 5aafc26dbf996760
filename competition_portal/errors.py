"""Our own error pages: in Chinese, without a query, with the right status."""

import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache

from accounts import origin
from accounts.limits import LimitReached
from competition_portal.unsaved import unsaved


def page(template: str, status: HTTPStatus, **more: Any) -> HttpResponse:
    """Rendered without a request, so that no context processor can touch a database that may be away.

    What a person has to tell whoever looks for the fault is the number of the request.
    """
    return HttpResponse(render_to_string(template, {"request_id": origin.current().request_id, **more}), status=status)


class NoBareAnswers:
    """Django refuses a wrong method with an empty page; a person who typed the address deserves a sentence.

    So does one who did something too often, wherever a view has no better place for it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            response.content = render_to_string("405.html").encode()
            # CommonMiddleware, further in, has counted the empty page: a browser would read no more than that.
            response["Content-Length"] = str(len(response.content))
        return response

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        return too_many(request, problem) if isinstance(problem, LimitReached) else None


@never_cache
def too_many(request: HttpRequest, refusal: LimitReached) -> HttpResponse:
    response = render(request, "429.html", {"refusal": refusal}, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(refusal.retry_after)
    return response


@never_cache
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Whatever the request has that no page of ours sends, a host of another's name included."""
    if isinstance(exception, RequestDataTooBig):
        return page("413.html", HTTPStatus.CONTENT_TOO_LARGE)
    if isinstance(exception, SessionInterrupted):  # ended in another window while this was on its way
        return page("400_session.html", HTTPStatus.BAD_REQUEST)
    return page("400.html", HTTPStatus.BAD_REQUEST)


@never_cache
def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page("403.html", HTTPStatus.FORBIDDEN)


@never_cache
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page("404.html", HTTPStatus.NOT_FOUND)


@never_cache
def server_error(request: HttpRequest) -> HttpResponse:
    """A database that is away is not our fault to apologise for but a state that passes: 503, come back soon."""
    if database_is_away(sys.exception()):
        return unavailable(request)
    return page("500.html", HTTPStatus.INTERNAL_SERVER_ERROR)


def database_is_away(problem: BaseException | None) -> bool:
    """Whether it, or what it was raised over, is the database's absence."""
    seen = problem
    while seen is not None and not isinstance(seen, (OperationalError, InterfaceError)):
        seen = seen.__cause__ or seen.__context__
    return seen is not None


def unavailable(request: HttpRequest) -> HttpResponse:
    """With what was typed, where a page of ours has sent it: the button sends it once more, under the same key."""
    address = request.get_full_path()
    context = {"target": address, "again": address if request.method == "GET" else "", **unsaved(request)}
    response = page("503.html", HTTPStatus.SERVICE_UNAVAILABLE, **context)
    response["Retry-After"] = "30"
    return response


@never_cache
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The usual cause is a page that lay open for long or was opened again after signing out in another tab."""
    return render(request, "403_csrf.html", status=HTTPStatus.FORBIDDEN)
