"""A log line when somebody who is signed in asks for what is not theirs: who, for which page, with which answer."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

REFUSED = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


class RefusedAccess:
    """To a stranger another person's thing does not exist, so a 404 is noted like a 403 (docs/security.md, 16.3.2).

    The line says the page's name and none of the address: together with the number of the request it finds the line
    in which Django names the address.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code in REFUSED:
            note_refused_access(request, str(response.status_code))
        return response


def note_refused_access(request: HttpRequest, answer: str) -> None:
    """For a page of ours alone: an address that leads nowhere says nothing of what somebody wanted."""
    page = request.resolver_match.view_name if request.resolver_match else ""
    if page and SESSION_KEY in request.session and request.user.is_authenticated:
        logger.warning("access refused: %s asked for %s: %s", request.user.get_username(), page, answer)
