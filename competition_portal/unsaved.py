"""What was typed into a form that could not be saved because the database is away: it goes back to its page.

Nothing here asks a database. Whether the form came from a page of ours is told by the cookie alone: what a stranger
wrote must not stand behind a button of ours.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token

from accounts import once


class QuietCheck(CsrfViewMiddleware):
    """Says no without a page and without a line in the log: somebody else answers."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(status=403)


def any_view(request: HttpRequest) -> HttpResponse:
    """The check asks a view for an exemption alone."""
    return HttpResponse()


def came_from_us(request: HttpRequest) -> bool:
    check = QuietCheck(any_view)
    check.process_request(request)
    request.csrf_processing_done = False  # type: ignore[attr-defined]  # may have been said before the database failed
    return check.process_view(request, any_view, (), {}) is None


def unsaved(request: HttpRequest) -> dict[str, Any]:
    """For the page 503.html: the fields, with the key under which they were sent; nothing for what no form has sent."""
    if request.method != "POST":
        return {}
    try:
        if not came_from_us(request):
            return {}
        fields, files = once.hidden_fields(request, with_key=True), bool(request.FILES)
    except Exception:  # a body that broke off cannot be shown; and this is an error page already
        return {}
    return {"sent": True, "fields": fields, "files": files, "token": get_token(request)}
