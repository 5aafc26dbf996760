"""The end of a session before the eyes of a person: a warning in time, going on, and what was typed there again."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as configured
from playwright.sync_api import Locator, Page, expect

from accounts.models import KeptForm, User
from profiles.models import Profile
from registrations.workflow import Status
from tests import scenes
from tests.browser import scenery
from tests.browser.applicant import Applicant
from tests.browser.conftest import session_of

pytestmark = pytest.mark.browser

IDLE_SECONDS = 8  # the warning comes in the middle
RESTORED = "您的登录曾经中断，刚才填写的内容已为您恢复，请核对后保存。"


@pytest.fixture
def user(portal: str, settings: Any) -> User:
    settings.SESSION_IDLE_SECONDS = settings.SESSION_IDLE_STAFF_SECONDS = IDLE_SECONDS
    return scenery.applicant()


def warning(page: Page) -> Locator:
    return page.get_by_role("alertdialog", name="登录即将结束")


def sign_in_again(page: Page, user: User, portal: str) -> None:
    page.context.add_cookies([{"name": configured.SESSION_COOKIE_NAME, "value": session_of(user), "url": portal}])


@pytest.mark.parametrize("way", ["button", "escape"])
def test_going_on_keeps_the_person_in(visitor: Callable[..., Page], user: User, way: str) -> None:
    person = Applicant(visitor(user))
    person.page.goto("/profile/")
    person.page.get_by_label("职务").fill("班组长")
    for _ in range(2):  # twice: each time the end is put off by the whole limit
        expect(warning(person.page)).to_be_visible()
        expect(warning(person.page)).to_contain_text("会自动退出，以保护您的个人信息。要继续填写，请点“继续”。")
        expect(warning(person.page).get_by_role("button", name="继续")).to_be_focused()
        if way == "button":
            person.press(warning(person.page).get_by_role("button", name="继续"))
        else:
            person.page.keyboard.press("Escape")
        expect(warning(person.page)).to_be_hidden()
    person.press(person.button("保存"))
    person.told("个人基本信息已保存。")
    assert (Profile.objects.get().position, KeptForm.objects.count()) == ("班组长", 0)


def test_what_was_typed_is_there_again(visitor: Callable[..., Page], user: User, portal: str) -> None:
    person = Applicant(visitor(user))
    person.page.goto("/profile/")
    person.page.get_by_label("职务").fill("班组长")
    person.reads("会话已结束")
    expect(person.main).to_contain_text("您有 8 秒没有操作，为了保护您的个人信息，已自动退出。")
    expect(person.main).to_contain_text("您刚才填写的内容已加密保留一小时（文件除外），用同一个账户登录后会恢复。")
    expect(person.page.get_by_role("banner")).not_to_contain_text("王晓明")
    assert not Profile.objects.exists()  # nothing is saved behind anybody's back
    sign_in_again(person.page, user, portal)
    person.page.goto("/profile/")
    person.told(RESTORED)
    expect(person.page.get_by_label("职务")).to_have_value("班组长")
    person.press(person.button("保存"))
    person.told("个人基本信息已保存。")
    assert Profile.objects.get().position == "班组长"


def test_without_script_what_was_sent_too_late_is_kept(visitor: Callable[..., Page], user: User, portal: str) -> None:
    person = Applicant(visitor(user, java_script_enabled=False), script=False)
    person.page.goto("/profile/")
    person.page.get_by_label("职务").fill("班组长")
    person.page.wait_for_timeout(IDLE_SECONDS * 1000)
    person.press(person.button("保存"))
    person.reads("会话已结束")
    sign_in_again(person.page, user, portal)
    person.page.goto("/profile/")
    person.told(RESTORED)
    expect(person.page.get_by_label("职务")).to_have_value("班组长")


def test_what_was_typed_at_the_desk_is_there_again(visitor: Callable[..., Page], user: User, portal: str) -> None:
    """Its forms stand on the page of the registration, and are shown again on their own."""
    registration = scenery.at(Status.SUBMITTED, user)
    reviewer = scenery.member_of(registration)
    person = Applicant(visitor(reviewer))
    person.page.goto(scenery.desk_of(registration))
    person.page.get_by_role("link", name="审核不通过").click()
    person.page.get_by_role("textbox", name="意见", exact=True).fill("工作单位不在本市。")
    person.reads("会话已结束")
    expect(person.main).to_contain_text("您刚才填写的内容已加密保留一小时（文件除外），用同一个账户登录后会恢复。")
    [(target,)] = KeptForm.objects.values_list("path")
    assert target == scenery.desk_of(registration, "reject")
    back = parse_qs(urlsplit(str(person.page.get_by_role("link", name="重新登录").get_attribute("href"))).query)
    sign_in_again(person.page, reviewer, portal)
    person.page.goto(back["next"][0])
    expect(person.page.get_by_text(RESTORED)).to_be_visible()
    expect(person.page.get_by_role("textbox", name="意见", exact=True)).to_have_value("工作单位不在本市。")
    person.page.get_by_role("button", name="确认审核不通过").click()
    expect(person.page.locator("[data-done]")).to_contain_text("审核不通过")
    assert scenes.fresh(registration).status == Status.REJECTED


def test_what_is_done_in_another_tab_puts_it_off(visitor: Callable[..., Page], user: User, settings: Any) -> None:
    settings.SESSION_IDLE_SECONDS = settings.SESSION_IDLE_STAFF_SECONDS = 2 * IDLE_SECONDS
    first = visitor(user)
    first.goto("/profile/")
    expect(warning(first)).to_be_visible()
    first.context.new_page().goto("/registrations/")
    expect(warning(first)).to_be_hidden()


def test_signing_out_from_the_warning(visitor: Callable[..., Page], user: User) -> None:
    person = Applicant(visitor(user))
    person.page.goto("/profile/")
    person.press(warning(person.page).get_by_role("button", name="退出"))
    person.reads("您已退出")


def test_a_server_that_does_not_answer_leaves_nothing_on_the_screen(visitor: Callable[..., Page], user: User) -> None:
    person = Applicant(visitor(user))
    person.page.route("**/accounts/session/", lambda route: route.abort())
    person.page.goto("/profile/")
    expect(person.page.get_by_role("banner")).to_contain_text("王晓明")
    person.reads("会话已结束")
    expect(person.page.get_by_role("banner")).not_to_contain_text("王晓明")


def test_a_page_of_before_goes_on_after_signing_in_again(
    visitor: Callable[..., Page], user: User, settings: Any, portal: str
) -> None:
    """Signing in changes the token of every form."""
    settings.SESSION_IDLE_SECONDS = settings.SESSION_IDLE_STAFF_SECONDS = 20
    person = Applicant(visitor(user))
    person.page.goto("/profile/")
    person.page.get_by_label("职务").fill("班组长")
    sign_in_again(person.page, user, portal)
    cookie = {"name": configured.CSRF_COOKIE_NAME, "value": "n" * 32, "url": portal}
    person.page.context.add_cookies([cookie])
    person.press(warning(person.page).get_by_role("button", name="继续"))
    expect(warning(person.page)).to_be_hidden()
    person.press(person.button("保存"))
    person.told("个人基本信息已保存。")


def test_a_page_of_somebody_else_covers_itself(visitor: Callable[..., Page], user: User, portal: str) -> None:
    person = Applicant(visitor(user))
    person.page.goto("/profile/")
    person.page.get_by_label("职务").fill("班组长")
    sign_in_again(person.page, scenes.person("李芳"), portal)
    person.reads("您仍处于登录状态")
    expect(person.page.get_by_role("banner")).to_contain_text("李芳")
    assert not KeptForm.objects.exists()
