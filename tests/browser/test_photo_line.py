"""Sending a photo in a real browser: a bar, 取消, and every way in which a line can break."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from accounts.models import User
from photos import bounded
from photos.models import Upload
from tests import scenes
from tests.browser import scenery
from tests.browser.applicant import Applicant
from tests.browser.conftest import PATIENCE
from tests.browser.line import come_back, line_to, network, stop
from tests.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
def user(portal: str) -> User:
    return scenery.applicant()


@pytest.fixture
def large_photo(tmp_path: Path) -> Path:
    """Three megabytes, so that a slow line takes its time."""
    path = tmp_path / "大照片.jpg"
    path.write_bytes(scenes.jpeg() + bytes(3 * 1024 * 1024))
    return path


def seen(what: Locator) -> bool:
    """Not only by readers of screens."""
    box = what.bounding_box()
    return box is not None and box["height"] > 10


def test_progress_is_shown_and_can_be_cancelled(
    visitor: Callable[..., Page], user: User, large_photo: Path, photo_file: Path
) -> None:
    page = visitor(user)
    applicant = Applicant(page)
    page.goto("/profile/photo/")
    line = network(page)
    line(uploadThroughput=100_000)
    applicant.upload(large_photo)
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.locator("#photo-sent")).to_contain_text("（共 3 MB）")
    applicant.press(applicant.button("取消"))
    cancelled = page.locator("#photo-status")
    expect(cancelled).to_have_text("已取消上传。已选的照片还在，可以点“重新上传”，或换一张照片。")
    assert seen(cancelled)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    page.get_by_label("浏览").set_input_files(photo_file)
    expect(cancelled).to_contain_text("已选择 自拍.jpg")
    assert not seen(cancelled)  # it was said of the file before
    line()
    applicant.press(applicant.button("上传"))
    applicant.reads("裁切照片")
    assert Upload.objects.count() == 1


def test_the_browsers_own_stop_leaves_an_upload_that_can_be_sent_again(
    visitor: Callable[..., Page], user: User, large_photo: Path
) -> None:
    page = visitor(user)
    applicant = Applicant(page)
    page.goto("/profile/photo/")
    line = network(page)
    line(uploadThroughput=100_000)
    applicant.upload(large_photo)
    expect(page.locator("#photo-sent")).to_contain_text("（共 3 MB）")
    stop(page)
    expect(page.locator("#photo-status")).to_contain_text("已取消上传。")
    expect(page.get_by_role("progressbar")).to_have_count(0)
    line()
    applicant.press(applicant.button("重新上传"))
    applicant.reads("裁切照片")
    assert Upload.objects.count() == 1


def test_a_stop_while_the_crop_page_opens(visitor: Callable[..., Page], user: User, photo_file: Path) -> None:
    page = visitor(user)
    applicant = Applicant(page)
    page.goto("/profile/photo/")
    page.route("**/crop/*/", lambda route: route.continue_() if route.request.method == "HEAD" else None)
    with page.expect_request(lambda request: request.is_navigation_request() and "/crop/" in request.url):
        applicant.upload(photo_file)
    stop(page)
    stopped = "已停止打开裁切页面。照片已经传到，点“继续裁切”接着做，不用重新上传。"
    expect(page.locator("#photo-status")).to_have_text(stopped)
    never_again(page)
    applicant.press(applicant.button("继续裁切"))
    applicant.reads("裁切照片")
    assert Upload.objects.count() == 1


def test_a_page_that_comes_back_while_it_was_sending_can_be_used(
    visitor: Callable[..., Page], user: User, photo_file: Path
) -> None:
    page = visitor(user)
    applicant = Applicant(page)
    page.goto("/profile/photo/")
    page.route("**/photo/", lambda route: None)
    applicant.upload(photo_file)
    expect(applicant.button("取消")).to_be_visible()
    come_back(page)
    expect(applicant.button("取消")).to_have_count(0)
    page.unroute_all()
    applicant.press(applicant.button("重新上传"))
    applicant.reads("裁切照片")
    assert Upload.objects.count() == 1


def test_cancelled_once_all_has_left_it_may_have_arrived(
    visitor: Callable[..., Page], user: User, photo_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled = Event()
    sincere = bounded.read
    monkeypatch.setattr(bounded, "read", lambda *given: cancelled.wait(PATIENCE / 1000) and sincere(*given))
    page = visitor(user)
    applicant = Applicant(page)
    page.goto("/profile/photo/")
    applicant.upload(photo_file)
    expect(page.locator("#photo-sent")).to_have_text("已传完，正在检查照片…")
    applicant.press(applicant.button("取消"))
    said = page.locator("#photo-status")
    expect(said).to_have_text("已取消。照片可能已经传到，点“继续”可以接着裁切，也可以换一张照片。")
    assert seen(said)
    cancelled.set()
    until(Upload.objects.exists)
    never_again(page)
    applicant.press(applicant.button("继续"))
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


def test_a_storage_that_is_away_is_not_blamed_on_the_file(
    visitor: Callable[..., Page], user: User, photo_file: Path, complaints: list[str]
) -> None:
    page = visitor(user)
    page.goto("/profile/photo/")
    page.route("**/photo/", lambda route: route.fulfill(status=503, json={"refusal": "照片暂时无法保存。"}))
    Applicant(page).upload(photo_file)
    expect(page.locator("#photo-warning")).to_have_text("照片暂时无法保存。")
    expect(page.locator("#photo")).not_to_have_attribute("aria-invalid", "true")
    complaints.clear()


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
