"""The way to the platform and back, over real HTTP: who gets in, and what everybody else reads."""

import base64
import json
import time
from datetime import date
from functools import partial
from threading import Event
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode
from mozilla_django_oidc.utils import generate_code_challenge

from accounts import erasure, oidc
from accounts.identity import DocumentType, Sex, parse
from accounts.models import AuditEntry, Identity, User
from accounts.views import CallbackView
from tests import scenes
from tests.accounts.browser import (
    EXPIRED,
    REFUSED,
    UNREACHABLE,
    UNTRUSTED,
    assert_failed,
    come_back,
    leave,
    sign_in,
    signed_in_user,
)
from tests.accounts.provider import ACCESS_TOKEN, Answer, jwk, now_and
from tests.people import resident_number
from tests.registrations.threads import at_once

NAME = "欧阳测试"


@pytest.fixture
def client():
    return Client()


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


def test_what_the_address_of_the_platform_has_of_a_query_stays(client, provider, settings):
    """RFC 6749, 3.1."""
    settings.OIDC_OP_AUTHORIZATION_ENDPOINT = f"{provider.issuer}/authorize/?realm=beijing&theme="
    address = client.get(reverse("accounts:login")).headers["Location"]
    query = parse_qs(urlsplit(address).query, keep_blank_values=True)
    assert address.count("?") == 1
    assert (query["realm"], query["theme"], query["response_type"]) == (["beijing"], [""], ["code"])


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


@pytest.mark.django_db(transaction=True)
def test_the_first_login_in_two_tabs_at_once_is_one_account(provider):
    """Two tabs of two windows: neither finds the account that the other is just making."""
    tabs = {code: Client() for code in ("first", "second", "third")}
    states = {code: leave(tab, provider, code) for code, tab in tabs.items()}
    answers = at_once(*(partial(come_back, tab, state=states[code], code=code) for code, tab in tabs.items()))
    assert {answer.headers.get("Location") for answer in answers} == {"/accounts/welcome/?next=%2Fplans%2F"}
    user = User.objects.get()
    assert [signed_in_user(tab) for tab in tabs.values()] == [user] * 3
    assert (Identity.objects.get().user, AuditEntry.objects.filter(verb="login").count()) == (user, 3)


def test_a_subject_in_other_letters_is_somebody_else(provider):
    for provider.subject in ("subject", "Subject", "subject "):
        sign_in(Client(), provider)
    assert User.objects.count() == 3


def test_a_question_that_is_too_old(client, provider, caplog):
    state = leave(client, provider)
    session = client.session
    session["oidc_states"] = {state: {**session["oidc_states"][state], "added_on": time.time() - 3601}}
    session.save()
    assert_failed(come_back(client, state=state, code="a-code"), EXPIRED)
    assert (provider.asked, client.session["oidc_states"]) == ([], {})
    assert "login refused: expired state" in caplog.messages


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
    session["oidc_states"] = {"s": {"nonce": "n" * 32, "code_verifier": "v" * 64, "added_on": time.time()}}
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
        ({"name": "刘　洋"}, ("刘洋", True, False, "")),
        ({"name": "ANNA  MUELLER"}, ("ANNA MUELLER", True, False, "")),
        ({"name": f"{NAME}\0"}, ("", False, False, "")),
        ({"name": f"{NAME}\ud800"}, ("", False, False, "")),
        ({"name": f"{NAME}\r\nBcc: a"}, ("", False, False, "")),
        ({"name": f"{NAME}\u202e"}, ("", False, False, "")),
        ({"name": "阿卜杜拉·买\u3000提"}, ("阿卜杜拉·买提", True, False, "")),
        ({"phone_number": "1381234\0"}, ("", False, False, "")),
        ({"phone_number": "1381234\ud800"}, ("", False, False, "")),
        ({"phone_number": "+86 138 1234"}, ("", False, False, "+86 138 1234")),
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


def test_userinfo_says_what_somebody_is_called_but_not_who_it_is(client, provider):
    """Only the ID token is signed; of what both say, userinfo has it newer (OpenID Connect Core 1.0, 5.3.2)."""
    provider.token_claims = {"name": "王旧"}
    provider.claims = {"name": "王新", "iss": "https://other.example.cn", "aud": "another-portal", "nonce": "n"}
    sign_in(client, provider)
    user = signed_in_user(client)
    assert (user.issuer, user.subject, user.identity.legal_name) == (provider.issuer, provider.subject, "王新")


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


def test_what_is_confirmed_while_another_window_comes_back_stays_so(provider, monkeypatch):
    """Between the look and the write of the second login somebody presses 确认 in the first one's window."""
    sign_in(Client(), provider)
    asked, number = oidc.vouched_document, resident_number(1, sex=Sex.MALE)

    def meanwhile(claims):
        held = Identity.objects.get()
        held.confirm(legal_name="王定", document=parse("resident_id", number, today=date(2026, 1, 1)))
        return asked(claims)

    monkeypatch.setattr(oidc, "vouched_document", meanwhile)
    provider.claims = {"name": "王后来", "id_type": "passport", "id_number": "E7654321"}
    sign_in(Client(), provider)
    held = Identity.objects.get()
    assert (held.legal_name, held.document_number, held.name_vouched) == ("王定", number, False)
    assert held.confirmed_at is not None


@pytest.mark.django_db(transaction=True)
def test_who_is_erased_while_coming_back_leaves_nothing(provider, monkeypatch):
    """The erasure begins when the account has been found, and ends when the login lets it."""
    provider.claims = {"name": NAME}
    sign_in(Client(), provider)
    known, tab = User.objects.get(), Client()
    state = leave(tab, provider)
    found, erased = Event(), Event()
    asked = User.objects.from_platform

    def slowly(*who):
        answer = asked(*who)
        found.set()
        erased.wait(0.5)
        return answer

    def erase():
        assert found.wait(10)
        erasure.erase(known, known)
        erased.set()

    monkeypatch.setattr(type(User.objects), "from_platform", lambda self, *who: slowly(*who))
    at_once(partial(come_back, tab, state=state, code="a-code"), erase)
    known.refresh_from_db()
    assert (known.is_active, known.subject, Identity.objects.filter(user=known).count()) == (False, None, 0)


# A platform that speaks in its own way ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "truth",
    [
        {"token_claims": {"aud": ["competition-portal"]}},
        {"token_claims": {"aud": ["competition-portal", "another"], "azp": "competition-portal"}},
        {"token_claims": {"exp": now_and(-115)}},
        {"token_claims": {"iat": now_and(118)}},
        {"token_claims": {"nbf": now_and(118)}},
        {"token_claims": {"iat": now_and(-700)}},
        {"token_claims": {"auth_time": 1, "acr": "0", "amr": ["pwd"]}},
        {"at_hash": True},
        {"keys": [jwk("theirs", kid="key-0"), jwk()]},
        {"keys": [jwk(use=None, alg=None)]},
        {"keys": [jwk("theirs", use="enc"), jwk("other", alg="RS512"), jwk()]},
        {"keys": [jwk("theirs", kid="key-0", use="enc"), jwk()], "header": {"kid": None}},
        {"header": {"typ": "jwt"}},
        {"header": {"typ": None}},
        {"token_extra": {"token_type": "bearer", "expires_in": 60}},
    ],
)
def test_what_only_looks_like_a_lie(client, provider, truth):
    for name, value in truth.items():
        setattr(provider, name, value)
    sign_in(client, provider)
    assert signed_in_user(client).subject == "subject-of-the-platform"


def test_a_question_without_a_nonce_has_no_answer(client, provider):
    """Not even the same nothing."""
    state = leave(client, provider)
    session = client.session
    session["oidc_states"] = {state: {**session["oidc_states"][state], "nonce": ""}}
    session.save()
    provider.token_claims = {"nonce": ""}
    assert_failed(come_back(client, state=state, code="a-code"), UNTRUSTED)


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


def test_who_signs_out_in_another_tab_at_that_moment(client, provider, monkeypatch):
    state, checked = leave(client, provider), CallbackView.check_state

    def meanwhile(self, request):
        checked(self, request)
        Session.objects.all().delete()

    monkeypatch.setattr(CallbackView, "check_state", meanwhile)
    assert_failed(come_back(client, state=state, code="a-code"), EXPIRED)
    assert (Session.objects.count(), User.objects.count()) == (0, 0)


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
    session["oidc_states"] = {"s": {"nonce": "n", "code_verifier": "v" * 64, "added_on": time.time()}}
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


def test_another_site_signs_nobody_in(client, provider):
    """The platform may know the person still, and not ask: then a link elsewhere would be enough."""
    asked = client.get("/accounts/login/?next=%2Fprofile%2F", headers={"Sec-Fetch-Site": "cross-site"})
    page = asked.content.decode()
    assert (asked.status_code, "oidc_states" in client.session) == (200, False)
    assert '<a class="btn btn-primary" href="/accounts/login/?next=%2Fprofile%2F">个人登录</a>' in page
    for ours in ("same-origin", "same-site", "none"):
        gone = client.get("/accounts/login/", headers={"Sec-Fetch-Site": ours})
        assert gone.headers["Location"].startswith(f"{provider.issuer}/authorize/")
