"""What the application server is told beside its options: its log lines are masked and written as the portal's are, and
its workers count into one folder.
"""

import os
import shutil
import tempfile
from typing import Any

from gunicorn.glogging import Logger

from accounts.log_lines import JsonFormatter
from accounts.origin import ACCEPTED_ID
from accounts.redaction import RedactingFilter

# competition_portal/health.py and metrics.py: asked by machines, every few seconds.
PROBES = {"/healthz", "/readyz", "/metrics"}
# As the settings have it (LOG_FORMAT), which are not read here: this file is, before there is a portal.
IS_JSON = (os.environ.get("LOG_FORMAT", "").strip().lower() or "json") == "json"
# What the portal has left in the environ of the request (competition_portal/request_metrics.py).
LEFT = {"view": "portal.view", "queries": "portal.queries", "database_ms": "portal.database_ms"}


class RedactingLogger(Logger):
    """The access log has every address, and the address of the callback has the login's code and state."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.addFilter(RedactingFilter())
                if IS_JSON:
                    handler.setFormatter(JsonFormatter())

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """Without the probes that went well: every few seconds a line that says nothing."""
        if environ.get("PATH_INFO") in PROBES and resp.status.startswith("200"):
            return
        if not IS_JSON:
            super().access(resp, req, environ, request_time)
        elif self.access_log_enabled:
            asked = f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}"
            self.access_log.info(asked, extra=measures(resp, environ, request_time.total_seconds()))


def measures(resp: Any, environ: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The one line that every request has, also one that never reached the portal. Neither query, address nor agent."""
    number = next((value for name, value in resp.headers if name.lower() == "x-request-id"), "")
    return {
        "method": environ.get("REQUEST_METHOD"),
        "status": int(str(resp.status).split()[0]),
        "bytes": getattr(resp, "sent", None),
        "duration_ms": round(seconds * 1000, 1),
        "request_id": number if ACCEPTED_ID.fullmatch(number) else "-",
        **{name: environ[left] for name, left in LEFT.items() if left in environ},
    }


logger_class = RedactingLogger
# Gunicorn's own, and at its end the number of the request, as the portal's answer names it (accounts/origin.py).
access_log_format = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %({x-request-id}o)s'

# --- Metrics: a folder for the counts of all workers, docs/adr/0026-what-is-measured.md --------------------------------

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own name; it asks when it is imported, so this comes before
MEMORY = "/dev/shm"  # noqa: S108  where also a container with a root that cannot be written to has room
made_here = ""
if os.environ.get("METRICS_TOKEN", "").strip() and not os.environ.get(SHARED):
    made_here = os.environ[SHARED] = tempfile.mkdtemp(
        prefix="portal-metrics-", dir=MEMORY if os.path.isdir(MEMORY) else None
    )


def child_exit(server: Any, worker: Any) -> None:
    """What a worker has counted stays, also of one that was killed; what it had in progress is over."""
    if os.environ.get(SHARED):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    """Of the first of all processes, unless another has taken over its sockets and counts on."""
    if made_here and not server.reexec_pid:
        shutil.rmtree(made_here, ignore_errors=True)


# Bytes of a request line, number and bytes of header fields: what is longer is refused before the portal sees it.
# Our own limit for a query (competition_portal/inputs.py) is lower, and has a page.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
# Seconds without a sign of life of a worker. The slowest of what we do, reading a photo, takes about two.
timeout = 30
# Connections that no worker has taken yet. The queue is before us (haproxy.cfg) and passes on no more than there are
# threads; without it, whoever finds no place here is told by the proxy instead of waiting for minutes.
backlog = 64
# Who may say in a header that the request came by https is the portal's question (TRUSTED_PROXIES), not the server's.
forwarded_allow_ips = ""
# Seconds in which requests that have come are finished after SIGTERM; nobody is let in any more. More than the slowest
# answer, less than what compose and the cluster wait before they kill (stop_grace_period, terminationGracePeriodSeconds).
graceful_timeout = 25
