"""Run every test twice: on SQLite, then on PostgreSQL. Whatever follows on the command line goes to pytest."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import FrameType
from typing import NoReturn

from scripts import browser, debian
from scripts.children import ROOT
from scripts.postgres import temporary_postgres

PATIENCE = 20  # seconds that pytest has for clearing up


def stop(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def workers() -> str:
    """As many as the cores, but no more than what a browser each leaves memory for."""
    return str(min(os.cpu_count() or 1, 8))


def run(database: str, environment: Mapping[str, str], arguments: Sequence[str]) -> int:
    """pytest's exit code: 0 only if there were tests and all of them passed."""
    print(f"\n———— {database} ————", flush=True)
    command = [sys.executable, "-m", "pytest", "-n", workers(), *arguments]
    with tempfile.TemporaryDirectory(prefix="portal-tests-") as folder:
        own = {**environment, "DATA_DIR": folder}
        process = subprocess.Popen(command, cwd=ROOT, env=own, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            return process.wait()
        except KeyboardInterrupt:
            end(process)
            raise


def end(process: subprocess.Popen[bytes]) -> None:
    """Let pytest clear up: Ctrl+C has reached us alone, since it has a session of its own."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_postgres(url: str) -> bool:
    return url.startswith(("postgres:", "postgresql:"))


def main(arguments: Sequence[str]) -> int:
    """0 if both runs passed. Both take place, whatever the first one finds."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    browser.provide()
    debian.provide_all()
    given = os.environ.pop("DATABASE_URL", "")
    codes = {"SQLite": run("SQLite", os.environ, arguments)}
    with ExitStack() as stack:
        url = given if is_postgres(given) else stack.enter_context(temporary_postgres())
        codes["PostgreSQL"] = run("PostgreSQL", {**os.environ, "DATABASE_URL": url}, arguments)
    for database, code in codes.items():
        print(f"{database}：{'全部通过' if code == 0 else f'没有通过（pytest 返回 {code}）'}", flush=True)
    return 1 if any(codes.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("测试已中断。")
