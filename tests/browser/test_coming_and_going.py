"""To the platform and back: signing in by phone, giving up, signing out of both."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.applicant import Applicant

pytestmark = pytest.mark.browser


def test_signing_out_ends_both_sessions(visitor: Callable[..., Page]) -> None:
    person = Applicant(visitor())
    person.come_to_the_platform()
    person.sign_in("wangxiaoming")
    person.go_in()
    person.confirm_identity()
    person.reads("个人竞赛计划列表")
    expect(person.page.get_by_role("banner")).to_contain_text("王晓明")
    person.press(person.page.get_by_role("button", name="退出"))
    person.reads("您已退出")
    person.press(person.link("重新登录"))
    person.reads("登录")  # the platform's page: it has forgotten the person too
    expect(person.page.get_by_label("密码")).to_be_empty()
    person.page.goto("/profile/")
    person.reads("登录")


def test_scanning_with_the_phone(visitor: Callable[..., Page]) -> None:
    person = Applicant(visitor())
    person.come_to_the_platform()
    person.press(person.page.get_by_role("button", name="扫码登录"))
    expect(person.page.get_by_role("img", name="登录二维码，请用手机扫描")).to_be_visible()
    with person.page.expect_popup() as opened:
        person.press(person.page.get_by_role("link", name="在新标签页里打开“手机”页面"))
    phone = Applicant(opened.value)
    phone.reads("确认登录")
    phone.page.get_by_label("用户名").fill("lifang")
    phone.page.get_by_label("密码").fill("demo-2026")
    phone.press(phone.button("确认登录"))
    phone.reads("已确认登录")
    person.go_in()
    person.reads("个人身份信息确认")
    expect(person.main).to_contain_text("李芳")


def test_giving_up_at_the_platform(visitor: Callable[..., Page]) -> None:
    person = Applicant(visitor())
    person.come_to_the_platform()
    person.press(person.page.get_by_role("link", name="取消并返回"))
    person.reads("没有登录成功")
    expect(person.main).to_contain_text("您在统一身份认证平台取消了登录，或没有同意提供信息。需要时请重新登录。")
    person.press(person.link("重新登录"))
    person.sign_in("wangxiaoming")
    person.go_in()
    person.reads("个人身份信息确认")


def test_the_first_visit_goes_on_where_one_was_going(visitor: Callable[..., Page]) -> None:
    person = Applicant(visitor())
    person.page.goto("/registrations/")
    person.sign_in("newcomer")
    person.go_in()
    person.confirm_identity()
    person.reads("已报名竞赛计划列表")
    expect(person.main).to_contain_text("您还没有报名任何竞赛。报名后，进度和审核结果会显示在这里。")


def test_the_style_sheets_arrive(visitor: Callable[..., Page]) -> None:
    person = Applicant(visitor())
    person.page.goto("/")
    expect(person.page.get_by_role("banner")).to_have_css("background-color", "rgb(20, 58, 109)")
    expect(person.link("个人登录")).to_have_css("background-color", "rgb(29, 79, 145)")
    expect(person.link("个人登录")).to_have_css("border-radius", "8px")  # Bootstrap's .btn, with our radius
