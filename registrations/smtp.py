"""Mail over SMTP in bounded time: a server that drips its answers byte by byte does not hold a worker for hours."""

import io
import smtplib
import time
from functools import partial
from socket import socket
from typing import TYPE_CHECKING, Any

from django.core.mail.backends.smtp import EmailBackend

from accounts.deadline import UntilDeadline, connect_until

if TYPE_CHECKING:
    Smtp = smtplib.SMTP
else:
    Smtp = object


class Bounded(Smtp):
    """Before smtplib's classes, whose time limit begins anew with each byte. `deadline` is set anew for each mail."""

    file: Any
    sock: Any

    def __init__(self, *args: Any, timeout: float, **kwargs: Any) -> None:
        self.patience = timeout
        self.begin()
        super().__init__(*args, timeout=timeout, **kwargs)  # type: ignore[misc]

    def begin(self) -> None:
        self.deadline = time.monotonic() + self.patience

    def left(self) -> float:
        return max(self.deadline - time.monotonic(), 0.001)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket:
        return connect_until(self.deadline, partial(super()._get_socket, host, port, timeout))  # type: ignore[misc]

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            raw = self.sock.makefile("rb", buffering=0)
            self.file = io.BufferedReader(UntilDeadline(raw, self.sock, self.deadline))
        self.file.raw.deadline = self.deadline
        self.sock.settimeout(self.left())
        return super().getreply()

    def send(self, s: Any) -> None:
        if self.sock:
            self.sock.settimeout(self.left())
        super().send(s)


class PlainSMTP(Bounded, smtplib.SMTP):
    pass


class TlsSMTP(Bounded, smtplib.SMTP_SSL):
    pass


class BoundedBackend(EmailBackend):
    """Django's, with connections that end in time: `timeout` seconds to get in, and again for each mail."""

    connection: Any

    @property
    def connection_class(self) -> Any:
        return TlsSMTP if self.use_ssl else PlainSMTP

    def send_messages(self, email_messages: Any) -> int:
        if self.connection is not None:
            self.connection.begin()
        return super().send_messages(email_messages)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.begin()
        super().close()
