"""Where a request came from: the client's address behind our own proxies, and a number that finds its log lines."""

import logging
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

# Letters alone: nothing that masks digits in a log takes one for a number. No vowels: no words.
REQUEST_ID_LETTERS = "bcdfghjkmnpqrstvwxyz"
REQUEST_ID_LENGTH = 14  # short enough to be read out on the telephone, 20**14 of them
# What a proxy of ours may have numbered it with: nginx's $request_id, or a number of our own that went through it.
ACCEPTED_ID = re.compile(rf"[0-9a-f]{{32}}|[{REQUEST_ID_LETTERS}]{{{REQUEST_ID_LENGTH}}}")
# Some proxies write the client's port as well: 192.0.2.7:4711, [2001:db8::7]:4711.
WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


@dataclass(frozen=True)
class Origin:
    """Both are empty outside a request: an operator's command has neither."""

    address: str = ""
    request_id: str = ""


CURRENT: ContextVar[Origin] = ContextVar("origin")


def current() -> Origin:
    return CURRENT.get(Origin())


def client_address(meta: Mapping[str, Any], trusted_proxies: int) -> str:
    """The client's IP address, as `trusted_proxies` proxies of our own tell it; "" where there is none (a socket).

    Each of them appends to X-Forwarded-For the address that it was called from, so only that many entries from the
    right are ours. Everything left of them, or all of it when there are fewer, anybody can have written.
    """
    remote = plain_address(str(meta.get("REMOTE_ADDR", "")))
    entries = str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    if not trusted_proxies or len(entries) < trusted_proxies:
        return remote
    return plain_address(entries[-trusted_proxies].strip()) or remote


def plain_address(text: str) -> str:
    """An IP address in its one normal form, IPv4 also where it came mapped into IPv6; "" for anything else."""
    if found := WITH_PORT.fullmatch(text):
        text = found[1] or found[2]
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address).partition("%")[0]


def new_request_id() -> str:
    return get_random_string(REQUEST_ID_LENGTH, REQUEST_ID_LETTERS)


def request_id_of(meta: Mapping[str, Any], trusted_proxies: int) -> str:
    """The number that the proxy before us gave it, or a new one. Only a proxy of ours is believed, and only in its form."""
    said = str(meta.get("HTTP_X_REQUEST_ID", ""))
    return said if trusted_proxies and ACCEPTED_ID.fullmatch(said) else new_request_id()


class OriginMiddleware:
    """Outermost of all: whatever happens inside knows where the request came from. The answer names its number."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        proxies = settings.TRUSTED_PROXIES
        origin = Origin(client_address(request.META, proxies), request_id_of(request.META, proxies))
        request.request_id = origin.request_id  # type: ignore[attr-defined]
        token = CURRENT.set(origin)
        try:
            response = self.get_response(request)
        finally:
            CURRENT.reset(token)
        response["X-Request-ID"] = origin.request_id
        return response


class RequestIdFilter(logging.Filter):
    """Gives each log line the number of the request it belongs to, or "-".

    What Django says of an answer of 400 and more it says when the middleware is through, but with the request.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        said_of = getattr(getattr(record, "request", None), "request_id", "")
        record.request_id = current().request_id or said_of or "-"
        return True
