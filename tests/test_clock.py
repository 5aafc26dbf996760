"""One clock for all replicas: whatever a machine's own clock says, a deadline is passed at the same millisecond."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import clock
from competition_portal import doctor
from plans import decisions, publication
from registrations import extensions, intake
from registrations.workflow import Action, Status, StepRefused
from tests import scenes
from tests.test_health import nothing_known as nothing_known

HOUR = timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)
pytestmark = pytest.mark.own_clocks


@pytest.fixture(autouse=True)
def never_read(monkeypatch):
    monkeypatch.setattr(clock.Reading, "said", None)
    monkeypatch.setattr(clock.Reading, "at", 0.0)


@pytest.fixture
def postgres(db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no clock of its own; the PostgreSQL run has this test")


@contextmanager
def database_at(moment: datetime) -> Iterator[None]:
    """The database's own clock shows this: its clock_timestamp() is found after another one of that name."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS shadow")
        cursor.execute(
            "CREATE OR REPLACE FUNCTION shadow.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
            f"$$ SELECT '{moment.isoformat()}'::timestamptz $$"
        )
        cursor.execute("SET LOCAL search_path = shadow, public, pg_catalog")
        try:
            yield
        finally:
            cursor.execute("SET LOCAL search_path = public, pg_catalog")


def verdict(doing) -> str:
    from django.db import transaction

    with transaction.atomic():
        try:
            doing()
            found = "done"
        except (StepRefused, publication.PublicationRefused) as refusal:
            found = str(refusal)
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("offset", [-MILLISECOND, timedelta(0)])
def test_the_same_verdict_at_the_edge_on_replicas_whose_clocks_are_an_hour_off(
    postgres, applicant, stranger, manager, plan, occupation, offset
):
    """To submit, to save, to begin, to withdraw; and whether the page offers it."""
    draft = scenes.draft(applicant, occupation)
    submitted = scenes.registration_at(Status.SUBMITTED, scenes.person("吴霞"), occupation, manager)
    deadline = plan.registration_closes_at
    doings = {
        "submit": lambda: scenes.fresh(draft).take(Action.SUBMIT, by=applicant),
        "save": lambda: intake.save(fresh := scenes.fresh(draft), fresh.version, {"phone": "13800001111"}),
        "start": lambda: intake.start(stranger, plan),
        "withdraw": lambda: scenes.fresh(submitted).take(Action.WITHDRAW, by=submitted.applicant),
    }
    found, offered = {name: set() for name in doings}, set()
    for off in (-HOUR, timedelta(0), HOUR):
        with database_at(deadline + offset), time_machine.travel(deadline + off, tick=False):
            for name, doing in doings.items():
                found[name].add(verdict(doing))
            clock.Reading.said = None
            offered.add(Action.SUBMIT in scenes.fresh(draft).actions_for(applicant))
            clock.Reading.said = None  # asked anew: the second of the two is not a millisecond later
            offered.add(not scenes.fresh(draft).closed_reason())
    assert {name: len(verdicts) for name, verdicts in found.items()} == dict.fromkeys(doings, 1), found
    in_time = offset < timedelta(0)
    assert [verdicts == {"done"} for verdicts in found.values()] == [in_time] * len(doings), found
    assert offered == {in_time}


@pytest.mark.parametrize("off", [-HOUR, HOUR])
def test_decisions_are_published_at_the_same_millisecond(postgres, applicant, manager, off):
    """A replica that is an hour ahead shows nobody's result an hour early."""
    plan = scenes.open_plan(holds_decisions=True)
    from plans import members

    members.appoint(plan, manager, "manager", manager)
    registration = scenes.registration_at(Status.APPROVED, applicant, scenes.occupation(plan), manager)
    moment = timezone.now() + timedelta(days=1)
    decisions.publish(plan, manager, moment)
    seen = []
    for offset in (-MILLISECOND, timedelta(0)):
        with database_at(moment + offset), time_machine.travel(moment + off, tick=False):
            clock.Reading.said = None
            seen.append(scenes.fresh(registration).shown_status)
    assert seen == [Status.SUBMITTED, Status.APPROVED]


def test_more_time_for_a_person_counts_by_the_same_clock(postgres, applicant, manager, plan, occupation):
    scenes.draft(applicant, occupation)
    until = plan.registration_closes_at + HOUR
    extensions.grant(plan, applicant, until, reason="住院。", by=manager)
    found = []
    for off in (-2 * HOUR, 2 * HOUR):
        for offset in (-MILLISECOND, timedelta(0)):
            with database_at(until + offset), time_machine.travel(until + off, tick=False):
                registration = scenes.fresh(applicant.registrations.get())
                found.append(verdict(lambda held=registration: held.take(Action.SUBMIT, by=applicant)) == "done")
    assert found == [True, False, True, False]


def test_pages_ask_once_a_minute_and_follow_no_clock_that_jumps(postgres, django_assert_num_queries, monkeypatch):
    seconds = [1000.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: seconds[0])
    with django_assert_num_queries(1):
        first = clock.near()
        with time_machine.travel(timezone.now() + HOUR, tick=False):
            seconds[0] += 30
            assert clock.near() - first == timedelta(seconds=30)
    with django_assert_num_queries(1):
        seconds[0] += 31
        assert abs(clock.near() - first) < timedelta(seconds=20)  # asked anew: the database's has hardly gone on


def test_on_sqlite_it_is_the_servers(db):
    if connection.vendor == "postgresql":
        pytest.skip("the SQLite run has this test")
    moment = timezone.now() + timedelta(days=3)
    with time_machine.travel(moment, tick=False):
        assert (clock.now(), clock.near(), clock.drift()) == (timezone.now(), timezone.now(), 0.0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("off", "word"), [(HOUR, "wrong"), (-HOUR, "wrong"), (timedelta(seconds=1), "ok")])
def test_a_clock_that_disagrees_is_told(caplog, off, word):
    """By /readyz, which takes nobody out of service for it; by one line in the log; by doctor, with the cure."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no clock of its own; the PostgreSQL run has this test")
    with time_machine.travel(timezone.now() + off), caplog.at_level("WARNING"):
        answers = [Client().get("/readyz") for _ in range(2)]
        assert {(answer.status_code, answer.json()["checks"]["clock"]) for answer in answers} == {(200, word)}
        lines = [message for message in caplog.messages if "clock" in message]
        assert lines == (["readyz: clock is wrong"] if word == "wrong" else [])
        if word == "wrong":
            with pytest.raises(doctor.Wrong, match="数据库的时钟比本机"):
                doctor.database()
