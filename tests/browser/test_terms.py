"""What a committee arranges with one person, at the desk and on a phone: more time, and another occupation to agree on."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from plans.models import Plan
from registrations import extensions, moves
from registrations.models import Registration
from registrations.workflow import Status
from tests import scenes
from tests.browser.conftest import PHONE
from tests.browser.scenery import applicant, at, desk_of, manager_of, path_of

pytestmark = pytest.mark.browser

DESKTOP = {"viewport": {"width": 1366, "height": 768}}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
ILL = "因病住院，凭医院证明延长。"
TOO_FEW = "“数控车工”报名人数不足，不能开赛；您的经历也符合“电工”的条件。"


def usable(page: Page) -> tuple[str | int, int]:
    """What axe finds, and how far it scrolls sideways."""
    judged = Axe().run(page)
    return judged.violations_count and judged.generate_report(), page.evaluate(SIDEWAYS)


def proposed(status: Status = Status.SUBMITTED) -> Registration:
    registration = at(status, applicant())
    by = manager_of(registration)
    moves.propose(registration, registration.plan.occupations.get(name="电工"), reason=TOO_FEW, by=by)
    return scenes.fresh(registration)


def closed_but_for(person_name: str) -> tuple[Plan, Registration]:
    """A plan that closed yesterday, with somebody's approved registration; the person gets two days more."""
    registration = at(Status.APPROVED, scenes.person(person_name))
    now = timezone.now()
    plan = registration.plan
    Plan.objects.filter(pk=plan.pk).update(
        registration_closes_at=now - timedelta(days=1), correction_closes_at=now - timedelta(days=1)
    )
    plan.refresh_from_db()
    by = manager_of(registration)
    extensions.grant(plan, registration.applicant, now + timedelta(days=2), reason=ILL, by=by)
    return plan, scenes.fresh(registration)


# On a phone -----------------------------------------------------------------------------------------------------------


def test_a_late_comer_begins_after_the_end(visitor: Callable[..., Page]) -> None:
    plan, other = closed_but_for("李芳")
    late = applicant()
    extensions.grant(plan, late, timezone.now() + timedelta(days=2), reason=ILL, by=manager_of(other))
    page = visitor(late, **PHONE)
    page.goto("/plans/")
    expect(page.get_by_text("组委会已为您延长到")).to_be_visible()
    assert usable(page) == (0, 0)
    page.get_by_role("button", name="报名").first.tap()
    expect(page).to_have_url(re.compile(r"/edit/$"))
    expect(page.get_by_text("这是组委会为您一个人延长的。")).to_be_visible()
    assert usable(page) == (0, 0)


def test_what_is_extended_says_so(visitor: Callable[..., Page]) -> None:
    _, registration = closed_but_for("李芳")
    page = visitor(registration.applicant, **PHONE)
    page.goto(path_of(registration))
    expect(page.get_by_text("在此之前可以撤回。")).to_be_visible()
    assert usable(page) == (0, 0)


@pytest.mark.parametrize(
    ("button", "sentence", "occupation"),
    [
        ("同意调整", "已同意，您的职业（工种）已经调整。", "电工"),
        ("不同意", "已答复不同意，您的报名不变。", "数控车工"),
    ],
)
def test_answering(visitor: Callable[..., Page], button: str, sentence: str, occupation: str) -> None:
    registration = proposed()
    page = visitor(registration.applicant, **PHONE)
    page.goto(path_of(registration))
    expect(page.get_by_role("heading", name="请您答复：调整职业（工种）")).to_be_visible()
    assert usable(page) == (0, 0)
    page.get_by_role("button", name=button, exact=True).tap()
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(page.get_by_role("heading", name="请您答复")).to_have_count(0)
    assert usable(page) == (0, 0)
    now = scenes.fresh(registration)
    assert (now.occupation.name, now.seat.name if now.seat else "") == (occupation, occupation)


@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.RETURNED, Status.APPROVED])
def test_the_task_on_the_page(visitor: Callable[..., Page], status: Status) -> None:
    registration = proposed(status)
    page = visitor(registration.applicant, **PHONE)
    page.goto(path_of(registration))
    expect(page.get_by_role("button", name="同意调整")).to_be_visible()
    assert usable(page) == (0, 0)


# At the desk ----------------------------------------------------------------------------------------------------------


def at_all_widths(page: Page) -> dict[int, tuple[str | int, int]]:
    found = {}
    for width in (1366, 360):
        page.set_viewport_size({"width": width, "height": 768})
        found[width] = usable(page)
    page.set_viewport_size({"width": 1366, "height": 768})
    return found


FINE = {1366: (0, 0), 360: (0, 0)}


def test_more_time_from_the_desk(visitor: Callable[..., Page]) -> None:
    registration = at(Status.SUBMITTED, applicant())
    page = visitor(manager_of(registration), **DESKTOP)
    page.goto(desk_of(registration))
    page.get_by_role("link", name="延长个人截止时间").click()
    page.get_by_role("button", name="延长").click()
    expect(page.get_by_text("请写明原因，报名人员会看到。")).to_be_visible()
    assert at_all_widths(page) == FINE
    moment = timezone.localtime(registration.plan.registration_closes_at + timedelta(days=3))
    page.get_by_label("新的截止时间").fill(f"{moment:%Y-%m-%dT%H:%M}")
    page.get_by_label("原因").fill(ILL)
    page.get_by_role("button", name="延长").click()
    expect(page.get_by_text("截止时间已为此人延长到")).to_be_visible()
    assert at_all_widths(page) == FINE
    page.get_by_role("link", name="更改或结束延期").click()
    expect(page.get_by_role("button", name="结束延期")).to_be_visible()
    assert at_all_widths(page) == FINE


def test_more_time_for_a_name(visitor: Callable[..., Page]) -> None:
    plan, registration = closed_but_for("李芳")
    late = applicant()
    page = visitor(manager_of(registration), **DESKTOP)
    page.goto(f"/admin/plans/plan/{plan.pk}/change/")
    page.get_by_role("link", name="个人延期").click()
    expect(page.get_by_role("cell", name="李芳")).to_be_visible()
    assert at_all_widths(page) == FINE
    page.get_by_label("姓名").fill(late.legal_name)
    page.get_by_label("证件号码最后四位").fill(late.identity.document_number[-4:])
    page.get_by_role("button", name="查找").click()
    moment = timezone.localtime(timezone.now() + timedelta(days=3))
    page.get_by_label("新的截止时间").fill(f"{moment:%Y-%m-%dT%H:%M}")
    page.get_by_label("原因").fill(ILL)
    assert at_all_widths(page) == FINE
    page.get_by_role("button", name="延长").click()
    expect(page.get_by_role("cell", name=late.legal_name)).to_be_visible()
    assert at_all_widths(page) == FINE


def test_proposing_and_taking_it_back(visitor: Callable[..., Page]) -> None:
    registration = at(Status.APPROVED, applicant())
    page = visitor(manager_of(registration), **DESKTOP)
    page.goto(desk_of(registration))
    page.get_by_role("link", name="建议调整职业（工种）").click()
    page.get_by_role("button", name="发出建议").click()
    expect(page.get_by_text("请选择职业（工种）。")).to_be_visible()
    assert at_all_widths(page) == FINE
    page.get_by_label("调整为").select_option(label="电工（职工组），名额不限")
    page.get_by_label("原因").fill(TOO_FEW)
    page.get_by_role("button", name="发出建议").click()
    expect(page.get_by_text("等报名人员答复。")).to_be_visible()
    assert at_all_widths(page) == FINE
    page.get_by_role("button", name="收回调整建议").click()
    expect(page.get_by_role("listitem").filter(has_text="建议已收回，报名人员会收到通知。")).to_be_visible()
