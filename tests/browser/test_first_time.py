"""The way of a first-time applicant, from the front door to the receipt and to 查看."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.identity import Sex
from registrations.models import Registration
from tests import scenes
from tests.browser.applicant import TYPED, Applicant
from tests.browser.conftest import PHONE
from tests.people import resident_number

pytestmark = pytest.mark.browser

usernames = (f"somebody{serial}" for serial in itertools.count(1))


@pytest.fixture
def offered(portal: str) -> Any:
    """An open plan with two occupations: the one to choose, and one more."""
    plan = scenes.open_plan(title="2026 年北京市职业技能大赛")
    scenes.occupation(plan, name="焊工")
    return scenes.occupation(plan, name="数控车工", skill_level="高级工（三级）", requirements="从业满 2 年。")


def walk(applicant: Applicant, offered: Any, photo: Path) -> str:
    """From the list to the receipt."""
    applicant.begin(offered.plan.title)
    applicant.fill_in()
    applicant.choose("数控车工")
    expect(applicant.page.get_by_label("工作单位")).to_have_value(TYPED["工作单位"])
    applicant.press(applicant.button("保存并上传照片").last)
    applicant.upload(photo)
    applicant.crop()
    applicant.reads("填写报名表")
    applicant.told("保存成功")
    applicant.sees_portrait()
    applicant.press(applicant.button("下一步：核对"))
    applicant.reads("核对报名信息")
    applicant.press(applicant.part("工作").get_by_role("link", name="修改"))
    applicant.page.get_by_label("职务").fill("班组长")
    applicant.press(applicant.button("保存"))
    applicant.reads("核对报名信息")
    expect(applicant.main).to_contain_text("班组长")
    reference = applicant.submit()
    assert reference == Registration.objects.get().reference
    return reference


def read_it_again(applicant: Applicant, offered: Any, reference: str, name: str) -> None:
    """From the receipt to 已报名竞赛管理, 查看, and the blue words there."""
    applicant.press(applicant.link("已报名竞赛管理"))
    applicant.reads("已报名竞赛计划列表")
    expect(applicant.main).to_contain_text(f"编号 {reference}")
    applicant.press(applicant.row(offered.plan.title).get_by_role("link", name="查看"))
    applicant.reads("2026 年北京市职业技能大赛")
    expect(applicant.main).to_contain_text("等待组委会审核，结果会显示在这里。")
    expect(applicant.main).to_contain_text(name)
    expect(applicant.main).to_contain_text("您提交审核")
    applicant.sees_portrait()
    for blue, heading in [("2026 年北京市职业技能大赛",) * 2, ("数控车工（职工组）", "2026 年北京市职业技能大赛")]:
        applicant.press(applicant.link(blue))
        applicant.reads(heading)
        applicant.page.go_back()
    assert applicant.page.request.get(applicant.link("查看照片").get_attribute("href") or "").body()[:2] == b"\xff\xd8"


def test_vouched_for_by_the_platform(visitor: Callable[..., Page], offered: Any, photo_file: Path) -> None:
    applicant = Applicant(visitor())
    applicant.come_to_the_platform()
    applicant.sign_in("newcomer")
    applicant.go_in()
    expect(applicant.main).to_contain_text("1101**********5054")
    applicant.confirm_identity()
    reference = walk(applicant, offered, photo_file)
    read_it_again(applicant, offered, reference, "孙新")


def test_registered_a_moment_ago(visitor: Callable[..., Page], offered: Any, photo_file: Path) -> None:
    """Types the document; the page 登录成功 goes on by itself."""
    applicant = Applicant(visitor())
    applicant.come_to_the_platform()
    applicant.register(next(usernames))
    applicant.reads("登录成功")
    applicant.reads("个人身份信息确认")
    applicant.confirm_identity(name="欧阳新", kind="居民身份证", number="11010519900307101")
    expect(applicant.main.get_by_role("alert")).to_contain_text("证件号码")
    applicant.confirm_identity(name="欧阳新", kind="居民身份证", number=resident_number(7, sex=Sex.FEMALE))
    reference = walk(applicant, offered, photo_file)
    read_it_again(applicant, offered, reference, "欧阳新")


def test_on_a_phone(visitor: Callable[..., Page], offered: Any, photo_file: Path) -> None:
    applicant = Applicant(visitor(**PHONE), touch=True)
    applicant.come_to_the_platform()
    applicant.sign_in("newcomer")
    applicant.go_in()
    applicant.confirm_identity()
    menu = applicant.page.get_by_role("navigation", name="主菜单")
    box = menu.bounding_box()
    assert box and (round(box["x"]), round(box["width"]), round(box["y"] + box["height"])) == (0, 360, 740)
    reference = walk(applicant, offered, photo_file)
    applicant.press(menu.get_by_role("link", name="已报名"))
    applicant.reads("已报名竞赛计划列表")
    expect(applicant.main).to_contain_text(f"编号 {reference}")


def test_without_javascript(visitor: Callable[..., Page], offered: Any, photo_file: Path) -> None:
    applicant = Applicant(visitor(java_script_enabled=False), script=False)
    applicant.come_to_the_platform()
    applicant.sign_in("newcomer")
    applicant.reads("登录成功")
    applicant.confirm_identity()  # the page before goes on by itself without a script too
    reference = walk(applicant, offered, photo_file)
    read_it_again(applicant, offered, reference, "孙新")
