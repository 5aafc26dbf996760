"""What each request was and cost: counted, timed, told when it was slow, and passed on to the application server's log."""

import logging
import sys
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Gauge, Histogram

from accounts.metrics import REGISTRY
from accounts.work import Work, name
from competition_portal import queries

logger = logging.getLogger(__name__)

REQUESTS = Counter(
    "portal_requests_total",
    "Requests answered, by view, method and class of status",
    ["view", "method", "status"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "portal_request_seconds",
    "From the first look at a request to the head of its answer, by view",
    ["view"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
    registry=REGISTRY,
)
IN_PROGRESS = Gauge(
    "portal_requests_in_progress", "Requests being answered", multiprocess_mode="livesum", registry=REGISTRY
)
SLOW = Counter(
    "portal_slow_requests_total", "Requests slower than SLOW_REQUEST_MS, by view", ["view"], registry=REGISTRY
)
FAILURES = Counter(
    "portal_failures_total", "Exceptions that no view has caught, by view and kind", ["view", "kind"], registry=REGISTRY
)
METHODS = {"GET", "HEAD", "POST", "OPTIONS"}  # whatever else somebody calls it is "other"
UNMATCHED, STATIC = "unmatched", "static"
PROBES = {"readyz", "metrics"}  # they wait as long as they may for what is away, and say it themselves


class RequestMeter:
    """Directly within OriginMiddleware, so that its lines have the number, and around everything that takes time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        work, began = Work(), time.perf_counter()
        with IN_PROGRESS.track_inprogress(), queries.watched(work):
            response = self.get_response(request)
            work.name = view_of(request)
            took = time.perf_counter() - began
            note(request, response, work, took)
        if settings.DEBUG:
            response["Server-Timing"] = server_timing(work, took)
        return response

    def process_view(self, request: HttpRequest, *rest: Any) -> None:
        """From here on it has a name, which the lines of the view already say."""
        if work := queries.CURRENT.get():
            work.name = view_of(request)


def view_of(request: HttpRequest) -> str:
    """The name of its view, never its address: a bounded number of words, and nobody's reference among them."""
    if request.resolver_match:
        return request.resolver_match.view_name
    return STATIC if request.path_info.startswith(settings.STATIC_URL) else UNMATCHED


def note(request: HttpRequest, response: HttpResponse, work: Work, took: float) -> None:
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(work.name, method, f"{response.status_code // 100}xx").inc()
    SECONDS.labels(work.name).observe(took)
    queries.observe(work)
    database_ms = round(work.database_seconds * 1000, 1)
    # In the server's environ, where deploy/gunicorn.conf.py finds it for the one line that each request has.
    request.META |= {"portal.view": work.name, "portal.queries": work.queries, "portal.database_ms": database_ms}
    if took * 1000 >= settings.SLOW_REQUEST_MS and work.name not in PROBES:
        SLOW.labels(work.name).inc()
        logger.warning(
            "slow request: %.0f ms in %s, %d queries of %.0f ms",
            *(took * 1000, work.name, work.queries, database_ms),
            extra={
                "method": method,
                "status": response.status_code,
                "duration_ms": round(took * 1000, 1),
                "queries": work.queries,
                "database_ms": database_ms,
            },
        )


def server_timing(work: Work, took: float) -> str:
    """For the network panel of a developer's browser (Server-Timing, W3C)."""
    return f'total;dur={took * 1000:.1f}, db;dur={work.database_seconds * 1000:.1f};desc="{work.queries} queries"'


def count_failure(sender: Any, request: HttpRequest | None = None, **signal: Any) -> None:
    """Connected to got_request_exception, while the exception is the current one."""
    kind = sys.exception()
    FAILURES.labels(name() or UNMATCHED, type(kind).__name__ if kind else "unknown").inc()


got_request_exception.connect(count_failure, dispatch_uid="competition_portal.request_metrics")
