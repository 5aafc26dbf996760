"""What the application server is told beside its options: its log lines are masked as ours are."""

from typing import Any

from gunicorn.glogging import Logger

from accounts.redaction import RedactingFilter


class RedactingLogger(Logger):
    """The access log has every address, and the address of the callback has the login's code and state."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.addFilter(RedactingFilter())


logger_class = RedactingLogger
