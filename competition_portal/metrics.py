"""/metrics: what this replica has counted over all its workers, and what the database knows, as Prometheus reads it."""

import logging
import time
from collections.abc import Iterable
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts.middleware import before_confirmation
from competition_portal import health, state_metrics
from competition_portal.exposition import CONTENT_TYPE, REFUSED, counted, is_allowed
from competition_portal.in_time import Question

logger = logging.getLogger(__name__)

KEPT = 15.0  # seconds that an answer of the database serves


def ask_state() -> list[Metric]:
    """What the database knows; a line for each time that it cannot be had, which is once in KEPT seconds."""
    try:
        return state_metrics.ask()
    except (OperationalError, InterfaceError) as problem:
        logger.warning("metrics: the database's figures are missing (%s)", type(problem).__name__)
        raise
    except Exception:
        logger.exception("metrics: the database's figures are missing")
        raise


STATE = Question(ask_state, KEPT)


class Found(Collector):
    """Families that were made a moment ago."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self.families = families

    def collect(self) -> Iterable[Metric]:
        return self.families


def asked() -> bytes:
    """What is asked now, in no more than health.PATIENCE seconds: who depends on whom, and what the database knows."""
    deadline = time.monotonic() + health.PATIENCE
    coming = STATE.begin()
    up = GaugeMetricFamily(
        "portal_dependency_up", "Whether what the portal depends on answers, as /readyz says", labels=["dependency"]
    )
    for name, word in health.ask_all().items():
        up.add_metric([name], word == "ok")
    try:
        families = coming.result(timeout=max(deadline - time.monotonic(), 0))
    except Exception:  # whatever it was is in the log
        families = []
    known = GaugeMetricFamily(
        "portal_state_known", "Whether the figures of the database are among these", bool(families)
    )
    registry = CollectorRegistry()
    registry.register(Found([up, known, *families]))
    return generate_latest(registry)


@login_not_required
@before_confirmation
def page(request: HttpRequest) -> HttpResponse:
    if not settings.METRICS_TOKEN:
        raise Http404
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if not is_allowed(request.headers.get("Authorization", "")):
        answer = HttpResponse(REFUSED, "text/plain; charset=utf-8", HTTPStatus.UNAUTHORIZED)
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    return HttpResponse(counted() + asked(), CONTENT_TYPE)
