"""Auditors: they read the record of who did what, find in it what they look for, and can do nothing else."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import audit_search, audit_words
from accounts.audit import record
from accounts.models import AuditEntry
from accounts.verbs import Verb
from registrations.workflow import Status
from tests import scenes
from tests.registrations.reading import every_row, text_of

LIST = "/admin/accounts/auditentry/"
NOTHING_YET = "还没有操作记录。有人登录、确认身份或查看资料后，会出现在这里。"
NOTHING_FOUND = "没有符合条件的操作记录。请放宽条件，或清除条件。"
MISTAKE = "查询条件有误，请按旁边的说明修改。"


@pytest.fixture
def auditor(db):
    user = scenes.person("吴审")
    user.is_auditor = True
    user.save()
    return user


@pytest.fixture
def desk(auditor, sign_in):
    return sign_in(auditor)


def line(at="2026-05-20 04:00", **values):
    """A line as it stands in the table, of a moment in UTC."""
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return AuditEntry.objects.create(**{"actor": "u-1", "verb": "login", "at": moment, **values})


def details(answer):
    """The column 说明 of what is listed, which these tests use as a name."""
    return re.findall(r'<td class="field-detail_in_words">(.*?)</td>', answer.content.decode())


def nothing(answer):
    return [text_of(found) for found in re.findall(r'<p class="nothing".*?</p>', answer.content.decode(), re.DOTALL)]


def wrong(answer):
    return [text_of(found) for found in re.findall(r'<p class="wrong".*?</p>', answer.content.decode(), re.DOTALL)]


def links(answer):
    """Where the desk leads, but for what every page of it has."""
    found = set(re.findall(r'href="(/[^"#?]*)"', answer.content.decode()))
    return {place for place in found if not place.startswith("/static/")} - {"/", "/admin/"}


# What an auditor gets -----------------------------------------------------------------------------------------------


def test_an_auditor_is_led_to_the_record_and_nowhere_else(desk, applicant, occupation, manager):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    answer = desk.get("/admin/")
    assert (answer.status_code, links(answer)) == (200, {LIST})
    words = [applicant.legal_name, manager.legal_name, registration.reference, occupation.plan.title, occupation.name]
    entry = record(manager, Verb.NUMBER_SHOWN, registration, subject=applicant)
    for place in ("/admin/", LIST, f"{LIST}{entry.pk}/change/"):
        page = desk.get(place).content.decode()
        assert [word for word in words if word in page] == []


def test_the_list_and_one_line(desk, applicant, manager):
    entry = line(actor=manager.username, verb="number.shown", target="registrations.registration:7", detail="…",
                 subject=applicant.username, address="203.0.113.7", request_id="bcdfghjkmnpqrs")  # fmt: skip
    shown = [
        *("2026-05-20 12:00:00", "查看完整证件号码", manager.username, applicant.username),
        *("registrations.registration:7", "203.0.113.7", "…", "bcdfghjkmnpqrs"),
    ]
    cells = re.findall(r'<t[dh] class="field-\w+">(.*?)</t[dh]>', desk.get(LIST).content.decode())
    assert [text_of(cell) for cell in cells] == shown
    page = desk.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert re.findall(r'<div class="readonly">(.*?)</div>', page) == shown
    assert "2026-05-20 04:00" not in page


def test_a_verb_that_is_no_more_stands_for_itself(desk):
    line(verb="verb.of.old")
    assert '<td class="field-verb_in_words">verb.of.old</td>' in desk.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("verb", "stored", "said"),
    [
        (Verb.EMERGENCY_LOGIN_REFUSED, "wrong password", "账户代号或密码不正确"),
        (Verb.EMERGENCY_LOGIN_REFUSED, "too many attempts", "尝试次数太多"),
        (Verb.IDENTITY_REFUSED, "document taken", "证件已由另一个账户确认过"),
        (Verb.LOGIN_REFUSED, "platform unreachable: ConnectTimeout", "联系不上平台（ConnectTimeout）"),
        (Verb.LOGIN_REFUSED, "answer not acceptable: nonce", "平台的回答不能接受（nonce）"),
        (Verb.LIMIT_REACHED, "login.refused", "登录被拒绝"),
        (Verb.DATA_PURGED, "drafts 3, sessions 12, interrupted", "草稿 3，登录会话 12，中断"),
        (Verb.BACKUP_MADE, "rows 909, files 189, bytes 47", "行 909，文件 189，字节 47"),
        (Verb.BACKUP_RESTORED, "made 2026-11-26T19:12:05+00:00, rows 9", "做于 2026-11-26T19:12:05+00:00，行 9"),
        (Verb.PERSON_ERASED, "报名 1，账户 1", "报名 1，账户 1"),
        (Verb.LOGIN, "a word of old", "a word of old"),
    ],
)
def test_what_is_stored_as_a_code_is_said_in_words(desk, verb, stored, said):
    record("anonymous", verb, "limit:login", detail=stored)
    page = desk.get(f"{LIST}?actor=anonymous&target=limit:login").content.decode()
    found = re.findall(r'<td class="field-(actor|target|detail)_in_words">(.*?)</td>', page)
    assert found == [("actor", "未登录（anonymous）"), ("target", "登录（limit:login）"), ("detail", said)]


def test_every_kind_that_is_purged_has_a_name(settings):
    assert set(settings.RETENTION) - set(audit_words.PURGED) == set()


def test_an_auditor_in_a_committee_sees_both(auditor, desk, plan):
    plan.members.create(user=auditor, role="viewer")
    places = {"/admin/accounts/auditentry/", "/admin/plans/plan/", "/admin/registrations/registration/"}
    assert places <= links(desk.get("/admin/"))
    assert {desk.get(place, follow=True).status_code for place in places} == {200}


def test_whose_role_was_taken_away_is_out_at_once(auditor, desk):
    assert desk.get(LIST).status_code == 200
    auditor.is_auditor = False
    auditor.save()
    assert desk.get(LIST)["Location"] == f"/admin/login/?next={LIST}"


# Nobody changes it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["is_auditor", "is_superuser"])
def test_nobody_changes_it(sign_in, applicant, role):
    entry = line()
    applicant.is_staff = role == "is_superuser"
    setattr(applicant, role, True)
    applicant.save()
    visitor, before = sign_in(applicant), None
    before = every_row()
    sent = {"actor": "somebody", "post": "yes", "action": "delete_selected", "_selected_action": entry.pk}
    places = [LIST, f"{LIST}add/", *(f"{LIST}{entry.pk}/{page}/" for page in ("change", "delete"))]
    assert [visitor.post(place, sent).status_code for place in places] == [403, 404, 403, 404]
    assert [visitor.get(place).status_code for place in places] == [200, 404, 200, 404]
    for place in (LIST, f"{LIST}{entry.pk}/change/"):
        page = visitor.get(place).content.decode()
        controls = ('name="action"', 'name="_save"', 'class="deletelink', 'class="addlink', 'type="checkbox"')
        assert [word for word in controls if word in page.partition('<div id="content"')[2]] == []
    assert every_row() == before  # reading the record leaves no line either


# Finding ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def several(db):
    """In UTC; the record speaks of Beijing's days, which begin at 16:00 of the day before."""
    line("2026-05-19 15:59", detail="a", actor="u-1", verb="login", address="203.0.113.7", request_id="r1")
    line("2026-05-19 16:00", detail="b", actor="u-2", verb="logout", subject="u-9", target="u-9", request_id="r2")
    line("2026-05-20 15:59", detail="c", actor="command:grant_staff", verb="staff.granted", subject="u-1", target="u-1")
    line("2026-05-20 16:00", detail="d", actor="u-1", verb="number.shown", subject="u-9", address="203.0.113.70",
         target="registrations.registration:7", request_id="r4")  # fmt: skip
    line("2026-05-21 04:00", detail="e", actor="u_1", verb="photo.viewed", target="registrations.registration:71")


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ({}, "edcba"),
        ({"verb": "", "since": "", "until": "", "actor": "", "address": ""}, "edcba"),
        ({"verb": "login"}, "a"),
        ({"verb": "number.shown"}, "d"),
        ({"since": "2026-05-20"}, "edcb"),
        ({"until": "2026-05-20"}, "cba"),
        ({"since": "2026-05-20", "until": "2026-05-20"}, "cb"),
        ({"since": "2026-05-22"}, ""),
        ({"actor": "u-1"}, "da"),
        ({"actor": " u-1 "}, "da"),
        ({"actor": "u-"}, ""),
        ({"actor": "u-*"}, "dba"),
        ({"actor": "u_*"}, "e"),
        ({"actor": "command:*"}, "c"),
        ({"actor": "*"}, "edcba"),
        ({"subject": "u-9"}, "db"),
        ({"target": "registrations.registration:7"}, "d"),
        ({"target": "registrations.registration:7*"}, "ed"),
        ({"address": "203.0.113.7"}, "a"),
        ({"address": "203.0.113.7*"}, "da"),
        ({"request_id": "r2"}, "b"),
        ({"actor": "u-1", "subject": "u-9", "since": "2026-05-21"}, "d"),
        ({"actor": "%"}, ""),
        ({"actor": "' OR 1=1"}, ""),
        ({"p": "1"}, "edcba"),
        ({"p": "99"}, "edcba"),
        ({"o": "3"}, "cabde"),
        ({"all": ""}, "edcba"),
        ({"_facets": "True", "verb": "login"}, "a"),
    ],
)
def test_what_a_question_finds(desk, several, question, found):
    answer = desk.get(LIST, question)
    assert (answer.status_code, sorted(details(answer))) == (200, sorted(found))
    if "o" not in question:
        assert details(answer) == list(found)
    assert nothing(answer) == ([] if found else [NOTHING_FOUND])


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"verb": "nothing"}, "没有这种操作，请从列表里选。"),
        ({"since": "昨天"}, "日期请写成 2026-05-20 的样子。"),
        ({"since": "2026-02-30"}, "日期请写成 2026-05-20 的样子。"),
        ({"since": "0001-01-01"}, "日期太早，请核对年份。"),
        ({"until": "9999-12-31"}, "日期太晚，请核对年份。"),
        ({"since": "2026-05-20", "until": "2026-05-19"}, "结束的日期早于开始的日期。"),
        ({"actor": "长" * 65}, "内容太长，请核对是否多粘贴了字符。"),
    ],
)
def test_a_mistake_in_the_question_is_said(desk, several, question, sentence):
    answer = desk.get(LIST, question)
    assert (answer.status_code, wrong(answer), nothing(answer), details(answer)) == (200, [sentence], [MISTAKE], [])


@pytest.mark.parametrize(
    "query",
    ["detail__regex=(a%2B)%2B", "actor__contains=1", "id=1", "at__gte=2026-01-01", "detail=a", "actor__regex=("],
)
def test_nothing_else_is_asked_of_the_database(desk, several, query):
    assert desk.get(f"{LIST}?{query}").status_code == 400


def test_an_empty_record(desk):
    assert nothing(desk.get(LIST)) == [NOTHING_YET]


def test_what_was_asked_stays_in_the_form(desk, several):
    page = desk.get(LIST, {"verb": "logout", "since": "2026-05-19", "actor": "u-2"}).content.decode()
    assert '<option value="logout" selected>退出</option>' in page
    assert re.search(r'<input type="date" name="since" value="2026-05-19"', page)
    assert re.search(r'<input type="text" name="actor" value="u-2"', page)
    assert '<a href="?">清除条件</a>' in page


# However many there are ---------------------------------------------------------------------------------------------


def many(count):
    AuditEntry.objects.bulk_create([AuditEntry(actor="u-1", verb="login", detail=str(n)) for n in range(count)])


def asked(visitor, question=None):
    with CaptureQueriesContext(connection) as queries:
        answer = visitor.get(LIST, question)
    return [query["sql"] for query in queries], answer


def test_as_many_queries_for_many_lines_as_for_one(desk):
    many(1)
    few, _ = asked(desk)
    many(120)
    more, answer = asked(desk, {"actor": "u-1", "p": "2"})
    assert (len(more), len(details(answer))) == (len(few), 50)


def test_the_table_is_never_counted(desk, monkeypatch):
    monkeypatch.setattr(audit_search, "LISTED", 100)
    many(120)
    sql, answer = asked(desk)
    counts = [query for query in sql if "COUNT(" in query.upper() and "accounts_auditentry" in query]
    assert [query.endswith(("LIMIT 101) subquery", 'LIMIT 101) "subquery"')) for query in counts] == [True]
    page = text_of(answer.content.decode())
    assert "只列出最近的 100 条。要看更早的，请填“到这一天”，或加上别的条件。" in page
    assert "120" not in page.partition("只列出")[2]
    assert details(answer) == [str(n) for n in range(119, 69, -1)]
    assert details(desk.get(LIST, {"p": "2"})) == [str(n) for n in range(69, 19, -1)]
    assert desk.get(LIST, {"p": "3"})["Location"] == f"{LIST}?e=1"
    assert desk.get(LIST, {"p": "3"}, follow=True).status_code == 200


def test_leafing_keeps_the_question(desk):
    many(60)
    answer = desk.get(LIST, {"actor": "u-*"})
    assert 'href="?actor=u-%2A&amp;p=2"' in answer.content.decode()
    assert "共 60 条。" in answer.content.decode()
    assert details(desk.get(LIST, {"actor": "u-*", "p": "2"})) == [str(n) for n in range(9, -1, -1)]


def test_an_extension_says_which_deadlines_were_moved():
    stored = "registration 2026-12-01T17:00 → 2026-12-02T17:00, corrections 2026-12-05T17:00 → 2026-12-06T17:00"
    said = "报名截止 2026-12-01T17:00 → 2026-12-02T17:00，修改截止 2026-12-05T17:00 → 2026-12-06T17:00"
    assert audit_words.detail("plan.extended", stored) == said
    former = "2026-12-01T17:00 → 2026-12-02T17:00"
    assert audit_words.detail("plan.extended", former) == former
