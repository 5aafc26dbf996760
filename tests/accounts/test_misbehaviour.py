"""Every way in which the platform misbehaves, over real HTTP: nobody gets in, nobody is put out, nothing is told."""

import logging
import time

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts import exchange, platform, signing_keys
from accounts.models import AuditEntry, User
from accounts.verbs import Verb
from tests.accounts.browser import UNREACHABLE, assert_failed, come_back, leave, signed_in_user
from tests.accounts.provider import ACCESS_TOKEN, public_pem, rsa_key
from tests.accounts.ways import ANSWERS, DISCOVERIES, KEYS, NAME, TOKENS, USERINFO, WAYS

NUMBER, CODE = "110105199003070001", "a-secret-code-0123456789"


def prepare(provider, settings, monkeypatch, way):
    """Let the provider misbehave; forget what it said while it did not."""
    signing_keys.published_keys.cache_clear()
    platform.discovery.cache_clear()
    stand_ins = {"theirs": rsa_key("theirs"), "public": public_pem()}
    for name, value in way.wrong.items():
        value = stand_ins.get(value, value) if name == "key" and isinstance(value, str) else value
        if value == {"iss": "+/"}:
            value = {"iss": f"{provider.issuer}/"}
        elif value == {"iss": "[]"}:
            value = {"iss": [provider.issuer]}
        setattr(provider, name, value)
    provider.claims = {"name": NAME, "id_type": "resident_id", "id_number": NUMBER, **provider.claims}
    if way.seconds:
        monkeypatch.setattr(exchange, "EXCHANGE_SECONDS", way.seconds)
        settings.OIDC_TIMEOUT = way.seconds * 0.8


def assert_told(caplog, provider, way, *secrets):
    """One line with the reason, and nothing of what was said in confidence."""
    beginning = "platform unreachable" if way.sentence == UNREACHABLE else "answer not acceptable"
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("accounts")]
    assert [line for line in ours if line.startswith("login refused")] == [f"login refused: {beginning}: {way.reason}"]
    kept = [ACCESS_TOKEN, NAME, NUMBER, CODE, "only-for-tests", provider.nonce, *secrets]
    if isinstance(provider.last_id_token, str) and len(provider.last_id_token) > 10:
        kept += [provider.last_id_token, *provider.last_id_token.split(".")[1:]]
    assert [secret for secret in kept if secret and secret in caplog.text] == []


def test_there_are_enough_of_them():
    """Each counted once, however many endpoints misbehave in it; none written down twice under two names."""
    kinds = [way.wrong for table in (TOKENS, KEYS, USERINFO) for way in table.values()]
    kinds += [answer for answer, _, _ in ANSWERS.values()]
    kinds += [way.wrong for name, way in DISCOVERIES.items() if name not in ANSWERS]
    assert len({repr(kind) for kind in kinds if "function" not in repr(kind)}) >= 57
    assert len({repr(kind) for kind in kinds}) == len(kinds)


@pytest.mark.parametrize("name", WAYS)
def test_nobody_gets_in(provider, settings, monkeypatch, caplog, name):
    way, client = WAYS[name], Client()
    prepare(provider, settings, monkeypatch, way)
    state = leave(client, provider)
    caplog.set_level(logging.DEBUG)
    begun = time.monotonic()
    response = come_back(client, state=state, code=CODE)
    assert time.monotonic() - begun < (way.seconds + 0.6 if way.seconds else 5)
    assert_failed(response, way.sentence, status=way.status)
    assert User.objects.count() == 0
    assert set(AuditEntry.objects.values_list("actor", "verb")) <= {("anonymous", Verb.LOGIN_REFUSED)}
    assert_told(caplog, provider, way, state)
    assert_failed(come_back(client, state=state, code=CODE), "这次登录已经失效")  # and the question is spent


@pytest.mark.parametrize("name", WAYS)
def test_nobody_is_put_out(provider, settings, monkeypatch, name):
    """Two tabs were on their way to the platform; it misbehaves when the second one comes back."""
    way, client = WAYS[name], Client()
    first, second = leave(client, provider, "first"), leave(client, provider, "second")
    come_back(client, state=first, code="first")
    user, before = signed_in_user(client), dict(client.session.items())
    key = client.session.session_key
    prepare(provider, settings, monkeypatch, way)
    assert_failed(come_back(client, state=second, code="second"), way.sentence, status=way.status, user=user)
    before["oidc_states"] = {}
    assert (client.session.session_key, dict(client.session.items())) == (key, before)
    assert Session.objects.count() == 1
    assert client.get(reverse("accounts:identity")).context["user"] == user


# Discovery ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DISCOVERIES)
def test_a_discovery_that_cannot_be_trusted(provider, settings, monkeypatch, caplog, name):
    way, client = DISCOVERIES[name], Client()
    for setting, value in provider.discovered().items():
        setattr(settings, setting, value)
    prepare(provider, settings, monkeypatch, way)
    if name == "the issuer with a slash":
        provider.document = {"issuer": f"{provider.issuer}/"}
    caplog.set_level(logging.DEBUG)
    response = client.get(reverse("accounts:login"))
    assert_failed(response, way.sentence, status=way.status)
    assert_told(caplog, provider, way)
    provider.document, provider.discovery_answer = {}, None
    assert client.get(reverse("accounts:login")).headers["Location"].startswith(f"{provider.issuer}/authorize/?")
