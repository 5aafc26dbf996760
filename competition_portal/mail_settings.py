"""Django's MAILERS: sent through a server in bounded time, or kept in a folder."""

from pathlib import Path
from typing import Any


def kept_in(folder: Path) -> dict[str, Any]:
    """For MAIL_FOLDER."""
    return {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "OPTIONS": {"file_path": str(folder)}}


def sent_through(host: str, port: int, *, user: str, password: str, security: str, timeout: int) -> dict[str, Any]:
    """For MAIL_HOST and what it is told; `timeout` in seconds."""
    return {
        "BACKEND": "registrations.smtp.BoundedBackend",
        "OPTIONS": {
            "host": host,
            "port": port,
            "username": user,
            "password": password,
            "use_tls": security == "starttls",
            "use_ssl": security == "tls",
            "timeout": timeout,
        },
    }
