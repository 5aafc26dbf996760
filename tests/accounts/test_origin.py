"""Where a request came from: what may be believed of a header that anybody can write, and the number that finds it."""

import io
import logging
import re
from ipaddress import ip_address
from pathlib import Path

import pytest
from django.conf import settings as portal_settings
from django.db import InterfaceError
from django.http import HttpResponse
from django.test import Client, override_settings
from gunicorn.config import Config
from gunicorn.glogging import Logger as GunicornLogger
from hypothesis import given
from hypothesis import strategies as st

from accounts import origin
from accounts.log_lines import LineFormatter
from accounts.models import AuditEntry
from accounts.origin import OriginMiddleware, RequestIdFilter, client_address, plain_address
from accounts.redaction import redact
from plans import views as plan_views

PROXY, CLIENT, FORGED = "10.0.0.9", "203.0.113.7", "198.51.100.66"
NUMBER = re.compile("[bcdfghjkmnpqrstvwxyz]{14}")


# The address --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "proxies", "address"),
    [
        (None, 0, PROXY),
        (None, 1, PROXY),
        (FORGED, 0, PROXY),
        (f"{FORGED}, {CLIENT}", 0, PROXY),
        (CLIENT, 1, CLIENT),
        (f"{FORGED}, {CLIENT}", 1, CLIENT),
        (f"{FORGED},{FORGED},{CLIENT}", 1, CLIENT),
        (f"{FORGED}, {CLIENT}, 10.0.0.8", 2, CLIENT),
        (f"{FORGED}, {FORGED}, {CLIENT}, 10.0.0.8", 2, CLIENT),
        (CLIENT, 2, PROXY),  # somebody came past the outer proxy
        ("", 1, PROXY),
        ("", 2, PROXY),
        (" ", 1, PROXY),
        (",", 1, PROXY),
        (f"{CLIENT},", 1, PROXY),
        (f"  {CLIENT}\t", 1, CLIENT),
        (f"{FORGED}  ,  {CLIENT}  ", 1, CLIENT),
        ("2001:db8::7", 1, "2001:db8::7"),
        ("2001:0DB8:0000:0000:0000:0000:0000:0007", 1, "2001:db8::7"),
        ("fe80::1%eth0", 1, "fe80::1"),
        (f"::ffff:{CLIENT}", 1, CLIENT),
        ("::ffff:cb00:7107", 1, CLIENT),
        (f"{CLIENT}:4711", 1, CLIENT),
        ("[2001:db8::7]:4711", 1, "2001:db8::7"),
        ("[2001:db8::7]", 1, "2001:db8::7"),
        (f"[::ffff:{CLIENT}]:1", 1, CLIENT),
        (f"{CLIENT}:port", 1, PROXY),
        ("unknown", 1, PROXY),
        ("_hidden", 1, PROXY),
        ("256.1.1.1", 1, PROXY),
        ("010.0.0.1", 1, PROXY),
        ("1", 1, PROXY),
        ("١.1.1.1", 1, PROXY),
        ("<script>", 1, PROXY),
        (f"{CLIENT}\n{FORGED}", 1, PROXY),
        ("9" * 10_000, 1, PROXY),
        (f"garbage, {CLIENT}", 1, CLIENT),
        (f"{CLIENT}, garbage", 1, PROXY),
    ],
)
def test_the_address_behind_so_many_proxies(header, proxies, address):
    meta = {"REMOTE_ADDR": PROXY, **({} if header is None else {"HTTP_X_FORWARDED_FOR": header})}
    assert client_address(meta, proxies) == address


@pytest.mark.parametrize(
    ("meta", "address"),
    [
        ({}, ""),
        ({"REMOTE_ADDR": ""}, ""),  # a socket in the file system
        ({"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": CLIENT}, CLIENT),
        ({"REMOTE_ADDR": f"::ffff:{PROXY}"}, PROXY),
        ({"REMOTE_ADDR": "unix:"}, ""),
    ],
)
def test_without_an_address_of_its_own(meta, address):
    assert client_address(meta, 1) == address


# What no proxy would write, and what it would, in any mixture.
headers = st.text() | st.text(st.sampled_from("0123456789abcdef:.,[] \t")) | st.just(FORGED)
addresses = st.ip_addresses().filter(lambda address: getattr(address, "ipv4_mapped", None) is None).map(str)


@given(prepended=headers, chain=st.lists(addresses, min_size=1, max_size=4))
def test_whatever_a_client_prepends_the_address_is_what_the_outermost_proxy_of_ours_wrote(prepended, chain):
    """`chain`: what each of our proxies, the outermost first, was called from."""
    meta = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": ", ".join([prepended, *chain])}
    assert client_address(meta, len(chain)) == chain[0].partition("%")[0]
    assert client_address(meta, 0) == PROXY


@given(st.text() | st.text(st.sampled_from("0123456789abcdefABCDEF:.%[] ")) | st.ip_addresses().map(str))
def test_an_address_is_one_in_its_normal_form_or_nothing(text):
    address = plain_address(text)
    assert address == "" or (plain_address(address) == address and str(ip_address(address)) == address)
    assert len(address) <= AuditEntry._meta.get_field("address").max_length


FORGERIES = {
    "x-forwarded-for": FORGED, "x-forwarded-proto": "https", "x-forwarded-host": "evil.example",
    "x-forwarded-port": "443", "x-real-ip": FORGED, "forwarded": f"for={FORGED};proto=https;host=evil.example",
    "true-client-ip": FORGED, "x-request-id": "chosen-by-the-client",
}  # fmt: skip


def test_without_proxies_of_ours_no_header_changes_anything(rf):
    """As the settings of this run are: TRUSTED_PROXIES is 0."""
    seen = []

    def view(request):
        seen.append((origin.current().address, request.is_secure(), request.get_host()))
        return HttpResponse()

    assert portal_settings.TRUSTED_PROXIES == 0
    answers = [OriginMiddleware(view)(rf.get("/", headers=headers)) for headers in ({}, FORGERIES)]
    assert seen == [("127.0.0.1", False, "testserver")] * 2
    assert [NUMBER.fullmatch(answer["X-Request-ID"]) is not None for answer in answers] == [True, True]


def test_the_host_is_never_taken_from_a_proxys_header():
    assert (portal_settings.USE_X_FORWARDED_HOST, portal_settings.USE_X_FORWARDED_PORT) == (False, False)


@pytest.mark.parametrize(
    ("proxies", "headers", "address"),
    [(0, FORGERIES, "127.0.0.1"), (1, {"x-forwarded-for": f"{FORGED}, {CLIENT}"}, CLIENT), (1, {}, "127.0.0.1")],
)
def test_a_line_says_where_from_and_in_which_request(applicant, sign_in, settings, proxies, headers, address):
    settings.TRUSTED_PROXIES = proxies
    response = sign_in(applicant).post("/accounts/logout/", headers=headers)
    (line,) = AuditEntry.objects.all()
    assert (line.verb, line.address, line.request_id) == ("logout", address, response["X-Request-ID"])


def test_outside_a_request_there_is_neither():
    assert origin.current() == origin.Origin("", "")


def test_a_request_that_fails_leaves_nothing_behind(rf):
    def view(request):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        OriginMiddleware(view)(rf.get("/"))
    assert origin.current() == origin.Origin("", "")


# The number of a request --------------------------------------------------------------------------------------------


@pytest.fixture
def log():
    """What the portal's own handler would write: its format and its filters as the settings have them."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    for name in portal_settings.LOGGING["handlers"]["stderr"]["filters"]:
        handler.addFilter({"request_id": RequestIdFilter}[name]() if name == "request_id" else (lambda record: True))
    handler.setFormatter(LineFormatter())
    loggers = [logging.getLogger(name) for name in ("django", "accounts")]
    for logger in loggers:
        logger.addHandler(handler)
    yield lambda: written.getvalue().splitlines()
    for logger in loggers:
        logger.removeHandler(handler)


def test_each_line_of_a_request_has_its_number_and_so_has_the_answer(db, log):
    answers = [Client().get("/nothing/"), Client().get("/accounts/callback/?state=unknown")]
    numbers = [answer["X-Request-ID"] for answer in answers]
    assert len(set(numbers)) == 2
    lines = [line.split(" ", 4)[3:] for line in log()]  # behind date, time and level
    assert [f"{name} {rest}" for name, rest in lines] == [
        f"django.request {numbers[0]} Not Found: /nothing/",
        f"accounts.views {numbers[1]} login refused: unknown state",
        f"django.request {numbers[1]} Bad Request: /accounts/callback/",
    ]
    logging.getLogger("accounts").error("a command")
    assert log()[-1].endswith(" accounts - a command")


@pytest.mark.parametrize(
    ("problem", "code"), [(RuntimeError("broken"), 500), (InterfaceError("away"), 503), (None, 400)]
)
def test_the_page_of_a_failure_names_the_number(db, monkeypatch, problem, code):
    def broken(*arguments):
        raise problem

    if problem:
        monkeypatch.setattr(plan_views.Plan.objects, "open_at", broken)
    host = "testserver" if problem else "evil.example"
    response = Client(raise_request_exception=False).get("/", headers={"host": host})
    sentence = f"错误代码 {code}，请求编号 {response['X-Request-ID']}，报修时请告诉我们"
    assert (response.status_code, sentence in response.content.decode()) == (code, True)


def test_other_pages_do_not_bother_anybody_with_it(db):
    response = Client().get("/nothing/")
    assert (response.status_code, response["X-Request-ID"] in response.content.decode()) == (404, False)


def test_no_mask_of_the_logs_ever_touches_a_number():
    for number in (origin.new_request_id() for _ in range(500)):
        assert NUMBER.fullmatch(number)
        assert redact(f'"GET / HTTP/1.1" 200 {number}') == f'"GET / HTTP/1.1" 200 {number}'


def test_the_application_servers_access_log_has_it_too():
    names = {}
    place = Path(portal_settings.BASE_DIR) / "deploy/gunicorn.conf.py"
    exec(compile(place.read_text(), "gunicorn.conf.py", "exec"), names)  # noqa: S102
    config = Config()
    config.set("access_log_format", names["access_log_format"])

    class Answer:
        status, sent, response_length = "200 OK", 12, 12
        headers = (("X-Request-ID", "bcdfghjkmnpqrs"),)

    class Asked:
        headers = ()

    class Time:
        seconds, microseconds = 0, 0

    environment = {"REMOTE_ADDR": PROXY, "REQUEST_METHOD": "GET", "RAW_URI": "/", "SERVER_PROTOCOL": "HTTP/1.1"}
    log = GunicornLogger.__new__(GunicornLogger)  # setting it up would put handlers on loggers of the whole process
    log.cfg = config
    atoms = log.atoms_wrapper_class(log.atoms(Answer(), Asked(), environment, Time()))
    line = config.access_log_format % atoms
    assert (line.startswith(f"{PROXY} - - ["), line.endswith('"GET / HTTP/1.1" 200 12 "-" "-" bcdfghjkmnpqrs')) == (
        True,
        True,
    )


@override_settings(TRUSTED_PROXIES=1)
def test_two_requests_at_once_keep_their_own(rf):
    """One inside the other, as a test client within a view would: the outer one's comes back."""
    inner = OriginMiddleware(lambda request: HttpResponse(origin.current().address))

    def outer(request):
        within = inner(rf.get("/", headers={"x-forwarded-for": FORGED})).content.decode()
        return HttpResponse(f"{within} {origin.current().address}")

    answer = OriginMiddleware(outer)(rf.get("/", headers={"x-forwarded-for": CLIENT}))
    assert answer.content.decode() == f"{FORGED} {CLIENT}"
