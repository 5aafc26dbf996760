"""What goes wrong with a photo, as a person reads it, with and without the script; and the whole way by one kind of hand."""

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from accounts.models import User
from photos.models import Portrait, Upload
from registrations.models import Registration
from registrations.workflow import Action
from tests import scenes
from tests.browser import scenery
from tests.browser.applicant import Applicant
from tests.browser.conftest import PHONE
from tests.browser.pictures import drawn_photo

pytestmark = pytest.mark.browser

BOTH = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
AWAY = "照片暂时无法保存，您填写的内容没有受影响。请过几分钟再试；如果仍然不行，请联系组委会。"
CHOOSE = "请选择 JPEG、PNG、WebP 或 HEIC 格式的照片。"


def animation() -> bytes:
    file = BytesIO()
    frames = [Image.new("RGB", (400, 600), colour) for colour in ("white", "red")]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    return file.getvalue()


def refused() -> dict[str, tuple[bytes, str]]:
    """A file of each kind that people send, and the sentence that they read."""
    whole = scenes.jpeg()
    return {
        "空.jpg": (b"", f"这个文件是空的（0 字节）。{CHOOSE}"),
        "说明.txt": (b"no photo\n" * 99, f"这个文件不是照片（看起来是文本文件）。{CHOOSE}"),
        "证件照.pdf": (b"%PDF-1.7\n" + b"0" * 999, f"这个文件不是照片（看起来是 PDF 文件）。{CHOOSE}"),
        "图标.svg": (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            f"这个文件不是照片（看起来是 SVG 矢量图）。{CHOOSE}",
        ),
        "动图.gif": (b"GIF89a" + bytes(99), f"不支持这种格式的图片（看起来是 GIF 动图）。{CHOOSE}"),
        "动图.webp": (animation(), "这是一张 WebP 动图，不能用作证件照。请换一张普通照片。"),
        "半张.jpg": (
            whole[: len(whole) // 2],
            "这张照片的文件不完整，可能没有传完或保存完。请重新选择原来的照片再上传。",
        ),
        "小.jpg": (scenes.jpeg(200, 280), "您的照片为 200×280 像素，至少需要 295×413 像素。请换一张更大的照片。"),
    }


@pytest.fixture
def user(portal: str) -> User:
    return scenery.applicant()


@pytest.fixture
def registration(user: User) -> Registration:
    return scenery.draft(user)


def send(applicant: Applicant, data: bytes, name: str = "照片.jpg") -> None:
    applicant.upload({"name": name, "mimeType": "image/jpeg", "buffer": data})


def sentence(applicant: Applicant, script: bool) -> str:
    """What is said at the field, which is where the person is."""
    error = applicant.page.locator("#photo-warning" if script else "#photo-error")
    expect(error).to_be_visible()
    return error.inner_text()


@BOTH
def test_each_kind_of_file_is_refused_with_its_sentence(visitor: Callable[..., Page], user: User, script: bool) -> None:
    applicant = Applicant(visitor(user, java_script_enabled=script), script=script)
    applicant.page.goto("/profile/photo/")
    read = {}
    for name, (data, _) in refused().items():
        send(applicant, data, name)
        read[name] = sentence(applicant, script)
        if script:  # the file is chosen still, and the button is there to send another
            expect(applicant.page.locator("#photo-picked")).to_have_text(name)
            expect(applicant.page.locator("#photo-name")).not_to_contain_text("不影响上传")  # it was refused
            expect(applicant.button("重新上传")).to_be_enabled()
            applicant.page.get_by_label("浏览").set_input_files([])  # 上传 is 上传 again
    assert read == {name: expected for name, (_, expected) in refused().items()}
    assert Upload.objects.count() == 0
    send(applicant, drawn_photo())
    applicant.reads("裁切照片")


@BOTH
def test_a_day_that_is_used_up(visitor: Callable[..., Page], user: User, settings, complaints, script: bool) -> None:
    settings.PHOTO_DAILY_UPLOADS = 1
    scenery.uploaded(user)
    applicant = Applicant(visitor(user, java_script_enabled=script), script=script)
    applicant.page.goto("/profile/photo/")
    send(applicant, drawn_photo())
    assert sentence(applicant, script).startswith("24 小时内最多上传 1 张、共 300 MB 照片，已经用完了。请在 ")
    applicant.press(applicant.link("继续裁切"))  # what there is can be used
    applicant.reads("裁切照片")
    complaints.clear()  # the 429


@BOTH
def test_a_storage_that_is_away_and_comes_back(
    visitor: Callable[..., Page], user: User, monkeypatch: pytest.MonkeyPatch, complaints: list[str], script: bool
) -> None:
    def away(*arguments: object) -> None:
        raise OSError("away")

    applicant = Applicant(visitor(user, java_script_enabled=script), script=script)
    applicant.page.goto("/profile/photo/")
    with monkeypatch.context() as patch:
        patch.setattr("photos.storages.PrivateFolder._save", away)
        send(applicant, drawn_photo())
        assert (sentence(applicant, script), Upload.objects.count()) == (AWAY, 0)
    if script:
        applicant.press(applicant.button("重新上传"))
    else:
        send(applicant, drawn_photo())
    applicant.reads("裁切照片")
    with monkeypatch.context() as patch:
        patch.setattr("photos.storages.PrivateFolder._save", away)
        patch.setattr("photos.storages.PrivateFolder._open", away)
        applicant.press(applicant.button("裁切照片并保存"))
        expect(applicant.main.get_by_role("alert").first).to_contain_text(AWAY)
        expect(applicant.page.locator(".crop-behind")).to_be_visible()  # where the picture would be
        assert Portrait.objects.count() == 0
    applicant.press(applicant.button("裁切照片并保存"))
    applicant.sees_portrait()
    complaints.clear()  # the 503s


@BOTH
def test_submitted_in_another_tab_while_the_photo_is_changed(
    visitor: Callable[..., Page], user: User, registration: Registration, script: bool
) -> None:
    applicant = Applicant(visitor(user, java_script_enabled=script), script=script)
    applicant.page.goto(scenery.path_of(registration, "photo/"))
    applicant.press(applicant.link("重新裁切"))
    applicant.reads("裁切照片")
    other = applicant.page.context.new_page()
    other.goto(scenery.path_of(registration, "photo/"))
    portrait = registration.portrait
    scenes.take(registration, Action.SUBMIT, user)
    closed = "这份报名现在是“待审核”，不能修改。"
    applicant.press(applicant.button("裁切照片并保存"))
    expect(applicant.main.get_by_role("alert").first).to_contain_text(closed)
    second = Applicant(other, script=script)
    send(second, drawn_photo())
    expect(second.main.get_by_role("alert").last).to_contain_text(closed)
    other.reload()
    expect(second.main).to_contain_text("照片现在不能更换")
    assert (scenes.fresh(registration).portrait, Portrait.objects.count()) == (portrait, 1)


# --- The whole way by one kind of hand --------------------------------------------------------------------------------


def test_the_whole_way_by_keyboard_alone(visitor: Callable[..., Page], user: User) -> None:
    page = visitor(user)
    page.on("filechooser", lambda chooser: None)  # held back from the start, not only when a key is on its way
    page.goto("/profile/photo/")
    Applicant(page).reads("上传照片")

    def tab_to(what: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == what:
                return
        raise AssertionError(f"no way to {what} by Tab")

    tab_to("photo")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files({"name": "自拍.jpg", "mimeType": "image/jpeg", "buffer": drawn_photo()})
    tab_to("upload-button")
    page.keyboard.press("Enter")
    Applicant(page).reads("裁切照片")
    expect(page.get_by_role("application", name="裁切区域")).to_be_visible()
    tab_to("crop-stage")
    page.keyboard.press("+")
    tab_to("crop-save")
    page.keyboard.press("Enter")
    Applicant(page).sees_portrait()
    assert Portrait.objects.get().box_width < 857


def test_the_whole_way_on_a_phone(visitor: Callable[..., Page], user: User) -> None:
    """Everything that is pressed is large enough for a thumb."""
    page = visitor(user, **PHONE)
    page.on("filechooser", lambda chooser: None)
    applicant = Applicant(page, touch=True)
    page.goto("/profile/photo/")
    applicant.reads("上传照片")
    with page.expect_file_chooser() as chooser:
        page.locator("#photo").tap()  # it lies over 浏览
    chooser.value.set_files({"name": "自拍.jpg", "mimeType": "image/jpeg", "buffer": drawn_photo()})
    assert small(page) == []
    applicant.press(applicant.button("上传"))
    applicant.reads("裁切照片")
    assert small(page) == []
    expect(page.locator(".crop-keyboard")).to_be_hidden()
    expect(page.locator(".crop-wheel")).to_be_hidden()
    applicant.press(applicant.button("放大"))
    applicant.press(applicant.button("裁切照片并保存"))
    applicant.sees_portrait()


def small(page: Page) -> list[str]:
    """What is pressed in the middle of the page and is lower than 44 pixels."""
    return [
        button.inner_text()
        for button in page.locator("main .btn:visible").all()
        if ((box := button.bounding_box()) and box["height"] < 44)
    ]
