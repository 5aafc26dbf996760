"""Signing out: our session ends first, the platform's next if it answers, and the person ends on our page."""

import time
from urllib.parse import parse_qs

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts import oidc
from accounts.models import AuditEntry
from tests.accounts.browser import sign_in, signed_in_user
from tests.accounts.provider import LOGOUT, Answer, json_answer

SIGNED_OUT = "/accounts/signed-out/"
AWAY = "您已退出本系统，但统一身份认证平台没有回应，您在平台上可能仍是登录状态。"


@pytest.fixture
def client(provider):
    client = Client()
    sign_in(client, provider)
    return client


def sign_out(client):
    """Where signing out sends the browser: the address, and its query."""
    response = client.post(reverse("accounts:logout"))
    assert response.status_code == 302
    address, _, query = response.headers["Location"].partition("?")
    return address, {name: values[0] for name, values in parse_qs(query).items()}


def assert_out_here_only(client, caplog, reason):
    """Our page says that the platform did not answer; nobody is signed in here any more; the log says why."""
    assert sign_out(client) == (SIGNED_OUT, {"platform": "away"})
    assert (signed_in_user(client), Session.objects.count()) == (None, 0)
    assert AuditEntry.objects.first().verb == "logout"
    page = client.get(f"{SIGNED_OUT}?platform=away").content.decode()
    assert ("<h1>您已退出</h1>" in page, AWAY in page, "重新登录" in page) == (True, True, True)
    assert [record.getMessage() for record in caplog.records if record.name == "accounts.oidc"] == [
        f"signing out here only: {reason}"
    ]


@pytest.mark.parametrize("found", ["by setting", "by discovery"])
def test_signing_out_ends_both_sessions(client, provider, settings, found):
    user = signed_in_user(client)
    if found == "by discovery":
        for name, value in provider.discovered().items():
            setattr(settings, name, value)
    assert sign_out(client) == (
        f"{provider.issuer}/logout/",
        {
            "post_logout_redirect_uri": "http://testserver/accounts/signed-out/",
            "client_id": "competition-portal",
            "id_token_hint": provider.last_id_token,
        },
    )
    assert (signed_in_user(client), Session.objects.count()) == (None, 0)
    assert (AuditEntry.objects.first().verb, AuditEntry.objects.first().actor) == ("logout", user.username)
    # It was only looked whether a page is there: without the token, which would end a session that is not a browser's.
    assert provider.asked[-1] == ("GET", LOGOUT)


def test_the_browser_is_told_to_forget_the_pages(client, sign_in, manager):
    """And nothing else: the token of a page in another tab stays good."""
    answers = [client.post(reverse("accounts:logout")), sign_in(manager).post("/admin/logout/")]
    assert [answer.headers["Clear-Site-Data"] for answer in answers] == ['"cache"'] * 2
    assert "Clear-Site-Data" not in client.get(SIGNED_OUT).headers


def test_an_address_that_has_a_query_already(client, provider, settings):
    settings.OIDC_OP_LOGOUT_ENDPOINT = f"{provider.issuer}/logout/?tenant=city"
    address, query = sign_out(client)
    assert (address, query["tenant"], query["client_id"]) == (
        f"{provider.issuer}/logout/",
        "city",
        "competition-portal",
    )


def test_signing_out_is_by_post_alone(client):
    response = client.get(reverse("accounts:logout"))
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert signed_in_user(client) is not None


GONE = {
    "500": Answer(status=500),
    "503": Answer(status=503),
    "not there": Answer(status=404),
    "gone": Answer(status=410),
    "hangs up": Answer(hang_up=True),
}


@pytest.mark.parametrize("case", GONE)
def test_a_platform_that_cannot(client, provider, caplog, case):
    provider.logout_answer = GONE[case]
    assert_out_here_only(client, caplog, "the platform's logout does not answer")


def test_a_platform_that_is_away(client, settings, caplog):
    settings.OIDC_OP_LOGOUT_ENDPOINT = "http://127.0.0.1:1/logout/"
    assert_out_here_only(client, caplog, "the platform's logout does not answer")


def test_a_platform_that_is_slow(client, provider, caplog, monkeypatch):
    monkeypatch.setattr(oidc, "SIGN_OUT_SECONDS", 0.2)
    provider.logout_answer = Answer(pause=0.05, drip_headers=True)
    begun = time.monotonic()
    assert_out_here_only(client, caplog, "the platform's logout does not answer")
    assert time.monotonic() - begun < 1


def test_the_bound_that_is_in_force():
    assert oidc.SIGN_OUT_SECONDS == 2


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=302, headers="Location: /login\r\n"),
        Answer(status=400),
        Answer(status=405),
        Answer(b"x" * 900_000),
    ],
)
def test_a_platform_that_answers_something(client, provider, answer):
    """Without a token it may well refuse; a browser that brings one is another matter."""
    provider.logout_answer = answer
    assert sign_out(client)[0] == f"{provider.issuer}/logout/"


def test_a_discovery_that_is_away(client, provider, settings, caplog):
    for name, value in provider.discovered().items():
        setattr(settings, name, value)
    provider.discovery_answer = Answer(status=502)
    assert_out_here_only(client, caplog, "platform unreachable: ConnectionError")


def test_a_discovery_that_lies(client, provider, settings, caplog):
    for name, value in provider.discovered().items():
        setattr(settings, name, value)
    provider.discovery_answer = json_answer({"issuer": "https://id.example.cn"})
    assert_out_here_only(client, caplog, "answer not acceptable: discovery is another issuer's")


def test_a_discovered_address_that_our_policy_stops(client, provider, settings, caplog):
    """form-action names one origin: a browser would not follow to another, and stay on the page it came from."""
    for name, value in (provider.discovered() | {"PLATFORM_ORIGIN": "https://login.example.cn"}).items():
        setattr(settings, name, value)
    assert_out_here_only(client, caplog, "the platform's logout has another origin, set OIDC_OP_LOGOUT_ENDPOINT")


@pytest.mark.parametrize("found", ["by setting", "by discovery"])
def test_a_platform_without_sign_out(client, provider, settings, found):
    settings.OIDC_OP_LOGOUT_ENDPOINT = ""
    if found == "by discovery":
        for name, value in provider.discovered().items():
            setattr(settings, name, value)
        provider.document = {"end_session_endpoint": None}
    assert sign_out(client) == (SIGNED_OUT, {})
    assert signed_in_user(client) is None
    page = client.get(SIGNED_OUT).content.decode()
    assert ("您已退出" in page, "重新登录" in page, AWAY in page) == (True, True, False)


@pytest.mark.parametrize(("token", "query"), [("v1:test:AAAA", {"platform": "away"}), ("", {})])
def test_a_session_without_a_token_that_can_be_read(client, provider, token, query):
    session = client.session
    session["id_token"] = token
    session.save()
    assert sign_out(client) == (SIGNED_OUT, query)
    assert (signed_in_user(client), provider.asked_for(LOGOUT)) == (None, [])


def test_signing_out_without_being_in(db):
    assert sign_out(Client()) == (SIGNED_OUT, {})
    assert not AuditEntry.objects.exists()


def test_the_page_after_signing_out_tells_who_is_still_in(applicant, sign_in):
    page = sign_in(applicant).get(reverse("accounts:signed_out")).content.decode()
    assert "<h1>您仍处于登录状态</h1>" in page
    assert "<h1>您已退出</h1>" not in page


def test_our_own_session_is_over_before_the_platform_is_asked(applicant, sign_in, monkeypatch):
    """However that goes on: the browser may be gone by then, the process may be ended."""
    client, left = sign_in(applicant), []

    def asked(request, id_token):
        left.append(Session.objects.count())
        return "/"

    monkeypatch.setattr("accounts.views.sign_out_url", asked)
    client.post("/accounts/logout/")
    assert left == [0]
