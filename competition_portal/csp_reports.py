"""Where browsers say what the content security policy blocked: one short line each, and nothing of the person."""

import json
import logging
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts import limits, origin
from accounts.middleware import before_confirmation

logger = logging.getLogger(__name__)

MOST_BYTES = 8 * 1024
MOST_LINES = 5  # of one request: browsers gather several reports
PER_ADDRESS = {"times": 20, "seconds": 60}
IN_ALL = {"times": 100, "seconds": 60}
DIRECTIVE = re.compile(r"[a-z-]{1,40}")
KEYWORD = re.compile(r"[a-z-]{1,30}")  # inline, eval, wasm-eval, data, blob, trusted-types-sink …
HOST = re.compile(r"[a-z0-9.:\[\]-]{1,100}")


class NoReport(ValueError):
    """What was sent is not what a browser reports."""


@csrf_exempt
@require_POST
@login_not_required
@before_confirmation
def csp_report(request: HttpRequest) -> HttpResponse:
    """204 for a report in either form (CSP Level 3, 5.3 and 5.5); anybody can send one, so nothing of it is believed."""
    if too_often():
        return HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS)
    try:
        sent = request.read(MOST_BYTES + 1)
    except (UnreadablePostError, OSError):
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    if len(sent) > MOST_BYTES:
        return HttpResponse(status=HTTPStatus.CONTENT_TOO_LARGE)
    try:
        lines = [line_about(report) for report in reports(request.content_type or "", sent)]
    except UnknownType:
        return HttpResponse(status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    except NoReport:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    for line in lines[:MOST_LINES]:
        logger.warning("csp: %s", line)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


class UnknownType(Exception):
    """The content type is that of neither form."""


def too_often() -> bool:
    """Without a line in the record: it would be one that anybody can write."""
    address = origin.current().address
    return bool(
        limits.spend("csp", address, **PER_ADDRESS, audited=False)
        or limits.spend("csp-all", "everybody", **IN_ALL, audited=False)
    )


def reports(content_type: str, sent: bytes) -> list[tuple[Any, Any]]:
    """(directive, what was blocked) of each report. Raises UnknownType or NoReport."""
    if content_type not in {"application/csp-report", "application/reports+json"}:
        raise UnknownType
    try:
        content = json.loads(sent)
        if content_type == "application/csp-report":
            body = content["csp-report"]
            return [(body.get("effective-directive") or body["violated-directive"], body["blocked-uri"])]
        bodies = [report["body"] for report in content if report["type"] == "csp-violation"]
        return [(body["effectiveDirective"], body["blockedURL"]) for body in bodies]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as problem:
        raise NoReport from problem


def line_about(report: tuple[Any, Any]) -> str:
    """`script-src-elem blocked https://example.com`: the directive and the origin, never a path, a query or a sample.

    Raises NoReport.
    """
    directive, blocked = report
    if not isinstance(directive, str) or not isinstance(blocked, str):
        raise NoReport
    name = (directive.split() or [""])[0].lower()
    if not DIRECTIVE.fullmatch(name):
        raise NoReport
    return f"{name} blocked {origin_of(blocked)}"


def origin_of(blocked: str) -> str:
    word = blocked.strip().lower()
    if not word or KEYWORD.fullmatch(word):
        return word or "nothing"
    try:
        parts = urlsplit(word)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "something"
    if parts.scheme in {"http", "https", "ws", "wss"}:
        return f"{parts.scheme}://{host}" if HOST.fullmatch(host) else "something"
    return parts.scheme if KEYWORD.fullmatch(parts.scheme) else "something"
