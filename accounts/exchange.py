"""One exchange with the platform: what it answers, bounded in time, size and kind."""

import json
import time
from email.message import Message
from typing import Any

import requests
from django.conf import settings

from accounts.deadline import session_until

# For everything that one step of a login asks, however slowly the platform drips: a page within six.
EXCHANGE_SECONDS = 5
ANSWER_BYTES = 256 * 1024


class NotAcceptable(ValueError):
    """The platform's answer breaks a rule. The text is a word of our own, never the platform's: it may be logged."""


class Exchange:
    """The questions of one login share one deadline (time.monotonic())."""

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = time.monotonic() + EXCHANGE_SECONDS if deadline is None else deadline
        self.date = ""  # what the last answer said of the time, for whoever compares clocks

    @property
    def seconds_left(self) -> float:
        return max(self.deadline - time.monotonic(), 0)

    def at_most(self, seconds: float) -> "Exchange":
        """A part of this exchange that must leave time for the rest."""
        return Exchange(min(self.deadline, time.monotonic() + seconds))

    def ask(self, method: str, url: str, **kwargs: Any) -> dict[str, Any]:
        """The JSON object that the platform answers. Never waits past the deadline.

        Raises requests.RequestException where the platform is away, slow or broken, ValueError where it says
        something else than a JSON object with status 200.
        """
        timeout = min(settings.OIDC_TIMEOUT, self.seconds_left)
        if not timeout:
            raise requests.Timeout("exchange took too long")
        with (
            session_until(self.deadline) as session,
            session.request(method, url, timeout=timeout, stream=True, allow_redirects=False, **kwargs) as response,
        ):
            self.date = response.headers.get("Date", "")
            body = read_bounded(response)
        if response.status_code >= 500:
            raise requests.ConnectionError(f"status {response.status_code}")
        if response.status_code != 200:
            raise NotAcceptable(f"status {response.status_code}")
        if not is_json(response.headers.get("Content-Type", "")):
            raise NotAcceptable("content type")
        try:
            answer = json.loads(body)
        except RecursionError:
            raise NotAcceptable("too deep") from None
        if not isinstance(answer, dict):
            raise NotAcceptable("not an object")
        return answer

    def finds(self, url: str) -> bool:
        """Whether a page is there for a browser: anything but silence, a fault of the server's, or nothing."""
        timeout = min(settings.OIDC_TIMEOUT, self.seconds_left)
        try:
            with (
                session_until(self.deadline) as session,
                session.get(url, timeout=timeout, stream=True, allow_redirects=False) as response,
            ):
                return response.status_code < 500 and response.status_code not in {404, 410}
        except (requests.RequestException, ValueError):
            return False


def read_bounded(response: requests.Response) -> bytes:
    body = b""
    for piece in response.iter_content(8192):
        body += piece
        if len(body) > ANSWER_BYTES:
            raise NotAcceptable("answer too long")
    return body


def is_json(content_type: str) -> bool:
    """RFC 8259 and RFC 6839, 3.1. A signed userinfo (application/jwt) is not what we asked for."""
    header = Message()
    header["Content-Type"] = content_type or "text/plain"
    kind = header.get_content_type()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
