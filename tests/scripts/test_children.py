"""No process outlives its supervisor: neither when that ends in order, nor when it is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.children import ROOT, Children

# Holds a pipe's writing end until it ends, and says on it when it is ready.
CHILD = """
import os, sys, time
os.write(int(sys.argv[1]), b"!")
while True:
    time.sleep(60)
"""
SUPERVISOR = """
import os, sys, time
from pathlib import Path
from scripts.children import Children
writing = int(sys.argv[1])
with Children() as children:
    log = Path(sys.argv[2])
    children.start("child", ["child", str(writing)], log=log, environment=dict(os.environ), descriptors=[writing])
    os.close(writing)
    while True:
        time.sleep(60)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """In it, the module `child` can be started."""
    (tmp_path / "child.py").write_text(CHILD)
    return {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}


def test_leaving_ends_all(environment: dict[str, str], tmp_path: Path):
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as life:
        with Children() as children:
            child = children.start(
                "child",
                ["child", str(writing)],
                log=tmp_path / "log",
                environment=environment,
                descriptors=[writing],
            )
            os.close(writing)
            assert life.read(1) == b"!"
            assert not child.ended()
        assert life.read() == b""
    assert child.process.returncode == -signal.SIGTERM


def test_a_killed_supervisor_takes_its_children_along(environment: dict[str, str], tmp_path: Path):
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as life:
        supervisor = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, str(writing), tmp_path / "log"], env=environment, pass_fds=[writing]
        )
        os.close(writing)
        assert life.read(1) == b"!"
        supervisor.kill()
        assert supervisor.wait() == -signal.SIGKILL
        assert life.read() == b""


def test_a_child_that_fails_says_why(environment: dict[str, str], tmp_path: Path):
    with Children() as children:
        child = children.start("child", ["there_is_no_such_module"], log=tmp_path / "log", environment=environment)
        child.process.wait()
        assert child.failed()
        assert child.last_words(1) == "ImportError: No module named there_is_no_such_module"
