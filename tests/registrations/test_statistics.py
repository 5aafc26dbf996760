"""A plan's figures: each number by hand, and the plot that is drawn of them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from registrations import plot, statistics
from registrations.districts import district_of
from registrations.statistics import Seats, Trail
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.reading import text_of

NOON = datetime(2026, 5, 6, 4, tzinfo=UTC)  # 12:00 in Beijing


def after(**span):
    return NOON + timedelta(**span)


def trail(*lines):
    found = Trail()
    found.follow([(action, at, items[0] if items else []) for action, at, *items in lines])
    return found


@pytest.mark.parametrize(
    ("employer", "address", "district"),
    [
        ("北京市朝阳区教育局", "海淀区中关村大街 1 号", "朝阳区"),
        ("北京精工机械有限公司", "北京市海淀区中关村大街 1 号", "海淀区"),
        ("某公司", "亦庄经济技术开发区", "经济技术开发区"),
        ("某公司", "河北省廊坊市广阳区", "外省市"),
        ("某公司", "辽宁省朝阳市双塔区", "外省市"),
        ("河北省建筑公司", "北京市通州区", "通州区"),
        ("某公司", "幸福路 1 号", "没有写明"),
        ("", "", "没有写明"),
    ],
)
def test_districts(employer, address, district):
    assert district_of(employer, address) == district


def test_a_wait_ends_with_the_committees_step_and_begins_again():
    found = trail(
        (Action.SUBMIT, NOON),
        (Action.RETURN, after(hours=2)),
        (Action.SUBMIT, after(hours=5)),
        (Action.RECALL, after(hours=6)),
        (Action.SUBMIT, after(hours=7)),
        (Action.APPROVE, after(hours=8)),
        (Action.REOPEN, after(hours=20)),
        (Action.REJECT, after(hours=24)),
    )
    assert (found.waited, dict(found.days)) == ([2, 1, 4], {NOON.date(): 1})


def test_what_is_arranged_meanwhile_ends_no_wait():
    found = trail(
        (Action.SUBMIT, NOON),
        (Action.EXTEND, after(hours=1)),
        (Action.PROPOSE, after(hours=2)),
        (Action.MOVE, after(hours=3)),
        (Action.APPROVE, after(hours=5)),
    )
    assert found.waited == [5]


def test_a_decision_that_was_taken_back_was_none(occupation, manager):
    registration = scenes.registration_at(Status.SUBMITTED, scenes.person(), occupation, manager)
    items = [{"field": "portrait", "label": "证件照", "codes": ["blurred"], "sentence": "不清楚。"}]
    scenes.fresh(registration).take(Action.RETURN, by=manager, items=items)
    scenes.take(registration, Action.UNDO, manager)
    scenes.take(registration, Action.APPROVE, manager)
    figures = statistics.of(occupation.plan)
    assert (figures.waiting.dealt_with, figures.photos_returned, figures.photo_reasons) == (1, 0, [])


def test_a_day_is_a_day_in_beijing():
    assert list(trail((Action.SUBMIT, datetime(2026, 5, 6, 16, 30, tzinfo=UTC))).days) == [datetime(2026, 5, 7).date()]


def test_days_without_anybody_are_there():
    found = trail((Action.SUBMIT, NOON))
    found.follow([(Action.SUBMIT, after(days=2), [])])
    assert found.by_day() == [("5月6日", 1), ("5月7日", 0), ("5月8日", 1)]


def test_a_long_time_is_told_in_weeks():
    found = trail((Action.SUBMIT, NOON))  # a Wednesday
    found.follow([(Action.SUBMIT, after(days=5), [])])
    found.follow([(Action.SUBMIT, after(days=62), [])])
    rows = found.by_day()
    assert (rows[:2], len(rows), rows[-1]) == ([("5月4日起一周", 1), ("5月11日起一周", 1)], 10, ("7月6日起一周", 1))


def test_photo_reasons_are_counted_by_code():
    items = [
        {"field": "portrait", "codes": ["blurred", "background"], "sentence": "…"},
        {"field": "phone", "sentence": "…"},
    ]
    found = trail((Action.SUBMIT, NOON), (Action.RETURN, NOON, items), (Action.RETURN, NOON, [{"field": "phone"}]))
    assert (statistics.reasons_of(found), found.returned) == ([("模糊", 1), ("背景不符", 1)], 1)


@pytest.mark.parametrize(
    ("hours", "words"),
    [(None, "还没有"), (0, "1 分钟"), (0.5, "30 分钟"), (1, "1.0 小时"), (47.9, "47.9 小时"), (60, "2.5 天")],
)
def test_spans_in_words(hours, words):
    assert statistics.in_words(hours) == words


@pytest.mark.parametrize(
    ("hours", "name"), [(23.9, "不到 1 天"), (24, "1 到 3 天"), (72, "3 到 7 天"), (168, "7 天以上")]
)
def test_waits_by_length(hours, name):
    assert statistics.bucket(hours) == name


@given(st.lists(st.integers(0, 10**9), max_size=80))
def test_every_bar_is_inside_and_as_high_as_its_value(values):
    drawn = plot.bars([(str(value), value) for value in values])
    top = drawn.lines[-1]
    assert len(drawn.lines) <= 6
    assert top.value >= max(values, default=0)
    assert sum(bar.named for bar in drawn.bars) <= plot.MOST_LABELS
    for bar, value in zip(drawn.bars, values, strict=True):
        assert drawn.left <= bar.x and bar.x + bar.width <= drawn.right
        assert bar.y + bar.height == pytest.approx(drawn.floor, abs=0.2)
        assert bar.height == pytest.approx(value / top.value * (drawn.floor - plot.TOP), abs=0.1)


def test_the_axis_is_in_round_steps():
    assert [plot.ceiling(most) for most in (0, 1, 5, 6, 11, 26, 100, 101, 251)] == [
        (1, 1),
        (1, 1),
        (5, 1),
        (6, 2),
        (15, 5),
        (30, 10),
        (100, 20),
        (150, 50),
        (300, 100),
    ]


@pytest.fixture
def figures(occupation, manager):
    """One of each status in one plan, a draft, and somebody's in another plan."""
    for number, status in enumerate(Status):
        scenes.registration_at(status, scenes.person(f"甲{number}"), occupation, manager)
    other = scenes.occupation(scenes.open_plan())
    scenes.registration_at(Status.SUBMITTED, scenes.person("乙"), other, scenes.member(other.plan, "manager"))
    return statistics.of(occupation.plan)


def test_the_figures_of_a_plan(figures, occupation):
    assert figures.total == 5
    assert figures.by_status == [("待审核", 1), ("退回修改", 1), ("审核通过", 1), ("审核不通过", 1), ("已撤回", 1)]
    assert figures.seats == [Seats(str(occupation), registered=3, taken=3, capacity=10)]
    assert figures.by_division == [("职工组", 3), ("学生组", 0), ("教师组", 0)]
    assert figures.by_district == [("朝阳区", 3)]
    assert (figures.waiting.now[0], figures.waiting.dealt_with) == (("不到 1 天", 1), 3)
    assert [number for _, number in figures.by_day] == [5]


def test_an_empty_plan_has_a_page(sign_in, plan, viewer):
    words = text_of(sign_in(viewer).get(f"/admin/registrations/registration/statistics/{plan.code}/").content.decode())
    assert "共 0 份报名" in words
    assert "还没有人提交报名。" in words


def test_queries_do_not_grow(figures, occupation, manager):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as seen:
            statistics.of(occupation.plan)
        return len(seen)

    before = queries()
    for number in range(3):
        scenes.registration_at(Status.APPROVED, scenes.person(f"丙{number}"), occupation, manager)
    assert (before, queries()) == (7, 7)


def test_the_page_names_nobody_and_is_the_committees(sign_in, figures, occupation, viewer, applicant):
    address = f"/admin/registrations/registration/statistics/{occupation.plan.code}/"
    words = text_of(sign_in(viewer).get(address).content.decode())
    assert "共 5 份报名（不含填写中的）" in words
    assert "甲1" not in words
    stranger = scenes.member(scenes.open_plan(), "manager", "吴外")
    assert sign_in(stranger).get(address).status_code == 404
