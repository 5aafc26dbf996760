"""HTTP requests whose answer ends at a deadline, however slowly it drips."""

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

# So many connections may be on their way at once in this process: one whose name server hangs keeps its thread.
UNDERWAY = threading.BoundedSemaphore(32)

# Of one answer, head and body as they come. Whoever asks bounds what it reads of the body; but not all that urllib3 reads
# is asked for: to a chunk whose length is -1 it reads on to the end.
WIRE_BYTES = 1024 * 1024


class UntilDeadline(io.RawIOBase):
    """Reads a socket, waits for no byte past the deadline, and takes no more than WIRE_BYTES.

    The time limit of `requests` begins anew with each byte that arrives: one byte a second is never too slow for it.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        super().__init__()
        self.raw, self.sock, self.deadline = raw, sock, deadline
        self.left = WIRE_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("past the deadline")
        if self.left <= 0:
            raise ConnectionAbortedError("more than an answer may be")
        self.sock.settimeout(min(left, self.sock.gettimeout() or left))
        count = self.raw.readinto(buffer)
        self.left -= count or 0
        return count

    def close(self) -> None:
        self.raw.close()
        super().close()


def connect_until(deadline: float, connect: Callable[[], socket.socket]) -> socket.socket:
    """What `connect` returns, or TimeoutError at the deadline.

    In a thread, because nothing can end the look-up of a name, and a name with several addresses gets the time limit
    of `requests` for each of them. A connection that comes too late is closed by whoever made it.
    """
    coming: Future[socket.socket] = Future()

    def run() -> None:
        try:
            coming.set_result(connect())
        except BaseException as problem:
            coming.set_exception(problem)
        finally:
            UNDERWAY.release()

    if not UNDERWAY.acquire(blocking=False):
        raise ConnectionRefusedError("too many connections are still being made")
    try:
        threading.Thread(target=run, name="connect", daemon=True).start()
    except RuntimeError as problem:  # there is no room for one
        UNDERWAY.release()
        raise ConnectionRefusedError("no thread is left to connect") from problem
    try:
        return coming.result(timeout=max(deadline - time.monotonic(), 0))
    except TimeoutError:
        coming.add_done_callback(close_late)
        raise


def close_late(late: Future[socket.socket]) -> None:
    if not late.exception():
        late.result().close()


def bounded(connection: Any, deadline: float, opened: list[HTTPResponse]) -> type[Any]:
    """The connection class: name, connection, handshake, status line, headers and body under one deadline.

    Each answer is appended to `opened`: urllib3 forgets to close one whose headers it refuses.
    """

    class Answer(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp = io.BufferedReader(UntilDeadline(self.fp.detach(), sock, deadline))
            opened.append(self)

    def new_conn(self: Any) -> socket.socket:
        try:
            sock = connect_until(deadline, lambda: connection._new_conn(self))
        except TimeoutError as problem:
            raise ConnectTimeoutError(self, "past the deadline") from problem
        except ConnectionRefusedError as problem:
            raise NewConnectionError(self, str(problem)) from problem
        sock.settimeout(max(deadline - time.monotonic(), 0.001))  # for the TLS handshake as a whole
        return sock

    return type("BoundedConnection", (connection,), {"response_class": Answer, "_new_conn": new_conn})


class DeadlineAdapter(HTTPAdapter):
    def __init__(self, deadline: float) -> None:
        super().__init__()
        self.deadline = deadline
        self.opened: list[HTTPResponse] = []

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = bounded(pool.ConnectionCls, self.deadline, self.opened)
        return pool

    def close(self) -> None:
        super().close()
        for answer in self.opened:
            answer.close()


class Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: where an answer points is nobody's business here.

        Without this `requests` reads the whole of a redirect, unpacked, before it hands over the answer that was to be
        streamed: to prepare what `allow_redirects=False` forbids.
        """


def as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


@contextmanager
def session_until(deadline: float) -> Iterator[requests.Session]:
    """A session for one request, all of whose answer arrives before `deadline` (time.monotonic()), or Timeout."""
    with Session() as session:
        session.auth = as_it_is  # else a .netrc on the machine would put its own login in place of our bearer token
        for scheme in ("https://", "http://"):
            session.mount(scheme, DeadlineAdapter(deadline))
        yield session
