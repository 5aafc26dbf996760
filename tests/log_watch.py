"""Reads every log line of the test run before any filter does, and knows the people of the tests when it meets one."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import format_exception

from accounts.identity import HALF_WIDTH, is_filler
from accounts.redaction import message_of
from tests import people

# What can be a number: 18 characters, or a passport of ours. Overlapping, for a digit may stand before it.
CANDIDATES = (re.compile(r"(?=([0-9]{17}[0-9X]))"), re.compile(r"(?=(E[0-9]{8}))"))
# Those that pass nothing on to the root logger.
LOGGERS = ("", "django", "django.server")


def planted_in(text: str) -> set[str]:
    """The document numbers of our people that a text contains, however they are written."""
    compact = "".join(char for char in text.translate(HALF_WIDTH) if not is_filler(char)).upper()
    return {number for shape in CANDIDATES for number in shape.findall(compact) if number in people.PLANTED}


class LogWatch(logging.Handler):
    """Keeps what it found: raising here would change what the code under test does."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = message_of(record)
        if record.exc_info and record.exc_info[1] is not None:
            text += "".join(format_exception(record.exc_info[1]))
        if planted_in(text):
            self.found.append(f"{record.name}: {text}")

    def hang(self) -> list[str]:
        """Watch every logger from now on; the names of those that nobody watched."""
        unwatched = [name for name in LOGGERS if self not in logging.getLogger(name).handlers]
        for name in unwatched:
            logging.getLogger(name).addHandler(self)
        return unwatched

    @contextmanager
    def installed(self) -> Iterator["LogWatch"]:
        self.hang()
        try:
            yield self
        finally:
            for name in LOGGERS:
                logging.getLogger(name).removeHandler(self)
