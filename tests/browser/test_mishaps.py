"""What a person reads when something goes wrong in the middle, and that nothing typed is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.browser import scenery
from tests.browser.applicant import Applicant

pytestmark = pytest.mark.browser

TOO_LARGE = 30 * 1024 * 1024
TOO_LARGE_SENTENCE = "您的照片有 30 MB，最多 20 MB。"
NO_PHOTO_SENTENCE = "这个文件不是照片（看起来是 PDF 文件）。"


@pytest.fixture
def user(portal: str) -> User:
    return scenery.applicant()


@pytest.fixture
def registration(user: User) -> Registration:
    return scenery.draft(user)


def test_two_tabs_edit_one_draft(visitor: Callable[..., Page], user: User, registration: Registration) -> None:
    first = Applicant(visitor(user))
    second = Applicant(first.page.context.new_page())
    for tab in (first, second):
        tab.page.goto(scenery.path_of(registration, "edit/"))
    first.page.get_by_label("职务").fill("班组长")
    first.press(first.button("保存"))
    first.told("已保存")
    second.page.get_by_label("职务").fill("车间主任")
    second.press(second.button("保存"))
    alert = second.main.get_by_role("alert")
    expect(alert).to_contain_text("您在另一个窗口里刚刚保存过这份内容，所以这次没有保存。")
    expect(alert).to_contain_text("职务（现为“班组长”）")
    expect(second.page.get_by_label("职务")).to_have_value("车间主任")
    second.press(second.button("保存"))
    second.told("已保存")
    assert scenes.fresh(registration).position == "车间主任"


def test_back_after_submitting(visitor: Callable[..., Page], user: User, registration: Registration) -> None:
    applicant = Applicant(visitor(user))
    applicant.page.goto(scenery.path_of(registration, "edit/"))
    applicant.press(applicant.button("下一步：核对"))
    applicant.submit()
    applicant.page.go_back()  # to the question, which is answered already
    applicant.reads("提交成功")
    applicant.page.go_back()
    applicant.page.go_back()  # to the form
    applicant.reads(registration.plan.title)
    expect(applicant.main).to_contain_text("等待组委会审核")
    assert [event.action for event in registration.events.all()] == [Action.SUBMIT]


def test_submitted_in_another_tab(visitor: Callable[..., Page], user: User, registration: Registration) -> None:
    first = Applicant(visitor(user))
    first.page.goto(scenery.path_of(registration, "edit/"))
    first.page.get_by_label("职务").fill("班组长")
    scenes.take(registration, Action.SUBMIT, user)
    first.press(first.button("保存"))
    alert = first.main.get_by_role("alert")
    expect(alert).to_contain_text("这份报名现在是“待审核”，不能修改。")
    expect(first.page.get_by_label("职务")).to_have_value("班组长")
    assert (scenes.fresh(registration).status, scenes.fresh(registration).position) == (Status.SUBMITTED, "技术员")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_photo_of_30_megabytes(visitor: Callable[..., Page], user: User, tmp_path: Path, script: bool) -> None:
    large = tmp_path / "大照片.jpg"
    with large.open("wb") as file:
        file.write(scenes.jpeg())
        file.truncate(TOO_LARGE)
    applicant = Applicant(visitor(user, java_script_enabled=script), script=script)
    applicant.page.goto("/profile/photo/")
    applicant.upload(large)
    expect(applicant.main).to_contain_text(TOO_LARGE_SENTENCE)
    applicant.reads("上传照片")


def test_a_pdf_that_is_named_a_photo(visitor: Callable[..., Page], user: User, tmp_path: Path) -> None:
    paper = tmp_path / "证件照.jpg"
    paper.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"0" * 5000)
    applicant = Applicant(visitor(user))
    applicant.page.goto("/profile/photo/")
    applicant.upload(paper)
    expect(applicant.main.get_by_role("alert").first).to_contain_text(NO_PHOTO_SENTENCE)
    applicant.reads("上传照片")
