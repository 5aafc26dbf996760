"""JSON lines: one object in one line whatever comes in, masked as the others are, with what a collector sorts by."""

import io
import json
import logging
import os
import subprocess
import sys
from datetime import datetime

import pytest

from accounts import origin, work
from accounts.identity import Sex
from accounts.log_lines import JsonFormatter
from accounts.origin import RequestIdFilter
from accounts.redaction import RedactingFilter
from competition_portal.log_settings import logging_of
from tests.accounts.test_log_lines import ENDS, FORGED
from tests.people import resident_number

NUMBER = resident_number(611, sex=Sex.MALE)


@pytest.fixture
def log():
    """`log()` are the objects that the portal's handler has written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(RequestIdFilter())
    handler.addFilter(RedactingFilter())
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("of.these.tests")
    logger.propagate = False
    logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logger.removeHandler(handler)


LOGGER = logging.getLogger("of.these.tests")


def test_a_line_says_when_who_and_what(log):
    token = origin.CURRENT.set(origin.Origin("", "bcdfghjkmnpqrs"))
    doing = work.CURRENT.set(work.Work("plans:list"))
    try:
        LOGGER.warning("said %s", "二次", extra={"duration_ms": 12.5, "queries": 3, "unknown": "left away"})
    finally:
        origin.CURRENT.reset(token)
        work.CURRENT.reset(doing)
    (line,) = log()
    moment = datetime.fromisoformat(line.pop("time"))
    assert moment.tzinfo and abs((datetime.now(moment.tzinfo) - moment).total_seconds()) < 60
    assert line == {
        "level": "WARNING",
        "logger": "of.these.tests",
        "message": "said 二次",
        "request_id": "bcdfghjkmnpqrs",
        "view": "plans:list",
        "duration_ms": 12.5,
        "queries": 3,
    }


def test_outside_a_request_it_says_so(log):
    LOGGER.warning("a command")
    (line,) = log()
    assert (line["request_id"], "view" in line) == ("-", False)


@pytest.mark.parametrize("odd", [*ENDS, '"}\n{"', "\\", "\x9b"])
def test_no_value_makes_a_second_line_or_breaks_one(log, odd):
    LOGGER.warning("refused %s", f"a{odd}{FORGED}")
    (line,) = log()
    assert line["message"] == f"refused a{odd}{FORGED}"


def test_half_a_character_can_be_written():
    """Alone: whoever else reads this record of the test could not write it."""
    line = JsonFormatter().format(logging.makeLogRecord({"name": "x", "msg": "half \ud800"}))
    assert json.loads(line.encode())["message"] == "half \ud800"


def test_a_traceback_is_in_the_object(log):
    try:
        raise ValueError(f"broken\n{FORGED}")
    except ValueError:
        LOGGER.exception("failed")
    (line,) = log()
    first, *_, last = line["exception"].splitlines()
    assert (line["message"], first, last) == ("failed", "Traceback (most recent call last):", FORGED)


def test_what_is_masked_of_a_message_is_masked_of_everything(log, log_watch):
    try:
        raise ValueError(f"no place for {NUMBER}")
    except ValueError:
        LOGGER.exception("number %s", NUMBER, extra={"method": NUMBER, "view": NUMBER}, stack_info=True)
    (line,) = log()
    assert (NUMBER in json.dumps(line), line["message"]) == (False, "number [证件号码]")
    assert (line["method"], line["view"]) == ("[证件号码]", "[证件号码]")
    assert "no place for [证件号码]" in line["exception"]


def test_a_number_of_a_request_is_never_masked(log):
    """One that nginx has made may have so many digits in a row."""
    number = "1101051949123100211010519491231b"
    token = origin.CURRENT.set(origin.Origin("", number))
    try:
        LOGGER.warning("said")
    finally:
        origin.CURRENT.reset(token)
    assert [line["request_id"] for line in log()] == [number]


def test_the_settings_have_it():
    """Configured for real, in a logger tree of its own."""
    found = logging_of("INFO", "json")
    assert found["formatters"] == {"line": {"()": "accounts.log_lines.JsonFormatter"}}
    assert found["handlers"]["stderr"]["filters"] == ["request_id", "redacted"]
    assert logging_of("INFO", "text")["formatters"] == {"line": {"()": "accounts.log_lines.LineFormatter"}}


def test_a_command_in_production_writes_json(tmp_path):
    """The real configuration, in a process of its own: json is what is written where nobody has said otherwise."""
    said = "import django, logging; django.setup(); logging.getLogger('accounts').error('said')"
    variables = os.environ | {"LOG_FORMAT": "", "DJANGO_SETTINGS_MODULE": "competition_portal.settings"}
    answer = subprocess.run([sys.executable, "-c", said], env=variables, capture_output=True, text=True, check=True)
    (line,) = answer.stderr.splitlines()
    assert {name: json.loads(line)[name] for name in ("level", "logger", "message", "request_id")} == {
        "level": "ERROR",
        "logger": "accounts",
        "message": "said",
        "request_id": "-",
    }
