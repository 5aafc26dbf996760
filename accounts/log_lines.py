"""How a log line is written: one line for each message, with a time that says its zone."""

import logging
from datetime import datetime
from typing import Any

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
