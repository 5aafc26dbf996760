"""What is being done in this context, a request's view or a task, and what it has cost the database so far."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Work:
    """`name` is a view's name or a task's path, never an address: there are as many of them as the code has."""

    name: str = ""
    queries: int = 0
    database_seconds: float = 0.0


CURRENT: ContextVar[Work | None] = ContextVar("work", default=None)


def name() -> str:
    """Of what is being done here, or ""."""
    work = CURRENT.get()
    return work.name if work else ""
