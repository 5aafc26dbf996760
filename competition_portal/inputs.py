"""Refuse what no page of ours makes a browser send, before anybody looks at it: NUL characters, endless queries."""

from collections.abc import Callable
from urllib.parse import unquote

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse

NUL = "\x00"
# Bytes. The longest query of ours is the platform's answer at the callback, below 2 KB; SQLite refuses to search for
# 50,000. The application server has its own limit beyond this one (deploy/gunicorn.conf.py), without a page.
MOST_QUERY = 4096


class InputMiddleware:
    """PostgreSQL has no text with a NUL in it, so a search or a session of that name would end as our failure.

    Here are the path, the query and the cookies, whose values may be quoted. Form fields refuse it themselves.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if len(request.META.get("QUERY_STRING", "")) > MOST_QUERY:
            raise SuspiciousOperation("query too long")
        if has_nul(request):
            raise SuspiciousOperation("NUL in path, query or cookie")
        return self.get_response(request)


def has_nul(request: HttpRequest) -> bool:
    texts = [request.path, unquote(request.META.get("QUERY_STRING", ""))]
    texts += [text for cookie in request.COOKIES.items() for text in cookie]
    return any(NUL in text for text in texts)
