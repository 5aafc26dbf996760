"""Through the queue by keyboard alone: decide, go on, take back; claims between two browsers; with and without scripts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from registrations.claims import Claim
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.browser.scenery import at, desk_of, full_plan, member_of

pytestmark = pytest.mark.browser

DESKTOP = {"viewport": {"width": 1366, "height": 768}}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def submitted(count: int) -> list[Registration]:
    """In the order of the queue."""
    occupation = scenes.occupation(full_plan(), name="砌筑工", capacity=None)
    manager = scenes.member(occupation.plan, "manager")
    people = [scenes.person(f"选手{number:02}") for number in range(count)]
    return [scenes.registration_at(Status.SUBMITTED, person, occupation, manager) for person in people]


def resubmitted() -> Registration:
    registration = at(Status.RETURNED, scenes.person("王晓明"))
    registration.write(registration.version, employer="北京精工机械制造有限责任公司")
    registration.set_portrait(scenes.portrait_of(registration.applicant, "#dfe9f5"))
    return scenes.take(registration, Action.SUBMIT, registration.applicant)


def at_desk(page: Page, registration: Registration) -> None:
    """On its page, its photo drawn, and the script has run: it has claimed it."""
    expect(page.locator("#desk-title")).to_contain_text(registration.reference)
    expect(page.locator(".eye-frame img")).to_have_js_property("naturalWidth", 295)
    expect(page.locator(".eye-frame img")).to_have_js_property("complete", True)
    expect(page.locator("[data-claimed]")).to_contain_text("您正在审核")


def states(registrations: list[Registration]) -> list[str]:
    return [scenes.fresh(registration).status for registration in registrations]


def test_twenty_by_keyboard_alone(visitor: Callable[..., Page]) -> None:
    """Every fifth is sent back for its photo, every seventh is rejected, one is taken back and decided otherwise."""
    queue = submitted(20)
    page = visitor(member_of(queue[0]), **DESKTOP)
    page.goto(desk_of(queue[0]))
    expected = []
    for number, registration in enumerate(queue):
        at_desk(page, registration)
        if number % 5 == 4:
            page.keyboard.press("r")
            expect(page.get_by_role("checkbox", name="模糊")).to_be_focused()
            page.keyboard.press("Space")
            page.keyboard.press("Control+Enter")
            expected.append("returned")
        elif number % 7 == 6:
            page.keyboard.press("x")
            expect(page.locator("#reject_note")).to_be_focused()
            page.keyboard.type("a 从业年限不足 2 年。")
            page.keyboard.press("Control+Enter")
            expected.append("rejected")
        else:
            page.keyboard.press("a")
            expected.append("approved")
        told = page.locator("[data-done]")
        expect(told).to_contain_text(registration.reference)
    expect(told).to_contain_text("这个筛选条件下没有别的待审核报名了。")
    assert states(queue) == expected
    assert [registration.events.count() for registration in queue] == [2] * 20
    assert queue[6].events.first().note == "a 从业年限不足 2 年。"
    assert Claim.objects.count() == 0


def test_taken_back_by_key_and_decided_otherwise(visitor: Callable[..., Page]) -> None:
    queue = submitted(2)
    page = visitor(member_of(queue[0]), **DESKTOP)
    page.goto(desk_of(queue[0]))
    at_desk(page, queue[0])
    page.keyboard.press("a")
    at_desk(page, queue[1])
    expect(page.locator("#desk-title")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text(
        f"{queue[0].reference} 选手00：审核通过。十秒钟内可以按 Z 撤销。"
    )
    page.keyboard.press("z")
    at_desk(page, queue[0])
    expect(page.locator(".messagelist")).to_contain_text("已撤销，请重新决定。")
    assert states(queue) == ["submitted", "submitted"]
    page.keyboard.press("x")
    page.keyboard.type("不符合参赛条件。")
    page.keyboard.press("Control+Enter")
    at_desk(page, queue[1])
    assert states(queue) == ["rejected", "submitted"]


def test_keys_are_off_while_typing_and_where_they_are_switched_off(visitor: Callable[..., Page]) -> None:
    queue = submitted(1)
    page = visitor(member_of(queue[0]), **DESKTOP)
    page.goto(desk_of(queue[0]))
    at_desk(page, queue[0])
    page.keyboard.press("x")
    page.keyboard.type("annxz?")
    expect(page.locator("#reject_note")).to_have_value("annxz?")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="审核不通过")).to_be_focused()
    page.keyboard.press("?")
    with page.expect_response("**/keys/"):
        page.get_by_role("checkbox", name="使用快捷键").press("Space")
    page.get_by_role("button", name="关闭").press("Enter")
    page.keyboard.press("x")
    page.keyboard.press("a")
    expect(page.locator("#form-reject")).to_be_hidden()
    assert page.locator("[aria-keyshortcuts=A]").count() == 0
    page.reload()
    at_desk(page, queue[0])
    page.keyboard.press("a")
    page.get_by_role("button", name="快捷键").click()
    expect(page.get_by_role("checkbox", name="使用快捷键")).not_to_be_checked()
    assert states(queue) == ["submitted"]


def test_a_photo_that_is_not_there_is_not_approved(visitor: Callable[..., Page], complaints: list[str]) -> None:
    queue = submitted(1)
    page = visitor(member_of(queue[0]), **DESKTOP)
    page.route("**/portrait/", lambda route: route.abort())
    page.goto(desk_of(queue[0]))
    expect(page.locator("[data-claimed]")).to_contain_text("您正在审核")
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_have_text("照片还没有显示出来，请看到照片后再通过。一直没有的，请刷新页面。")
    assert states(queue) == ["submitted"]
    complaints.clear()  # the photo that was kept from the page


def colleagues(registration: Registration) -> list[User]:
    return [scenes.member(registration.plan, "reviewer", name) for name in ("周敏", "陈静")]


def test_two_reviewers_see_one_another(visitor: Callable[..., Page]) -> None:
    queue = submitted(3)
    one, two = [visitor(user, **DESKTOP) for user in colleagues(queue[0])]
    one.goto(desk_of(queue[0]))
    at_desk(one, queue[0])
    two.goto(desk_of(queue[0]))
    expect(two.locator("[data-claimed]")).to_contain_text("周敏正在审核，到 ")
    expect(two.get_by_role("button", name="审核通过")).to_have_count(0)
    two.keyboard.press("n")
    at_desk(two, queue[1])
    two.goto(desk_of(queue[0]))
    two.keyboard.press("t")
    at_desk(two, queue[0])
    two.keyboard.press("a")
    at_desk(two, queue[1])
    one.keyboard.press("x")
    one.keyboard.type("不符合参赛条件。")
    one.keyboard.press("Control+Enter")
    expect(one.locator(".messagelist")).to_contain_text("已被陈静处理：审核通过")
    assert states(queue) == ["approved", "submitted", "submitted"]


def test_leaving_lets_go(visitor: Callable[..., Page]) -> None:
    queue = submitted(2)
    page = visitor(member_of(queue[0]), **DESKTOP)
    page.goto(desk_of(queue[0]))
    at_desk(page, queue[0])
    page.keyboard.press("n")
    at_desk(page, queue[1])
    page.goto("/admin/")
    other = visitor(member_of(queue[0]), **DESKTOP)
    for registration in queue:
        other.goto(desk_of(registration))
        at_desk(other, registration)


def test_without_scripts_the_same_by_buttons(visitor: Callable[..., Page]) -> None:
    queue = submitted(3)
    page = visitor(member_of(queue[0]), java_script_enabled=False, **DESKTOP)
    page.goto(desk_of(queue[0]))
    page.get_by_role("button", name="开始审核").click()
    expect(page.locator("[data-claimed]")).to_contain_text("您正在审核")
    page.get_by_role("button", name="放开，不审核了").click()
    expect(page.get_by_role("button", name="开始审核")).to_be_visible()
    page.get_by_role("button", name="审核通过").click()
    expect(page.locator("#desk-title")).to_contain_text(queue[1].reference)
    page.get_by_role("button", name="撤销").click()
    expect(page.locator("#desk-title")).to_contain_text(queue[0].reference)
    page.get_by_role("link", name="审核不通过").click()
    page.get_by_label("意见").fill("不符合参赛条件。")
    page.get_by_role("button", name="确认审核不通过").click()
    expect(page.locator("#desk-title")).to_contain_text(queue[1].reference)
    page.get_by_role("link", name="下一份").click()
    expect(page.locator("#desk-title")).to_contain_text(queue[2].reference)
    assert states(queue) == ["rejected", "submitted", "submitted"]


def test_what_is_pressed_is_large_enough(visitor: Callable[..., Page]) -> None:
    """44 pixels, on a wide screen too: there are tablets, and hands that tremble."""
    (registration,) = submitted(1)
    page = visitor(member_of(registration), viewport={"width": 1440, "height": 900})
    page.goto(desk_of(registration))
    at_desk(page, registration)
    pressed = page.locator(".review :is(button, .button, .step, summary):visible")
    heights = [(each.inner_text(), each.bounding_box()) for each in pressed.all()]
    assert [text for text, box in heights if box and box["height"] < 44] == []
    assert len(heights) > 4


@pytest.mark.parametrize("state", ["submitted", "resubmitted", "claimed", "return", "reject", "keys", "done"])
def test_everybody_can_use_it(visitor: Callable[..., Page], state: str) -> None:
    """Axe finds nothing, nothing scrolls sideways; at 1366×768 photo, changes and buttons are in view at once."""
    registration = resubmitted() if state == "resubmitted" else submitted(2)[0]
    page = visitor(member_of(registration), **DESKTOP)
    if state == "claimed":
        other = scenes.member(registration.plan, "reviewer")
        Claim.objects.create(registration=registration, by=other, until=timezone.now() + timedelta(minutes=9))
    page.goto(desk_of(registration))
    if state != "claimed":
        at_desk(page, registration)
        for pressed in {"return": "r", "reject": "x", "keys": "?", "done": "a"}.get(state, ""):
            page.keyboard.press(pressed)
    if state == "done":
        expect(page.locator("[data-done]")).to_be_visible()
    for part in [
        ".eye-frame img",
        "aside .step >> nth=0",
        *([".review-changes tbody"] if state == "resubmitted" else []),
    ]:
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    found = {}
    for width in (1366, 768, 360):
        page.set_viewport_size({"width": width, "height": 768})
        judged = Axe().run(page)
        found[width] = (judged.violations_count and judged.generate_report(), page.evaluate(SIDEWAYS))
    assert found == dict.fromkeys((1366, 768, 360), (0, 0))
