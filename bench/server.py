"""The portal as the image serves it, on loopback: gunicorn in front of a PostgreSQL, each with its process."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench import accounting
from bench.accounting import Memory

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds until it must answer
SERVE = "--config deploy/gunicorn.conf.py --worker-class gthread --workers 2 --threads 4 --no-control-socket".split()


@dataclass(frozen=True)
class Server:
    """Where it is, and the processes whose use is counted."""

    port: int
    portal: int
    database: int
    cache: Sequence[int] = ()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> tuple[float, float]:
        """Milliseconds so far, of the portal, and of the database with the cache."""
        return accounting.cpu(self.portal), sum(map(accounting.cpu, [self.database, *self.cache]))

    def workers(self) -> list[Memory]:
        """Of each worker; what it has started to decode photos is not in it."""
        return [accounting.memory(worker) for worker in accounting.children(self.portal)]


@contextmanager
def served(folder: Path, database_url: str, cache: Sequence[int] = ()) -> Iterator[Server]:
    """Its log (portal.log) is in `folder`. It reads the environment of this process. `cache` are a Redis' processes."""
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "portal.log").open("w") as log:
        command = [sys.executable, "-m", "gunicorn", "competition_portal.wsgi:application", *SERVE]
        command += ["--bind", f"fd://{listener.fileno()}"]
        descriptors = [listener.fileno()]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, pass_fds=descriptors)  # noqa: S603
        try:
            server = Server(listener.getsockname()[1], process.pid, postmaster(database_url), cache)
            wait_for(server)
            yield server
        finally:
            process.terminate()
            process.wait(PATIENCE)


def wait_for(server: Server) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if requests.get(f"{server.origin}/healthz", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise SystemExit("gunicorn did not start")


def postmaster(url: str) -> int:
    """The first process of a PostgreSQL of scripts/postgres.py, whose folder stands in its address."""
    folder = url.partition("@/")[2].rpartition("/")[0]
    return int((Path(folder) / "data" / "postmaster.pid").read_text().split()[0])
