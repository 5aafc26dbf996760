"""The frame in a real browser: by keys, fingers and buttons, over a broken line, warnings, and what there is already."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from photos.findings import Doubt, Finding
from photos.models import Portrait, Upload
from photos.pipeline import Box
from profiles.models import Profile
from registrations import intake
from tests import scenes
from tests.browser import scenery
from tests.browser.applicant import Applicant
from tests.browser.conftest import PHONE
from tests.browser.line import come_back, network, stop
from tests.browser.pictures import drawn_photo

pytestmark = pytest.mark.browser

DARK = Finding(Doubt.DARK, "照片过暗：平均亮度 41，应不低于 70。请在光线充足的地方重拍。")
FRAME = ("left", "top", "width", "turns")


@pytest.fixture
def user(portal: str) -> User:
    return scenery.applicant()


def frame(page: Page) -> tuple[int, ...]:
    return tuple(int(page.locator(f"#crop-form input[name={name}]").input_value()) for name in FRAME)


def before_the_crop(page: Page, user: User) -> Applicant:
    page.goto(f"/profile/photo/crop/{scenery.uploaded(user).pk}/")
    return Applicant(page)


# --- The frame ------------------------------------------------------------------------------------------------------


def test_by_keyboard_alone(visitor: Callable[..., Page], user: User) -> None:
    page = visitor(user)
    applicant = before_the_crop(page, user)
    page.get_by_role("application", name="裁切区域").focus()
    page.keyboard.press("+")
    assert frame(page)[2] == 771
    page.keyboard.press("]")  # lying down, the picture is 900 pixels high: the frame becomes smaller
    expect(page.locator("#crop-status")).to_contain_text("照片已向右转 90 度。")
    page.keyboard.press("ArrowLeft")
    assert frame(page)[3] == 1
    page.keyboard.press("Shift+R")
    page.keyboard.press("[")
    left, top, width, turns = frame(page)
    assert (turns, width) == (3, 642)
    while not page.evaluate("document.activeElement.id === 'crop-save'"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    applicant.sees_portrait()
    portrait = Portrait.objects.get()
    assert (portrait.box, portrait.turns) == (Box(left, top, width, portrait.box_height), turns)


def test_by_touch(visitor: Callable[..., Page], user: User) -> None:
    page = visitor(user, **PHONE)
    applicant = before_the_crop(page, user)
    page.locator("#crop-stage").scroll_into_view_if_needed()
    edges = page.locator("#crop-stage").bounding_box()
    assert edges
    x, y = edges["x"] + edges["width"] / 2, edges["y"] + edges["height"] / 2
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": across, "y": down, "id": number} for number, (across, down) in enumerate(points)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    _, _, suggested, _ = frame(page)
    touch("touchStart", (x - 20, y), (x + 20, y))
    for spread in range(24, 48, 4):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    left, top, width, _ = frame(page)
    assert width < suggested * 0.6
    touch("touchStart", (x, y))
    for step in range(1, 6):
        touch("touchMove", (x - 8 * step, y - 6 * step))
    touch("touchEnd")
    moved = frame(page)
    assert (moved[0] > left, moved[1] > top, moved[2]) == (True, True, width)
    expect(page.locator("#crop-status")).to_contain_text(f"距左边 {moved[0]}、")  # said once the fingers rest
    fingers.detach()  # or the next tap would count as one of its fingers
    for name in ("裁切照片并保存", "仍然使用这张照片"):  # so near, the frame holds hardly any of the background
        with page.expect_navigation():
            applicant.button(name).tap()
    applicant.sees_portrait()
    assert Portrait.objects.get().box_left == moved[0]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_turned_by_a_button_and_cropped_as_seen(visitor: Callable[..., Page], user: User, script: bool) -> None:
    page = visitor(user, java_script_enabled=script)
    applicant = before_the_crop(page, user)
    for name in ("右转", "右转", "左转", "放大", "上移"):
        applicant.press(applicant.button(name))
    transform = page.locator("#picture").get_attribute("transform")
    seen = frame(page)
    expect(page.locator("#crop-whole")).to_have_text("1200×900")
    applicant.press(applicant.button("裁切照片并保存"))
    applicant.sees_portrait()
    portrait = Portrait.objects.get()
    assert (transform, portrait.turns) == ("translate(1200 0) rotate(90)", 1)
    assert (portrait.box_left, portrait.box_top, portrait.box_width) == seen[:3]
    page.goto("/profile/photo/")
    applicant.press(applicant.link("重新裁切"))
    assert frame(page) == seen


def test_the_line_breaks_before_the_crop_is_saved(visitor: Callable[..., Page], user: User) -> None:
    page = visitor(user)
    applicant = before_the_crop(page, user)
    applicant.press(applicant.button("放大"))
    kept = frame(page)
    line = network(page)
    line(offline=True)
    applicant.press(applicant.button("裁切照片并保存"))
    broken = "网络断开了，照片没有保存。裁切框还在原处，请检查网络，再点一次。"
    expect(page.locator("#crop-warning")).to_have_text(broken)
    expect(page.locator("#crop-status")).to_have_text("")  # it is no longer being saved
    assert (frame(page), Portrait.objects.count()) == (kept, 0)
    line()
    applicant.press(applicant.button("裁切照片并保存"))
    applicant.sees_portrait()
    assert Portrait.objects.get().box_width == kept[2]


STOPPED = "已停止保存，照片可能还没有保存。裁切框还在原处，需要时请再点一次。"


def test_saving_that_was_stopped_can_be_tried_again(visitor: Callable[..., Page], user: User) -> None:
    page = visitor(user)
    applicant = before_the_crop(page, user)
    page.route("**/crop/*/", lambda route: route.continue_() if route.request.method == "HEAD" else None)
    with page.expect_request(lambda request: request.method == "POST" and "/crop/" in request.url):
        applicant.button("裁切照片并保存").evaluate("button => setTimeout(() => button.click())")  # a click waits
    stop(page)
    tried_again(page, applicant, STOPPED)


def stuck_in_saving(page: Page, user: User) -> Applicant:
    """Nothing comes of it, in a browser that does not tell of that: as Safari and Firefox were before 2026."""
    page.add_init_script("Object.defineProperty(window, 'navigation', { value: undefined })")
    applicant = before_the_crop(page, user)
    page.route(
        "**/crop/*/", lambda route: route.continue_() if route.request.method == "HEAD" else route.fulfill(status=204)
    )
    applicant.press(applicant.button("裁切照片并保存"))
    expect(applicant.button("正在保存…")).to_be_disabled()
    return applicant


def tried_again(page: Page, applicant: Applicant, sentence: str) -> None:
    expect(page.locator("#crop-warning")).to_have_text(sentence)
    expect(page.locator("#crop-status")).to_have_text("")  # it is no longer being saved
    if sentence:
        expect(applicant.button("裁切照片并保存")).to_be_focused()
    page.unroute_all()
    applicant.press(applicant.button("裁切照片并保存"))
    applicant.sees_portrait()
    assert Portrait.objects.count() == 1


def test_saving_that_was_stopped_by_escape_can_be_tried_again(visitor: Callable[..., Page], user: User) -> None:
    page = visitor(user)
    applicant = stuck_in_saving(page, user)
    page.keyboard.press("Escape")
    tried_again(page, applicant, STOPPED)


def test_a_page_that_comes_back_while_it_was_saving_can_be_used(visitor: Callable[..., Page], user: User) -> None:
    page = visitor(user)
    applicant = stuck_in_saving(page, user)
    come_back(page)
    tried_again(page, applicant, "")


def test_saving_that_nobody_answers_can_be_tried_again(visitor: Callable[..., Page], user: User) -> None:
    page = visitor(user)
    page.clock.install()
    applicant = stuck_in_saving(page, user)
    page.clock.run_for(61_000)
    late = "系统迟迟没有回答，照片可能还没有保存。裁切框还在原处，请检查网络，再点一次。"
    tried_again(page, applicant, late)


@pytest.mark.parametrize("way", [stop, come_back])
def test_a_question_that_was_stopped_before_the_saving_can_be_asked_again(
    visitor: Callable[..., Page], user: User, way: Callable[[Page], None]
) -> None:
    page = visitor(user)
    applicant = before_the_crop(page, user)
    page.route("**/crop/*/", lambda route: None)
    with page.expect_request("**/crop/*/"):
        applicant.press(applicant.button("裁切照片并保存"))
    way(page)
    expect(applicant.button("裁切照片并保存")).to_be_enabled()
    page.unroute_all()
    applicant.press(applicant.button("裁切照片并保存"))
    applicant.sees_portrait()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_smallest_picture_that_is_taken_is_cropped(visitor: Callable[..., Page], user: User, script: bool) -> None:
    """358 × 501.2 pixels: the height of the smallest frame was rounded down, and so would its width be again."""
    plan = scenery.full_plan()
    plan.photo_source_width = 358
    plan.save()
    registration = intake.start(user, plan)
    upload = Upload.objects.receive(user, drawn_photo(358, 501), plan.photo_spec)
    page = visitor(user, java_script_enabled=script)
    applicant = Applicant(page)
    page.goto(scenery.path_of(registration, f"photo/crop/{upload.pk}/"))
    assert frame(page) == (0, 0, 358, 0)
    applicant.press(applicant.button("裁切照片并保存"))
    applicant.told("保存成功")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_warning_is_read_and_confirmed(
    visitor: Callable[..., Page], user: User, monkeypatch: pytest.MonkeyPatch, script: bool
) -> None:
    scenery.doubting(monkeypatch, DARK)
    page = visitor(user, java_script_enabled=script)
    applicant = before_the_crop(page, user)
    applicant.press(applicant.button("放大"))
    kept = frame(page)
    applicant.press(applicant.button("裁切照片并保存"))
    expect(applicant.main.get_by_role("alert")).to_contain_text(DARK.sentence)
    assert (frame(page), Portrait.objects.count()) == (kept, 0)
    applicant.press(applicant.button("仍然使用这张照片"))
    applicant.sees_portrait()
    assert Portrait.objects.get().doubts == [DARK]


def test_a_warning_about_another_frame_cannot_be_confirmed(
    visitor: Callable[..., Page], user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenery.doubting(monkeypatch, DARK)
    page = visitor(user)
    applicant = before_the_crop(page, user)
    applicant.press(applicant.button("裁切照片并保存"))
    applicant.press(applicant.link("调整或换一张"))
    applicant.press(applicant.button("放大"))
    expect(applicant.button("仍然使用这张照片")).to_be_disabled()
    expect(page.locator("#doubts-way")).to_contain_text("系统会重新检查。")


# --- What there is already ------------------------------------------------------------------------------------------


def test_the_profiles_portrait_is_used_with_one_press(visitor: Callable[..., Page], user: User) -> None:
    registration = intake.start(user, scenery.full_plan())
    portrait = scenery.portrayed(user)
    Profile.objects.filter(pk=scenery.complete_profile(user).pk).update(portrait=portrait)
    registration = scenes.fresh(registration)
    registration.write(registration.version, portrait=None)
    page = visitor(user)
    applicant = Applicant(page)
    page.goto(scenery.path_of(registration, "photo/"))
    applicant.press(applicant.button("从个人信息使用照片"))
    applicant.told("保存成功")
    applicant.reads("填写报名表")
    assert scenes.fresh(registration).portrait == portrait


def test_the_profiles_portrait_is_cropped_again_for_another_spec(visitor: Callable[..., Page], user: User) -> None:
    scenery.complete_profile(user)
    plan = scenery.full_plan()
    plan.photo_width, plan.photo_height, plan.photo_background = 413, 626, "blue"
    plan.save()
    registration = intake.start(user, plan)
    page = visitor(user)
    applicant = Applicant(page)
    page.goto(scenery.path_of(registration, "check/"))
    sentence = "个人信息里的证件照不符合本竞赛的要求（需要 413×626 像素、蓝色背景"
    applicant.press(applicant.main.get_by_role("link").filter(has_text=sentence))
    applicant.crop()
    applicant.press(applicant.button("仍然使用这张照片"))  # it is white, and blue is asked for
    applicant.reads("核对报名信息")
    portrait = scenes.fresh(registration).portrait
    assert portrait and (portrait.width, portrait.height, Upload.objects.count()) == (413, 626, 1)
