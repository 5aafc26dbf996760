"""A replica that writes down what it is sent, and answers, keeps waiting or dies as a test says."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
Behaviour = Callable[[str], bytes | None]  # the answer to a request's first line; None hangs up without one


def answers(line: str) -> bytes:
    return ANSWER


def dies(line: str) -> None:
    return None


@dataclass
class Gate:
    """A behaviour that answers as many as are let through, and nobody before."""

    places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def let(self, number: int) -> None:
        self.places.release(number)

    def open(self) -> None:
        self.let(10_000)

    def __call__(self, line: str) -> bytes:
        self.places.acquire(timeout=30)
        return ANSWER


@dataclass
class Recorder:
    """`lines` are the first lines of all requests but the probes', in the order of their coming."""

    origin: str
    lines: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)  # as far as they came with the head


@contextmanager
def recorder(behave: Behaviour = answers, port: int = 0) -> Iterator[Recorder]:
    with socket.create_server(("127.0.0.1", port), backlog=512) as listener:
        found = Recorder(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def serve(client: socket.socket) -> None:
            with client, suppress(OSError):
                head = b""
                while b"\r\n\r\n" not in head:
                    some = client.recv(65536)
                    if not some:
                        return
                    head += some
                text, _, body = head.decode("latin-1").partition("\r\n\r\n")
                line = text.partition("\r\n")[0]
                if "/healthz" in line:
                    client.sendall(ANSWER)
                    return
                found.lines.append(line)
                found.heads.append(text.lower() + "\r\n")
                found.bodies.append(body)
                if answer := behave(line):
                    client.sendall(answer)

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=[client], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield found
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
