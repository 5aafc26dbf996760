"""Tasks for the tests of the worker."""

import time
from pathlib import Path

from django.tasks import task


@task
def leave_mark(path: str) -> None:
    with Path(path).open("a") as file:
        file.write("x")


@task
def hold(path: str) -> None:
    """Says that it has begun, and ends when it is let: a worker can be killed in its middle."""
    with Path(path).open("a") as file:
        file.write("b")
    while not Path(f"{path}.go").exists():
        time.sleep(0.05)
    with Path(path).open("a") as file:
        file.write("e")


@task
def fail(path: str) -> None:
    raise RuntimeError("no place for 11010519491231002X\n  nor for someone@example.cn")
