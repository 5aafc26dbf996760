"""The committee's desk in a real browser: one look at a photo leaves one line, however large it is shown."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from accounts.models import AuditEntry
from registrations.workflow import Status
from tests import scenes
from tests.browser.scenery import applicant, at, desk_of, full_plan, member_of, mended

pytestmark = pytest.mark.browser


def size_on_screen(picture: Locator) -> tuple[int, int]:
    box = picture.bounding_box()
    assert box
    return round(box["width"]), round(box["height"])


def views() -> list[str]:
    return list(AuditEntry.objects.filter(verb="photo.viewed").order_by("pk").values_list("detail", flat=True))


@pytest.mark.parametrize("scripts", [True, False])
def test_true_size_and_enlarged_leave_one_line(visitor: Callable[..., Page], scripts: bool) -> None:
    registration = at(Status.SUBMITTED, applicant())
    options = {"viewport": {"width": 1366, "height": 768}, "java_script_enabled": scripts}
    page = visitor(member_of(registration), **options)
    page.goto(desk_of(registration))
    picture = page.get_by_role("img", name="王晓明的证件照")
    expect(picture).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert size_on_screen(picture) == (295, 413)
    toggle = page.locator(".enlarge summary")
    toggle.press("Enter")
    expect(page.get_by_text("恢复实际大小")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert (size_on_screen(picture), views()) == ((590, 826), [""])
    toggle.press("Enter")
    expect(page.get_by_text("放大一倍")).to_be_visible()
    assert (size_on_screen(picture), views()) == ((295, 413), [""])


def test_two_photos_leave_a_line_each(visitor: Callable[..., Page]) -> None:
    registration = mended()
    page = visitor(member_of(registration))
    page.goto(desk_of(registration))
    expect(page.get_by_role("img", name="退回时的证件照")).to_have_js_property("naturalWidth", 295)
    page.wait_for_load_state("networkidle")
    assert sorted(views()) == ["", "photo sent back"]


def test_reasons_by_keyboard_and_their_drawings(visitor: Callable[..., Page]) -> None:
    registration = at(Status.SUBMITTED, applicant())
    page = visitor(member_of(registration))
    page.goto(desk_of(registration, "return"))
    page.get_by_role("checkbox", name="头部过小").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="确认退回修改").press("Enter")
    expect(page.locator("[data-done]")).to_contain_text("：退回修改。")

    page = visitor(registration.applicant)
    page.goto(registration.get_absolute_url())
    task = page.get_by_role("region", name="请修改 1 处后重新提交")
    for name in ("不合格示例：人只占画面下方的一小部分", "合格示例：正面免冠，头部居中，肩部完整，背景干净"):
        expect(task.get_by_role("img", name=name, exact=True)).to_have_js_property("complete", True)
        assert size_on_screen(task.get_by_role("img", name=name, exact=True)) == (88, 122)
    task.get_by_role("link", name="重新裁切").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("裁切照片")


def test_the_photo_requirements_of_a_plan(visitor: Callable[..., Page]) -> None:
    """The rest of the page is Django's own; this part is ours."""
    plan = full_plan()
    page = visitor(scenes.member(plan, "manager"), viewport={"width": 1366, "height": 768})
    page.goto(f"/admin/plans/plan/{plan.pk}/change/")
    page.get_by_label("照片宽（像素）").fill("413")
    page.get_by_label("照片高（像素）").fill("295")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("高应是宽的 1 到 2 倍，请核对两个数有没有写反。", exact=True)).to_be_visible()
    assert Axe().run(page, context=".photo-requirements").violations_count == 0
    for width in (1366, 360):
        page.set_viewport_size({"width": width, "height": 768})
        wide = page.locator(".photo-requirements").evaluate("part => part.scrollWidth - part.clientWidth")
        assert (width, wide) == (width, 0)
