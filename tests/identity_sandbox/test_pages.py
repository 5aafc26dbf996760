"""The platform's own pages: password, registration, scanning, the front page."""

import sqlite3
from contextlib import closing

import pytest

from identity_sandbox import documents
from identity_sandbox.people import PEOPLE
from tests.identity_sandbox.portal import Browser, claims
from tests.sandbox import Sandbox

WRONG = "用户名或密码不正确，请核对后重新输入密码；还没有账号请先注册。"
VERIFIED = {
    "name": "测试员",
    "id_type": "passport",
    "id_number": "e12345678",
    "phone_number": "13800002001",
}


def test_the_front_page_lists_the_accounts(browser: Browser):
    browser.open("/")
    assert (browser.status, browser.page.heading) == (200, "统一身份认证平台（演示）")
    assert [person.username for person in PEOPLE if person.username not in browser.page.text] == []


def test_every_demo_number_is_valid():
    numbers = [(person.id_type, person.id_number) for person in PEOPLE if person.id_number]
    assert [documents.problem(*number) for number in numbers] == [""] * 10
    assert len(set(numbers)) == 10
    assert documents.complete("11010519491231002") == "11010519491231002X"


def test_a_wrong_password_keeps_the_name(browser: Browser):
    browser.sign_in("lifang", "wrong")
    assert browser.page.problems == {"password": WRONG}
    assert (browser.page.values["username"], browser.page.values["password"]) == ("lifang", "")
    assert claims(browser.press("登录", username="LiFang", password="demo-2026")) == {
        "sub": "demo-lifang",
        "name": "李芳",
        "id_type": "resident_id",
        "id_number": documents.complete("11010819930512202"),
        "phone_number": "13800001002",
        "phone_number_verified": True,
    }


def test_an_unknown_name_is_answered_like_a_wrong_password(browser: Browser):
    assert browser.sign_in("nobody").page.problems == {"password": WRONG}


def test_empty_fields(browser: Browser):
    assert browser.sign_in("", "").page.problems == {"username": "请输入用户名。", "password": "请输入密码。"}


def test_signing_in_never_leads_to_a_foreign_site(browser: Browser):
    browser.open("/login/?next=//elsewhere.test/").press("登录", username="lifang", password="demo-2026")
    assert (browser.path, browser.page.heading) == ("/", "统一身份认证平台（演示）")


def test_a_form_from_another_site_is_refused(browser: Browser):
    browser.open("/login/").press("登录", username="lifang", password="demo-2026", csrfmiddlewaretoken="x" * 64)
    assert (browser.status, browser.page.heading) == (403, "页面已失效")


def test_register_a_bare_account_and_go_on(browser: Browser):
    browser.arrive().click("立即注册")
    browser.press("注册并登录", username="bare_one", password="long-enough", repeated="long-enough")
    told = claims(browser)
    assert list(told) == ["sub"] and len(told["sub"]) == 36


def test_register_a_verified_account_and_go_on(browser: Browser):
    browser.arrive().click("立即注册")
    browser.press("注册并登录", username="sure_one", password="long-enough", repeated="long-enough", **VERIFIED)
    told = claims(browser)
    assert len(told.pop("sub")) == 36
    assert told == VERIFIED | {"id_number": "E12345678", "phone_number_verified": True}


@pytest.mark.parametrize(
    ("typed", "problems"),
    [
        ({"username": ""}, {"username": "请填写用户名。"}),
        ({"username": "1a"}, {"username": "用户名应为 4 至 30 位小写字母、数字或下划线，以字母开头，请修改。"}),
        (
            {"username": "LiFang"},
            {"username": "这个用户名已经有人使用，请换一个；如果是您自己的账号，请返回登录。"},
        ),
        (
            {"password": "12345678", "repeated": "12345678"},
            {"password": "密码至少 8 位，而且不能全是数字，请换一个。"},
        ),
        ({"repeated": "another-one"}, {"repeated": "两次输入的密码不一致，请重新输入。"}),
        ({"phone_number": "123"}, {"phone_number": "手机号码应为以 1 开头的 11 位数字，请核对。"}),
        ({"name": ""}, {"name": "请填写姓名。实名认证的四项要一起填写，也可以都不填。"}),
        ({"id_type": "driving"}, {"id_type": "请从列表中选择证件类型。"}),
        ({"id_number": "123"}, {"id_number": "护照号码是 5 至 17 位字母和数字。"}),
        (
            {"id_type": "resident_id", "id_number": "110105194912310021"},
            {"id_number": "证件号码最后一位与前 17 位不符，请核对是否有输错的数字。"},
        ),
        (
            {"id_type": "hk_macao_permit", "id_number": "110105194912310021"},
            {"id_number": "港澳居民居住证号码是 18 位，以 810000 或 820000 开头。"},
        ),
    ],
)
def test_register_says_what_is_wrong_and_keeps_what_was_typed(browser: Browser, typed: dict, problems: dict):
    everything = {"username": "new_one", "password": "long-enough", "repeated": "long-enough"} | VERIFIED | typed
    page = browser.open("/register/").press("注册并登录", **everything).page
    assert page.problems == problems
    shown = ("username", "name", "id_number", "phone_number")
    assert {name: page.values[name] for name in shown} == {name: everything[name] for name in shown}
    assert (page.values["password"], page.values["repeated"]) == ("", "")
    assert page.values.get("id_type", "") == (everything["id_type"] if "id_type" not in problems else "")


@pytest.fixture
def phone(sandbox: Sandbox):
    with Browser(sandbox) as other:
        yield other


PHONE_PAGE = "在新标签页里打开“手机”页面"


def scan_state(browser: Browser) -> dict[str, str]:
    return browser.http.get(f"{browser.sandbox.origin}/login/scan/state/").json()


def test_scanning_signs_in_whom_the_phone_names_once(browser: Browser, phone: Browser):
    browser.arrive().press("扫码登录")
    assert (browser.path, scan_state(browser)) == ("/login/scan/", {"state": "waiting"})
    address = browser.page.links[PHONE_PAGE]
    phone.open(address).press("确认登录", username="lifang", password="demo-2026")
    assert (phone.page.heading, scan_state(browser)) == ("已确认登录", {"state": "confirmed"})
    assert "sandbox_session" not in phone.http.cookies
    assert claims(browser.press("我已扫码，继续"))["sub"] == "demo-lifang"
    assert scan_state(browser) == {"state": "over"}
    phone.open(address)
    assert (phone.status, phone.page.heading) == (410, "二维码已失效")


def test_without_script_the_page_itself_says_go_on(browser: Browser, phone: Browser):
    browser.arrive().press("扫码登录")
    phone.open(browser.page.links[PHONE_PAGE]).press("确认登录", username="lifang", password="demo-2026")
    browser.open(browser.url)
    assert "手机上已确认，请继续。" in browser.page.text
    assert claims(browser.press("继续"))["sub"] == "demo-lifang"


def test_going_on_before_the_phone_has_confirmed(browser: Browser):
    browser.arrive().press("扫码登录").press("我已扫码，继续")
    assert "手机上还没有确认登录。请用手机扫码并按“确认登录”，然后再继续。" in browser.page.text
    assert (browser.path, scan_state(browser)) == ("/login/scan/finish/", {"state": "waiting"})
    assert browser.arrive().path == "/login/"


def test_a_wrong_password_on_the_phone(browser: Browser, phone: Browser):
    browser.arrive().press("扫码登录")
    phone.open(browser.page.links[PHONE_PAGE]).press("确认登录", username="lifang", password="wrong")
    assert phone.page.problems == {"password": WRONG}
    assert (phone.page.values["username"], scan_state(browser)) == ("lifang", {"state": "waiting"})


def test_another_session_cannot_use_the_code(browser: Browser, phone: Browser, sandbox: Sandbox):
    browser.arrive().press("扫码登录")
    phone.open(browser.page.links[PHONE_PAGE]).press("确认登录", username="lifang", password="demo-2026")
    with Browser(sandbox) as thief:
        thief.arrive().press("扫码登录").press("我已扫码，继续")
        assert (thief.path, scan_state(thief)) == ("/login/scan/finish/", {"state": "waiting"})
    assert scan_state(browser) == {"state": "confirmed"}


def test_an_expired_code_says_so_and_is_renewed(browser: Browser, phone: Browser, data_dir):
    browser.arrive().press("扫码登录")
    address = browser.page.links[PHONE_PAGE]
    with closing(sqlite3.connect(data_dir / "sandbox.sqlite3")) as database, database:
        database.execute(
            "UPDATE identity_sandbox_scanticket SET expires_at = '2020-01-01' WHERE token = ?",
            [address.rstrip("/").rpartition("/")[2]],
        )
    assert scan_state(browser) == {"state": "over"}
    phone.open(address)
    assert (phone.status, phone.page.heading) == (410, "二维码已失效")
    browser.press("我已扫码，继续")
    assert "二维码已过期。请刷新后重新扫码。" in browser.page.text
    browser.press("刷新二维码")
    assert scan_state(browser) == {"state": "waiting"}
    phone.open(browser.page.links[PHONE_PAGE]).press("确认登录", username="chenjing", password="demo-2026")
    assert claims(browser.press("我已扫码，继续"))["sub"] == "demo-chenjing"


def test_an_unknown_code(browser: Browser):
    browser.open("/scan/unknown/")
    assert (browser.status, browser.page.heading) == (410, "二维码已失效")
