"""Load that does not wait for answers: requests go out at a fixed rate, over connections that are kept, in one process.

Everything is cut short: no redirects, no parsing beyond the status line, the length and one header. It goes to
127.0.0.1 only, from many addresses of this machine, as many people do; how much goes out is bounded.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MOST_AT_ONCE = 3000
PATIENCE = 20.0  # seconds, after which an answer is taken for lost
ADDRESSES = 100


@dataclass
class Visit:
    """One request: its bytes, and what is done with its answer."""

    name: str
    request: bytes
    then: Callable[["Answer"], None] = lambda answer: None


@dataclass
class Answer:
    """`due` is when it had to be asked, on the monotonic clock; `waited` counts from there, in seconds."""

    name: str
    due: float
    waited: float
    status: int  # 0 where there was none
    location: bytes = b""


class Connection(asyncio.Protocol):
    """HTTP/1.1 with one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.parts: list[bytes] = []
        self.size = 0
        self.need = 0  # bytes of the whole answer; 0 as long as that is not known
        self.answer: asyncio.Future[bytes] | None = None
        self.gone = self.closes = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, problem: Exception | None) -> None:
        self.gone = True
        if self.answer and not self.answer.done():
            self.answer.set_exception(ConnectionResetError())

    def ask(self, request: bytes) -> "asyncio.Future[bytes]":
        self.parts, self.size, self.need = [], 0, 0
        self.answer = asyncio.get_running_loop().create_future()
        self.write(request)
        return self.answer

    def data_received(self, data: bytes) -> None:
        self.parts.append(data)
        self.size += len(data)
        if not self.need:
            head, found, _ = b"".join(self.parts).partition(b"\r\n\r\n")
            if not found:
                return
            before, length, after = head.lower().partition(b"\r\ncontent-length:")
            self.need = len(head) + 4 + int(after.partition(b"\r\n")[0]) if length else -1
            self.closes = b"\r\nconnection: close" in head.lower()
        whole = self.size == self.need or self.need < 0 and data.endswith(b"0\r\n\r\n")
        if whole and self.answer and not self.answer.done():
            self.answer.set_result(b"".join(self.parts))

    def write(self, data: bytes) -> None:
        if self.transport:
            self.transport.write(data)

    def end(self) -> None:
        if self.transport:
            self.transport.abort()


@dataclass
class Load:
    """A crowd before one origin."""

    origin: str
    trusted: Path
    idle: list[Connection] = field(default_factory=list)
    opened: int = 0
    lags: list[float] = field(default_factory=list)  # seconds from when a request had to go out to when it did
    at_once: int = 0

    def __post_init__(self) -> None:
        self.context = ssl.create_default_context(cafile=str(self.trusted))
        host, _, port = self.origin.removeprefix("https://").partition(":")
        self.host, self.port = host, int(port)
        if self.host != "127.0.0.1":
            raise SystemExit("This load is for 127.0.0.1 alone.")

    async def connection(self) -> Connection:
        while self.idle:
            found = self.idle.pop()
            if not found.gone:
                return found
        self.opened += 1
        source = (f"127.0.1.{self.opened % ADDRESSES + 1}", 0)
        _, made = await asyncio.get_running_loop().create_connection(
            Connection, self.host, self.port, ssl=self.context, local_addr=source, server_hostname=self.host
        )
        return made

    async def ask(self, visit: Visit, due: float) -> Answer:
        answer = Answer(visit.name, due, 0.0, 0)
        self.at_once += 1
        connection = None
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                connection = await self.connection()
                self.lags.append(time.monotonic() - due)
                text = await connection.ask(visit.request)
            answer.status = int(text[9:12])
            _, found, rest = text.partition(b"\r\n\r\n")[0].lower().partition(b"\r\nlocation: ")
            answer.location = rest.partition(b"\r\n")[0] if found else b""
            if not connection.closes:
                self.idle.append(connection)
        if connection and (answer.status == 0 or connection.closes):
            connection.end()
        answer.waited = time.monotonic() - due
        self.at_once -= 1
        visit.then(answer)
        return answer

    async def at_rate(self, visits: Iterator[Visit], rate: float, seconds: float) -> list[Answer]:
        """So many a second, whatever becomes of them; those that would be too many at once are counted as lost."""
        began = time.monotonic()
        asked: list[asyncio.Task[Answer]] = []
        lost: list[Answer] = []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (early := due - time.monotonic()) > 0.001:
                await asyncio.sleep(early)
            elif number % 20 == 0:
                await asyncio.sleep(0)
            if self.at_once >= MOST_AT_ONCE:
                lost.append(Answer("", due, 0.0, 0))
            else:
                asked.append(asyncio.create_task(self.ask(next(visits), due)))
        return [*await asyncio.gather(*asked), *lost]

    async def at_once_for(self, visits: Iterator[Visit], people: int, seconds: float) -> list[Answer]:
        """So many people, each of whom asks again when answered: what the server can do at most."""
        until = time.monotonic() + seconds
        found: list[Answer] = []

        async def one() -> None:
            while time.monotonic() < until:
                found.append(await self.ask(next(visits), time.monotonic()))

        await asyncio.gather(*(one() for _ in range(people)))
        return found

    async def drip(self, number: int, until: float) -> int:
        """Sends a byte a second, half of them of a header that never ends, half of a body. How often it was let go."""
        let_go = 0
        while time.monotonic() < until:
            with suppress(OSError):
                made: Connection
                _, made = await asyncio.get_running_loop().create_connection(
                    Connection, self.host, self.port, ssl=self.context, server_hostname=self.host,
                    local_addr=(f"127.0.2.{number % ADDRESSES + 1}", 0),
                )  # fmt: skip
                rest = b"X-Slow: " if number % 2 else b"Content-Length: 100000\r\n\r\na="
                made.write(b"POST /profile/ HTTP/1.1\r\nHost: 127.0.0.1\r\n" + rest)
                while time.monotonic() < until and not made.gone:
                    await asyncio.sleep(1)
                    made.write(b"a")
                let_go += made.gone
                made.end()
        return let_go

    def close(self) -> None:
        for connection in self.idle:
            connection.end()
