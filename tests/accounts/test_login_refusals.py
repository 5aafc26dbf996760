"""A refused login in the record: after the platform was asked, and no more of them than are good to read."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import oidc
from accounts.models import AuditEntry, User
from tests.accounts.provider import Answer, running_provider
from tests.accounts.test_oidc import come_back, leave, sign_in


@pytest.fixture
def provider(db, settings):
    with running_provider() as provider:
        for name, value in provider.settings().items():
            setattr(settings, name, value)
        yield provider


def lines():
    columns = ("actor", "verb", "target", "subject", "detail", "address")
    return list(AuditEntry.objects.order_by("pk").values_list(*columns))


def refused(detail, address="127.0.0.1"):
    return ("anonymous", "login.refused", "", "", detail, address)


def test_a_refusal_after_the_exchange_leaves_one_line(provider):
    provider.token_answer = Answer(status=502)
    response = sign_in(Client(), provider)
    assert lines() == [refused("platform unreachable: ConnectionError")]
    assert AuditEntry.objects.get().request_id == response["X-Request-ID"]


def test_what_anybody_can_send_without_the_platform_leaves_none(provider):
    client = Client()
    come_back(client, state="forged", code="a-code")
    come_back(client, error="access_denied")
    come_back(client)
    state = leave(client, provider)
    come_back(client, state=state, error="access_denied")
    assert lines() == []


def test_a_deactivated_account_is_named_once_and_without_bound(provider, monkeypatch):
    monkeypatch.setattr("accounts.login_refusals.LINES_AN_HOUR", 0)
    sign_in(Client(), provider)
    user = User.objects.get()
    User.objects.update(is_active=False)
    for _ in range(2):
        sign_in(Client(), provider)
    expected = (user.username, "login.refused", user.username, user.username, "deactivated", "127.0.0.1")
    assert lines()[1:] == [expected] * 2


def test_many_refusals_of_nobody_end_in_one_line_that_says_so(provider, monkeypatch, settings):
    monkeypatch.setattr("accounts.login_refusals.LINES_AN_HOUR", 2)
    settings.TRUSTED_PROXIES = 1
    provider.token_answer = Answer(status=502)

    def fail(address):
        client = Client(headers={"x-forwarded-for": address})
        sign_in(client, provider)

    for _ in range(5):
        fail("203.0.113.7")
    fail("203.0.113.8")
    detail = "platform unreachable: ConnectionError"
    assert lines() == [
        refused(detail, "203.0.113.7"),
        refused(detail, "203.0.113.7"),
        ("anonymous", "limit.reached", "", "", "login.refused", "203.0.113.7"),
        refused(detail, "203.0.113.8"),
    ]
    later = timezone.now() + timedelta(minutes=61)
    monkeypatch.setattr("accounts.login_refusals.timezone.now", lambda: later)
    fail("203.0.113.7")
    assert lines()[4:] == [refused(detail, "203.0.113.7")]


def test_a_reason_longer_than_its_column(db):
    from accounts.login_refusals import record_login_refused

    record_login_refused("r" * 500)
    assert lines() == [refused("r" * 200, "")]
    assert oidc.LoginRefused("reason", "sentence").user is None
