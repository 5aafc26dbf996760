"""The upgrade under load: its short form, and that it would say so if something had failed."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bench import visitors

ROOT = Path(__file__).resolve().parent.parent


def phase(name: str = "upgrade", gets: int = 5, failures: tuple[str, ...] = ()) -> visitors.Phase:
    return visitors.Phase(name, done=Counter(GET=gets), failures=list(failures))


def test_a_run_without_fault_has_nothing_to_say() -> None:
    assert visitors.verdict([phase()], Counter(a=2), Counter(a=3)) == []


@pytest.mark.parametrize(
    ("phases", "acknowledged", "found", "said"),
    [
        ([phase(failures=("GET 502", "GET 502"))], Counter(a=1), Counter(a=1), ["upgrade: 2 x GET 502"]),
        ([phase(gets=0)], Counter(a=1), Counter(a=1), ["upgrade: nobody asked anything"]),
        ([phase()], Counter(), Counter(), ["nothing was submitted"]),
        ([phase()], Counter(a=2, b=1), Counter(a=1, b=9), ["1 acknowledged submissions are missing"]),
    ],
)
def test_whatever_went_wrong_is_said(phases, acknowledged, found, said) -> None:
    assert visitors.verdict(phases, acknowledged, found) == said


@pytest.mark.skipif("sqlite" in os.environ.get("DATABASE_URL", "sqlite"), reason="half a minute, and PostgreSQL: once")
def test_a_later_release_and_back_again_under_load_with_nothing_failed() -> None:
    """In a process of its own, with a database of its own: it starts, migrates and ends servers."""
    variables = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DATA_DIR"}}
    command = [sys.executable, "-m", "bench.rolling", "--short"]
    answer = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=500)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.endswith("0 failed requests, nothing missing.\n")
    assert [line.split("|")[1].strip() for line in answer.stdout.splitlines()[2:10]] == [
        *("before", "migrate to the later release", "upgrade: replica 1", "upgrade: replica 2", "upgrade: done"),
        *("back: replica 1", "back: replica 2", "back: done"),
    ]
