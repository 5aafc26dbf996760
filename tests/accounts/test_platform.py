"""Addresses and keys: from settings or by discovery, kept for an hour, asked for no more often than needed."""

import socket
import ssl
import threading
import time

import pytest
from django.test import Client
from django.urls import reverse

from accounts import exchange, platform, remembered, signing_keys
from tests.accounts.browser import (
    UNREACHABLE,
    UNTRUSTED,
    assert_failed,
    come_back,
    leave,
    sign_in,
    signed_in_user,
)
from tests.accounts.provider import DISCOVERY, KEYS, TOKEN, USERINFO, Answer, json_answer, jwk, rsa_key


def signs_in(provider):
    client = Client()
    sign_in(client, provider)
    return signed_in_user(client) is not None


@pytest.fixture
def discovering(provider, settings):
    """The same provider, of which only the issuer is known."""
    for name, value in provider.discovered().items():
        setattr(settings, name, value)
    return provider


# Addresses ----------------------------------------------------------------------------------------------------------


def test_addresses_by_discovery_are_asked_for_once(discovering):
    assert [signs_in(discovering) for _ in range(3)] == [True] * 3
    assert discovering.asked_for(DISCOVERY, TOKEN, KEYS, USERINFO) == [
        *(DISCOVERY, TOKEN, KEYS, USERINFO),
        *(TOKEN, USERINFO, TOKEN, USERINFO),
    ]


def test_nothing_is_discovered_where_all_is_said(provider):
    assert signs_in(provider)
    assert provider.asked_for(DISCOVERY) == []


@pytest.mark.parametrize("setting", [setting for setting, _ in platform.NAMES.values()])
def test_each_setting_wins_by_itself(discovering, settings, setting):
    setattr(settings, setting, "http://127.0.0.1:1/said/")
    found = platform.endpoints(exchange.Exchange())
    right = {name: value for name, value in discovering.settings().items() if name != "OIDC_OP_ISSUER"}
    assert vars(found) == {
        field: "http://127.0.0.1:1/said/" if name == setting else right[name]
        for field, (name, _) in platform.NAMES.items()
    }


def test_what_a_setting_says_need_not_be_in_the_document(discovering, settings):
    settings.OIDC_OP_USER_ENDPOINT = f"{discovering.issuer}/userinfo/"
    discovering.document = {"userinfo_endpoint": None}
    assert signs_in(discovering)


def test_an_issuer_with_a_slash_is_asked_without_it(discovering, settings):
    settings.OIDC_OP_ISSUER = f"{discovering.issuer}/"
    discovering.document = discovering.token_claims = {
        "issuer": f"{discovering.issuer}/",
        "iss": f"{discovering.issuer}/",
    }
    assert signs_in(discovering)


def test_https_is_not_left_for_http(settings, monkeypatch):
    settings.OIDC_OP_ISSUER = "https://id.example.cn"
    document = {"token_endpoint": "http://id.example.cn/token", "jwks_uri": "https://id.example.cn/jwks"}
    with pytest.raises(exchange.NotAcceptable, match="discovery: token_endpoint"):
        platform.address(document, "token")
    assert platform.address(document, "jwks") == "https://id.example.cn/jwks"


def test_a_discovery_that_dies_later_is_not_missed(discovering, monkeypatch):
    assert signs_in(discovering)
    monkeypatch.setattr(remembered, "FRESH_SECONDS", 0)
    discovering.discovery_answer = Answer(status=503)
    assert signs_in(discovering)


def test_who_is_signed_in_does_not_notice_a_dead_platform(discovering, settings):
    client = Client()
    sign_in(client, discovering)
    platform.discovery.cache_clear()
    for endpoint in ("discovery", "token", "keys", "userinfo", "logout"):
        setattr(discovering, f"{endpoint}_answer", Answer(status=500))
    before = len(discovering.asked)
    assert client.get(reverse("accounts:identity")).status_code == 200
    assert client.get(reverse("accounts:login")).headers["Location"] == "/plans/"
    assert len(discovering.asked) == before
    assert_failed(Client().get(reverse("accounts:login")), UNREACHABLE, status=503)


# Keys ---------------------------------------------------------------------------------------------------------------


def turn_over(provider):
    """The platform signs with a new key."""
    provider.key, provider.header, provider.keys = rsa_key("theirs"), {"kid": "key-2"}, [jwk("theirs", kid="key-2")]


def test_a_new_key_is_asked_for_once(provider, monkeypatch):
    assert signs_in(provider)
    monkeypatch.setattr(remembered, "PAUSE_SECONDS", 0)
    turn_over(provider)
    assert [signs_in(provider) for _ in range(3)] == [True] * 3
    assert provider.asked_for(KEYS) == [KEYS, KEYS]


def test_unknown_keys_do_not_make_us_ask_and_ask(provider):
    assert signs_in(provider)
    provider.header = {"kid": "key-2"}
    for _ in range(5):
        assert_failed(sign_in(Client(), provider), UNTRUSTED)
    assert provider.asked_for(KEYS) == [KEYS]
    assert (remembered.PAUSE_SECONDS, remembered.FRESH_SECONDS, remembered.KEPT_SECONDS) == (30, 3600, 86400)


def test_after_a_pause_it_is_asked_again(provider, monkeypatch):
    assert signs_in(provider)
    turn_over(provider)
    assert not signs_in(provider)
    signing_keys.published_keys(f"{provider.issuer}/jwks/").asked_at -= 31
    assert signs_in(provider)


def test_a_token_that_cannot_be_ours_asks_for_no_key(provider):
    provider.algorithm, provider.key = "HS256", b"only-for-tests"
    assert_failed(sign_in(Client(), provider), UNTRUSTED)
    assert provider.asked_for(KEYS) == []


def test_keys_that_are_an_hour_old_are_asked_for_anew(provider):
    assert signs_in(provider)
    kept = signing_keys.published_keys(f"{provider.issuer}/jwks/")
    kept.saying, kept.asked_at = remembered.Saying(kept.saying.value, kept.saying.heard_at - 3601), kept.asked_at - 3601
    assert signs_in(provider)
    assert provider.asked_for(KEYS) == [KEYS, KEYS]


@pytest.mark.parametrize("answer", [Answer(status=503), Answer(b"<html>", content_type="text/html"), json_answer({})])
def test_a_key_server_that_is_dead_stops_nobody(provider, answer):
    assert signs_in(provider)
    kept = signing_keys.published_keys(f"{provider.issuer}/jwks/")
    kept.saying, kept.asked_at = remembered.Saying(kept.saying.value, kept.saying.heard_at - 3601), kept.asked_at - 3601
    provider.keys_answer = answer
    assert [signs_in(provider) for _ in range(3)] == [True] * 3
    assert provider.asked_for(KEYS) == [KEYS, KEYS]


def test_a_key_server_that_drips_leaves_time_for_the_login(provider, monkeypatch, settings):
    assert signs_in(provider)
    monkeypatch.setattr(remembered, "FRESH_SECONDS", 0)
    monkeypatch.setattr(remembered, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(remembered, "REFRESH_SECONDS", 0.1)
    monkeypatch.setattr(exchange, "EXCHANGE_SECONDS", 1)
    provider.keys_answer = Answer(b"{" * 100, pause=0.05)
    assert signs_in(provider)


def test_keys_of_yesterday_are_not_believed_for_ever(provider):
    assert signs_in(provider)
    kept = signing_keys.published_keys(f"{provider.issuer}/jwks/")
    kept.saying = remembered.Saying(kept.saying.value, kept.saying.heard_at - 86401)
    provider.keys_answer = Answer(status=503)
    assert_failed(sign_in(Client(), provider), UNREACHABLE, status=503)


def test_one_asks_and_the_others_wait_for_the_answer():
    asked, may_answer = [], threading.Event()

    def ask(_):
        asked.append(1)
        may_answer.wait(5)
        return ["key"]

    kept = remembered.Remembered(ask)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(kept.get(exchange.Exchange()))) for _ in range(5)]
    for thread in threads:
        thread.start()
    may_answer.set()
    for thread in threads:
        thread.join(5)
    assert (answers, asked) == ([["key"]] * 5, [1])


def test_nobody_waits_for_another_login_past_the_deadline(provider, monkeypatch):
    monkeypatch.setattr(exchange, "EXCHANGE_SECONDS", 0.2)
    client = Client()
    state = leave(client, provider)
    with signing_keys.published_keys(f"{provider.issuer}/jwks/").turn:
        assert_failed(come_back(client, state=state, code="a-code"), UNREACHABLE, status=503)


# Names and connections ----------------------------------------------------------------------------------------------


def test_a_name_server_that_hangs(provider, settings, monkeypatch):
    """Nothing can end a look-up; nobody waits for it."""
    over, real = threading.Event(), socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kw: over.wait(20) and real("127.0.0.1", *args[1:], **kw))
    monkeypatch.setattr(exchange, "EXCHANGE_SECONDS", 0.25)
    client = Client()
    state = leave(client, provider)
    begun = time.monotonic()
    try:
        assert_failed(come_back(client, state=state, code="a-code"), UNREACHABLE, status=503)
        assert time.monotonic() - begun < 0.8
    finally:
        over.set()
    for thread in threading.enumerate():
        if thread.name == "connect":
            thread.join(5)


def test_a_host_that_begins_no_handshake(provider, settings, monkeypatch):
    monkeypatch.setattr(exchange, "EXCHANGE_SECONDS", 0.25)
    client = Client()
    state = leave(client, provider)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.OIDC_OP_TOKEN_ENDPOINT = f"https://127.0.0.1:{listener.getsockname()[1]}/token/"
        begun = time.monotonic()
        assert_failed(come_back(client, state=state, code="a-code"), UNREACHABLE, status=503)
        assert time.monotonic() - begun < 0.8


def test_a_host_that_cannot_show_who_it_is(provider, settings):
    client = Client()
    state = leave(client, provider)
    settings.OIDC_OP_TOKEN_ENDPOINT = f"{provider.issuer}/token/".replace("http:", "https:")
    assert_failed(come_back(client, state=state, code="a-code"), UNREACHABLE, status=503)
    assert ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED


def test_the_platform_is_away(provider, settings):
    client = Client()
    state = leave(client, provider)
    settings.OIDC_OP_TOKEN_ENDPOINT = "http://127.0.0.1:1/token/"
    assert_failed(come_back(client, state=state, code="a-code"), UNREACHABLE, status=503)


def test_the_bounds_that_are_in_force(settings):
    assert (exchange.EXCHANGE_SECONDS, settings.OIDC_TIMEOUT, exchange.ANSWER_BYTES) == (5, 3, 262144)
