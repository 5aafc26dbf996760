"""Log lines: one for each message, whatever stands in it, with the zone of its time, to one place alone."""

import io
import logging
import re
import time

import pytest
from django.conf import settings
from django.test import Client

from accounts.log_lines import LineFormatter
from accounts.origin import RequestIdFilter
from accounts.redaction import RedactingFilter

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (WARNING|ERROR) [\w.]+ (-|[a-z]{14}) (.*)")
FORGED = "2026-05-20 12:00:00.000+08:00 WARNING accounts.views - login of u-abcdef"
ENDS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029", "\x1b[2K\r", "\x00\n", "\x08"]


@pytest.fixture
def log():
    """What the portal's own handler writes: with the formatter and the filters that the settings name, in their order."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(RequestIdFilter())
    handler.addFilter(RedactingFilter())
    handler.setFormatter(LineFormatter())
    loggers = [logging.getLogger(name) for name in ("django", "accounts", "competition_portal")]
    for logger in loggers:
        logger.addHandler(handler)
    yield written.getvalue
    for logger in loggers:
        logger.removeHandler(handler)


def messages(text):
    """The message of each line; fails for a line that is none. A traceback's lines are set in."""
    found = [LINE.fullmatch(line) for line in text.splitlines() if not line.startswith("    ")]
    assert None not in found, text
    return [match[3] for match in found]


@pytest.mark.parametrize("end", ENDS)
def test_no_value_makes_a_second_line(log, end):
    logging.getLogger("accounts").warning("refused %s", f"a{end}{FORGED}")
    (line,) = messages(log())
    assert (line.startswith("refused a\\"), line.endswith(FORGED)) == (True, True)
    assert line.isprintable()


@pytest.mark.parametrize("address", ["/nothing/%0d%0a", "/plans/%0A", "/registrations/x%E2%80%A8", "/plans/%1b%5b2K"])
def test_nor_does_an_address(db, log, applicant, sign_in, address):
    sign_in(applicant).get(f"{address}{FORGED.replace(' ', '%20')}/")
    found = messages(log())
    assert 1 <= len(found) <= 2
    assert [line for line in found if line.startswith("login of")] == []


def test_nor_does_what_a_platform_or_a_header_says(db, log):
    Client(raise_request_exception=False).get("/", headers={"host": f"evil.example\r\n{FORGED}"})
    Client().get("/accounts/callback/", {"state": f"\r\n{FORGED}", "error": f"\n{FORGED}"})
    found = messages(log())
    assert found != []
    assert [line for line in found if line.startswith("login of")] == []


def test_a_traceback_is_set_in(log):
    try:
        raise ValueError(f"broken\n{FORGED}")
    except ValueError:
        logging.getLogger("accounts").exception("failed")
    first, *rest = log().splitlines()
    assert messages(first) == ["failed"]
    assert rest[0] == "    Traceback (most recent call last):"
    assert rest[-2:] == ["    ValueError: broken", f"    {FORGED}"]
    assert [line for line in rest if not line.startswith("    ")] == []


@pytest.mark.parametrize(("zone", "shown"), [("Asia/Shanghai", "08:00:00.250+08:00"), ("UTC", "00:00:00.250+00:00")])
def test_a_time_says_its_zone(monkeypatch, zone, shown):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        record = logging.LogRecord("accounts", logging.WARNING, "", 0, "said", (), None)
        record.created, record.request_id = 1_767_225_600.25, "-"
        assert LineFormatter().format(record) == f"2026-01-01 {shown} WARNING accounts - said"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_every_logger_writes_to_the_standard_error_alone():
    """The configuration's one handler, and no logger that brings another; nothing is written to a file or sent away."""
    configured = settings.LOGGING
    assert configured["handlers"] == {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id", "redacted"],
        }
    }
    assert configured["formatters"] == {"line": {"()": "accounts.log_lines.LineFormatter"}}
    names = [handler for logger in configured["loggers"].values() for handler in logger.get("handlers", [])]
    assert {*names, *configured["root"]["handlers"]} == {"stderr"}
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    ours = [handler for logger in loggers for handler in logger.handlers if isinstance(handler, logging.StreamHandler)]
    ours = [
        handler for handler in ours if type(handler).__module__ in {"logging", "logging.handlers", "django.utils.log"}
    ]
    assert ours != []
    assert {(type(handler), type(handler.formatter)) for handler in ours} == {(logging.StreamHandler, LineFormatter)}
