"""The portal while what it depends on is away: over real connections, as operators run it.

Once only, in the PostgreSQL run: it starts a PostgreSQL of its own, which is killed and frozen.
"""

import http.client
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import pytest
from django.db import connection

from competition_portal import bounded
from scripts.postgres import Cluster, children_of, cluster
from tests.deploy.sites import portal

PROMISE = 3.0  # seconds until a person reads that the database is away
RETURN = 1.0  # seconds after which nothing fails any more
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    target: str
    cookies: str
    seconds: float


class Browser:
    """Somebody who is signed in, with a cookie jar of one session and one CSRF token."""

    def __init__(self, origin: str, key: str) -> None:
        self.host = urlsplit(origin).netloc
        self.cookies = {"portal_session": key}

    def ask(self, method: str, address: str, form: dict[str, str] | None = None) -> Answer:
        began = time.monotonic()
        line = http.client.HTTPConnection(self.host, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            line.request(method, address, urlencode(form) if form is not None else None, headers)
            answer = line.getresponse()
            text = answer.read().decode()
        finally:
            line.close()
        for set_cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = set_cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        took = time.monotonic() - began
        return Answer(answer.status, text, answer.headers.get("Location", ""), "", took)


@contextmanager
def silent_server() -> Iterator[int]:
    """It takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def postgres():
    if connection.vendor != "postgresql":
        pytest.skip("it is about PostgreSQL; the PostgreSQL run has it")
    with cluster() as server, server.running():
        yield server


@pytest.fixture(scope="module")
def site(postgres, tmp_path_factory):
    """With a Redis that accepts and never answers, all the time."""
    with silent_server() as redis:
        folder = tmp_path_factory.mktemp("away")
        with portal(folder, DATABASE_URL=postgres.url, CACHE_URL=f"redis://127.0.0.1:{redis}/0") as running:
            yield running


@pytest.fixture
def browser(site):
    return Browser(site.origin, site.keys["王晓明"])


def form_on(page: Answer, wanted: str) -> dict[str, str]:
    """The hidden fields of the form that has this one in it."""
    for form in re.findall(r"<form.*?</form>", page.text, re.DOTALL):
        if f'name="{wanted}"' in form:
            return dict(HIDDEN.findall(form))
    raise AssertionError(f"no form with {wanted}")


@contextmanager
def frozen(postgres: Cluster) -> Iterator[None]:
    """Its sockets still take connections, and nobody reads what comes in."""
    stopped = [postgres.process.pid, *children_of(postgres.process.pid)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def gone(postgres: Cluster) -> Iterator[None]:
    postgres.kill()
    try:
        yield
    finally:
        postgres.start()


def test_the_bounds_are_within_the_promise():
    """What the clocks of the tests below measure on a busy machine is, by its own time-outs, half of what is allowed."""
    assert bounded.CHECK_SECONDS + bounded.BORROW_SECONDS <= PROMISE / 2
    assert (bounded.BORROW_SECONDS <= RETURN, bounded.GIVE_UP_SECONDS <= RETURN / 5) == (True, True)


@pytest.mark.parametrize("away", [gone, frozen])
def test_a_database_that_is_away_and_comes_back(site, postgres, browser, away):
    """A page in Chinese in time, with what was typed; and nothing fails a second after it is back."""
    page = browser.ask("GET", "/profile/")
    assert page.status == 200
    typed = {**form_on(page, "version"), "phone": "13812349999", "employer": "北京精工“机械”<有限>公司"}
    others = [Browser(site.origin, site.keys["李芳"]) for _ in range(6)]
    assert {other.ask("GET", "/profile/").status for other in others} == {200}
    with away(postgres):
        answers = [browser.ask("POST", "/profile/", typed) for _ in range(3)]
        assert {answer.status for answer in answers} == {503}
        assert min(answer.seconds for answer in answers) < PROMISE
        assert "系统暂时不可用" in answers[-1].text
        assert 'value="13812349999"' in answers[-1].text
        assert "北京精工“机械”&lt;有限&gt;公司" in answers[-1].text
    until = time.monotonic() + RETURN
    while time.monotonic() < until:
        browser.ask("GET", "/plans/")
    after = [who.ask("GET", "/profile/").status for who in [browser, *others] * 3]
    assert set(after) == {200}
    again = browser.ask("POST", "/profile/", {**form_on(answers[-1], "phone"), "employer": "北京精工机械有限公司"})
    assert (again.status, again.target) == (302, "/profile/")
    assert 'value="13812349999"' in browser.ask("GET", "/profile/").text


def test_what_a_stranger_wrote_does_not_stand_behind_our_button(postgres, browser):
    browser.ask("GET", "/profile/")
    with gone(postgres):
        answer = browser.ask("POST", "/profile/", {"phone": "13800000000", "csrfmiddlewaretoken": "x" * 32})
    assert (answer.status, "13800000000" in answer.text) == (503, False)


def test_without_redis_pages_are_slower_and_none_is_broken(site, browser):
    """Logins, uploads and submissions are counted in it: they are let through, and the log says so (docs/adr/0011)."""
    pages = ["/", "/plans/", "/profile/", "/registrations/", "/messages/", "/accounts/my-data/", "/profile/photo/"]
    found = {page: browser.ask("GET", page).status for page in pages}
    assert found == dict.fromkeys(pages, 200)
    login = Browser(site.origin, "nobody's").ask("GET", "/accounts/login/")
    assert (login.status, "authorize" in login.target) == (302, True)
    assert "the shared cache is away, limits do not hold meanwhile" in site.log
