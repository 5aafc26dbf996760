"""What was sent back, on a phone: the tasks, only what is open, and what the committee then compares."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from plans.models import CommitteeMember, Role
from registrations.decisions import items_of
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.browser import scenery
from tests.browser.applicant import Applicant
from tests.browser.conftest import PHONE
from tests.registrations.reading import changes_since_return

pytestmark = pytest.mark.browser

SAID = {"portrait": "请换一张。", "employer": "请填写单位全称。", "phone": "这个手机号码打不通。"}


@pytest.fixture
def returned(portal: str) -> Registration:
    registration = scenery.at(Status.SUBMITTED, scenery.applicant())
    manager = registration.plan.members.get().user
    registration.take(Action.RETURN, by=manager, items=items_of(SAID), note="改好后即可通过。")
    return scenes.fresh(registration)


def assert_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(problem["id"], problem["nodes"][0]["html"]) for problem in found] == []


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("script", [True, False])
def test_two_are_mended_one_is_right_and_the_committee_sees_which(
    visitor: Callable[..., Page], returned: Registration, script: bool
) -> None:
    user = returned.applicant
    page = visitor(user, **PHONE, java_script_enabled=script)
    applicant = Applicant(page, touch=True, script=script)
    page.goto(returned.get_absolute_url())
    tasks = applicant.main.get_by_role("region", name="请修改 3 处后重新提交")
    expect(tasks).to_contain_text("只有下面各处可以修改。还有 3 处没有完成。")
    expect(tasks.get_by_role("listitem").nth(1)).to_have_text(
        "待修改 工作单位：请填写单位全称。 退回时：北京精工机械有限公司"
    )

    # The photo.
    applicant.press(tasks.get_by_role("link", name="证件照"))
    applicant.upload({"name": "另一张.jpg", "mimeType": "image/jpeg", "buffer": scenes.jpeg(colour="#dfe9f5")})
    applicant.crop()
    applicant.told("保存成功")
    expect(tasks).to_contain_text("还有 2 处没有完成。")

    # The employer; what is closed can be read, not typed.
    expect(applicant.main.get_by_role("textbox", name="邮箱")).to_have_count(0)
    locked = applicant.main.locator("details.locked")
    applicant.press(locked.locator("summary"))
    expect(locked).to_contain_text("组委会退回时没有要求修改这些内容，所以不能改。")
    if script:  # axe is a script
        assert_accessible(page)
    assert_fits(page)
    page.get_by_label("工作单位", exact=True).fill("北京精工机械股份有限公司")
    applicant.press(applicant.button("下一步：核对"))
    applicant.reads("核对报名信息")
    expect(tasks).to_contain_text("还有 1 处没有完成。")
    expect(applicant.link("提交审核")).to_have_count(0)

    # The telephone is right: said why.
    applicant.press(tasks.get_by_role("link", name="手机"))
    applicant.reads("填写报名表")
    answer = applicant.main.locator("details.answer").filter(has=page.get_by_label("手机不用修改的原因"))
    applicant.press(answer.locator("summary"))
    page.get_by_label("手机不用修改的原因").fill("号码没有错，白天在车间接不到。")
    applicant.press(applicant.button("下一步：核对"))
    applicant.reads("核对报名信息")
    done = applicant.main.get_by_role("region", name="要求修改的 3 处都已完成，请核对后重新提交")
    expect(done).to_contain_text("您的说明：号码没有错，白天在车间接不到。")
    assert applicant.submit() == returned.reference

    submitted = scenes.fresh(returned)
    assert [(change.field, change.old, change.new) for change in changes_since_return(submitted)] == [
        ("portrait", returned.portrait_sha256, submitted.portrait_sha256),
        ("employer", "北京精工机械有限公司", "北京精工机械股份有限公司"),
    ]
    reviewer = scenes.person("钱敏")
    CommitteeMember.objects.create(plan=returned.plan, user=reviewer, role=Role.REVIEWER)
    desk = visitor(reviewer)
    desk.goto(scenery.desk_of(submitted))
    expect(desk.get_by_text("手机：没有修改。号码没有错，白天在车间接不到。")).to_be_visible()


def test_a_picked_reason_fills_in_its_sentence_and_ones_own_words_stay(visitor: Callable[..., Page]) -> None:
    registration = scenery.at(Status.SUBMITTED, scenery.applicant())
    page = visitor(scenery.member_of(registration), viewport={"width": 1366, "height": 768})
    page.goto(scenery.desk_of(registration, "return"))
    reason, words = page.get_by_label("手机", exact=True), page.get_by_label("手机：写给报名人员的话")
    reason.select_option(label="电话打不通")
    expect(words).to_have_value("这个手机号码打不通，请填写您本人正在使用的号码。")
    reason.select_option(label="号码有误")
    expect(words).to_have_value("手机号码有误，请核对后重新填写。")
    words.fill("少一位数字。")
    reason.select_option(label="电话打不通")
    expect(words).to_have_value("少一位数字。")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="确认退回修改").click()
    expect(page.locator("[data-done]")).to_contain_text("：退回修改。")
    assert scenes.fresh(registration).correction().line.items == [  # type: ignore[union-attr]
        {"field": "phone", "label": "手机", "code": "unreachable", "sentence": "少一位数字。"}
    ]


@pytest.mark.parametrize("width", [360, 1366])
def test_the_page_of_the_reasons(visitor: Callable[..., Page], width: int) -> None:
    plan = scenery.full_plan()
    page = visitor(scenes.member(plan, "manager"), viewport={"width": width, "height": 768})
    page.goto(f"/admin/registrations/registration/reasons/{plan.code}/")
    page.get_by_label("第 1 条：写给报名人员的话").fill("请重新选择职业。")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("退回原因已保存。")).to_be_visible()
    expect(page.get_by_label("第 1 条：写给报名人员的话")).to_have_value("请重新选择职业。")
