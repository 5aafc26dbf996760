"""How long to go on trying to send something, and when next. Pure."""

from datetime import datetime, timedelta
from enum import Enum

# Minutes until the next try, after the first, the second …; the last one again and again.
PAUSES = (1, 5, 25, 60)
MOST_REFUSALS = 3


class Fault(Enum):
    """Whose fault it is that something was not sent, and how long that is borne (from the message's own time)."""

    SERVER = timedelta(days=3)  # it is away, slow, or does not let us in: a weekend is survived
    LATER = timedelta(hours=24)  # it takes others, but not this one, not now: a full mailbox, say
    REFUSED = timedelta(hours=23)  # it never will, it says; asked again twice, because servers say so too easily


class NotSent(Exception):
    """Raised by whoever carries a message out. `code` goes into the database and the log: never an address or a text."""

    def __init__(self, fault: Fault, code: str) -> None:
        super().__init__(code)
        self.fault, self.code = fault, code


def next_try(fault: Fault, attempts: int, first: datetime, now: datetime) -> datetime | None:
    """When to try again after `attempts` tries, or None when it is time to give up. All moments are aware."""
    pause = timedelta(minutes=PAUSES[min(attempts, len(PAUSES)) - 1])
    if fault is Fault.REFUSED and attempts >= MOST_REFUSALS:
        return None
    return now + pause if now + pause <= first + fault.value else None
