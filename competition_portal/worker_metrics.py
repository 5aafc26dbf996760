"""How tasks go, and the port on which a worker tells it: /metrics with the same token as the portal's."""

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import Counter, Histogram

from accounts.metrics import REGISTRY
from accounts.work import Work
from competition_portal import exposition, queries

logger = logging.getLogger(__name__)

RUNS = Counter("portal_task_runs_total", "Tasks run, by task and outcome", ["task", "outcome"], registry=REGISTRY)
SECONDS = Histogram(
    "portal_task_seconds",
    "How long tasks took, by task",
    ["task"],
    buckets=(0.05, 0.25, 1, 5, 15, 60, 300),
    registry=REGISTRY,
)
CHORE_FAILURES = Counter(
    "portal_chore_failures_total", "Chores of workers that failed, by chore", ["chore"], registry=REGISTRY
)
PATIENCE = 5  # seconds for whoever asks to say what


def note(work: Work, outcome: str, took: float) -> None:
    RUNS.labels(work.name, outcome).inc()
    SECONDS.labels(work.name).observe(took)
    queries.observe(work)


def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """A WSGI application. It asks no database: a worker that waits for one still says so."""
    plain = ("Content-Type", "text/plain; charset=utf-8")
    if (environ["PATH_INFO"], environ["REQUEST_METHOD"]) != ("/metrics", "GET"):
        start_response("404 Not Found", [plain])
        return ["这里只有 /metrics。\n".encode()]
    if not exposition.is_allowed(environ.get("HTTP_AUTHORIZATION", "")):
        start_response("401 Unauthorized", [plain, ("WWW-Authenticate", "Bearer")])
        return [exposition.REFUSED.encode()]
    start_response("200 OK", [("Content-Type", exposition.CONTENT_TYPE), ("Cache-Control", "no-store")])
    return [exposition.counted()]


class Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, *said: Any) -> None:
        """Nothing: it would write past the log, and one line for every scrape."""


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.info("a question for metrics was given up", exc_info=True)


@contextmanager
def served(port: int, address: str = "") -> Iterator[int]:
    """While a worker works; the port, or 0 where none is wanted. OSError where it cannot be had."""
    if not port:
        yield 0
        return
    with make_server(address, port, answer, server_class=Server, handler_class=Handler) as server:
        threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
