"""Limits: exact under any number of threads, sliding, told in a sentence, and no reason to fall over."""

import html
import logging
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache, caches
from django.urls import reverse
from redis.exceptions import ConnectionError as RedisAway

from accounts import audit_words, limits
from accounts.identity import DocumentType, Sex
from accounts.limits import spend
from accounts.models import AuditEntry, Identity
from accounts.verbs import Verb
from photos.findings import Doubt
from photos.models import Upload
from registrations.workflow import Status
from tests import scenes
from tests.people import resident_number
from tests.registrations.threads import at_once

NOON = datetime(2026, 9, 1, 4, 0, 0, tzinfo=UTC)  # 12:00 in Beijing


def lines():
    return list(AuditEntry.objects.filter(verb=Verb.LIMIT_REACHED).values_list("actor", "target"))


# Counting -----------------------------------------------------------------------------------------------------------


def test_so_often_and_not_once_more(db):
    with time_machine.travel(NOON, tick=False):
        found = [spend("photo", "192.0.2.1", times=3, seconds=600) for _ in range(5)]
    assert found == [None, None, None, NOON + timedelta(minutes=10), NOON + timedelta(minutes=10)]


def test_names_and_people_are_counted_apart(db, applicant, stranger):
    for who in (applicant, stranger, "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"):
        assert spend("photo", who, times=1, seconds=600) is None
        assert spend("other", who, times=1, seconds=600) is None
        assert spend("photo", who, times=1, seconds=600) is not None


def test_an_ipv6_customer_has_many_addresses_and_one_count(db):
    assert spend("photo", "2001:db8::1", times=1, seconds=600) is None
    assert spend("photo", "2001:db8::ffff:2", times=1, seconds=600) is not None


@pytest.mark.parametrize("offset", [0, 1, 299, 599])
def test_never_more_than_so_many_in_any_span(db, offset):
    """Every 100 s for an hour with 3 in 600 s, wherever the clock stood at the start."""
    allowed = []
    for step in range(36):
        now = NOON + timedelta(seconds=offset + 100 * step)
        with time_machine.travel(now, tick=False):
            until = spend("photo", "192.0.2.1", times=3, seconds=600)
        if until is None:
            allowed.append(now)
        else:
            assert now < until <= now + timedelta(seconds=600)
    spans = [[later for later in allowed if start <= later < start + timedelta(seconds=600)] for start in allowed]
    assert max(map(len, spans)) == 3
    assert len(allowed) == 18  # and each moment that was named held


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_and_five_pass():
    found = at_once(*[lambda: spend("photo", "192.0.2.9", times=5, seconds=600)] * 20)
    assert (found.count(None), len(found)) == (5, 20)
    assert lines() == [("anonymous", "limit:photo")]


@pytest.mark.django_db(transaction=True)
def test_what_is_given_back_is_free_again():
    claim = limits.take("photo", "192.0.2.1", times=1, seconds=600)
    assert spend("photo", "192.0.2.1", times=1, seconds=600) is not None
    claim.give_back()
    assert spend("photo", "192.0.2.1", times=1, seconds=600) is None


def test_one_line_in_the_record_for_each_period(applicant):
    with time_machine.travel(NOON, tick=False):
        for _ in range(10):
            spend("photo", applicant, times=1, seconds=600)
    assert lines() == [(applicant.username, "limit:photo")]
    with time_machine.travel(NOON + timedelta(seconds=600), tick=False):
        for _ in range(10):
            spend("photo", applicant, times=1, seconds=600)
    assert lines() == [(applicant.username, "limit:photo")] * 2


def test_nothing_in_the_cache_says_who(db, applicant):
    stem = limits.fingerprint("192.0.2.1"), limits.fingerprint(applicant)
    assert [len(part) for part in stem] == [32, 32]
    assert {"192.0.2.1", applicant.username}.isdisjoint(stem)


def test_replicas_share_the_count(db):
    """Another worker is another cache client on the same table."""
    assert spend("photo", "192.0.2.1", times=1, seconds=600) is None
    other = caches.create_connection("default")
    assert other is not cache
    assert [key for key in stored_keys() if other.get(key.removeprefix(":1:")) is not None] == stored_keys() != []


def stored_keys():
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM shared_cache ORDER BY cache_key")
        return [key for (key,) in cursor.fetchall()]


def test_the_table_comes_with_migrating(db):
    from django.core.management import call_command
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE shared_cache")
    assert "shared_cache" not in connection.introspection.table_names()
    call_command("migrate", verbosity=0, interactive=False)
    assert "shared_cache" in connection.introspection.table_names()


# A cache that is away -----------------------------------------------------------------------------------------------


@pytest.fixture
def away(settings, monkeypatch):
    """A Redis at a port where nobody listens."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
    }
    monkeypatch.setattr(limits.Complaints, "last", float("-inf"))


def test_a_cache_that_is_away_refuses_nobody_and_says_so_once(db, away, caplog):
    with pytest.raises(RedisAway):
        cache.get("anything")
    with caplog.at_level(logging.ERROR, "accounts.limits"):
        assert {spend("photo", "192.0.2.1", times=1, seconds=600) for _ in range(5)} == {None}
    assert [entry.getMessage() for entry in caplog.records] == [
        "the shared cache is away, limits do not hold meanwhile: ConnectionError"
    ]
    assert lines() == []


def test_people_notice_nothing_of_a_cache_that_is_away(applicant, sign_in, away, occupation):
    draft = scenes.draft(applicant, occupation)
    client = sign_in(applicant)
    assert client.post(reverse("registrations:submit", args=[draft.reference])).headers["Location"] == reverse(
        "registrations:submitted", args=[draft.reference]
    )
    user = scenes.account()
    sign_in(user).post("/accounts/identity/", identity_form(number_of(71)))
    assert Identity.objects.get(user=user).confirmed_at is not None


# Signing in ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch):
    """`few("LOGIN", 2)` makes that limit a small one."""

    def lower(name, times):
        limit = getattr(limits, name)
        monkeypatch.setattr(limits, name, limits.Limit(limit.name, limit.doing, times, limit.seconds))

    return lower


def assert_told(response, doing, clock, seconds):
    page = response.content.decode()
    assert (response.status_code, response.headers["Retry-After"]) == (429, str(seconds))
    assert f"{doing}的次数太多了，请在 {clock} 以后再试。您已填写和保存的内容不受影响。" in page
    assert "no-store" in response.headers["Cache-Control"]


def test_the_limits_are_the_ones_that_were_decided():
    rules = (limits.LOGIN, limits.CONFIRM, limits.UPLOAD, limits.SUBMIT, limits.EXPORT)
    assert [(rule.name, rule.times, rule.seconds) for rule in rules] == [
        ("login", 100, 300),
        ("confirm", 5, 3600),
        ("upload", 30, 600),
        ("submit", 20, 600),
        ("export", 20, 3600),
    ]


def test_starting_to_sign_in(db, client, few):
    few("LOGIN", 2)
    with time_machine.travel(NOON + timedelta(seconds=20), tick=False):
        answers = [client.get("/accounts/login/", REMOTE_ADDR="192.0.2.1") for _ in range(3)]
        elsewhere = client.get("/accounts/login/", REMOTE_ADDR="192.0.2.2")
    assert [answer.status_code for answer in (*answers, elsewhere)] == [302, 302, 429, 302]
    assert_told(answers[2], "登录", "12:06", 300)
    assert lines() == [("anonymous", "limit:login")]


def test_an_address_that_somebody_wrote_is_not_the_one_that_counts(db, client, few):
    few("LOGIN", 1)
    answers = [client.get("/accounts/login/", headers={"x-forwarded-for": f"198.51.100.{n}"}) for n in (1, 2)]
    assert [answer.status_code for answer in answers] == [302, 429]


# Confirming ---------------------------------------------------------------------------------------------------------


def identity_form(number, **more):
    values = {"legal_name": "王晓明", "document_type": DocumentType.RESIDENT_ID, "document_number": number}
    return {**values, "agreed": "on", "consented": "on", **more}


def number_of(serial):
    return resident_number(serial, sex=Sex.MALE)


MALFORMED = number_of(5)[:-1] + "?"
TWO_LEFT = "还可以再试 2 次；超过后最多要等 1 小时。"
ONE_LEFT = "还可以再试 1 次；超过后最多要等 1 小时。"
NONE_LEFT = "现在不能再试了，最多要等 1 小时。"


# At the number where that is malformed; where another account holds it, below that sentence.
BESIDE_WHAT_IS_WRONG = [{"document_number": TWO_LEFT}, {"__all__": ONE_LEFT}, {"document_number": NONE_LEFT}]


def tries_told(answer):
    """Where the page says how many tries are left, and how: the last sentence there."""
    said = {field: sentences[-1] for field, sentences in answer.context["form"].errors.items()}
    assert all(html.escape(sentence) in answer.content.decode() for sentence in said.values())
    return {field: sentence for field, sentence in said.items() if "再试" in sentence}


def test_five_wrong_documents_in_an_hour(db, sign_in):
    user, taken = scenes.account(), scenes.person("李芳")
    client = sign_in(user)
    wrong = [MALFORMED, taken.identity.document_number] * 3
    right = number_of(72)
    with time_machine.travel(NOON, tick=False):
        answers = [client.post("/accounts/identity/", identity_form(number)) for number in wrong]
        blocked = client.post("/accounts/identity/", identity_form(right))
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [tries_told(answer) for answer in answers[:5]] == [{}, {}, *BESIDE_WHAT_IS_WRONG]
    assert_told(blocked, "填错证件", "13:00", 3600)
    assert f'value="{right}"' in blocked.content.decode()  # what was typed is still there
    assert 'value="王晓明"' in blocked.content.decode()
    assert lines() == [(user.username, "limit:confirm")]
    assert Identity.objects.get(user=user).confirmed_at is None
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        assert client.post("/accounts/identity/", identity_form(right)).status_code == 302
    assert Identity.objects.get(user=user).confirmed_at is not None


def test_what_does_not_count_says_nothing_of_tries(db, sign_in):
    client = sign_in(scenes.account())
    for _ in range(3):
        client.post("/accounts/identity/", identity_form(MALFORMED))
    answer = client.post("/accounts/identity/", identity_form(number_of(73), agreed=""))
    assert "再试" not in answer.content.decode()
    again = client.post("/accounts/identity/", identity_form(MALFORMED))
    assert tries_told(again) == {"document_number": ONE_LEFT}


def test_what_nobody_counts_is_not_told(db, sign_in, monkeypatch):
    """The cache is away: the page goes on, and promises nothing."""
    client = sign_in(scenes.account())
    monkeypatch.setattr(cache, "get_many", gone)
    answers = [client.post("/accounts/identity/", identity_form(MALFORMED)) for _ in range(6)]
    assert [(answer.status_code, tries_told(answer)) for answer in answers] == [(200, {})] * 6


def gone(keys):
    raise RedisAway


def test_the_right_document_passes_after_four_wrong_ones(db, sign_in):
    user = scenes.account()
    client = sign_in(user)
    for _ in range(4):
        client.post("/accounts/identity/", identity_form(MALFORMED))
    assert client.post("/accounts/identity/", identity_form(number_of(73))).status_code == 302


def test_what_is_wrong_beside_the_document_does_not_count(db, sign_in):
    user = scenes.account()
    client = sign_in(user)
    for changed in ({"agreed": ""}, {"legal_name": ""}, {"document_number": ""}, {"document_type": ""}) * 2:
        response = client.post("/accounts/identity/", {**identity_form(number_of(74)), **changed})
        assert response.status_code == 200
    assert client.post("/accounts/identity/", identity_form(number_of(74))).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_twenty_wrong_documents_at_once_are_five_tries(sign_in):
    user, taken = scenes.account(), scenes.person("李芳")
    number = taken.identity.document_number

    def attempt():
        client = sign_in(user)
        return lambda: client.post("/accounts/identity/", identity_form(number)).status_code

    found = at_once(*[attempt() for _ in range(20)])
    assert sorted(found) == [200] * 5 + [429] * 15


# Uploading and submitting -------------------------------------------------------------------------------------------


def test_uploading(applicant, sign_in, few):
    from django.core.files.uploadedfile import SimpleUploadedFile

    few("UPLOAD", 1)
    client = sign_in(applicant)

    def upload():
        return client.post("/profile/photo/", {"photo": SimpleUploadedFile("a.jpg", scenes.jpeg(), "image/jpeg")})

    with time_machine.travel(NOON, tick=False):
        first, second = upload(), upload()
    assert first.status_code == 302
    assert_told(second, "上传照片", "12:10", 600)
    assert applicant.uploads.count() == 1
    assert lines() == [(applicant.username, "limit:upload")]


def test_cropping(applicant, sign_in, few):
    """Each stores a picture for a month: without a bound one upload would be enough to fill a disk."""
    few("CROP", 1)
    client, upload = sign_in(applicant), Upload.objects.receive(applicant, scenes.jpeg())
    frame = {"left": 0, "top": 0, "width": 590, "confirmed": ",".join(Doubt)}
    with time_machine.travel(NOON, tick=False):
        first, second = (client.post(f"/profile/photo/crop/{upload.pk}/", frame) for _ in range(2))
    assert first.status_code == 302
    assert_told(second, "裁切照片", "13:00", 3600)
    assert applicant.portraits.count() == 1
    assert lines() == [(applicant.username, "limit:crop")]


def test_submitting(applicant, sign_in, occupation, few):
    few("SUBMIT", 1)
    draft = scenes.draft(applicant, occupation)
    address = reverse("registrations:submit", args=[draft.reference])
    now = draft.plan.registration_closes_at - timedelta(days=1)
    with time_machine.travel(now.replace(minute=0, second=0, microsecond=0), tick=False):
        spend("submit", applicant, times=1, seconds=600)
        response = sign_in(applicant).post(address)
    assert_told(response, "提交审核", f"{scenes.timezone.localtime(now):%H}:10", 600)
    assert scenes.fresh(draft).status == Status.DRAFT
    assert lines() == [(applicant.username, "limit:submit")]


def test_each_limit_is_told_in_words_where_the_record_is_read():
    every = {f"limit:{limit.name}": limit.doing for limit in vars(limits).values() if isinstance(limit, limits.Limit)}
    assert every == audit_words.LIMITS
