"""个人身份信息确认: the stop on the first visit, what may be typed there, and that it is for good."""

import logging
import re
import threading
from datetime import date

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client
from django.urls import reverse

from accounts.fields import blind_index
from accounts.identity import DocumentType, Sex
from accounts.models import AuditEntry, Consent, Identity, User
from accounts.notice import NOTICE_VERSION
from tests import scenes
from tests.pages import field_errors
from tests.people import eighteen, passport_number, resident_number

ADDRESS = "/accounts/identity/"
NUMBER = resident_number(7, sex=Sex.MALE)
GOOD = {
    "legal_name": "王晓明",
    "document_type": "resident_id",
    "document_number": NUMBER,
    "agreed": "on",
    "consented": "on",
}
NAME_SENTENCE = "姓名只能包含汉字、字母、间隔号（·）和空格，请与证件上的姓名一致。"
NO_CONSENT = "没有您的单独同意，不能处理身份证件和证件照，也就无法报名。请阅读《隐私告知》，同意的话勾选这一项。"
LENGTH_SENTENCE = "姓名最多 64 个字，您填写了 65 个，请核对是否多输了字符。"


@pytest.fixture
def newcomer(db):
    return scenes.account()


@pytest.fixture
def client(newcomer, sign_in):
    return sign_in(newcomer)


def vouched(name="", number=""):
    """Somebody for whom the platform vouches."""
    user = scenes.account()
    held = user.identity
    held.legal_name, held.name_vouched, held.document_vouched = name, bool(name), bool(number)
    if number:
        held.document_type, held.document_number = "resident_id", number
        held.document_index = blind_index("resident_id", number)
    held.save()
    return user


def confirmed(user):
    """What the database has of the confirmed identity, or None."""
    held = Identity.objects.get(user=user)
    return (held.legal_name, held.document_type, held.document_number) if held.confirmed_at else None


def typed(response, name):
    """What a text field has in it."""
    (tag,) = re.findall(rf'<input[^>]* name="{name}"[^>]*>', response.content.decode())
    found = re.search(r' value="([^"]*)"', tag)
    return found.group(1) if found else ""


# The stop -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("address", ["/", "/plans/?q=%E7%94%B5&page=2", "/profile/", "/registrations/", "/admin/"])
def test_a_first_visit_stops_wherever_one_was_going(client, method, address):
    response = getattr(client, method)(address)
    assert (response.status_code, response.headers["Location"]) == (
        302,
        reverse("accounts:identity", query={"next": address}),
    )


def test_a_form_that_was_sent_goes_on_at_its_page(client):
    response = client.post("/registrations/start/BJ-1/")
    assert response.headers["Location"] == f"{ADDRESS}?next=%2Fplans%2F"
    response = client.post("/profile/", headers={"referer": "http://testserver/profile/?a=b"})
    assert response.headers["Location"] == f"{ADDRESS}?next=%2Fprofile%2F"
    response = client.post("/profile/", headers={"referer": "https://evil.example/profile/"})
    assert response.headers["Location"] == f"{ADDRESS}?next=%2Fplans%2F"


def test_afterwards_one_goes_on_where_one_was_going(client, newcomer):
    stopped = client.get("/plans/?q=%E7%94%B5&page=2")
    response = client.post(stopped.headers["Location"], GOOD)
    assert response.headers["Location"] == "/plans/?q=%E7%94%B5&page=2"
    assert client.get(response.headers["Location"]).context["page"].paginator.count == 0
    assert confirmed(newcomer) == ("王晓明", "resident_id", NUMBER)
    assert list(AuditEntry.objects.values_list("verb", "target", "detail").order_by("pk")) == [
        ("identity.confirmed", newcomer.username, ""),
        ("consent.given", newcomer.username, NOTICE_VERSION),
    ]
    assert list(Consent.objects.values_list("user", "notice")) == [(newcomer.pk, NOTICE_VERSION)]


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "javascript:alert(1)", ""])
def test_it_goes_on_to_ourselves_alone(client, target):
    response = client.post(reverse("accounts:identity", query={"next": target}), GOOD)
    assert response.headers["Location"] == "/plans/"


def test_anonymous_goes_to_the_login_first(db):
    response = Client().get("/accounts/identity/?next=/profile/")
    assert response.headers["Location"] == "/accounts/login/?next=%2Faccounts%2Fidentity%2F%3Fnext%3D%2Fprofile%2F"


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_wrong_methods(client, newcomer, method):
    response = getattr(client, method)(ADDRESS)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert confirmed(newcomer) is None


# What is asked ------------------------------------------------------------------------------------------------------

BORN = date(1990, 3, 7)
GOOD_DOCUMENTS = [
    (DocumentType.RESIDENT_ID, NUMBER, NUMBER),
    (DocumentType.RESIDENT_ID, f" {NUMBER[:6]} {NUMBER[6:14]}-{NUMBER[14:].lower()} ", NUMBER),
    (DocumentType.HK_MACAO_PERMIT, eighteen("810000", 3, born=BORN, sex=Sex.MALE), None),
    (DocumentType.HK_MACAO_PERMIT, eighteen("820000", 3, born=BORN, sex=Sex.FEMALE), None),
    (DocumentType.TAIWAN_PERMIT, eighteen("830000", 3, born=BORN, sex=Sex.MALE), None),
    (DocumentType.FOREIGN_PR_CARD, eighteen("911124", 3, born=BORN, sex=Sex.MALE), None),
    (DocumentType.FOREIGN_PR_CARD, "usa110090030701", "USA110090030701"),
    (DocumentType.PASSPORT, "ｅ00000001", passport_number(1)),
]


@pytest.mark.parametrize(("kind", "number", "kept"), GOOD_DOCUMENTS)
def test_every_document_type(client, newcomer, kind, number, kept):
    response = client.post(ADDRESS, {**GOOD, "document_type": kind.value, "document_number": number})
    assert response.headers["Location"] == "/plans/"
    assert confirmed(newcomer) == ("王晓明", kind.value, kept or number)


WRONG_CHECK = NUMBER[:17] + ("1" if NUMBER[17] != "1" else "2")
BAD_DOCUMENTS = [
    ("resident_id", WRONG_CHECK, "证件号码最后一位与前 17 位不符，请核对是否有输错的数字。"),
    ("resident_id", NUMBER[:17], "证件号码应为 18 位，您填写了 17 位，请对照证件核对。"),
    (
        "resident_id",
        "110105900307001",
        "这是 15 位旧证号，第一代身份证已于 2013 年停止使用，请填写现在的居民身份证上的 18 位号码。",
    ),
    (
        "resident_id",
        "110105299903070011",
        "出生日期 29990307 还没有到，请核对证件号码的第 7 至 14 位。",
    ),
    ("resident_id", "110105😀", "证件号码只能由数字和英文字母组成，请删去或改正“😀”。"),
    ("resident_id", "<script>", "证件号码只能由数字和英文字母组成，请删去或改正“&lt;”。"),
    ("resident_id", "1" * 41, "证件号码太长，请核对是否多输了字符。"),
    ("resident_id", "", "请填写证件号码。"),
    ("resident_id", "---", "请填写证件号码。"),
    ("hk_macao_permit", "H12345678", "这像是来往内地（大陆）通行证的号码，请填写港澳居民居住证上的 18 位号码。"),
    (
        "hk_macao_permit",
        eighteen("830000", 3, born=BORN, sex=Sex.MALE),
        "以“83”开头的是台湾居民居住证的号码，请把证件类型改为“台湾居民居住证”，或核对号码的开头。",
    ),
    (
        "taiwan_permit",
        NUMBER,
        "以“11”开头的是居民身份证的号码，请把证件类型改为“居民身份证”，或核对号码的开头。",
    ),
    (
        "foreign_pr_card",
        "US1",
        "旧版外国人永久居留身份证号码应为 3 个字母加 12 位数字，共 15 位，请对照证件核对；新版号码是以 9 开头的 18 位。",
    ),
    ("passport", "E1", "护照号码应为 5 至 20 位字母和数字，其中至少有一个数字，请对照护照资料页核对。"),
    ("passport", NUMBER, "这是 18 位的身份证件号码，不是护照号码，请把证件类型改为“居民身份证”。"),
]


@pytest.mark.parametrize(("kind", "number", "sentence"), BAD_DOCUMENTS)
def test_a_wrong_number_is_explained_at_its_field(client, newcomer, kind, number, sentence):
    response = client.post(ADDRESS, {**GOOD, "document_type": kind, "document_number": number})
    page = response.content.decode()
    assert field_errors(response) == {"document_number": sentence}
    assert f'<li><a href="#id_document_number">证件号码</a>：{sentence}</li>' in page
    assert typed(response, "legal_name") == "王晓明"
    assert typed(response, "document_number") == number.replace("<", "&lt;").replace(">", "&gt;")
    assert f'<option value="{kind}" selected>' in page
    assert confirmed(newcomer) is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "请填写姓名。"),
        ("   ", "请填写姓名。"),
        ("王😀", NAME_SENTENCE),
        ("<script>alert(1)</script>", NAME_SENTENCE),
        ("王1", NAME_SENTENCE),
        ("王１", NAME_SENTENCE),
        ("王\u200b明", NAME_SENTENCE),
        ("·", NAME_SENTENCE),
        ("...", NAME_SENTENCE),
        ("王" * 65, LENGTH_SENTENCE),
    ],
)
def test_a_wrong_name(client, newcomer, name, sentence):
    response = client.post(ADDRESS, {**GOOD, "legal_name": name})
    assert field_errors(response) == {"legal_name": sentence}
    assert typed(response, "document_number") == NUMBER
    assert "<script>" not in response.content.decode()
    assert confirmed(newcomer) is None


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("买买提•阿不都", "买买提·阿不都"),
        ("  O'Neill   Mary-Ann ", "O'Neill Mary-Ann"),
        ("𠮷田", "𠮷田"),
        ("刘　洋", "刘洋"),  # pasted from a list that is set to one width
        (" 王 晓 明 ", "王晓明"),
        ("𠮷 田", "𠮷田"),
        ("Nguyễn Văn A", "Nguyễn Văn A"),
        ("王" * 64, "王" * 64),
    ],
)
def test_names_as_people_have_them(client, newcomer, name, kept):
    client.post(ADDRESS, {**GOOD, "legal_name": name})
    assert confirmed(newcomer) == (kept, "resident_id", NUMBER)


@pytest.mark.parametrize("kind", ["", "library_card"])
def test_a_document_type_must_be_picked(client, newcomer, kind):
    response = client.post(ADDRESS, {**GOOD, "document_type": kind})
    assert field_errors(response) == {"document_type": "请选择证件类型。"}
    assert confirmed(newcomer) is None


def test_it_must_be_agreed_to(client, newcomer):
    response = client.post(ADDRESS, {**GOOD, "agreed": ""})
    assert field_errors(response) == {"agreed": "请先核对信息，再勾选这一项。"}
    assert (typed(response, "legal_name"), typed(response, "document_number")) == ("王晓明", NUMBER)
    assert confirmed(newcomer) is None


def test_sensitive_data_is_consented_to_separately(client, newcomer):
    page = client.get(ADDRESS).content.decode()
    (box,) = re.findall(r'<input[^>]* name="consented"[^>]*>', page)
    assert "checked" not in box
    assert '<a href="/accounts/privacy/" target="_blank" rel="noopener">《隐私告知》' in page
    response = client.post(ADDRESS, {**GOOD, "consented": ""})
    assert field_errors(response) == {"consented": NO_CONSENT}
    assert (confirmed(newcomer), Consent.objects.count(), AuditEntry.objects.count()) == (None, 0, 0)


def test_without_a_consent_that_is_kept_nothing_is_confirmed(client, newcomer, monkeypatch):
    def fail(user):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Consent, "give", fail)
    with pytest.raises(RuntimeError, match="the disk is full"):
        client.post(ADDRESS, GOOD)
    assert (confirmed(newcomer), AuditEntry.objects.count()) == (None, 0)


def test_what_is_refused_leaves_no_consent(client, newcomer, sign_in):
    sign_in(scenes.account()).post(ADDRESS, GOOD)
    client.post(ADDRESS, GOOD)
    assert confirmed(newcomer) is None
    assert Consent.objects.filter(user=newcomer).count() == 0


def test_an_empty_form_says_all_that_is_missing(client):
    response = client.post(ADDRESS, {})
    assert field_errors(response) == {
        "legal_name": "请填写姓名。",
        "document_type": "请选择证件类型。",
        "document_number": "请填写证件号码。",
        "agreed": "请先核对信息，再勾选这一项。",
        "consented": NO_CONSENT,
    }


# What the platform vouches for -------------------------------------------------------------------------------------


def test_what_is_vouched_for_is_shown_masked_and_locked(sign_in, db):
    user = vouched("欧阳测试", NUMBER)
    client = sign_in(user)
    page = client.get(ADDRESS).content.decode()
    assert "<dt>姓名</dt><dd>欧阳测试</dd>" in page
    assert f"<dt>证件号码</dt><dd>{NUMBER[:4]}**********{NUMBER[-4:]}</dd>" in page
    assert NUMBER not in page
    assert re.findall(r'<(?:input|select)[^>]* name="(\w+)"', page) == ["csrfmiddlewaretoken"] * 2 + [
        "agreed",
        "consented",
    ]
    forged = {**GOOD, "legal_name": "别人", "document_type": "passport", "document_number": passport_number(3)}
    client.post(ADDRESS, forged)
    assert confirmed(user) == ("欧阳测试", "resident_id", NUMBER)


def test_a_vouched_name_alone_leaves_the_document_to_be_typed(sign_in, db):
    user = vouched("欧阳测试")
    client = sign_in(user)
    page = client.get(ADDRESS).content.decode()
    assert re.findall(r'<(?:input|select)[^>]* name="(\w+)"', page)[2:] == [
        "document_type",
        "document_number",
        "agreed",
        "consented",
    ]
    client.post(ADDRESS, {**GOOD, "legal_name": "别人"})
    assert confirmed(user) == ("欧阳测试", "resident_id", NUMBER)


def test_a_vouched_document_alone_leaves_the_name_to_be_typed(sign_in, db):
    user = vouched(number=NUMBER)
    client = sign_in(user)
    page = client.get(ADDRESS).content.decode()
    assert re.findall(r'<(?:input|select)[^>]* name="(\w+)"', page)[2:] == ["legal_name", "agreed", "consented"]
    client.post(ADDRESS, {**GOOD, "document_number": passport_number(3)})
    assert confirmed(user) == ("王晓明", "resident_id", NUMBER)


# Once and for good --------------------------------------------------------------------------------------------------


def test_a_document_that_another_account_has(client, newcomer, sign_in):
    first = scenes.account()
    sign_in(first).post(ADDRESS, GOOD)
    response = client.post(ADDRESS, {**GOOD, "legal_name": "王二", "document_number": NUMBER.lower()})
    page = response.content.decode()
    sentence = (
        "这个证件已经由另一个账户确认过，一个证件只能用一个账户报名。请点右上角“退出”，用原来的账户登录；"
        "如果想不起原来的账户，或怀疑被别人冒用，请带证件原件联系系统管理员。"
    )
    assert f"<li>{sentence}</li>" in page
    assert (typed(response, "legal_name"), typed(response, "document_number")) == ("王二", NUMBER.lower())
    assert "王晓明" not in page
    assert (confirmed(newcomer), confirmed(first)) == (None, ("王晓明", "resident_id", NUMBER))
    assert list(AuditEntry.objects.values_list("actor", "verb", "target", "detail"))[0] == (
        newcomer.username,
        "identity.refused",
        newcomer.username,
        "document taken",
    )


def test_the_same_number_of_another_type_is_another_document(client, newcomer, sign_in):
    sign_in(scenes.account()).post(ADDRESS, {**GOOD, "document_type": "passport", "document_number": "USA110090030701"})
    client.post(ADDRESS, {**GOOD, "document_type": "foreign_pr_card", "document_number": "USA110090030701"})
    assert confirmed(newcomer) == ("王晓明", "foreign_pr_card", "USA110090030701")


def test_confirmed_is_confirmed(client, newcomer):
    client.post(ADDRESS, GOOD)
    again = client.post(ADDRESS, {**GOOD, "legal_name": "别人", "document_number": resident_number(8, sex=Sex.MALE)})
    page = again.content.decode()
    assert "<h1>个人身份信息</h1>" in page
    assert f"<dt>证件号码</dt><dd>{NUMBER[:4]}**********{NUMBER[-4:]}</dd>" in page
    assert f"<dt>账户代号</dt><dd>{newcomer.username}<br>" in page
    assert NUMBER not in page
    assert confirmed(newcomer) == ("王晓明", "resident_id", NUMBER)
    assert [entry.verb for entry in AuditEntry.objects.all()] == ["consent.given", "identity.confirmed"]


def test_two_tabs_confirm_the_first_one_counts(client, newcomer, monkeypatch):
    """The second tab's form was read before the first one was saved."""
    stale = Identity.objects.get(user=newcomer)
    client.post(ADDRESS, GOOD)
    monkeypatch.setattr(User, "confirmed_identity", None)
    monkeypatch.setattr(User, "identity", stale)
    response = client.post(f"{ADDRESS}?next=/profile/", {**GOOD, "legal_name": "别人"})
    assert response.headers["Location"] == "/profile/"
    assert confirmed(newcomer) == ("王晓明", "resident_id", NUMBER)


@pytest.mark.django_db(transaction=True)
def test_of_two_that_confirm_a_document_at_once_one_succeeds(sign_in):
    clients = [sign_in(scenes.account()) for _ in range(2)]
    start, answers = threading.Barrier(2), []

    def confirm(client):
        start.wait(5)
        try:
            answers.append(client.post(ADDRESS, GOOD).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=confirm, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answers) == [200, 302]
    assert Identity.objects.exclude(confirmed_at=None).count() == 1
    assert sorted(AuditEntry.objects.values_list("verb", flat=True)) == [
        "consent.given",
        "identity.confirmed",
        "identity.refused",
    ]


# Where the number must not be ---------------------------------------------------------------------------------------


def test_the_number_is_nowhere_to_be_read(client, newcomer, caplog):
    caplog.set_level(logging.DEBUG)
    stopped = client.get("/profile/")
    bad = client.post(stopped.headers["Location"], {**GOOD, "agreed": ""})
    done = client.post(stopped.headers["Location"], GOOD)
    pages = [client.get("/profile/"), client.get(ADDRESS), client.get("/plans/")]
    places = {
        "address": done.headers["Location"] + stopped.headers["Location"],
        "session": str(dict(client.session)),
        "log": caplog.text,
        "pages": "".join(page.content.decode() for page in pages),
        "headers": "".join(map(str, [bad.headers, done.headers, *(page.headers for page in pages)])),
        "cookies": str(client.cookies),
        "audit": str(list(AuditEntry.objects.values())),
    }
    assert [name for name, text in places.items() if NUMBER in text] == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT document_number, document_index FROM accounts_identity")
        rows = cursor.fetchall()
    assert [row for row in rows if NUMBER in str(row)] == []


def test_no_confirmation_without_its_line(client, newcomer, monkeypatch):
    def away(*arguments, **values):
        raise OperationalError("away")

    monkeypatch.setattr(AuditEntry, "save", away)
    client.raise_request_exception = False
    assert client.post(ADDRESS, GOOD).status_code == 503
    assert confirmed(newcomer) is None
