"""A photo's way in a real browser: sending with a bar, a broken line, the frame by keys, fingers and buttons, warnings."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

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
from tests.browser.line import line_to

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


def network(page: Page) -> Callable[..., None]:
    """Call it to say what the line is like: `uploadThroughput` in bytes a second, `offline`; usual without either.

    One session for all: what another one has set stays in force beside it.
    """
    line = page.context.new_cdp_session(page)
    usual = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.enable")
    return lambda **conditions: line.send("Network.emulateNetworkConditions", {**usual, **conditions}) and None


@pytest.fixture
def large_photo(tmp_path: Path) -> Path:
    """Three megabytes, so that a slow line takes its time."""
    path = tmp_path / "大照片.jpg"
    path.write_bytes(scenes.jpeg() + bytes(3 * 1024 * 1024))
    return path


# --- Sending --------------------------------------------------------------------------------------------------------


def test_progress_is_shown_and_can_be_cancelled(visitor: Callable[..., Page], user: User, large_photo: Path) -> None:
    page = visitor(user)
    applicant = Applicant(page)
    page.goto("/profile/photo/")
    line = network(page)
    line(uploadThroughput=100_000)
    applicant.upload(large_photo)
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.locator("#photo-sent")).to_contain_text("（共 3 MB）")
    applicant.press(applicant.button("取消"))
    expect(page.locator("#photo-status")).to_have_text("已取消，照片没有上传。已选的照片还在，可以重新上传。")
    expect(page.get_by_role("progressbar")).to_have_count(0)
    line()
    applicant.press(applicant.button("重新上传"))
    applicant.reads("裁切照片")
    assert Upload.objects.count() == 1


def test_a_broken_line_keeps_the_file_and_sends_it_again(
    visitor: Callable[..., Page], user: User, photo_file: Path
) -> None:
    page = visitor(user)
    applicant = Applicant(page)
    page.goto("/profile/photo/")
    line = network(page)
    line(offline=True)
    applicant.upload(photo_file)
    broken = "网络断开了，照片没有传完。已选的照片还在，请检查网络，再点“重新上传”。"
    expect(page.locator("#photo-warning")).to_have_text(broken)
    expect(page.locator("#photo-picked")).to_have_text("自拍.jpg")
    expect(applicant.button("重新上传")).to_be_focused()
    line()
    applicant.press(applicant.button("重新上传"))
    applicant.crop()
    applicant.sees_portrait()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (413, "照片太大，系统没有收下。最多 20 MB，请把照片缩小后再选，或换一张照片。"),
        (429, "上传的次数太多了，照片没有保存。已选的照片还在，请过几分钟再点“重新上传”。"),
        (503, "系统暂时繁忙，照片没有保存。已选的照片还在，请过几分钟再点“重新上传”。"),
        (500, "系统出了问题，照片没有保存。已选的照片还在，请再试一次；如果仍然不行，请联系组委会。"),
    ],
)
def test_what_stands_before_the_portal_refuses(
    visitor: Callable[..., Page], user: User, photo_file: Path, complaints: list[str], status: int, sentence: str
) -> None:
    page = visitor(user)
    page.goto("/profile/photo/")
    page.route("**/photo/", lambda route: route.fulfill(status=status, body="<h1>no</h1>", content_type="text/html"))
    Applicant(page).upload(photo_file)
    expect(page.locator("#photo-warning")).to_have_text(sentence)
    assert complaints == [f"{page.url}: {status}"]
    complaints.clear()


NOT_OPENED = "照片已经传到，但网络断开了，裁切页面没有打开。请检查网络，再点“继续裁切”，不用重新上传。"
NOT_ANSWERED = "网络断开了，没有收到系统的回答。请检查网络，再点“继续”，已经传到的不会再传一遍。"


def never_again(page: Page) -> None:
    """From here on no file leaves this page."""

    def look(route: Route) -> None:
        assert b"filename=" not in (route.request.post_data_buffer or b"")
        route.continue_()

    page.unroute_all()
    page.route("**/photo/", look)


def test_the_line_breaks_between_the_upload_and_the_crop_page(
    visitor: Callable[..., Page], user: User, photo_file: Path
) -> None:
    page = visitor(user)
    applicant = Applicant(page)
    page.goto("/profile/photo/")
    page.route("**/crop/*/", lambda route: route.abort("internetdisconnected"))
    applicant.upload(photo_file)
    expect(page.locator("#photo-warning")).to_have_text(NOT_OPENED)
    expect(applicant.button("继续裁切")).to_be_focused()
    page.keyboard.press("Enter")  # still away
    expect(page.locator("#photo-warning")).to_have_text(NOT_OPENED)
    assert page.url.endswith("/profile/photo/")
    never_again(page)
    applicant.press(applicant.button("继续裁切"))
    applicant.crop()
    applicant.sees_portrait()
    assert Upload.objects.count() == 1


def test_a_busy_portal_between_the_upload_and_the_crop_page(
    visitor: Callable[..., Page], user: User, photo_file: Path, complaints: list[str]
) -> None:
    page = visitor(user)
    applicant = Applicant(page)
    page.goto("/profile/photo/")
    page.route("**/crop/*/", lambda route: route.fulfill(status=502, body="<h1>no</h1>", content_type="text/html"))
    applicant.upload(photo_file)
    busy = "照片已经传到，但系统暂时繁忙，裁切页面没有打开。请过几分钟再点“继续裁切”，不用重新上传。"
    expect(page.locator("#photo-warning")).to_have_text(busy)
    complaints.clear()
    never_again(page)
    applicant.press(applicant.button("继续裁切"))
    applicant.reads("裁切照片")
    assert Upload.objects.count() == 1


def test_the_answer_to_an_upload_is_lost(
    visitor: Callable[..., Page], user: User, photo_file: Path, portal: str
) -> None:
    page = visitor(user)
    applicant = Applicant(page)
    with line_to(portal) as line:
        page.goto(f"{line.origin}/profile/photo/")
        applicant.reads("上传照片")
        line.deaf = True
        applicant.upload(photo_file)
        expect(page.locator("#photo-warning")).to_have_text(NOT_ANSWERED)
        applicant.press(applicant.button("继续"))  # still deaf
        expect(page.locator("#photo-warning")).to_have_text(NOT_ANSWERED)
        line.deaf = False
        never_again(page)
        applicant.press(applicant.button("继续"))
        applicant.crop()
        applicant.sees_portrait()
        assert Upload.objects.count() == 1


def test_an_upload_that_did_not_arrive_is_sent_again(
    visitor: Callable[..., Page], user: User, photo_file: Path
) -> None:
    page = visitor(user)
    applicant = Applicant(page)
    page.goto("/profile/photo/")
    page.route("**/photo/", lambda route: route.abort("connectionreset"))
    applicant.upload(photo_file)
    expect(applicant.button("重新上传")).to_be_focused()
    page.unroute_all()
    page.keyboard.press("Enter")
    applicant.reads("裁切照片")
    assert Upload.objects.count() == 1


def test_what_was_sent_and_not_cropped_is_found_on_the_next_visit(
    visitor: Callable[..., Page], user: User, photo_file: Path
) -> None:
    page = visitor(user, java_script_enabled=False)
    applicant = Applicant(page, script=False)
    page.goto("/profile/photo/")
    applicant.upload(photo_file)
    applicant.reads("裁切照片")
    page.goto("/profile/photo/")
    expect(page.locator("img.photo-waiting")).to_have_js_property("complete", True)
    applicant.press(applicant.link("继续裁切"))
    applicant.crop()
    applicant.sees_portrait()
    page.goto("/profile/photo/")
    expect(applicant.link("继续裁切")).to_have_count(0)


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(
    visitor: Callable[..., Page], user: User, photo_file: Path
) -> None:
    page = visitor(user)
    page.clock.install()
    page.goto("/profile/photo/")
    page.route("**/photo/", lambda route: None)
    Applicant(page).upload(photo_file)
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.clock.run_for(121_000)
    expect(page.locator("#photo-warning")).to_contain_text("已选的照片还在，")
    expect(Applicant(page).button("重新上传")).to_be_enabled()


def test_a_session_that_ended_meanwhile(visitor: Callable[..., Page], user: User, photo_file: Path) -> None:
    page = visitor(user)
    page.goto("/profile/photo/")
    page.route("**/photo/", lambda route: route.abort())  # as a redirect to another site ends
    page.route(
        "**/accounts/session/",
        lambda route: route.fulfill(json={"left": 0, "warning": 120, "final": False, "whose": ""}),
    )
    Applicant(page).upload(photo_file)
    warning = page.locator("#photo-warning")
    expect(warning).to_have_text("登录已经退出，照片没有保存。请重新登录，再选一次照片")
    expect(warning.get_by_role("link")).to_have_attribute("href", page.url)


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
    assert (frame(page), Portrait.objects.count()) == (kept, 0)
    line()
    applicant.press(applicant.button("裁切照片并保存"))
    applicant.sees_portrait()
    assert Portrait.objects.get().box_width == kept[2]


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
