"""How long one stays signed in: idle limits by role, the whole time, the note of whose it was, keys and cookies."""

import json
import math
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY, login
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import crypto, timezone

from accounts import sessions
from accounts.session_store import SessionStore
from tests import scenes
from tests.accounts.provider import running_provider
from tests.registrations.reading import heading, text_of

OVER = "/accounts/session/over/?next=%2Fprofile%2F"
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock(db):
    with time_machine.travel(timezone.now(), tick=False) as travelled:
        yield travelled


def staff_like(role, applicant, plan):
    if role == "committee":
        return scenes.member(plan, "viewer")
    for name in {"superuser": ["is_superuser"], "staff": ["is_staff"], "auditor": ["is_auditor"]}.get(role, []):
        setattr(applicant, name, True)
    applicant.save()
    return applicant


LIMITS = {"applicant": 30, "staff": 15, "superuser": 15, "auditor": 15, "committee": 15}


@pytest.mark.parametrize("role", LIMITS)
def test_who_does_nothing_is_signed_out(clock, sign_in, applicant, plan, role):
    client = sign_in(staff_like(role, applicant, plan))
    clock.shift(LIMITS[role] * MINUTE - SECOND)
    assert client.get("/profile/").status_code == 200
    clock.shift(LIMITS[role] * MINUTE)
    response = client.get("/profile/")
    assert (response.status_code, response.headers["Location"]) == (302, OVER)
    page = client.get(OVER)
    assert (page.status_code, heading(page)) == (200, "会话已结束")
    assert f"您有 {LIMITS[role]} 分钟没有操作，为了保护您的个人信息，已自动退出。" in text_of(page.content.decode())
    assert '<a class="btn btn-primary" href="/accounts/login/?next=%2Fprofile%2F">重新登录</a>' in page.content.decode()
    assert applicant.legal_name not in page.content.decode()


def test_whoever_does_something_stays_for_twelve_hours_and_no_longer(clock, sign_in, applicant):
    client = sign_in(applicant)
    for _ in range(28):
        clock.shift(25 * MINUTE)
        assert client.get("/profile/").status_code == 200
    clock.shift(20 * MINUTE - SECOND)
    assert client.get("/profile/").status_code == 200
    clock.shift(SECOND)
    assert client.get("/profile/").headers["Location"] == OVER
    assert "您登录已满 12 小时，为了保护您的个人信息，已自动退出。" in text_of(client.get(OVER).content.decode())


def test_a_session_that_says_nothing_of_its_times_is_over(sign_in, applicant):
    client = sign_in(applicant)
    session = client.session
    del session["seen"]
    session.save()
    assert client.get("/profile/").headers["Location"] == OVER


def test_being_seen_is_written_once_a_minute(clock, sign_in, applicant):
    client = sign_in(applicant)
    begun, written = client.session["seen"], []
    for _ in range(5):
        clock.shift(30 * SECOND)
        client.get("/profile/")
        written.append(client.session["seen"] - begun)
    assert written == [0, 60, 60, 120, 120]


def test_an_applicants_page_does_not_ask_for_roles(clock, sign_in, applicant):
    """The committee is asked about only between the two limits."""
    client = sign_in(applicant)
    asked = []
    for minutes in (1, 16):
        clock.shift(minutes * MINUTE)
        with CaptureQueriesContext(connection) as captured:
            client.get("/registrations/")
        asked.append(sum("plans_committeemember" in query["sql"] for query in captured))
    assert asked == [0, 1]


def test_a_new_role_counts_at_once(clock, sign_in, applicant):
    client = sign_in(applicant)
    clock.shift(16 * MINUTE)
    assert client.get("/accounts/session/").json()["left"] == 14 * 60
    call_command("grant_staff", applicant.username)
    assert times(client.get("/accounts/session/")) == {"left": 0, "warning": 0, "final": True}
    assert client.get("/profile/").headers["Location"] == OVER


def times(answer):
    """What it says of times; whose it is and the token are other tests' matter."""
    return {name: value for name, value in answer.json().items() if name not in {"whose", "token"}}


# What a page asks ---------------------------------------------------------------------------------------------------


def test_asking_how_long_is_left_puts_nothing_off(clock, sign_in, applicant):
    client = sign_in(applicant)
    for minutes_left in range(25, 0, -5):
        clock.shift(5 * MINUTE)
        answer = client.get("/accounts/session/")
        assert times(answer) == {"left": minutes_left * 60, "warning": 120, "final": False}
        assert answer.headers["Cache-Control"] == "private, no-store"
    clock.shift(5 * MINUTE)
    assert times(client.get("/accounts/session/")) == {"left": 0, "warning": 0, "final": True}
    assert SESSION_KEY not in client.session


def test_a_page_can_tell_whether_the_session_is_still_its_own(sign_in, applicant, stranger):
    client = Client(enforce_csrf_checks=True)
    client.force_login(applicant, backend="accounts.oidc.PlatformBackend")
    page = client.get("/profile/").content.decode()
    before = client.get("/accounts/session/").json()
    assert f'data-whose="{before["whose"]}"' in page
    client.force_login(applicant, backend="accounts.oidc.PlatformBackend")
    again = client.get("/accounts/session/").json()
    assert (again["whose"], str(applicant.pk) == again["whose"]) == (before["whose"], False)
    kept_in = client.post("/accounts/session/stay/", {"csrfmiddlewaretoken": again["token"]})
    assert kept_in.json()["left"] == 1800
    assert sign_in(stranger).get("/accounts/session/").json()["whose"] != before["whose"]


def test_keeping_a_form_puts_nothing_off_either(clock, sign_in, applicant):
    client = sign_in(applicant)
    clock.shift(29 * MINUTE)
    client.post("/accounts/session/keep/", {"page": "/profile/", "typed": "school=%E7%94%B2"})
    assert client.get("/accounts/session/").json()["left"] == 60


def test_going_on_keeps_the_person_in(clock, sign_in, applicant):
    client = sign_in(applicant)
    clock.shift(29 * MINUTE)
    assert times(client.post("/accounts/session/stay/")) == {"left": 1800, "warning": 120, "final": False}
    clock.shift(29 * MINUTE)
    assert client.get("/profile/").status_code == 200


def test_at_the_very_end_going_on_is_of_no_use(clock, sign_in, applicant):
    client = sign_in(applicant)
    for _ in range(28):
        clock.shift(25 * MINUTE)
        client.post("/accounts/session/stay/")
    clock.shift(19 * MINUTE)
    assert times(client.post("/accounts/session/stay/")) == {"left": 60, "warning": 120, "final": True}


def test_going_on_when_it_is_over(clock, sign_in, applicant):
    client = sign_in(applicant)
    clock.shift(30 * MINUTE)
    assert times(client.post("/accounts/session/stay/")) == {"left": 0, "warning": 0, "final": True}
    assert client.get("/profile/").headers["Location"] == OVER


def test_a_page_asks_first_when_the_shortest_limit_is_near(clock, sign_in, applicant):
    client = sign_in(applicant)
    assert 'data-asks-after="780" data-ends-after="1800"' in client.get("/profile/").content.decode()
    clock.shift(45 * SECOND)
    assert 'data-asks-after="735" data-ends-after="1755"' in client.get("/profile/").content.decode()
    assert "session-warning" not in Client().get("/").content.decode()


def test_the_warning_is_at_the_desk_too(sign_in, manager):
    page = sign_in(manager).get("/admin/").content.decode()
    assert page.count('role="alertdialog"') == page.count('src="/static/js/session.js"') == 1
    assert page.count('id="logout-form"') == 1


def test_the_landing_page_for_others(db, sign_in, applicant):
    page = Client().get("/accounts/session/over/?next=//evil.example")
    assert "您现在没有登录，请重新登录后继续。" in page.content.decode()
    assert 'href="/accounts/login/?next=%2Fplans%2F"' in page.content.decode()
    page = sign_in(applicant).get(OVER)
    assert (heading(page), 'href="/profile/">继续</a>' in page.content.decode()) == ("您仍处于登录状态", True)


# Whose it was -------------------------------------------------------------------------------------------------------


def test_what_is_left_of_it_is_a_sealed_note(clock, sign_in, applicant):
    client = sign_in(applicant)
    session = client.session
    session["id_token"] = "v1:something"
    session.save()
    key = session.session_key
    clock.shift(31 * MINUTE)
    client.get("/profile/")
    row = Session.objects.get(session_key=key)
    kept = row.get_decoded()
    assert set(kept) == {"ended", "_session_expiry"}
    assert kept["ended"].startswith("v1:test:")
    assert row.expire_date == timezone.now() + timedelta(hours=1)


def test_the_note_is_forgotten_after_an_hour(clock, sign_in, applicant):
    client = sign_in(applicant)
    clock.shift(31 * MINUTE)
    client.get("/profile/")
    clock.shift(60 * MINUTE)
    assert client.get("/profile/").headers["Location"] == "/accounts/login/?next=%2Fprofile%2F"


def test_setting_out_to_the_platform_does_not_prolong_the_note(clock, sign_in, applicant):
    """What is written into the session puts off the end of its row."""
    client = sign_in(applicant)
    clock.shift(31 * MINUTE)
    client.get("/profile/")
    clock.shift(50 * MINUTE)
    client.get("/accounts/login/")
    clock.shift(10 * MINUTE)
    assert "ended" in client.session
    assert client.get("/profile/").headers["Location"] == "/accounts/login/?next=%2Fprofile%2F"


def test_in_the_morning_it_is_still_known_whose_it_was(clock, sign_in, applicant):
    client = sign_in(applicant)
    clock.shift(timedelta(hours=20))
    assert client.get("/profile/").headers["Location"] == OVER


def test_a_note_under_a_key_that_is_gone(clock, sign_in, applicant, settings):
    client = sign_in(applicant)
    clock.shift(31 * MINUTE)
    client.get("/profile/")
    settings.FIELD_ENCRYPTION_KEYS = {"other": b"o" * 32}
    assert client.get("/profile/").headers["Location"] == "/accounts/login/?next=%2Fprofile%2F"


def test_the_platform_asks_again_after_a_session_that_ended_by_itself(clock, sign_in, applicant):
    client = sign_in(applicant)
    clock.shift(31 * MINUTE)
    client.get("/profile/")
    assert "&prompt=login" in client.get("/accounts/login/?next=/profile/").headers["Location"]
    assert "prompt" not in Client().get("/accounts/login/?next=/profile/").headers["Location"]


# Beginning ----------------------------------------------------------------------------------------------------------


def test_a_key_that_somebody_else_chose_is_not_the_one_after_login(db, settings):
    attacker = Client()
    with running_provider() as provider:
        for name, value in provider.settings().items():
            setattr(settings, name, value)
        attacker.get("/accounts/login/")
        session = attacker.session
        session["planted"], session["_session_expiry"] = "by somebody else", 10**9
        session.save()
        fixed = session.session_key
        victim = Client()
        victim.cookies[settings.SESSION_COOKIE_NAME] = fixed
        state = provider.authorise(victim.get("/accounts/login/").headers["Location"])
        back = victim.get(f"/accounts/callback/?code=a-code&state={state}")
    assert back.headers["Location"].startswith(reverse("accounts:welcome"))
    assert victim.cookies[settings.SESSION_COOKIE_NAME].value != fixed
    assert not Session.objects.filter(session_key=fixed).exists()
    assert {"planted", "_session_expiry", "ended"} & set(victim.session.keys()) == set()
    assert SESSION_KEY in victim.session
    assert SESSION_KEY not in attacker.session


@pytest.mark.parametrize("known", [True, False])
def test_signing_in_is_another_key_than_the_browsers_also_the_second_time(rf, sign_in, settings, applicant, known):
    client = sign_in(applicant) if known else Client()
    request = rf.post("/accounts/emergency/")
    request.session = client.session
    if not known:
        request.session["planted"] = "by somebody else"
        request.session.save()
    before = request.session.session_key
    request.COOKIES[settings.SESSION_COOKIE_NAME] = before
    login(request, applicant, backend="accounts.oidc.PlatformBackend")
    assert request.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    assert Session.objects.filter(session_key=request.session.session_key).exists()
    assert "planted" not in request.session


def test_two_devices_are_two_sessions_and_each_ends_by_itself(sign_in, applicant):
    """As many as one likes: somebody fills in the form at the office and takes the photo with the phone."""
    office, phone = sign_in(applicant), sign_in(applicant)
    assert office.session.session_key != phone.session.session_key
    office.post("/accounts/logout/")
    answers = [client.get("/profile/").status_code for client in (office, phone)]
    assert answers == [302, 200]


def test_a_key_cannot_be_guessed(db, monkeypatch):
    """32 characters of 36, each drawn by itself from the operating system's source: 165 bits."""
    drawn, real = [], crypto.secrets.choice
    monkeypatch.setattr(crypto.secrets, "choice", lambda letters: drawn.append(letters) or real(letters))
    keys = []
    for _ in range(50):
        store = SessionStore()
        store.create()
        keys.append(store.session_key)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    assert (len(set(keys)), {len(key) for key in keys}) == (50, {32})
    assert set("".join(keys)) == set(letters)
    assert ({"".join(sorted(each)) for each in drawn}, len(drawn)) == ({"".join(sorted(letters))}, 50 * 32)
    assert 32 * math.log2(len(letters)) >= 128


ELSEWHERE = [
    *("//evil.example/", "///evil.example/", "https:evil.example", "https:/evil.example", "https://evil.example/"),
    *("\\\\evil.example/", "/\\evil.example/", "\\/evil.example", "http://testserver:8443/profile/"),
    *("\x01//evil.example", "\t//evil.example", "/\t/evil.example", "/\n/evil.example", "javascript:alert(1)"),
    *("http://testserver@evil.example/", "http://[::1/", "ftp://testserver/", "//testserver.evil.example/"),
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_next_leads_to_ourselves_alone(sign_in, applicant, target):
    client = sign_in(applicant)
    welcome = client.get("/accounts/welcome/", {"next": target})
    assert welcome.headers["Refresh"] == "3; url=/plans/"
    assert client.get("/accounts/login/", {"next": target}).headers["Location"] == "/plans/"
    anonymous = Client()
    anonymous.get("/accounts/login/", {"next": target})
    assert anonymous.session["oidc_login_next"] is None
    assert 'href="/accounts/login/?next=%2Fplans%2F"' in (
        anonymous.get("/accounts/session/over/", {"next": target}).content.decode()
    )


# Sentences for the next page ----------------------------------------------------------------------------------------


def test_sentences_wait_sealed_and_in_no_cookie(sign_in, applicant):
    client = sign_in(applicant)
    response = client.post("/profile/", {"version": 0, "school": "甲校"})
    assert set(response.cookies) <= {"portal_session", "portal_csrf"}
    waiting = client.session["_messages"]
    assert waiting.startswith("v1:test:")
    assert "个人基本信息已保存。" not in json.dumps(dict(client.session.items()), ensure_ascii=False)
    assert "个人基本信息已保存。" in client.get("/profile/").content.decode()
    assert "个人基本信息已保存。" not in client.get("/profile/").content.decode()


def test_a_sentence_under_a_key_that_is_gone_is_left_out(sign_in, applicant, settings):
    client = sign_in(applicant)
    client.post("/profile/", {"version": 0, "school": "甲校"})
    session = client.session
    session["_messages"] = "v1:gone:AAAA"
    session.save()
    assert client.get("/plans/").status_code == 200


def test_the_warning_of_a_short_limit_comes_in_its_middle():
    assert [sessions.warning_before(limit) for limit in (1800, 240, 100, 8)] == [120, 120, 50, 4]
