"""Count and time what a request or a task asks of the database, tell what is slow, and give each statement its number."""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection
from prometheus_client import Counter, Histogram

from accounts import origin
from accounts.metrics import REGISTRY
from accounts.work import CURRENT, Work

logger = logging.getLogger(__name__)

QUERIES = Histogram(
    "portal_database_queries",
    "Statements of one request or task, by view or task",
    ["view"],
    buckets=(2, 4, 6, 10, 20, 50, 200),
    registry=REGISTRY,
)
SECONDS = Histogram(
    "portal_database_seconds",
    "Time that one request or task waited for the database, by view or task",
    ["view"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 1, 5),
    registry=REGISTRY,
)
SLOW = Counter(
    "portal_slow_queries_total", "Statements slower than SLOW_QUERY_MS, by view or task", ["view"], registry=REGISTRY
)
LONGEST_SHAPE = 1500
TEXT = re.compile(r"'(?:[^']|'')*'")
NUMBER = re.compile(r"(?<![\w.\"])\d+(?:\.\d+)?\b")
LIST = re.compile(r"(?:%s|\?)(?:, (?:%s|\?))+")
COMMENT = re.compile(r"/\*.*?\*/\s*")


def shape(sql: str) -> str:
    """A statement without a value: the ones that the ORM writes into it itself are taken out, a list is as long as any."""
    bare = NUMBER.sub("?", TEXT.sub("?", COMMENT.sub("", sql)))
    return " ".join(LIST.sub("…", bare).split())[:LONGEST_SHAPE]


class Watch:
    """An execute wrapper (Django's “database instrumentation”) for one piece of work."""

    def __init__(self, work: Work) -> None:
        self.work = work
        number = origin.current().request_id
        # In front, where the server's list of what runs cuts nothing off. Letters and digits: nothing to be escaped.
        self.mark = f"/* request {number} */ " if number and connection.vendor == "postgresql" else ""

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(self.mark + sql if isinstance(sql, str) else sql, params, many, context)
        finally:
            self.note(sql, time.perf_counter() - began)

    def note(self, sql: Any, took: float) -> None:
        self.work.queries += 1
        self.work.database_seconds += took
        if took * 1000 >= settings.SLOW_QUERY_MS:
            SLOW.labels(self.work.name).inc()
            logger.warning(
                "slow query: %.0f ms in %s: %s",
                *(took * 1000, self.work.name or "-", shape(str(sql))),
                extra={"duration_ms": round(took * 1000, 1)},
            )


@contextmanager
def watched(work: Work) -> Iterator[None]:
    """What is done in this context is this work, and its statements are counted."""
    token = CURRENT.set(work)
    try:
        with connection.execute_wrapper(Watch(work)):
            yield
    finally:
        CURRENT.reset(token)


def observe(work: Work) -> None:
    """When it is done. What asked nothing says nothing."""
    if work.queries:
        QUERIES.labels(work.name).observe(work.queries)
        SECONDS.labels(work.name).observe(work.database_seconds)
