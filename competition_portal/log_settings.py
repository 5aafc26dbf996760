"""Django's LOGGING: one handler, which numbers and masks every line and writes it to the standard error."""

from typing import Any

FORMATTERS = {"json": "accounts.log_lines.JsonFormatter", "text": "accounts.log_lines.LineFormatter"}


def logging_of(level: str, form: str) -> dict[str, Any]:
    """For LOG_LEVEL and LOG_FORMAT."""
    ours = {"handlers": ["stderr"], "level": level}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": FORMATTERS[form]}},
        "filters": {
            "request_id": {"()": "accounts.origin.RequestIdFilter"},
            "redacted": {"()": "accounts.redaction.RedactingFilter"},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id", "redacted"]}
        },
        "root": ours,
        # Named again, because Django's own configuration gives both of them handlers that mask nothing.
        "loggers": {name: {**ours, "propagate": False} for name in ("django", "django.server")}
        # At DEBUG they repeat what is personal: the whole context of a page, the tags and bytes of a photo.
        | {name: {"level": level if level != "DEBUG" else "INFO"} for name in ("django.template", "PIL")}
        # The worker says itself what it has done (competition_portal/worker.py), in one line instead of four.
        | {name: {"level": "ERROR" if level == "ERROR" else "WARNING"} for name in ("django.tasks", "django_tasks_db")},
    }
