"""Bad lines: slow, cut, or one on which what is asked arrives and no answer comes back."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from playwright.sync_api import Page


@dataclass
class Line:
    origin: str
    server: tuple[str, int]
    deaf: bool = False

    def carry(self, client: socket.socket) -> None:
        with client, socket.create_connection(self.server) as server:
            threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
            self.pump(server, client, True)

    def pump(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        """Until one side ends, or there is an answer that nobody shall hear."""
        with suppress(OSError):
            while (data := source.recv(65536)) and not (answers and self.deaf):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def line_to(origin: str) -> Iterator[Line]:
    host, port = origin.removeprefix("http://").split(":")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = Line(f"http://{host}:{listener.getsockname()[1]}", (host, int(port)))

        def take() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=line.carry, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=take, daemon=True).start()
        yield line
        listener.shutdown(socket.SHUT_RDWR)


def network(page: Page) -> Callable[..., None]:
    """Call it to say what the line is like: `uploadThroughput` in bytes a second, `offline`; usual without either.

    One session for all: what another one has set stays in force beside it.
    """
    line = page.context.new_cdp_session(page)
    usual = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.enable")
    return lambda **conditions: line.send("Network.emulateNetworkConditions", {**usual, **conditions}) and None


def stop(page: Page) -> None:
    """The browser's own Stop."""
    page.context.new_cdp_session(page).send("Page.stopLoading")


def come_back(page: Page) -> None:
    """What a page is told that was left and comes back as it was, out of the browser's memory."""
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
