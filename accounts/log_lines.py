"""How a log line is written: one line for each message, with a time that says its zone."""

import json
import logging
import re
from datetime import datetime
from typing import Any

from accounts import work
from accounts.redaction import redact

LINE = "{asctime} {levelname} {name} {request_id} {message}"
# What a terminal or a log collector takes for the end of a line, or for an order to move about on the screen.
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
CONTROLS |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t", 0x2028: "\\u2028", 0x2029: "\\u2029"}


class LineFormatter(logging.Formatter):
    """Nobody can write a false line: a line's end that came in with a value is written as `\\n`.

    Only the traceback below a message keeps its own lines; each of them is set in, so that none looks like a message.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(LINE, style="{")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  (logging's name)
        return datetime.fromtimestamp(record.created).astimezone().isoformat(sep=" ", timespec="milliseconds")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return super().formatMessage(record).translate(CONTROLS)

    def format(self, record: logging.LogRecord) -> str:
        first, *rest = super().format(record).splitlines()
        return "\n".join([first, *(f"    {line}" for line in rest)])


class JsonFormatter(logging.Formatter):
    """One JSON object in one line for each message, its traceback included; for a collector that takes lines for records.

    What is masked of a message (accounts/redaction.py) is masked of the other texts, too.
    """

    # What a line may say beside its message (`extra=` of the call), where it says it.
    MEASURES = ("method", "status", "bytes", "duration_ms", "queries", "database_ms")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        if doing := getattr(record, "view", "") or work.name():
            said["view"] = doing
        said |= {name: getattr(record, name) for name in self.MEASURES if hasattr(record, name)}
        if trace := self.trace(record):
            said["exception"] = trace
        return ODD.sub(as_escape, json.dumps(masked(said), ensure_ascii=False, default=str))

    def trace(self, record: logging.LogRecord) -> str:
        trace = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")
        return "\n".join(filter(None, [trace, record.stack_info]))


def masked(said: dict[str, Any]) -> dict[str, Any]:
    """The number of a request stays: it has digits, but none of a person."""
    return {
        name: redact(value) if isinstance(value, str) and name not in {"time", "request_id"} else value
        for name, value in said.items()
    }


# JSON escapes no more than the controls below the space: not what else ends a line, nor half a character.
ODD = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def as_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
