"""The committee's work in a browser without JavaScript: a plan from the first row to its publication, and its results."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from plans.models import CommitteeMember, Plan
from registrations.workflow import Action, Status
from tests import scenes
from tests.browser import scenery
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.browser


def told(page: Page, sentence: str) -> None:
    expect(page.locator(".messagelist")).to_contain_text(sentence)


def test_a_plan(visitor: Callable[..., Page], tmp_path: Path) -> None:
    """On a phone: what adds rows elsewhere is a script, so here it is a link."""
    plan = scenes.open_plan(title="人工智能训练师技能竞赛", published_at=None)
    page = visitor(scenes.member(plan, "manager"), java_script_enabled=False, **PHONE)
    page.goto(f"/admin/plans/plan/{plan.pk}/change/")
    page.get_by_role("link", name="显示空行").click()
    page.locator("#id_occupations-0-name").fill("人工智能训练师")
    page.locator("#id_occupations-0-division").select_option(label="职工组")
    (tmp_path / "规程.jpg").write_bytes(scenes.jpeg())
    page.locator("#id_attachments-0-title").fill("竞赛规程")
    page.locator("#id_attachments-0-file").set_input_files(tmp_path / "规程.jpg")
    page.get_by_role("button", name="保存并继续编辑").click()
    told(page, "成功修改了")
    assert list(plan.occupations.values_list("name")) == [("人工智能训练师",)]
    assert list(plan.attachments.values_list("title")) == [("竞赛规程",)]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.get_by_role("link", name="发布", exact=True).click()
    page.get_by_role("button", name="发布", exact=True).click()
    told(page, "已发布")
    page.get_by_role("link", name="复制", exact=True).click()
    page.get_by_label("计划编号").fill("BJ-NEXT")
    page.get_by_label("报名开始时间").fill("2031-03-01T09:00")
    page.get_by_label("报名截止时间").fill("2031-03-21T17:00")
    page.get_by_role("button", name="复制").click()
    told(page, "已复制为")
    assert Plan.objects.get(code="BJ-NEXT").occupations.get().name == "人工智能训练师"


def test_its_committee_and_its_results(visitor: Callable[..., Page]) -> None:
    plan = scenes.open_plan(holds_decisions=True)
    manager, other = scenes.member(plan, "manager"), scenes.member(plan, "reviewer", "韩梅")
    occupation = scenes.occupation(plan, name="电工", capacity=None)
    people = [scenes.person(name) for name in ("王晓明", "李芳")]
    waiting = [scenes.registration_at(Status.SUBMITTED, one, occupation, manager) for one in people]
    page = visitor(manager, java_script_enabled=False, **PHONE)
    page.goto(f"/admin/plans/plan/{plan.code}/members/")
    role = page.get_by_label("韩梅的角色", exact=True)
    expect(role).to_be_in_viewport(ratio=1)  # with its button: nothing lies beside the screen
    role.select_option(label="查看")
    button = page.get_by_role("button", name="更改韩梅的角色")
    expect(button).to_be_in_viewport(ratio=1)
    button.click()
    told(page, "韩梅的角色已改为“查看”。")
    assert CommitteeMember.objects.get(plan=plan, user=other).role == "viewer"

    # A reason's words, where no script writes them into the field.
    page.goto(scenery.desk_of(waiting[0]))
    page.get_by_role("link", name="退回修改").click()
    page.locator("select").first.select_option(index=1)
    page.get_by_role("button", name="确认退回修改").click()
    sent_back = waiting[0].events.get(action=Action.RETURN)
    assert [bool(item["sentence"]) for item in sent_back.items] == [True]

    page.goto(scenery.queue_of(plan))
    page.get_by_role("checkbox", name="全部符合筛选条件的 1 份").check()
    page.get_by_role("button", name="审核通过", exact=True).click()
    expect(page.get_by_text("可以不写。写了的，报名人员会看到")).to_be_visible()
    page.get_by_role("button", name="确认审核通过 1 份").click()
    expect(page.get_by_text("已完成：共 1 份，已办 1 份")).to_be_visible()

    page.goto(f"/admin/plans/plan/{plan.code}/decisions/")
    page.get_by_role("button", name="现在公布…").click()
    page.get_by_role("button", name="确认公布 1 份").click()
    told(page, "已公布")
    assert scenes.fresh(waiting[1]).shown_status == Status.APPROVED
