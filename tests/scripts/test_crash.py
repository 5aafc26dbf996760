"""The crash run in its short form: nothing that was acknowledged is lost; and the same run, on a careless server, sees a loss.

Once only, in the PostgreSQL run: it starts a PostgreSQL and a gunicorn of its own.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent


def crash(*more: str) -> tuple[int, dict[str, str]]:
    """The exit code, and the table that it prints."""
    if connection.vendor != "postgresql":
        pytest.skip("the PostgreSQL run has it")
    command = [sys.executable, "-m", "bench.crash", *more]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    rows = dict(re.findall(r"^\| ([^|]+) \| \**([^|*]+)\** \|$", run.stdout, re.MULTILINE))
    assert rows, run.stderr
    return run.returncode, rows


def test_nothing_that_was_acknowledged_is_lost_or_doubled():
    code, rows = crash("--kills", "6", "--submissions", "150")
    found = {name: rows[name] for name in ("acknowledged and lost", "doubled", "refused or given up")}
    assert (code, found) == (0, dict.fromkeys(found, "0")), rows
    assert rows["killed by SIGKILL"] == "6: 2 worker, 2 backend, 2 postgres"
    assert rows["acknowledged"].startswith("150 of 150")


def test_the_run_sees_a_loss_where_there_is_one():
    code, rows = crash("--kills", "3", "--submissions", "90", "--synchronous-commit", "off")
    assert (code, int(rows["acknowledged and lost"]) > 0) == (1, True), rows
