"""The way of one who comes back: few clicks, the committee's decisions, and what the applicant then sees."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from plans.models import CommitteeMember, Plan, Role
from registrations.models import Registration
from registrations.workflow import Status
from tests.browser import scenery
from tests.browser.applicant import Applicant

pytestmark = pytest.mark.browser


@pytest.fixture
def returning(portal: str) -> User:
    user = scenery.applicant()
    scenery.complete_profile(user)
    return user


@pytest.fixture
def plan(portal: str) -> Plan:
    return scenery.full_plan()


class Member:
    """Somebody of the committee, at the desk in Django's admin."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def come_in(self) -> None:
        """By the platform, which vouches for name and document, and on to the desk."""
        person = Applicant(self.page)
        self.page.goto("/admin/")
        person.sign_in("zhoumin")
        person.go_in()
        person.confirm_identity()
        expect(self.page.locator("#site-name")).to_be_visible()

    def open(self, reference: str) -> None:
        self.page.goto("/admin/registrations/registration/")
        self.page.get_by_role("link", name=reference).click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(reference)
        expect(self.page.locator(".eye-frame img")).to_have_js_property("naturalWidth", 295)  # nobody approves unseen

    def decide(self, action: str, **said: str) -> None:
        self.page.locator(".steps .step", has_text=action).click()
        for name, sentence in said.items():
            self.page.locator(f"[name={name}]").fill(sentence)
        if said:
            self.page.get_by_role("button", name=f"确认{action}").click()
        expect(self.page.locator("[data-done]")).to_contain_text(f"：{action}。")


def test_sent_back_mended_approved_withdrawn(
    visitor: Callable[..., Page], returning: User, plan: Plan, settings: Any, photo_file: Path
) -> None:
    manager, _ = User.objects.from_platform(settings.OIDC_OP_ISSUER, "demo-zhoumin")
    CommitteeMember.objects.create(plan=plan, user=manager, role=Role.MANAGER)
    applicant, member = Applicant(visitor(returning)), Member(visitor())
    menu = applicant.page.get_by_role("navigation", name="主菜单")

    # From the list to the receipt, with what the profile knows.
    applicant.page.goto("/plans/")
    applicant.begin(plan.title)
    applicant.sees_portrait()
    applicant.choose("数控车工")
    applicant.press(applicant.button("下一步：核对"))
    reference = applicant.submit()

    # The committee sends it back, field by field.
    member.come_in()
    member.open(reference)
    expect(member.page.get_by_role("img", name="王晓明的证件照")).to_have_js_property("naturalWidth", 295)
    member.decide("退回修改", fix_employer="请填写单位全称。", fix_portrait="请换一张白色背景的照片。")

    # The applicant sees that there is something new, and what is to be done.
    applicant.page.goto("/plans/")
    expect(menu).to_contain_text("1 条新的审核结果")
    expect(applicant.row(plan.title).get_by_role("link", name="去修改")).to_be_visible()
    applicant.press(menu.get_by_role("link", name="已报名"))
    applicant.press(applicant.row(plan.title).get_by_role("link", name="查看"))
    task = applicant.main.get_by_role("region", name="请修改 2 处后重新提交")
    expect(task.get_by_role("listitem")).to_have_text(
        [
            "待修改 证件照：请换一张白色背景的照片。 重新上传 重新裁切",
            "待修改 工作单位：请填写单位全称。 退回时：北京精工机械有限公司",
        ]
    )
    applicant.press(task.get_by_role("link", name="证件照"))
    applicant.upload(photo_file)
    applicant.crop()
    applicant.told("保存成功")
    applicant.press(task.get_by_role("link", name="工作单位"))
    expect(applicant.page.get_by_label("工作单位", exact=True)).to_be_in_viewport()
    applicant.page.get_by_label("工作单位", exact=True).fill("北京精工机械股份有限公司")
    applicant.press(applicant.button("下一步：核对"))
    assert applicant.submit() == reference

    # The committee approves what it now sees.
    member.open(reference)
    changes = member.page.get_by_role("group", name="退回后的修改")
    expect(changes.get_by_text("北京精工机械股份有限公司")).to_be_visible()
    member.decide("审核通过")

    applicant.page.goto("/registrations/")
    expect(applicant.row(plan.title)).to_contain_text("审核通过")
    applicant.press(applicant.row(plan.title).get_by_role("link", name="查看"))
    expect(applicant.main).to_contain_text("组委会审核通过了您的报名，请留意参赛通知。")
    expect(menu).to_contain_text("1 条新的审核结果")
    applicant.press(applicant.button("知道了"))
    expect(applicant.button("知道了")).to_have_count(0)
    expect(menu).not_to_contain_text("条新的审核结果")

    # Withdrawing is asked once; the place that was taken is free again.
    applicant.press(applicant.link("撤回报名"))
    expect(applicant.main).to_contain_text("撤回报名表示不再参加这个竞赛。")
    applicant.press(applicant.link("不撤回"))
    applicant.press(applicant.link("撤回报名"))
    applicant.press(applicant.button("确认撤回报名"))
    expect(applicant.main.locator(".notice")).to_have_text("您已撤回这份报名。报名截止前可以重新报名。")
    found = Registration.objects.get()
    assert (found.status, plan.occupations.get(name="数控车工").seats_taken) == (Status.WITHDRAWN, 0)


def test_the_photo_is_changed_from_the_page_to_check(
    visitor: Callable[..., Page], returning: User, plan: Plan, photo_file: Path
) -> None:
    applicant = Applicant(visitor(returning))
    applicant.page.goto(scenery.path_of(scenery.draft(returning, plan), "check/"))
    former = Registration.objects.get().portrait_id
    applicant.press(applicant.link("更换照片"))
    applicant.upload(photo_file)
    applicant.crop()
    applicant.reads("核对报名信息")
    applicant.sees_portrait()
    assert Registration.objects.get().portrait_id != former


def test_closing_the_dialog_leaves_the_choice(visitor: Callable[..., Page], returning: User, plan: Plan) -> None:
    applicant = Applicant(visitor(returning))
    applicant.page.goto(scenery.path_of(scenery.draft(returning, plan), "edit/"))
    dialog = applicant.page.get_by_role("dialog", name="选择职业（工种）")
    applicant.press(applicant.button("职业（工种）"))
    expect(dialog.get_by_role("radio", name="焊工")).to_be_disabled()
    expect(dialog.get_by_role("listitem").filter(has_text="数控车工")).to_contain_text("剩余 60 / 60 个名额")
    dialog.get_by_role("radio", name="电工").check()
    dialog.get_by_label("搜索职业（工种）").fill("没有这一种")
    expect(dialog).to_contain_text("没有符合的职业（工种），请换个词试试。")
    applicant.page.keyboard.press("Escape")  # empties the box
    expect(dialog.get_by_role("radio")).to_have_count(3)
    applicant.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    applicant.press(applicant.button("下一步：核对"))
    expect(applicant.main).to_contain_text("数控车工（职工组）")


def test_enter_in_a_field_saves_and_stays(visitor: Callable[..., Page], returning: User, plan: Plan) -> None:
    applicant = Applicant(visitor(returning))
    applicant.page.goto(scenery.path_of(scenery.draft(returning, plan), "edit/"))
    applicant.page.get_by_label("职务").fill("班组长")
    applicant.page.get_by_label("职务").press("Enter")
    applicant.told("已保存")
    applicant.reads("填写报名表")
    assert Registration.objects.get().position == "班组长"


def test_a_wrong_field_is_one_click_from_the_summary(visitor: Callable[..., Page], returning: User) -> None:
    """The link leads to the field, which neither the bar nor the buttons at the bottom cover."""
    applicant = Applicant(visitor(returning, viewport={"width": 360, "height": 640}))
    applicant.page.goto("/profile/")
    phone = applicant.page.get_by_label("手机", exact=True)
    phone.fill("12345")
    applicant.press(applicant.button("保存"))
    summary = applicant.main.get_by_role("alert")
    expect(summary).to_contain_text("手机：手机号码应为 11 位数字；境外号码请以 + 和国家（地区）代码开头。")
    applicant.press(summary.get_by_role("link", name="手机"))
    expect(phone).to_be_focused()
    expect(phone).to_have_value("12345")
    box, bar, buttons = (place.bounding_box() for place in (
        applicant.page.locator("#div_id_phone"), applicant.page.locator(".bar"), applicant.page.locator(".stay"),
    ))  # fmt: skip
    assert box and bar and buttons
    assert bar["y"] + bar["height"] <= box["y"]
    assert box["y"] + box["height"] <= buttons["y"]
