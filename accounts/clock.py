"""Now, by the one clock that all replicas share: the database's. On SQLite there is one machine, and its clock.

`now()` is for verdicts: whether a deadline has passed is answered alike by every replica, however its own clock goes.
`near()` is for pages, which only show what a verdict would be: the same clock, read once a minute and carried on by
the process's own count of seconds, so that it costs no query and does not follow a wall clock that jumps.
"""

import threading
import time
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

READ_EVERY = 60.0  # seconds; by quartz, a tenth of a millisecond goes wrong meanwhile, a few at the worst


class Reading:
    """The last one of this process: what the database said, and at which of our own seconds."""

    lock = threading.Lock()
    said: datetime | None = None
    at = 0.0


def now() -> datetime:
    """Aware. Asked of the database at this moment: whoever waited for a lock has a later one than who held it."""
    if connection.vendor != "postgresql":
        return timezone.now()
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        said: datetime = cursor.fetchone()[0]
    with Reading.lock:
        Reading.said, Reading.at = said, (asked + time.monotonic()) / 2
    return said


def near() -> datetime:
    """Aware, and as good as now(): half the time that an answer of the database takes, at the worst."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with Reading.lock:
        said, elapsed = Reading.said, time.monotonic() - Reading.at
    return now() if said is None or elapsed >= READ_EVERY else said + timedelta(seconds=elapsed)


def drift() -> float:
    """Seconds by which the database's clock is ahead of this machine's; 0 where they are one."""
    if connection.vendor != "postgresql":
        return 0.0
    before = time.time()
    said = now().timestamp()
    return said - (before + time.time()) / 2
