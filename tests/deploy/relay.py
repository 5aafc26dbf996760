"""A network between the portal and its PostgreSQL that relays, swallows what is sent without a word, or refuses."""

import enum
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHUNK = 65536
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds: whoever is at the other end is told at once


class Way(enum.Enum):
    RELAY = "relay"
    SWALLOW = "swallow"  # takes connections and bytes, passes on nothing, says nothing, hangs up nothing
    REFUSE = "refuse"


class Line:
    """One connection. Once a byte of it was swallowed it is deaf for good: a stream with a gap does not go on.

    Neither end learns of it, nor of the other's goodbye: PostgreSQL keeps the session, with its transaction and locks.
    """

    def __init__(self, client: socket.socket, server: socket.socket | None) -> None:
        self.client, self.server = client, server
        self.deaf = server is None

    def reset(self) -> None:
        for end in filter(None, (self.client, self.server)):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Relay:
    """On a port of 127.0.0.1, to a socket of PostgreSQL."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)
        self.way = Way.RELAY
        self.lines: list[Line] = []
        self.trap = b""
        self.trapped = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self.listener.getsockname()[1]
        self.begin(self.accept)

    def turn(self, way: Way) -> None:
        if Way.REFUSE in (way, self.way) and way != self.way:
            self.close() if way == Way.REFUSE else self.open()
        self.way = way

    def swallow_after(self, words: bytes) -> None:
        """From the moment when a client has sent these, which still arrive: their answer is the first that does not."""
        self.trapped.clear()
        self.trap = words

    def open(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.begin(self.accept)

    def close(self) -> None:
        """The port refuses, and whoever is connected is told."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept()
        self.listener.close()
        for line in self.lines:
            line.reset()
        self.lines.clear()

    def begin(self, work, *arguments) -> None:
        threading.Thread(target=work, args=arguments, name="relay", daemon=True).start()

    def accept(self) -> None:
        listener = self.listener
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                self.connect(client)

    def connect(self, client: socket.socket) -> None:
        server = None
        if self.way == Way.RELAY:
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.target)
            except OSError:
                Line(client, server).reset()
                return
        line = Line(client, server)
        self.lines.append(line)
        self.begin(self.pump, line, client, server)
        if server is not None:
            self.begin(self.pump, line, server, client)

    def pump(self, line: Line, source: socket.socket, target: socket.socket | None) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if line.deaf or self.way != Way.RELAY or target is None:
                    line.deaf = True
                    continue
                if caught := bool(self.trap) and self.trap in data and target is line.server:
                    self.trap, self.way = b"", Way.SWALLOW
                target.sendall(data)
                if caught:
                    self.trapped.set()
            if self.way == Way.RELAY and not line.deaf and target is not None:
                target.shutdown(socket.SHUT_WR)
            else:
                line.deaf = True  # a goodbye that nobody hears


@contextmanager
def relay(target: Path) -> Iterator[Relay]:
    between = Relay(target)
    try:
        yield between
    finally:
        between.close()
