"""The way to the platform and back, over real HTTP: who gets in, and what everybody else reads."""

import base64
import json
import logging
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode
from mozilla_django_oidc.utils import generate_code_challenge

from accounts import oidc
from accounts.identity import DocumentType, Sex
from accounts.models import AuditEntry, Identity, User
from tests import scenes
from tests.accounts.provider import ACCESS_TOKEN, Answer, json_answer, jwk, public_pem, rsa_key, running_provider
from tests.people import resident_number

UNREACHABLE = "统一身份认证平台暂时没有回应，您没有登录。请过一会儿重新登录；报名信息不受影响。"
UNTRUSTED = "统一身份认证平台返回的登录结果无法通过核对，您没有登录。请重新登录；如果反复出现，请联系平台客服。"
EXPIRED = "这次登录已经失效：可能等待太久、按了后退键，或在别的窗口里登录过。请重新登录。"
REFUSED = "您在统一身份认证平台取消了登录，或没有同意提供信息。需要时请重新登录。"
NAME = "欧阳测试"


@pytest.fixture
def provider(db, settings):
    with running_provider() as provider:
        for name, value in provider.settings().items():
            setattr(settings, name, value)
        yield provider


@pytest.fixture
def client():
    return Client()


def leave(client, provider, **query):
    """Press 个人登录 and do what the browser does at the platform; the state that it comes back with."""
    response = client.get(reverse("accounts:login", query=query or None))
    assert response.headers["Location"].startswith(f"{provider.issuer}/authorize/?")
    return provider.authorise(response.headers["Location"])


def come_back(client, **query):
    return client.get(reverse("accounts:callback"), query)


def sign_in(client, provider, **query):
    return come_back(client, state=leave(client, provider, **query), code="a-code")


def signed_in_user(client):
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key) if key else None


def assert_failed(response, sentence, *, status=400, user=None):
    """The page for every failure: what happened and what to do; and nobody else is signed in than before."""
    page = response.content.decode()
    way_on = reverse("plans:list") if user else reverse("accounts:login")
    assert (response.status_code, sentence in page) == (status, True)
    assert f'<a class="btn btn-primary" href="{way_on}">{"进入报名系统" if user else "重新登录"}</a>' in page
    assert signed_in_user(response.client) == user


# Getting in --------------------------------------------------------------------------------------------------------


def test_the_question_to_the_platform(client, provider):
    response = client.get(reverse("accounts:login"))
    address = urlsplit(response.headers["Location"])
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    secrets = {name: len(query.pop(name)) for name in ("state", "nonce", "code_challenge")}
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{provider.issuer}/authorize/"
    assert secrets == {"state": 32, "nonce": 32, "code_challenge": 43}
    assert query == {
        "response_type": "code",
        "scope": "openid profile",
        "client_id": "competition-portal",
        "redirect_uri": "http://testserver/accounts/callback/",
        "code_challenge_method": "S256",
    }


def test_a_good_login(client, provider):
    number = resident_number(1, sex=Sex.FEMALE)
    provider.claims = {
        "name": NAME,
        "id_type": "resident_id",
        "id_number": number,
        "phone_number": "13812340000",
        "email": "a@example.cn",
    }
    response = sign_in(client, provider, next="/plans/?q=a%20b")
    user = User.objects.get()
    assert signed_in_user(client) == user
    assert response.headers["Location"] == f"{reverse('accounts:welcome')}?{urlencode({'next': '/plans/?q=a%20b'})}"
    assert (user.issuer, user.subject, user.is_active, user.is_staff, user.is_superuser) == (
        provider.issuer,
        "subject-of-the-platform",
        True,
        False,
        False,
    )
    held = user.identity
    assert (held.legal_name, held.document_type, held.document_number, held.phone) == (
        NAME,
        DocumentType.RESIDENT_ID,
        number,
        "13812340000",
    )
    assert (held.name_vouched, held.document_vouched, held.confirmed_at) == (True, True, None)
    assert provider.asked == [("POST", "/o/token/"), ("GET", "/o/jwks/"), ("GET", "/o/userinfo/")]
    assert provider.authorization == f"Bearer {ACCESS_TOKEN}"
    assert list(AuditEntry.objects.values_list("actor", "verb", "target", "detail")) == [
        (user.username, "login", user.username, "")
    ]


def test_the_client_secret_goes_in_the_header_alone(client, provider):
    provider.token_answer = Answer(status=500)
    sign_in(client, provider)
    basic = base64.b64encode(b"competition-portal:only-for-tests").decode()
    assert provider.authorization == f"Basic {basic}"
    assert sorted(provider.token_request) == ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"]


def test_a_second_login_is_the_same_account(provider):
    for _ in range(2):
        sign_in(Client(), provider)
    assert User.objects.count() == 1
    assert list(AuditEntry.objects.values_list("verb", flat=True)) == ["login", "login"]


def test_same_name_and_mail_never_join_accounts(provider):
    provider.claims = {"name": NAME, "email": "same@example.cn", "phone_number": "13812340000"}
    sign_in(Client(), provider)
    provider.subject = "somebody-else"
    sign_in(Client(), provider)
    assert set(User.objects.values_list("issuer", "subject")) == {
        (provider.issuer, "subject-of-the-platform"),
        (provider.issuer, "somebody-else"),
    }


def test_the_same_subject_of_another_platform_is_somebody_else(client, provider):
    other, _ = User.objects.from_platform("https://other.example.cn", provider.subject)
    sign_in(client, provider)
    assert signed_in_user(client) != other


def test_the_session_key_is_another_after_login(client, provider):
    state = leave(client, provider)
    before = client.session.session_key
    come_back(client, state=state, code="a-code")
    assert signed_in_user(client) is not None
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_a_login_of_somebody_else_begins_an_empty_session(provider, applicant, sign_in):
    client = sign_in(applicant)
    session = client.session
    session["planted"] = "something of the person before"
    session["oidc_states"] = {"s": {"nonce": "n" * 32, "code_verifier": "v" * 64, "added_on": 0}}
    session.save()
    provider.nonce = "n" * 32
    provider.challenge = challenge_of("v" * 64)
    come_back(client, state="s", code="a-code")
    assert signed_in_user(client).subject == provider.subject
    assert "planted" not in client.session


def challenge_of(verifier):
    return generate_code_challenge(verifier, "S256")


def test_nobody_can_read_the_id_token_in_the_session(client, provider):
    provider.claims = {"name": NAME}
    provider.token_claims = {"name": "SECRETNAME"}
    sign_in(client, provider)
    kept = json.dumps(client.session.load(), default=str) + Session.objects.get().session_data
    assert client.session["id_token"].startswith("v1:test:")
    for part in [*provider.last_id_token.split("."), ACCESS_TOKEN, NAME, "SECRETNAME"]:
        assert part not in kept


def test_who_is_signed_in_goes_straight_on(applicant, sign_in):
    response = sign_in(applicant).get(reverse("accounts:login"), {"next": "/profile/"})
    assert (response.status_code, response.headers["Location"]) == (302, "/profile/")


# What the platform vouches for -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "kept"),
    [
        ({}, ("", False, False, "")),
        ({"name": "   "}, ("", False, False, "")),
        ({"name": ["王"]}, ("", False, False, "")),
        ({"name": "王" * 65}, ("", False, False, "")),
        ({"name": f" {NAME} "}, (NAME, True, False, "")),
        ({"phone_number": 13812340000}, ("", False, False, "")),
        ({"phone_number": "1" * 21}, ("", False, False, "")),
        ({"id_type": "resident_id", "id_number": "110105199003070001"}, ("", False, False, "")),
        ({"id_type": "library_card", "id_number": "12345"}, ("", False, False, "")),
        ({"id_type": ["resident_id"], "id_number": {}}, ("", False, False, "")),
        ({"id_type": "passport", "id_number": "e1234567"}, ("", False, True, "")),
    ],
)
def test_what_is_vouched_for(client, provider, claims, kept):
    provider.claims = claims
    sign_in(client, provider)
    held = Identity.objects.get()
    assert (held.legal_name, held.name_vouched, held.document_vouched, held.phone) == kept
    assert held.document_number == ("E1234567" if held.document_vouched else "")


def test_what_is_vouched_for_is_refreshed_until_it_is_confirmed(provider):
    provider.claims = {"name": "王旧"}
    sign_in(Client(), provider)
    provider.claims = {"name": "王新"}
    sign_in(Client(), provider)
    held = Identity.objects.get()
    assert held.legal_name == "王新"
    provider.claims = {"id_type": "passport", "id_number": "E7654321"}
    sign_in(Client(), provider)
    held.refresh_from_db()
    assert (held.name_vouched, held.document_vouched) == (False, True)
    held.confirm(legal_name="王定", document=held.document())
    provider.claims = {"name": "王后来", "phone_number": "13800000000"}
    sign_in(Client(), provider)
    held.refresh_from_db()
    assert (held.legal_name, held.phone) == ("王定", "")


# A platform that is away, slow or strange --------------------------------------------------------------------------

HTML = Answer("<!doctype html><title>维护中</title>".encode(), content_type="text/html")
MOVED = Answer(b"{}", status=302)
ENDPOINTS = ["token_answer", "keys_answer", "userinfo_answer"]
ODD_ANSWERS = {
    "500": (Answer(b"{}", status=500), UNREACHABLE, 503),
    "503": (Answer(b"busy", status=503, content_type="text/plain"), UNREACHABLE, 503),
    "html": (HTML, UNTRUSTED, 400),
    "nothing": (Answer(b""), UNTRUSTED, 400),
    "refusal": (json_answer({"error": "invalid_grant"}, status=400), UNTRUSTED, 400),
    "elsewhere": (MOVED, UNTRUSTED, 400),
    "a list": (json_answer([1, 2]), UNTRUSTED, 400),
    "null": (json_answer(None), UNTRUSTED, 400),
    "empty object": (json_answer({}), UNTRUSTED, 400),
    "half": (Answer(b'{"sub": "subj'), UNTRUSTED, 400),
    "deep": (Answer(b"[" * 100_000), UNTRUSTED, 400),
    "not utf-8": (Answer(b'{"sub": "\xff\xfe"}'), UNTRUSTED, 400),
    "huge": (Answer(b'{"a": "' + b"x" * (oidc.ANSWER_BYTES + 1) + b'"}'), UNTRUSTED, 400),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("case", ODD_ANSWERS)
def test_an_odd_answer(client, provider, endpoint, case):
    answer, sentence, status = ODD_ANSWERS[case]
    setattr(provider, endpoint, answer)
    assert_failed(sign_in(client, provider), sentence, status=status)
    assert not User.objects.exists()


def test_the_platform_is_away(client, provider, settings):
    state = leave(client, provider)
    settings.OIDC_OP_TOKEN_ENDPOINT = "http://127.0.0.1:1/token/"
    assert_failed(come_back(client, state=state, code="a-code"), UNREACHABLE, status=503)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"{" * 100, pause=0.02),
        Answer(pause=0.02, drip_headers=True),
        Answer(b"{}", pause=2),
    ],
    ids=["body drips", "headers drip", "no body"],
)
def test_a_slow_platform_is_not_waited_for(client, provider, monkeypatch, settings, endpoint, answer):
    monkeypatch.setattr(oidc, "EXCHANGE_SECONDS", 0.25)
    settings.OIDC_TIMEOUT = 0.2
    setattr(provider, endpoint, answer)
    begun = time.monotonic()
    response = sign_in(client, provider)
    waited = time.monotonic() - begun
    assert_failed(response, UNREACHABLE, status=503)
    assert waited < 0.75


def test_the_bounds_that_are_in_force(settings):
    assert (oidc.EXCHANGE_SECONDS, settings.OIDC_TIMEOUT) == (6, 3)


# A platform that lies ----------------------------------------------------------------------------------------------


def now_and(seconds):
    return int(time.time()) + seconds


LIES = {
    "for somebody else": {"token_claims": {"aud": "another-portal"}},
    "for others as well, without azp": {"token_claims": {"aud": ["competition-portal", "another-portal"]}},
    "for us by the wish of another": {"token_claims": {"azp": "another-portal"}},
    "for nobody": {"token_claims": {"aud": None}},
    "from another issuer": {"token_claims": {"iss": "https://id.example.cn"}},
    "from no issuer": {"token_claims": {"iss": None}},
    "another nonce": {"token_claims": {"nonce": "n" * 32}},
    "no nonce": {"token_claims": {"nonce": None}},
    "expired": {"token_claims": {"exp": now_and(-200)}},
    "without an end": {"token_claims": {"exp": None}},
    "endless": {"token_claims": {"exp": float("inf")}},
    "not a time": {"token_claims": {"exp": "tomorrow"}},
    "from the future": {"token_claims": {"iat": now_and(400)}},
    "without a beginning": {"token_claims": {"iat": None}},
    "not yet": {"token_claims": {"nbf": now_and(400)}},
    "about nobody": {"token_claims": {"sub": None}},
    "about an empty one": {"token_claims": {"sub": ""}},
    "about a number": {"token_claims": {"sub": 7}},
    "about a very long one": {"token_claims": {"sub": "s" * 256}},
    "not signed": {"algorithm": "none", "key": ""},
    "signed by another": {"key": "theirs"},
    "signed with our public key": {"algorithm": "HS256", "key": "public"},
    "signed another way": {"algorithm": "PS256"},
    "unknown key": {"header": {"kid": "key-2"}},
    "a key without a name": {"header": {"kid": None}},
    "a key for another use": {"keys": [jwk(use="enc")]},
    "no keys": {"keys": []},
    "strange keys": {"keys": ["key", 7, None]},
    "a broken key": {"keys": [{"kid": "key-1", "kty": "RSA", "n": "?", "e": "AQAB"}]},
    "no token": {"id_token": None},
    "an empty token": {"id_token": ""},
    "not a token": {"id_token": "a.b.c"},
    "a token that is a number": {"id_token": 7},
    "userinfo of somebody else": {"claims": {"sub": "somebody-else"}},
    "userinfo of nobody": {"claims": {"sub": None}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_lets_nobody_in(client, provider, lie):
    for name, value in LIES[lie].items():
        setattr(provider, name, {"theirs": rsa_key("theirs"), "public": public_pem()}.get(str(value), value))
    assert_failed(sign_in(client, provider), UNTRUSTED)
    assert not User.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "truth",
    [
        {"token_claims": {"aud": ["competition-portal"]}},
        {"token_claims": {"aud": ["competition-portal", "another"], "azp": "competition-portal"}},
        {"token_claims": {"exp": now_and(-60)}},
        {"token_claims": {"iat": now_and(60), "nbf": now_and(60)}},
        {"keys": [jwk("theirs", kid="key-0"), jwk()]},
    ],
)
def test_what_only_looks_like_a_lie(client, provider, truth):
    for name, value in truth.items():
        setattr(provider, name, value)
    sign_in(client, provider)
    assert signed_in_user(client).subject == "subject-of-the-platform"


def test_a_subject_that_no_database_takes(client, provider):
    provider.subject = "甲\u0000\ud800"
    assert_failed(sign_in(client, provider), UNTRUSTED)


# Browsers do strange things ----------------------------------------------------------------------------------------


def test_the_back_button(client, provider):
    state = leave(client, provider)
    come_back(client, state=state, code="a-code")
    user = signed_in_user(client)
    assert_failed(come_back(client, state=state, code="a-code"), EXPIRED, user=user)


def test_another_browser(client, provider):
    state = leave(client, provider)
    assert_failed(come_back(Client(), state=state, code="a-code"), EXPIRED)
    assert provider.asked == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"code": "a-code"},
        {"state": "forged", "code": "a-code"},
        {"error": "access_denied"},
        {"error": "access_denied", "state": "forged"},
        {"error": "<script>alert(1)</script>", "error_description": "<script>"},
    ],
)
def test_an_answer_nobody_asked_for(client, provider, query):
    response = come_back(client, **query)
    assert_failed(response, EXPIRED)
    assert b"<script" not in response.content
    assert provider.asked == []


@pytest.mark.parametrize(
    ("error", "sentence", "status"),
    [
        ("access_denied", REFUSED, 400),
        ("server_error", UNREACHABLE, 503),
        ("temporarily_unavailable", UNREACHABLE, 503),
        ("login_required", "统一身份认证平台没有完成登录，请重新登录。", 400),
        ("其他<b>", "统一身份认证平台没有完成登录，请重新登录。", 400),
        ("", "统一身份认证平台没有完成登录，请重新登录。", 400),
    ],
)
def test_the_platform_refuses(client, provider, error, sentence, status):
    state = leave(client, provider)
    assert_failed(come_back(client, state=state, error=error), sentence, status=status)
    assert_failed(come_back(client, state=state, code="a-code"), EXPIRED)


def test_two_tabs_both_get_in(client, provider):
    first = leave(client, provider)
    first_secrets = provider.nonce, provider.challenge
    second = leave(client, provider)
    second_secrets = provider.nonce, provider.challenge
    for state, secrets in [(first, first_secrets), (second, second_secrets)]:
        provider.nonce, provider.challenge = secrets
        response = come_back(client, state=state, code="a-code")
        assert response.headers["Location"].startswith(reverse("accounts:welcome"))
    assert User.objects.count() == 1


@pytest.mark.parametrize("case", ["forged", "refused", "lie", "away"])
def test_who_is_signed_in_stays_so(provider, case):
    client = Client()
    sign_in(client, provider)
    user, key, token = signed_in_user(client), client.session.session_key, client.session["id_token"]
    session = client.session
    session["oidc_states"] = {"s": {"nonce": "n", "code_verifier": "v" * 64, "added_on": 0}}
    session.save()
    provider.challenge = challenge_of("v" * 64)
    if case == "away":
        provider.token_answer = Answer(status=502)
    query = {
        "forged": {"error": "access_denied"},
        "refused": {"error": "access_denied", "state": "s"},
        "lie": {"code": "c", "state": "s"},
        "away": {"code": "c", "state": "s"},
    }[case]
    sentence, status = {"forged": (EXPIRED, 400), "refused": (REFUSED, 400), "lie": (UNTRUSTED, 400)}.get(
        case, (UNREACHABLE, 503)
    )
    assert_failed(come_back(client, **query), sentence, status=status, user=user)
    assert (client.session.session_key, client.session["id_token"]) == (key, token)


def test_the_log_says_why_without_names_or_tokens(client, provider, caplog):
    caplog.set_level(logging.DEBUG)
    provider.claims = {"name": NAME, "id_number": "110105199003070001", "id_type": "resident_id", "sub": "other"}
    state = leave(client, provider)
    come_back(client, state=state, code="a-secret-code")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("accounts")]
    assert ours == ["login refused: answer not acceptable: ValueError"]
    secrets = [provider.last_id_token, ACCESS_TOKEN, NAME, "110105199003070001", "a-secret-code", "only-for-tests"]
    assert [secret for secret in [*secrets, state, provider.nonce] if secret in caplog.text] == []


# Deactivated -------------------------------------------------------------------------------------------------------


def test_a_deactivated_user_is_out_at_the_next_request_and_refused_at_login(provider):
    client = Client()
    sign_in(client, provider)
    user = signed_in_user(client)
    User.objects.filter(pk=user.pk).update(is_active=False)
    response = client.get(reverse("profiles:edit"))
    assert response.headers["Location"] == f"{reverse('accounts:login')}?next=%2Fprofile%2F"
    other = Client()
    assert_failed(sign_in(other, provider), "这个账户已被停用，不能登录。如有疑问，请联系系统管理员。")
    assert list(AuditEntry.objects.values_list("actor", "verb", "detail")) == [
        (user.username, "login.refused", "deactivated"),
        (user.username, "login", ""),
    ]


# Signing out -------------------------------------------------------------------------------------------------------


def sign_out(client):
    """Where signing out sends the browser: the address, and its query."""
    response = client.post(reverse("accounts:logout"))
    address, _, query = response.headers["Location"].partition("?")
    return address, {name: values[0] for name, values in parse_qs(query).items()}


def test_signing_out_ends_both_sessions(client, provider):
    sign_in(client, provider)
    user = signed_in_user(client)
    assert sign_out(client) == (
        f"{provider.issuer}/logout/",
        {
            "post_logout_redirect_uri": "http://testserver/accounts/signed-out/",
            "client_id": "competition-portal",
            "id_token_hint": provider.last_id_token,
        },
    )
    assert signed_in_user(client) is None
    assert not Session.objects.exists()
    assert AuditEntry.objects.first().verb == "logout"
    assert AuditEntry.objects.first().actor == user.username


def test_signing_out_is_by_post_alone(client, provider):
    sign_in(client, provider)
    response = client.get(reverse("accounts:logout"))
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert signed_in_user(client) is not None


@pytest.mark.parametrize("wrong", ["no endpoint", "unreadable token", "no token"])
def test_signing_out_where_the_platform_cannot(client, provider, settings, wrong):
    sign_in(client, provider)
    session = client.session
    if wrong == "no endpoint":
        settings.OIDC_OP_LOGOUT_ENDPOINT = ""
    else:
        session["id_token"] = "v1:test:AAAA" if wrong == "unreadable token" else ""
        session.save()
    assert sign_out(client) == ("http://testserver/accounts/signed-out/", {})
    assert signed_in_user(client) is None
    page = client.get(reverse("accounts:signed_out")).content.decode()
    assert ("您已退出" in page, "重新登录" in page) == (True, True)


def test_signing_out_without_being_in(client, db):
    assert sign_out(client) == ("http://testserver/accounts/signed-out/", {})
    assert not AuditEntry.objects.exists()


def test_the_page_after_signing_out_tells_who_is_still_in(applicant, sign_in):
    page = sign_in(applicant).get(reverse("accounts:signed_out")).content.decode()
    assert "<h1>您仍处于登录状态</h1>" in page
    assert "<h1>您已退出</h1>" not in page


# 登录成功 ------------------------------------------------------------------------------------------------------------


def test_the_welcome_goes_on_by_itself(applicant, sign_in):
    response = sign_in(applicant).get(reverse("accounts:welcome"), {"next": "/profile/"})
    page = response.content.decode()
    assert response.headers["Refresh"] == "3; url=/profile/"
    assert "<h1>登录成功</h1>" in page
    assert "3 秒后自动进入报名系统" in page
    assert '<a class="btn btn-primary" href="/profile/">立即进入</a>' in page


STRANGE_TARGETS = [
    "//evil.example",
    "https://evil.example/",
    "http:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "\\\\evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "https://testserver@evil.example/",
    "\x00//evil.example",
    "ftp://testserver/",
    "",
]


@pytest.mark.parametrize("target", STRANGE_TARGETS)
@pytest.mark.parametrize("name", ["accounts:welcome", "accounts:login"])
def test_next_leads_to_ourselves_alone(applicant, sign_in, name, target):
    response = sign_in(applicant).get(reverse(name), {"next": target})
    shown = response.headers.get("Location") or response.headers["Refresh"].removeprefix("3; url=")
    assert shown == reverse("plans:list")
    assert b"evil" not in response.content


@pytest.mark.parametrize("target", STRANGE_TARGETS[:-1])
def test_next_is_not_remembered_when_it_leads_elsewhere(client, provider, target):
    response = sign_in(client, provider, next=target)
    assert response.headers["Location"] == f"{reverse('accounts:welcome')}?next=%2Fplans%2F"


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/plans/?q=电工", "/plans/?q=%E7%94%B5%E5%B7%A5"),
        ("/plans/?q=a\r\nSet-Cookie: b=c", "/plans/?q=a%0D%0ASet-Cookie:%20b=c"),
        ("/plans/?q=%E7%94%B5", "/plans/?q=%E7%94%B5"),
    ],
)
def test_next_is_an_address_also_in_the_header(applicant, sign_in, target, shown):
    response = sign_in(applicant).get(reverse("accounts:welcome"), {"next": target})
    assert response.headers["Refresh"] == f"3; url={shown}"
    assert "Set-Cookie" not in {name for name, _ in response.items()}


def test_the_welcome_stands_before_the_confirmation(db, sign_in):
    response = sign_in(scenes.account()).get(reverse("accounts:welcome"))
    assert "<h1>登录成功</h1>" in response.content.decode()
