"""The emergency login: closed unless a setting opens it, for few, counted, written down."""

import hashlib
import re
from io import StringIO

import pytest
import time_machine
from django.conf import settings as configured
from django.contrib import auth
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import emergency
from accounts.management.commands import set_emergency_password
from accounts.models import AuditEntry, User
from tests import scenes
from tests.accounts.browser import signed_in_user

ADDRESS = "/accounts/emergency/"
PASSWORD = "correct horse battery 7"
WRONG = "账户代号或密码不正确，您没有登录。请核对后重新输入；15 分钟内最多可以试 5 次。"


SCRYPT = configured.PASSWORD_HASHERS


@pytest.fixture(autouse=True)
def quick_hashes(settings):
    """A good one takes as long as a test; those that are about it take it back."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def opened(settings):
    settings.EMERGENCY_LOGIN = True
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, emergency.BACKEND]
    return settings


@pytest.fixture
def operator(db):
    return User.objects.create_superuser("emergency-1", PASSWORD)


def attempt(client, account="emergency-1", password=PASSWORD, **more):
    return client.post(ADDRESS, {"account": account, "password": password}, **more)


def lines():
    return list(AuditEntry.objects.order_by("pk").values_list("actor", "verb", "target", "detail"))


def errors(response):
    page = response.content.decode()
    return re.findall(r"<li>(?:<a href=\"#id_\w+\">.*?</a>：)?(.*?)</li>", page.partition("</section>")[0])


# Closed -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_there_is_no_such_page(operator, method):
    client = Client()
    response = getattr(client, method)(ADDRESS, {"account": "emergency-1", "password": PASSWORD})
    assert response.status_code == 404
    assert (signed_in_user(client), lines()) == (None, [])


def test_no_password_works_anywhere(operator):
    assert configured.AUTHENTICATION_BACKENDS == ["accounts.oidc.PlatformBackend"]
    for names in ({"username": "emergency-1"}, {"account": "emergency-1"}):
        assert auth.authenticate(None, password=PASSWORD, **names) is None
        assert auth.authenticate(Client().get("/").wsgi_request, password=PASSWORD, **names) is None
    assert emergency.EmergencyBackend().authenticate(None, account="emergency-1", password=PASSWORD) is None
    client = Client()
    response = client.post("/admin/login/", {"username": "emergency-1", "password": PASSWORD})
    assert response.headers["Location"].startswith("/accounts/login/?next=")
    assert not client.login(username="emergency-1", password=PASSWORD)
    assert signed_in_user(client) is None


def test_closing_it_ends_what_began_with_a_password(operator, opened):
    client = Client()
    attempt(client)
    assert client.get("/accounts/identity/").status_code == 200
    opened.EMERGENCY_LOGIN = False
    assert client.get("/accounts/identity/").headers["Location"].startswith("/accounts/login/")
    opened.EMERGENCY_LOGIN = True
    opened.AUTHENTICATION_BACKENDS = ["accounts.oidc.PlatformBackend"]
    assert client.get("/accounts/identity/").headers["Location"].startswith("/accounts/login/")


# Open ---------------------------------------------------------------------------------------------------------------


def test_a_good_login(operator, opened):
    client = Client()
    client.get(ADDRESS)
    session = client.session
    session["planted"] = 1
    session.save()
    before = client.cookies[configured.SESSION_COOKIE_NAME] = session.session_key
    response = attempt(client)
    assert response.headers["Location"] == "/admin/"
    assert signed_in_user(client) == operator
    assert (client.session.session_key != before, Session.objects.filter(session_key=before).exists()) == (True, False)
    assert lines() == [("emergency-1", "emergency.login", "emergency-1", "")]
    assert client.get("/admin/").headers["Location"] == "/accounts/identity/?next=%2Fadmin%2F"
    assert client.get(ADDRESS).headers["Location"] == "/admin/"
    assert client.post("/accounts/logout/").headers["Location"] == "/accounts/signed-out/"


def test_the_page(db, opened):
    response = Client().get(ADDRESS)
    page = response.content.decode()
    assert response.status_code == 200
    assert "<h1>应急登录</h1>" in page
    assert re.findall(r'<input type="(\w+)" name="(account|password)"', page) == [
        ("text", "account"),
        ("password", "password"),
    ]
    assert "no-store" in response.headers["Cache-Control"]
    assert Client().put(ADDRESS).status_code == 405


def test_a_password_is_not_taken_without_its_form(operator, opened):
    client = Client(enforce_csrf_checks=True)
    assert attempt(client).status_code == 403
    assert signed_in_user(client) is None


@pytest.mark.parametrize(
    ("typed", "sentences"),
    [
        ({}, ["请填写账户代号。", "请填写密码。"]),
        ({"account": "emergency-1"}, ["请填写密码。"]),
        ({"account": "a" * 65, "password": "b"}, ["账户代号最多 64 个字，请核对是否多输了字符。"]),
        ({"account": "emergency-1", "password": "b" * 1025}, ["密码太长，请核对是否多输了字符。"]),
        ({"account": "emergency\0", "password": "b"}, ["账户代号里有不能使用的字符，请重新输入。"]),
    ],
)
def test_what_is_missing(operator, opened, typed, sentences):
    response = Client().post(ADDRESS, typed)
    assert (response.status_code, errors(response), lines()) == (422, sentences, [])


def someone(case):
    """An account that must not get in, and the password that is typed for it."""
    if case == "nobody":
        return "nobody", PASSWORD
    if case == "of the platform":
        user = scenes.person()
        User.objects.filter(pk=user.pk).update(is_staff=True)
        return user.username, ""
    if case == "of the platform, with a password of spaces":
        user = scenes.person()
        User.objects.filter(pk=user.pk).update(is_staff=True)
        return user.username, " "
    if case == "not staff":
        user = scenes.person()
        user.set_password(PASSWORD)
        user.save()
        return user.username, PASSWORD
    changes = {"deactivated": {"is_active": False}, "password removed": {"password": "!unusable"}}
    User.objects.filter(username="emergency-1").update(**changes.get(case, {}))
    return "emergency-1", "wrong password" if case == "wrong password" else PASSWORD


CASES = ["nobody", "of the platform, with a password of spaces", "not staff", "deactivated", "password removed"]


@pytest.mark.parametrize("case", [*CASES, "wrong password"])
def test_who_does_not_get_in(operator, opened, caplog, case):
    account, password = someone(case)
    client = Client()
    response = attempt(client, account, password)
    assert (response.status_code, errors(response)) == (422, [WRONG])
    assert signed_in_user(client) is None
    target = "" if case == "nobody" else account
    assert lines() == [("anonymous", "emergency.refused", target, "wrong password")]
    assert password.strip() not in response.content.decode() or not password.strip()
    assert "emergency login refused" in caplog.messages
    assert [secret for secret in (PASSWORD, "wrong password", "nobody") if secret in caplog.text] == []


def test_an_unknown_account_costs_as_much(db, opened, monkeypatch):
    """Counted, not timed: what takes the time is scrypt, and it is reckoned once whoever is asked about."""
    opened.PASSWORD_HASHERS = SCRYPT
    User.objects.create_superuser("emergency-1", PASSWORD)
    platforms = scenes.person().username
    reckoned = []
    scrypt = hashlib.scrypt
    monkeypatch.setattr("hashlib.scrypt", lambda *args, **kwargs: reckoned.append(kwargs) or scrypt(*args, **kwargs))

    def cost(account):
        reckoned.clear()
        assert emergency.EmergencyBackend().authenticate(None, account=account, password="wrong") is None
        return [{name: value for name, value in times.items() if name in "nrp"} for times in reckoned]

    known = cost("emergency-1")
    assert len(known) == 1
    assert [cost("nobody"), cost(platforms)] == [known, known]


def test_a_password_is_kept_as_scrypt(db, settings):
    settings.PASSWORD_HASHERS = SCRYPT
    assert User.objects.create_superuser("emergency-1", PASSWORD).password.startswith("scrypt$")


def test_a_deactivated_operator_is_out_at_the_next_request(operator, opened):
    client = Client()
    attempt(client)
    User.objects.update(is_active=False)
    assert client.get("/accounts/identity/").headers["Location"].startswith("/accounts/login/")


def test_a_new_password_ends_the_sessions_of_the_old_one(operator, opened):
    client = Client()
    attempt(client)
    operator.set_password("another good password")
    operator.save()
    assert client.get("/accounts/identity/").headers["Location"].startswith("/accounts/login/")


PASSWORDS = {
    "fifteen": "abcdefghijklmno",
    "no letters of ours": "春眠不觉晓处处闻啼鸟夜来风雨声",
    "emoji": "🚲" * 15,
    "long": "battery staple " * 60,
    "spaces at both ends": "  correct horse battery  ",
    "small letters alone": "correcthorsebattery",
    "marks alone": '!"#$%&/()=?*+-.,',
}


@pytest.mark.parametrize("name", PASSWORDS)
def test_a_password_is_taken_as_it_was_typed(operator, opened, run, name):
    """Whatever characters it has, up to a thousand of them, and compared without a change."""
    password = PASSWORDS[name]
    run("emergency-1", typed=[password, password])
    near = [password[:-1], password + " ", password.swapcase(), password.strip()]
    for number, other in enumerate(other for other in near if other != password):
        assert attempt(Client(), password=other, REMOTE_ADDR=f"10.0.0.{number}").status_code == 422
    client = Client()
    assert attempt(client, password=password).status_code == 302
    assert signed_in_user(client) == operator


def test_a_common_password_is_refused(operator, run):
    """Of the list that Django brings; only some of it is as long as a password has to be."""
    before = operator.password
    with pytest.raises(CommandError) as refusal:
        run("emergency-1", typed=["demon1q2w3e4r5t"] * 2)
    assert str(refusal.value) == "密码不合要求，没有改动：这个密码太常见了。"
    assert User.objects.get().password == before


def test_the_field_lets_paste_and_password_managers_work(db, opened):
    page = Client().get(ADDRESS).content.decode()
    (field,) = re.findall(r'<input type="password"[^>]*>', page)
    assert ('autocomplete="current-password"' in field, "onpaste" in page, "<script" in page) == (True, False, False)
    assert "maxlength" not in field or 'maxlength="1024"' in field


# Too often ----------------------------------------------------------------------------------------------------------


def assert_wait(response, seconds, moment):
    page = response.content.decode()
    assert response.status_code == 429
    assert abs(int(response.headers["Retry-After"]) - seconds) <= 2
    assert f"请在 {timezone.localtime(moment):%H:%M} 之后再试" in page
    assert "<h1>尝试次数太多</h1>" in page


@pytest.mark.parametrize("account", ["emergency-1", "nobody"])
def test_five_attempts_at_an_account_wherever_from(operator, opened, account):
    with time_machine.travel("2026-11-25 10:00:00 +0800", tick=False) as clock:
        for number in range(5):
            assert attempt(Client(), account, "wrong", REMOTE_ADDR=f"10.0.0.{number}").status_code == 422
        clock.shift(60)
        again_at = timezone.now() + timezone.timedelta(minutes=14)
        for number in range(3):
            client = Client()
            response = attempt(client, account, PASSWORD, REMOTE_ADDR=f"10.0.1.{number}")
            assert_wait(response, 14 * 60, again_at)
            assert "还要等约 14 分钟" in response.content.decode()
            assert signed_in_user(client) is None
        clock.shift(14 * 60 + 1)
        assert attempt(Client(), "emergency-1", REMOTE_ADDR="10.0.2.1").status_code == 302
    refused = [line for line in lines() if line[1] == "emergency.refused"]
    assert [line[3] for line in refused] == ["wrong password"] * 5 + ["too many attempts"] * 3


def test_five_attempts_from_an_address_whatever_account(operator, opened):
    for number in range(5):
        assert attempt(Client(), f"nobody-{number}", "wrong").status_code == 422
    assert attempt(Client()).status_code == 429
    assert attempt(Client(), REMOTE_ADDR="10.0.0.9").status_code == 302


def test_a_forged_header_is_no_new_address(operator, opened):
    for number in range(5):
        attempt(Client(), f"nobody-{number}", "wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}")
    assert attempt(Client(), HTTP_X_FORWARDED_FOR="10.0.0.9").status_code == 429


def test_who_hammers_fills_no_record(operator, opened):
    for _ in range(12):
        attempt(Client(), password="wrong")
    assert [line[3] for line in lines()] == ["wrong password"] * 5 + ["too many attempts"]


def test_no_password_is_compared_any_more(operator, opened, monkeypatch):
    for _ in range(5):
        attempt(Client(), password="wrong")
    monkeypatch.setattr(auth, "authenticate", lambda *args, **kwargs: pytest.fail("compared"))
    assert attempt(Client()).status_code == 429


# set_emergency_password ---------------------------------------------------------------------------------------------


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.fixture
def run(monkeypatch):
    """`run("a-name", "--create", typed=[…])` at a terminal, or `piped="…"` by the standard input."""

    def run(*arguments, typed=(), piped=""):
        words = iter(typed)
        monkeypatch.setattr("sys.stdin", Terminal() if typed else StringIO(piped))
        monkeypatch.setattr(set_emergency_password, "getpass", lambda prompt: next(words))
        out = StringIO()
        call_command("set_emergency_password", *arguments, stdout=out)
        return out.getvalue()

    return run


def test_a_new_account(db, run, opened):
    said = run("emergency-2", "--create", typed=[PASSWORD, PASSWORD])
    assert said == "账户 emergency-2 的应急登录密码已设置，它以前的会话全部失效。\n"
    user = User.objects.get(username="emergency-2")
    assert (user.is_superuser, user.subject, user.identity.confirmed_at) == (True, None, None)
    assert lines() == [("command:set_emergency_password", "emergency.password", "emergency-2", "")]
    client = Client()
    attempt(client, "emergency-2")
    assert signed_in_user(client) == user


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_what_is_still_typed(run, opened, monkeypatch):
    """On SQLite nobody could write meanwhile; on PostgreSQL the row of the account was held."""
    open_while_typing = []

    def slowly(prompt):
        open_while_typing.append(connection.in_atomic_block)
        return PASSWORD

    monkeypatch.setattr(set_emergency_password.sys, "stdin", Terminal())
    monkeypatch.setattr(set_emergency_password, "getpass", slowly)
    call_command("set_emergency_password", "emergency-2", "--create", stdout=StringIO())
    assert (open_while_typing, User.objects.filter(username="emergency-2").count()) == ([False, False], 1)


@pytest.mark.parametrize("line", [f"{PASSWORD}\n", f"{PASSWORD}\r\n", PASSWORD])
def test_staff_gets_a_password_by_the_standard_input(applicant, run, opened, line):
    User.objects.filter(pk=applicant.pk).update(is_staff=True)
    run(applicant.username, piped=line)
    client = Client()
    attempt(client, applicant.username)
    assert signed_in_user(client) == applicant


def test_a_password_is_taken_away(operator, run, opened):
    said = run("emergency-1", "--remove")
    assert said == "账户 emergency-1 的应急登录密码已去掉，它以前的会话全部失效。\n"
    assert attempt(Client()).status_code == 422
    assert lines()[0] == ("command:set_emergency_password", "emergency.password", "emergency-1", "removed")


@pytest.mark.parametrize(
    ("arguments", "typed", "sentence"),
    [
        (["emergency-1"], [PASSWORD, "another"], "两次输入的密码不一样，没有改动。请重新执行。"),
        (["emergency-1"], ["short", "short"], "密码不合要求，没有改动：此密码太短，至少要包含 15 个字符。"),
        (["emergency-1"], ["emergency-1-abc"] * 2, "密码不合要求，没有改动：密码跟 账户代号 太相似了。"),
        (["emergency-1"], ["123456789012345"] * 2, "密码不合要求，没有改动：密码只包含数字。"),
        (["emergency-1", "--create"], [PASSWORD] * 2, "账户 emergency-1 已经存在。要更换它的密码，请去掉 --create。"),
        (["emergency-1", "--create", "--remove"], [], "--create 和 --remove 不能同时使用。"),
        (
            ["u-1234", "--create"],
            [PASSWORD] * 2,
            "账户代号只能用英文字母、数字和 -，最多 64 个字符，不能以 u- 开头，例如 emergency-1。",
        ),
        (
            ["nobody"],
            [PASSWORD] * 2,
            "没有账户 nobody。请让对方先登录一次，再用平台的用户标识（sub）或账户代号（u-…）执行。",
        ),
    ],
)
def test_what_the_command_refuses(operator, run, arguments, typed, sentence):
    before = operator.password
    with pytest.raises(CommandError) as refusal:
        run(*arguments, typed=typed)
    assert str(refusal.value) == sentence
    assert (User.objects.get().password, lines()) == (before, [])


def test_an_applicant_gets_no_password(applicant, run):
    with pytest.raises(CommandError) as refusal:
        run(applicant.username, typed=[PASSWORD] * 2)
    name = applicant.username
    assert str(refusal.value) == f"账户 {name} 不是运营人员，或已被停用。请先执行 grant_staff {name}。"
