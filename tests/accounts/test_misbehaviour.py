"""Every way in which the platform misbehaves, over real HTTP: nobody gets in, nobody is put out, nothing is told."""

import gzip
import logging
import time
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts import exchange, platform, signing_keys
from accounts.models import AuditEntry, User
from accounts.verbs import Verb
from tests.accounts.browser import UNREACHABLE, UNTRUSTED, assert_failed, come_back, leave, signed_in_user
from tests.accounts.provider import ACCESS_TOKEN, KID, Answer, json_answer, jwk, now_and, public_pem, rsa_key

NAME, NUMBER, CODE = "欧阳测试", "110105199003070001", "a-secret-code-0123456789"


@dataclass
class Way:
    """What is set wrong at the provider, and what comes of it."""

    wrong: dict[str, Any]
    reason: str
    sentence: str = UNTRUSTED
    seconds: float = 0  # when the deadline is shortened to this, so that a test need not wait for the real one

    @property
    def status(self) -> int:
        return 503 if self.sentence == UNREACHABLE else 400


def claims(reason, **values):
    return Way({"token_claims": values}, reason)


MISSING = "MissingRequiredClaimError"
TOKENS = {
    "for somebody else": claims("InvalidAudienceError", aud="another-portal"),
    "for a list of others": claims("InvalidAudienceError", aud=["another-portal", "a-third"]),
    "for an empty list": claims(MISSING, aud=[]),
    "for no name at all": claims("InvalidAudienceError", aud={"competition-portal": True}),
    "for others as well, without azp": claims("azp", aud=["competition-portal", "another-portal"]),
    "for others as well, by another": claims("azp", aud=["competition-portal", "another-portal"], azp="another-portal"),
    "for us by the wish of another": claims("azp", azp="another-portal"),
    "for us by the wish of nobody": claims("azp", azp=""),
    "for us by a list": claims("azp", azp=["competition-portal"]),
    "for nobody": claims(MISSING, aud=None),
    "from another issuer": claims("InvalidIssuerError", iss="https://id.example.cn"),
    "from our issuer with a slash": Way({"token_claims": {"iss": "+/"}}, "InvalidIssuerError"),
    "from a list of issuers": Way({"token_claims": {"iss": "[]"}}, "InvalidIssuerError"),
    "from no issuer": claims(MISSING, iss=None),
    "another nonce": claims("nonce", nonce="n" * 32),
    "an empty nonce": claims("nonce", nonce=""),
    "a nonce that is a list": claims("nonce", nonce=["n"]),
    "no nonce": claims(MISSING, nonce=None),
    "expired": claims("ExpiredSignatureError", exp=now_and(-200)),
    "expired two minutes and a bit ago": claims("ExpiredSignatureError", exp=now_and(-122)),
    "without an end": claims(MISSING, exp=None),
    "endless": claims("DecodeError", exp=float("inf")),
    "ends tomorrow, in words": claims("DecodeError", exp="tomorrow"),
    "ends at a text of digits": claims("exp", exp=lambda now: str(now + 300)),
    "from the future": claims("ImmatureSignatureError", iat=now_and(400)),
    "from long ago": claims("iat too old", iat=now_and(-100_000), exp=now_and(300)),
    "begins at true": claims("iat", iat=True),
    "without a beginning": claims(MISSING, iat=None),
    "not yet": claims("ImmatureSignatureError", nbf=now_and(400)),
    "not yet, in words": claims("DecodeError", nbf="tomorrow"),
    "about nobody": claims(MISSING, sub=None),
    "about an empty one": claims("sub", sub=""),
    "about a number": claims("InvalidSubjectError", sub=7),
    "about a list": claims("InvalidSubjectError", sub=["subject-of-the-platform"]),
    "about a very long one": claims("sub", sub="s" * 256),
    "about one that is not ASCII": claims("sub", sub="用户"),
    "about one with a zero in it": claims("sub", sub="subject\0"),
    "about one with half a character": claims("sub", sub="\ud800"),
    "with another access token's hash": Way({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}, "at_hash"),
    "with a hash that is a list": Way({"at_hash": []}, "at_hash"),
    "not signed": Way({"algorithm": "none", "key": ""}, "alg"),
    "not signed, with a key's name": Way({"algorithm": "none", "key": "", "header": {"kid": KID}}, "alg"),
    "signed by another": Way({"key": "theirs"}, "InvalidSignatureError"),
    "signed with our public key": Way({"algorithm": "HS256", "key": "public"}, "alg"),
    "signed with our public key, said to be RSA": Way(
        {"algorithm": "HS256", "key": "public", "header": {"alg": "RS256"}}, "InvalidSignatureError"
    ),
    "signed with our secret": Way({"algorithm": "HS256", "key": b"only-for-tests"}, "alg"),
    "signed with RS512": Way({"algorithm": "RS512"}, "alg"),
    "signed with PS256": Way({"algorithm": "PS256"}, "alg"),
    "brings its own key": Way({"key": "theirs", "header": {"jwk": jwk("theirs"), "kid": "own"}}, "no key fits"),
    "brings its own key's address": Way(
        {"key": "theirs", "header": {"jku": "http://127.0.0.1:1/"}}, "InvalidSignatureError"
    ),
    "asks for what we do not know": Way({"header": {"crit": ["exp"], "exp": 1}}, "InvalidTokenError"),
    "of another kind": Way({"header": {"typ": "at+jwt"}}, "typ"),
    "a sign-out token": Way({"header": {"typ": "logout+jwt"}}, "typ"),
    "no token": Way({"id_token": None}, "DecodeError"),
    "an empty token": Way({"id_token": ""}, "DecodeError"),
    "not a token": Way({"id_token": "a.b.c"}, "DecodeError"),
    "an encrypted token": Way({"id_token": "a.b.c.d.e"}, "DecodeError"),
    "a token that is a number": Way({"id_token": 7}, "DecodeError"),
    "a token that is a list": Way({"id_token": ["a.b.c"]}, "DecodeError"),
    "no bearer token": Way({"token_extra": {"token_type": None}}, "token_type"),
    "a token of another type": Way({"token_extra": {"token_type": "mac"}}, "token_type"),
    "no access token": Way({"token_extra": {"access_token": None}}, "access_token"),
    "an access token with a line's end": Way({"token_extra": {"access_token": "a\r\nHost: b"}}, "access_token"),
    "an access token that is an object": Way({"token_extra": {"access_token": {}}}, "access_token"),
}
KEYS = {
    "unknown key": Way({"header": {"kid": "key-2"}}, "no key fits"),
    "a key's name that is a list": Way({"header": {"kid": [KID]}}, "InvalidTokenError"),
    "a key without a name, and two fit": Way(
        {"header": {"kid": None}, "keys": [jwk(), jwk("theirs", kid="key-2")]}, "several keys fit"
    ),
    "two keys of one name": Way({"keys": [jwk("theirs"), jwk()]}, "several keys fit"),
    "a key for another use": Way({"keys": [jwk(use="enc")]}, "no key fits"),
    "a key for other operations": Way({"keys": [jwk(key_ops=["encrypt"])]}, "no key fits"),
    "a key for another algorithm": Way({"keys": [jwk(alg="RS512")]}, "no key fits"),
    "a key of another kind": Way({"keys": [{"kty": "oct", "kid": KID, "k": "a2V5"}]}, "no key fits"),
    "a key that is too short": Way({"keys": [jwk("short")]}, "key too short"),
    "no keys": Way({"keys": []}, "no keys"),
    "keys that are an object": Way({"keys": {"kid": KID}}, "no keys"),
    "no key set": Way({"keys_answer": json_answer({"jwks": [jwk()]})}, "no keys"),
    "strange keys": Way({"keys": ["key", 7, None]}, "no key fits"),
    "a key with strange operations": Way({"keys": [jwk(key_ops=7)]}, "TypeError"),
    "a broken key": Way({"keys": [{"kid": KID, "kty": "RSA", "n": "?", "e": "AQAB"}]}, "InvalidKeyError"),
}
USERINFO = {
    "userinfo of somebody else": Way({"claims": {"sub": "somebody-else"}}, "userinfo is somebody else's"),
    "userinfo of nobody": Way({"userinfo_answer": json_answer({"name": NAME})}, "userinfo is somebody else's"),
    "userinfo of null": Way({"claims": {"sub": None}}, "userinfo is somebody else's"),
    "userinfo of a list": Way({"claims": {"sub": ["subject-of-the-platform"]}}, "userinfo is somebody else's"),
    "a signed userinfo": Way(
        {"userinfo_answer": Answer(b"eyJhbGciOiJub25lIn0.e30.", content_type="application/jwt")}, "content type"
    ),
}
HUGE = b'{"a": "' + b"x" * (exchange.ANSWER_BYTES + 1) + b'"}'
BOMB = gzip.compress(b'{"a": "' + b"x" * 20_000_000 + b'"}')
SLOW = {"sentence": UNREACHABLE, "seconds": 0.25}
ANSWERS = {
    "500": (Answer(b"{}", status=500), "ConnectionError", {"sentence": UNREACHABLE}),
    "503": (Answer(b"busy", status=503, content_type="text/plain"), "ConnectionError", {"sentence": UNREACHABLE}),
    "hangs up": (Answer(hang_up=True), "ConnectionError", {"sentence": UNREACHABLE}),
    "html": (Answer("<!doctype html><title>维护中</title>".encode(), content_type="text/html"), "content type", {}),
    "json said to be html": (Answer(b"{}", content_type="text/html"), "content type", {}),
    "json said to be nothing": (Answer(b"{}", content_type=""), "content type", {}),
    "html said to be json": (Answer(b"<html>"), "JSONDecodeError", {}),
    "nothing": (Answer(b""), "JSONDecodeError", {}),
    "refusal": (json_answer({"error": "invalid_grant"}, status=400), "status 400", {}),
    "no access": (json_answer({}, status=401, headers="WWW-Authenticate: Bearer\r\n"), "status 401", {}),
    "created": (json_answer({}, status=201), "status 201", {}),
    "elsewhere": (Answer(b"{}", status=302, headers="Location: http://127.0.0.1:1/\r\n"), "status 302", {}),
    "a list": (json_answer([1, 2]), "not an object", {}),
    "null": (json_answer(None), "not an object", {}),
    "half": (Answer(b'{"sub": "subj'), "JSONDecodeError", {}),
    "deep": (Answer(b"[" * 100_000), "too deep", {}),
    "not utf-8": (Answer(b'{"sub": "\xff\xfe"}'), "UnicodeDecodeError", {}),
    "huge": (Answer(HUGE), "answer too long", {}),
    "huge when unpacked": (Answer(BOMB, headers="Content-Encoding: gzip\r\n"), "answer too long", {}),
    "broken packing": (
        Answer(b"{}", headers="Content-Encoding: gzip\r\n"),
        "ContentDecodingError",
        {"sentence": UNREACHABLE},
    ),
    "many headers": (Answer(b"{}", headers="X-A: b\r\n" * 200), "ConnectionError", {"sentence": UNREACHABLE}),
    "endless header": (Answer(b"{}", headers=f"X-A: {'b' * 70_000}\r\n"), "ConnectionError", {"sentence": UNREACHABLE}),
    "body drips": (Answer(b"{" * 100, pause=0.02), "ConnectionError", SLOW),
    "headers drip": (Answer(pause=0.02, drip_headers=True), "ReadTimeout", SLOW),
    "no body": (Answer(b"{}", pause=2), "ConnectionError", SLOW),
}
ODD = {
    f"{endpoint}: {name}": Way({f"{endpoint}_answer": answer}, reason, **more)
    for endpoint in ("token", "keys", "userinfo")
    for name, (answer, reason, more) in ANSWERS.items()
}
WAYS = TOKENS | KEYS | USERINFO | ODD


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
    assert len(WAYS) >= 57


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


def document(reason, **values):
    return Way({"document": values}, reason)


DISCOVERIES = {
    **{name: Way({"discovery_answer": answer}, reason, **more) for name, (answer, reason, more) in ANSWERS.items()},
    "empty": Way({"discovery_answer": json_answer({})}, "discovery is another issuer's"),
    "another issuer": document("discovery is another issuer's", issuer="https://id.example.cn"),
    "the issuer with a slash": Way({"document": {"issuer": "+/"}}, "discovery is another issuer's"),
    "no issuer": document("discovery is another issuer's", issuer=None),
    **{
        f"no {name}": document(f"discovery: {name}", **{name: None})
        for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    },
    "an endpoint that runs": document(
        "discovery: authorization_endpoint", authorization_endpoint="javascript:alert(1)"
    ),
    "an endpoint in a file": document("discovery: jwks_uri", jwks_uri="file:///etc/passwd"),
    "an endpoint without a host": document("discovery: token_endpoint", token_endpoint="http:///token"),
    "an endpoint that is a list": document("discovery: token_endpoint", token_endpoint=["http://a/"]),
    "an endpoint with a line's end": document("discovery: jwks_uri", jwks_uri="http://a/\r\nb"),
    "an endpoint with a fragment": document("discovery: jwks_uri", jwks_uri="http://a/#b"),
    "a strange sign-out": document("discovery: end_session_endpoint", end_session_endpoint="javascript:alert(1)"),
    "a sign-out that is a number": document("discovery: end_session_endpoint", end_session_endpoint=7),
}


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
