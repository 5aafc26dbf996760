"""Many registrations at once in a real browser: everything of the filter, the question, the progress, the results."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from registrations import jobs
from registrations.jobs import Job, JobRow, Outcome
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes

pytestmark = pytest.mark.browser
DESK = {"width": 1366, "height": 768}
NARROW = {"width": 360, "height": 740}


def many(number: int) -> tuple[Any, Any, list[Registration]]:
    plan = scenes.open_plan(title="2026 年北京市职业技能大赛")
    reviewer = scenes.member(plan, "reviewer")
    occupation = scenes.occupation(plan, name="电工", capacity=None)
    people = [scenes.person(f"第{place}人") for place in range(number)]
    return plan, reviewer, [scenes.registration_at(Status.SUBMITTED, one, occupation, reviewer) for one in people]


def well_made(page: Page) -> None:
    """Nothing that axe finds, and nothing to scroll to the side, wide and narrow."""
    for size in (NARROW, DESK):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def worked_on(job: Job, number: int) -> None:
    """As a worker does it, but only so many: what it does next is what the page is to be seen before."""
    from registrations import bulk

    job.move(jobs.State.WAITING, to=jobs.State.RUNNING, heartbeat_at=job.queued_at)
    for pk in JobRow.objects.filter(job=job, outcome=Outcome.WAITING).values_list("pk", flat=True)[:number]:
        bulk.decide_one(job, pk, bulk.Decision.of(job))


def test_everything_of_a_filter(visitor: Callable[..., Page]) -> None:
    plan, reviewer, registrations = many(22)
    other = scenes.member(plan, "manager", "韩梅")
    page = visitor(reviewer, viewport=DESK)
    page.goto(f"/admin/registrations/registration/queue/{plan.code}/")
    page.get_by_role("checkbox", name="全部符合筛选条件的 22 份").check()
    page.get_by_role("button", name="审核通过", exact=True).click()
    expect(page.get_by_text("将对 22 份报名执行“审核通过”。")).to_be_visible()
    well_made(page)
    scenes.take(registrations[3], Action.REJECT, other, "不符合")

    page.get_by_role("button", name="确认审核通过 22 份").click()
    expect(page.get_by_text("等待后台处理：共 22 份")).to_be_visible()
    job = Job.objects.get()
    worked_on(job, 11)
    expect(page.get_by_text("处理中：共 22 份，已办 10 份，没有办成 1 份。")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 50)
    well_made(page)

    jobs.run_job.func(str(job.public_id))
    expect(page.get_by_text("已完成：共 22 份，已办 21 份，没有办成 1 份。")).to_be_visible()
    refused = page.get_by_role("row").filter(has_text=registrations[3].reference)
    expect(refused).to_contain_text("已被韩梅处理：审核不通过。")
    well_made(page)
    page.get_by_role("link", name="已办（21）").click()
    expect(page.get_by_role("region", name="已办").get_by_role("row")).to_have_count(22)
    page.get_by_role("link", name="返回刚才的列表").click()
    expect(page).to_have_url(
        f"{page.url.split('/admin')[0]}/admin/registrations/registration/queue/{plan.code}/?status=submitted"
    )
    page.goto("/admin/registrations/registration/jobs/")
    expect(page.get_by_role("region", name="我的批量处理和导出").get_by_role("row").nth(1)).to_contain_text(
        "批量审核通过"
    )
    well_made(page)


def test_without_scripts_the_page_asks_for_itself(visitor: Callable[..., Page]) -> None:
    plan, reviewer, _ = many(21)
    page = visitor(reviewer, viewport=DESK, java_script_enabled=False)
    page.goto(f"/admin/registrations/registration/queue/{plan.code}/")
    page.get_by_role("checkbox", name="全部符合筛选条件的 21 份").check()
    page.get_by_role("button", name="审核不通过", exact=True).click()
    page.get_by_label("意见").fill("不符合参赛条件。")
    page.get_by_role("button", name="确认审核不通过 21 份").click()
    expect(page.get_by_text("等待后台处理：共 21 份")).to_be_visible()
    jobs.run_job.func(str(Job.objects.get().public_id))
    expect(page.get_by_text("已完成：共 21 份，已办 21 份，没有办成 0 份。")).to_be_visible()
