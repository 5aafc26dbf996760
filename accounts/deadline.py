"""HTTP requests whose answer ends at a deadline, however slowly it drips."""

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter


class UntilDeadline(io.RawIOBase):
    """Reads a socket and waits for no byte past the deadline.

    The time limit of `requests` begins anew with each byte that arrives: one byte a second is never too slow for it.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        super().__init__()
        self.raw, self.sock, self.deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("past the deadline")
        self.sock.settimeout(min(left, self.sock.gettimeout() or left))
        return self.raw.readinto(buffer)

    def close(self) -> None:
        self.raw.close()
        super().close()


def bounded(connection: Any, deadline: float) -> type[Any]:
    """The connection class, reading status line, headers and body under one deadline."""

    class Answer(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp = io.BufferedReader(UntilDeadline(self.fp.detach(), sock, deadline))

    return type("BoundedConnection", (connection,), {"response_class": Answer})


class DeadlineAdapter(HTTPAdapter):
    def __init__(self, deadline: float) -> None:
        super().__init__()
        self.deadline = deadline

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = bounded(pool.ConnectionCls, self.deadline)
        return pool


@contextmanager
def session_until(deadline: float) -> Iterator[requests.Session]:
    """A session for one request, all of whose answer arrives before `deadline` (time.monotonic()), or Timeout."""
    with requests.Session() as session:
        for scheme in ("https://", "http://"):
            session.mount(scheme, DeadlineAdapter(deadline))
        yield session
