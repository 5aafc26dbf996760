"""What the application server is told beside its options: its log lines are masked as ours are."""

from typing import Any

from gunicorn.glogging import Logger

from accounts.redaction import RedactingFilter

PROBES = {"/healthz", "/readyz"}  # competition_portal/health.py


class RedactingLogger(Logger):
    """The access log has every address, and the address of the callback has the login's code and state."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.addFilter(RedactingFilter())

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """Without the probes that went well: every few seconds a line that says nothing."""
        if environ.get("PATH_INFO") in PROBES and resp.status.startswith("200"):
            return
        super().access(resp, req, environ, request_time)


logger_class = RedactingLogger
# Gunicorn's own, and at its end the number of the request, as the portal's answer names it (accounts/origin.py).
access_log_format = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %({x-request-id}o)s'

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
