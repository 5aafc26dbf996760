"""The net under the logs: what it takes out, what it leaves, and that it hangs under every handler."""

import ast
import io
import json
import logging
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as portal_settings
from django.core.handlers.exception import response_for_exception
from django.core.signals import got_request_exception
from django.test import Client
from django.utils.log import AdminEmailHandler
from django.views.debug import get_exception_reporter_class, get_exception_reporter_filter
from gunicorn.config import Config
from gunicorn.glogging import Logger as GunicornLogger
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts import identity
from accounts.identity import HALF_WIDTH, DocumentType
from accounts.origin import RequestIdFilter
from accounts.redaction import DOCUMENT, MOBILE, TOKEN, RedactingFilter, redact
from tests import log_watch as watching
from tests.accounts.test_identity import EIGHTEEN_CHARACTER_TYPES, valid_numbers

NUMBER = "11010519491231002X"
TOKEN_TEXT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhYmMifQ.c2lnbmF0dXJl-_"
# Up here, because a report shows the lines of source around the failure.
COOKIE, CODE, TYPED_NAME = "cookie-of-mine", "secret-code", "张三丰"
FULL_WIDTH = {half: full for full, half in HALF_WIDTH.items()}


def full_width(text):
    return text.translate(FULL_WIDTH)


def forms_of(number):
    """How a number may be written in a line, an address or a JSON text."""
    spaced = f"{number[:6]} {number[6:14]} {number[14:]}"
    return {
        *(number, number.lower(), spaced, spaced.replace(" ", "-"), spaced.replace(" ", "\u3000"), " ".join(number)),
        *(f"{number[:4]} {number[4:8]} {number[8:12]} {number[12:16]} {number[16:]}", quote(spaced)),
        *(full_width(number), full_width(number.lower()), quote(full_width(number)), full_width(spaced)),
        *(json.dumps(full_width(number))[1:-1], ascii(full_width(number.lower()))[1:-1]),
    }


# --- Taken out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", sorted(forms_of(NUMBER)))
@pytest.mark.parametrize(
    "line", ["{}", "number {} refused", "x{}y", "证件号码为{}，请核对", "('{}',)", "/a/?b={}&c=1", "<{}>"]
)
def test_a_number_in_each_of_its_forms(line, form):
    assert redact(line.format(form)) == line.format(DOCUMENT)


@pytest.mark.parametrize("document_type", EIGHTEEN_CHARACTER_TYPES)
def test_several_hundred_numbers_of_each_type(document_type):
    for number, _, _ in valid_numbers(document_type):
        assert redact(f"a {number} b {number.lower()} c") == f"a {DOCUMENT} b {DOCUMENT} c"


@pytest.mark.parametrize(
    "text",
    [
        "110105491231002",
        "USA110090030700",
        "1101051949123100",
        "110105194912310021",
        "E12345678",
        "EJ1234567",
        "h12345678",
    ],
)
def test_old_mistyped_and_foreign_ones(text):
    assert redact(f"refused {text}.") == f"refused {DOCUMENT}."


@pytest.mark.parametrize(
    "text", ["13812342671", "138 1234 2671", "138-1234-2671", "+8613812342671", "+86 138 1234 2671", "86-13812342671"]
)
def test_mobile_numbers(text):
    assert redact(f"call {text}, please") == f"call {MOBILE}, please"


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (f"token {TOKEN_TEXT} refused", f"token {TOKEN} refused"),
        (f"/logout/?id_token_hint={TOKEN_TEXT}&x=1", "/logout/?id_token_hint=***&x=1"),
        (f"Authorization: Bearer {TOKEN_TEXT[10:]}==", f"Authorization: Bearer {TOKEN}"),
        ("Authorization: Basic Y2xpZW50OnNlY3JldA==", f"Authorization: Basic {TOKEN}"),
        (
            '"GET /accounts/callback/?code=aB-1.~x&state=q%2Fz HTTP/1.1" 302 0 "-" "Mozilla/5.0"',
            '"GET /accounts/callback/?code=***&state=*** HTTP/1.1" 302 0 "-" "Mozilla/5.0"',
        ),
        ("{'access_token': 'abc', 'expires_in': 300}", "{'access_token': ***, 'expires_in': 300}"),
        ('{"id_token": "a\\"b", "n": 1}', '{"id_token": ***, "n": 1}'),
        ("<QueryDict: {'document_number': ['E1234567'], 'agreed': ['on']}>", None),
        ("passport: E1234567, sent", "passport: ***, sent"),
        ("证件号码：E1234567，请核对", "证件号码：***，请核对"),
        ("DETAIL:  Key (document_number)=(E1234567) already exists.", None),
        ("GET /admin/registrations/registration/?q=%E7%8E%8B%E5%B0%8F HTTP", None),
        ("Cookie: portal_session=abcdef; theme=dark", "Cookie: portal_session=***; theme=dark"),
    ],
)
def test_what_stands_behind_a_telling_name(line, left):
    masked = redact(line)
    assert [secret for secret in ("E1234567", "%E7", "abc", "aB-1") if secret in masked] == []
    assert masked == left or left is None


@pytest.mark.parametrize(
    "line",
    [
        "2026-05-20 12:34:56,789 INFO accounts.views login refused: unknown state",
        "registration BJ2026-7KQ2M4: draft → submitted",
        "The photo storage did not take a file of 20971520 bytes.",
        "u-0123456789abcdef signed in from 10.0.0.1 port 54321",
        '10.0.0.1 - - [20/May/2026:12:34:56 +0800] "GET /plans/ HTTP/1.1" 200 12345 "-" "Mozilla/5.0 (X11)"',
        "status_code=302 errorcode: 7",
        "1101**********002X",
        "010-12345678",
        "upload 123e4567-e89b-42d3-a456-426614174000 could not be read",
        "",
    ],
)
def test_what_is_none_of_it_stays(line):
    assert redact(line) == line


@settings(deadline=None)
@given(st.text() | st.text(st.sampled_from("0123456789Xx １eyJ.=:'\"{}[]()\\%&codestate-")))
def test_any_text_is_taken_and_a_second_time_changes_nothing(text):
    once = redact(text)
    assert redact(once) == once


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "%EF%BC%91", "code=", "eyJ", "eyJ.", "q ", 'q"  ', "'q': \"\\", "138 ", "1\u3000"]
)
def test_a_long_line_takes_no_longer_than_its_length(piece):
    begun = time.perf_counter()
    redact(piece * (60_000 // len(piece)))
    assert time.perf_counter() - begun < 2


# --- On every handler ------------------------------------------------------------------------------------------


def written(configure=lambda logger: None):
    """A logger of its own with one handler as ours, and where it writes."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("{levelname} {message}", style="{"))
    logger = logging.Logger("of this test")
    logger.addHandler(handler)
    return logger, out


def test_message_and_arguments_are_masked():
    logger, out = written()
    logger.warning("refused %s and %r", NUMBER, {"code": "abc"})
    assert out.getvalue() == f"WARNING refused {DOCUMENT} and {{'code': ***}}\n"


def test_a_traceback_is_masked_with_all_its_causes():
    logger, out = written()
    try:
        try:
            raise ValueError(f"first {NUMBER}")
        except ValueError as problem:
            raise RuntimeError(f"then {full_width(NUMBER)}") from problem
    except RuntimeError:
        logger.exception("failed with 13812342671", stack_info=True)
    text = out.getvalue()
    assert (NUMBER in text, full_width(NUMBER) in text) == (False, False)
    assert f"ERROR failed with {MOBILE}\nTraceback (most recent call last):\n" in text
    assert (f"\nValueError: first {DOCUMENT}\n" in text, f"\nRuntimeError: then {DOCUMENT}\n" in text) == (True, True)


def test_another_handler_gets_the_record_as_it_was():
    logger, _ = written()
    seen = []
    other = logging.Handler()
    other.emit = seen.append
    logger.addHandler(other)
    logger.warning("refused %s", NUMBER)
    assert [(record.msg, record.args) for record in seen] == [("refused %s", (NUMBER,))]


class Unwilling:
    def __str__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize("arguments", [("one", "two", "three"), (Unwilling(),)])
def test_a_line_that_cannot_be_put_together_is_written_all_the_same(arguments):
    logger, out = written()
    logger.warning("refused %s and", *arguments)
    assert out.getvalue() == "WARNING refused %s and\n"


def test_every_handler_of_the_portal_has_it():
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    # The test runner's own, and the watch of ours, write nothing.
    own = [
        handler
        for logger in loggers
        for handler in logger.handlers
        if isinstance(handler, logging.StreamHandler) and type(handler).__module__ in {"logging", "django.utils.log"}
    ]
    assert {tuple(map(type, handler.filters)) for handler in own} == {(RequestIdFilter, RedactingFilter)}
    assert {
        handler for logger in loggers for handler in logger.handlers if isinstance(handler, AdminEmailHandler)
    } == set()
    for name in ("django", "django.server"):
        assert [handler in own for handler in logging.getLogger(name).handlers if not watched(handler)] == [True]


def watched(handler):
    return isinstance(handler, watching.LogWatch) or type(handler).__module__.startswith("_pytest")


def test_nobody_is_mailed_a_report():
    assert list(portal_settings.ADMINS) == []


def test_the_application_server_has_it():
    """As gunicorn reads it: the file that the image names."""
    place = Path(portal_settings.BASE_DIR)
    names = {}
    exec(compile((place / "deploy/gunicorn.conf.py").read_text(), "gunicorn.conf.py", "exec"), names)  # noqa: S102
    config = Config()
    config.set("logger_class", names["logger_class"])
    config.set("accesslog", "-")
    chosen = config.logger_class(config)
    try:
        assert issubclass(config.logger_class, GunicornLogger)
        for log in (chosen.error_log, chosen.access_log):
            assert [[type(each) for each in handler.filters] for handler in log.handlers] == [[RedactingFilter]]
    finally:
        chosen.error_log.handlers.clear()
        chosen.access_log.handlers.clear()
    assert '"--config", "deploy/gunicorn.conf.py"' in (place / "Dockerfile").read_text()


def test_the_net_can_be_hung_up_without_django():
    """The application server loads it before the portal."""
    tree = ast.parse((Path(portal_settings.BASE_DIR) / "accounts/redaction.py").read_text())
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


# --- The watch of the test run ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["accounts.views", "django.request", "django.server", "photos"])
def test_a_planted_person_is_noticed_in_whatever_form(log_watch, name):
    for form in (NUMBER, NUMBER.lower(), "110105-19491231 002x", full_width(NUMBER), f"9{NUMBER}"):
        logging.getLogger(name).error("refused %s", form)
        assert log_watch.found == [f"{name}: refused {form}"]
        log_watch.found.clear()


def test_a_planted_person_is_noticed_in_a_traceback(log_watch):
    try:
        raise RuntimeError(NUMBER)
    except RuntimeError:
        logging.getLogger("photos").exception("failed")
    assert len(log_watch.found) == 1
    log_watch.found.clear()


def test_others_and_masks_are_not(log_watch):
    document = identity.parse(DocumentType.RESIDENT_ID, NUMBER, today=identity.date(2026, 1, 1))
    logging.getLogger("photos").error("%s 110105194912310021 %s", document, "1" * 18)
    assert log_watch.found == []


# --- Error reports ---------------------------------------------------------------------------------------------


@pytest.fixture
def report(applicant, sign_in, monkeypatch):
    """`report()` fails in a view with all that is personal around, and answers with both reports."""
    reports = []

    def keep(sender, request, **values):
        reporter = get_exception_reporter_class(request)(request, *sys.exc_info())
        reports.extend([reporter.get_traceback_text(), str(reporter.get_traceback_html())])

    def fail(request, *arguments, **values):
        typed, secret = request.POST["document_number"], f"{NUMBER} of {request.user.legal_name}"  # noqa: F841
        raise RuntimeError(f"cannot take {typed}")

    def made():
        got_request_exception.connect(keep)
        monkeypatch.setattr("accounts.views.render", fail)
        client = sign_in(applicant)
        client.cookies["own"] = COOKIE
        client.raise_request_exception = False
        try:
            response = client.post(
                f"/accounts/identity/?q={NUMBER}&code={CODE}",
                {"document_number": NUMBER, "legal_name": TYPED_NAME},
                headers={"referer": f"http://testserver/?q={NUMBER}"},
            )
        finally:
            got_request_exception.disconnect(keep)
        return response, reports, client

    return made


@pytest.mark.parametrize("debug", [False, True])
def test_a_report_says_where_and_not_on_whom(report, applicant, settings, log_watch, debug):
    settings.DEBUG = debug
    response, reports, client = report()
    log_watch.found.clear()  # the exception's own sentence had it, on purpose
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    secrets = [NUMBER, TYPED_NAME, applicant.legal_name, CODE, COOKIE, session]
    secrets += [applicant.identity.document_number, settings.SECRET_KEY, settings.OIDC_RP_CLIENT_SECRET]
    texts = {"text": reports[0], "html": reports[1], "answer": response.content.decode()}
    found = [(name, secret) for name, text in texts.items() for secret in secrets if secret in text]
    assert found == []
    for text in reports:
        assert (f"cannot take {DOCUMENT}" in text, applicant.username in text, "in fail" in text) == (True, True, True)
    assert ("系统出现故障" in texts["answer"]) == (not debug)


def test_a_report_without_a_request_and_of_somebody_who_cannot_be_asked(rf, settings):
    class Away:
        def get_username(self):
            raise RuntimeError("the database is away")

    request = rf.get("/", {"q": NUMBER})
    request.user = Away()
    try:
        raise ValueError(NUMBER)
    except ValueError:
        for asked, name in ((None, "nobody"), (request, "unknown")):
            reporter = get_exception_reporter_class(asked)(asked, *sys.exc_info())
            text = reporter.get_traceback_text()
            assert (reporter.get_traceback_data()["user_str"], NUMBER in text, DOCUMENT in text) == (name, False, True)


def test_a_template_that_fails_with_a_number(rf, settings):
    reporter_filter = get_exception_reporter_filter(None)
    assert reporter_filter.is_active(None) is True
    assert reporter_filter.get_post_parameters(None) == {}
    request = rf.post("/", {"phone": "13812342671"})
    assert reporter_filter.get_post_parameters(request) == {"phone": "********************"}
    assert NUMBER not in str(reporter_filter.get_safe_request_meta(rf.get(f"/?q={NUMBER}")))


def test_the_page_of_a_failure_is_ours(rf, db, log_watch):
    try:
        raise RuntimeError(NUMBER)
    except RuntimeError as problem:
        response = response_for_exception(rf.get("/"), problem)
    log_watch.found.clear()
    assert (response.status_code, NUMBER in response.content.decode()) == (500, False)
    assert isinstance(Client().get("/").content, bytes)
