"""The queue in a real browser: chosen by keyboard, narrowed, looked through, and left for one registration and back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from registrations.models import Registration
from registrations.workflow import Status
from tests import scenes
from tests.browser.scenery import busy_plan, queue_of

pytestmark = pytest.mark.browser
DESK = {"width": 1366, "height": 768}


def at_the_queue(visitor: Callable[..., Page], role: str = "reviewer", **options: object) -> Page:
    plan = busy_plan()
    page = visitor(scenes.member(plan, role), viewport=DESK, **options)
    page.goto(queue_of(plan))
    expect(page.get_by_role("heading", level=1)).to_have_text("审核队列：2026 年北京市职业技能大赛")
    return page


def names(page: Page) -> list[str]:
    return page.locator(".queue-rows .name").all_inner_texts()


def test_chosen_by_keyboard(visitor: Callable[..., Page]) -> None:
    page = at_the_queue(visitor)
    told, whole = page.locator("[data-chosen]"), page.get_by_role("checkbox", name="选中本页全部")
    expect(told).to_have_text("还没有选")
    first = page.get_by_role("checkbox", name="王晓明")
    first.focus()
    page.keyboard.press("Space")
    expect(told).to_have_text("已选 1 份")
    expect(whole).to_have_js_property("indeterminate", True)
    whole.focus()
    page.keyboard.press("Space")
    expect(told).to_have_text("已选 4 份")
    expect(page.get_by_role("checkbox", name="李芳")).to_be_checked()
    page.get_by_role("checkbox", name="全部符合筛选条件的 4 份").check()
    expect(first).to_be_disabled()
    page.get_by_role("checkbox", name="全部符合筛选条件的 4 份").uncheck()
    first.uncheck()
    page.get_by_role("button", name="退回修改").press("Enter")
    expect(page.get_by_text("将对 3 份报名执行“退回修改”。")).to_be_visible()
    assert Registration.objects.filter(status=Status.SUBMITTED).count() == 4
    page.get_by_role("link", name="取消").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("审核队列")


@pytest.mark.parametrize("scripts", [True, False])
def test_narrowed_and_opened(visitor: Callable[..., Page], scripts: bool) -> None:
    page = at_the_queue(visitor, "viewer", java_script_enabled=scripts)
    assert names(page) == ["王晓明", "买买提·阿不都热依木江", "李芳", "周涛"]
    expect(page.get_by_role("checkbox")).to_have_count(0)
    page.get_by_role("link", name="学生组 2", exact=True).press("Enter")
    expect(page.get_by_role("link", name="学生组 2", exact=True)).to_have_attribute("aria-current", "true")
    assert names(page) == ["买买提·阿不都热依木江", "李芳"]
    page.get_by_role("link", name="最新提交的在前").click()
    expect(page.locator(".queue-order strong")).to_have_text("最新提交的在前")
    assert names(page) == ["李芳", "买买提·阿不都热依木江"]
    page.get_by_role("link", name="全部 3", exact=True).click()
    expect(page.get_by_role("columnheader", name="状态")).to_be_visible()
    assert names(page) == ["李芳", "买买提·阿不都热依木江", "赵强"]
    page.locator(".queue-rows a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("李芳")
    page.go_back()
    expect(page.locator(".queue-order strong")).to_have_text("最新提交的在前")


def test_looked_for_and_read_beside(visitor: Callable[..., Page]) -> None:
    """The results stay where they are: going back to them would send the search again."""
    page = at_the_queue(visitor)
    page.get_by_label("查找一个人").fill("王晓明")
    page.get_by_label("查找一个人").press("Enter")
    expect(page.get_by_role("heading", name="找到 2 份报名")).to_be_visible()
    with page.expect_popup() as opened:
        page.locator(".queue-rows a").first.press("Enter")
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("王晓明")
    opened.value.close()
    expect(page.get_by_role("heading", name="找到 2 份报名")).to_be_visible()
    page.reload()  # asks for it once more, and shows the same
    expect(page.get_by_role("heading", name="找到 2 份报名")).to_be_visible()
    page.get_by_role("link", name="回到队列").click()
    expect(page.get_by_role("navigation", name="状态")).to_be_visible()
    assert "王" not in page.url
