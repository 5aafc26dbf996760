"""When things happen in the demonstration."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from registrations.demonstration.calendar import Window, moments, waking
from registrations.demonstration.plans import PLANS

BEIJING = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 15, 42, 7, tzinfo=BEIJING)
times = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(BEIJING))


def test_a_window_opens_at_nine_and_closes_at_five() -> None:
    window = Window(opens=-12, closes=7, corrections=10, competition=34)
    assert window.opens_at(NOW) == datetime(2026, 11, 11, 9, tzinfo=BEIJING)
    assert window.closes_at(NOW) == datetime(2026, 11, 30, 17, tzinfo=BEIJING)
    assert window.corrections_close_at(NOW) == datetime(2026, 12, 3, 17, tzinfo=BEIJING)
    assert str(window.competition_on(NOW)) == "2026-12-27"


def test_a_window_that_closes_tomorrow_closes_at_the_full_hour_and_may_have_no_time_for_corrections() -> None:
    window = Window(opens=-12, closes=23 / 24)
    assert window.closes_at(NOW) == datetime(2026, 11, 24, 14, tzinfo=BEIJING)
    assert window.corrections_close_at(NOW) is None


@given(times)
def test_every_plan_shows_what_it_is_there_for_whenever_the_demonstration_is_made(now: datetime) -> None:
    left = {plan.code: plan.window.closes_at(now) - now for plan in PLANS}
    until_opening = {plan.code: plan.window.opens_at(now) - now for plan in PLANS}
    day = timedelta(days=1)
    assert 6 * day < left["JNJS-ZBZZ"] < 8 * day
    assert 21 * day / 24 < left["JNJS-YLHL"] < day
    assert 4 * day < until_opening["JNJS-WLXX"] < 6 * day
    assert left["JNJS-PRJN"] < -5 * day
    assert not [
        plan.code for plan in PLANS if plan.window.is_stale(now, plan.window.opens_at(now), plan.window.closes_at(now))
    ]


def test_a_plan_is_stale_when_too_little_of_its_time_is_left() -> None:
    open_window = Window(opens=-12, closes=7, lasts=3)
    ahead = Window(opens=5, closes=26, lasts=1.5)
    over = Window(opens=-40, closes=-6)
    long_ago, soon, later = NOW - timedelta(days=99), NOW + timedelta(days=1), NOW + timedelta(days=3)
    assert open_window.is_stale(NOW, long_ago, soon)
    assert not open_window.is_stale(NOW, long_ago, later)
    assert ahead.is_stale(NOW, soon, later)
    assert not ahead.is_stale(NOW, later, later)
    assert not over.is_stale(NOW, long_ago, long_ago)


@given(times, st.integers(2, 60), st.integers(0, 200), st.integers(1, 5))
def test_people_act_in_order_by_day_and_before_the_end(opens: datetime, days: int, serial: int, count: int) -> None:
    opens_at = opens.replace(hour=9, minute=0, second=0, microsecond=0)
    end = opens_at + timedelta(days=days)
    found = moments(opens_at, end, serial, count)
    assert len(found) == count
    assert found == sorted(set(found))
    assert opens_at < found[0] and found[-1] < end
    assert all(8 <= moment.hour <= 21 for moment in found)


def test_the_night_is_moved_into_the_day() -> None:
    assert waking(NOW.replace(hour=0, minute=0, second=0)) == NOW.replace(hour=8, minute=0, second=0)
    assert waking(NOW.replace(hour=12, minute=0, second=0)) == NOW.replace(hour=14, minute=30, second=0)
