"""Reminders: in time, to who can still submit, each once, and the nearest alone where somebody is late."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from registrations import reminders
from registrations.messages import Delivery, Kind, Message
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.threads import at_once

HOUR = timedelta(hours=1)


@pytest.fixture
def plan(db):
    """Closes in ten days, corrections end ten days later."""
    now = timezone.now()
    return scenes.open_plan(
        registration_closes_at=now + timedelta(days=10), correction_closes_at=now + timedelta(days=20)
    )


def before(moment, hours, seconds=0):
    """At so many hours, less so many seconds, before a moment."""
    return time_machine.travel(moment - hours * HOUR + timedelta(seconds=seconds), tick=False)


def remind():
    given = reminders.send()
    return {kind.value: number for kind, number in given.items() if number}


def told(user):
    found = user.messages.filter(kind__in=reminders.LABELS).order_by("pk")
    return [tuple(message.key.split("-")[:2]) for message in found]


def test_a_draft_at_72_and_at_24_hours(applicant, occupation, plan):
    draft = scenes.draft(applicant, occupation)
    closes = plan.registration_closes_at
    for hours, expected in [
        (72.1, {}),
        (72, {"draft_due": 1}),
        (48, {}),
        (24.1, {}),
        (24, {"draft_due": 1}),
        (1, {}),
        (0, {}),
    ]:
        with before(closes, hours):
            assert (hours, remind(), remind()) == (hours, expected, {})
    assert told(applicant) == [("draft_due", "72"), ("draft_due", "24")]
    message = applicant.messages.first()
    closes = timezone.localtime(closes)
    assert (
        f"还是草稿，{closes:%Y}年{closes.month}月{closes.day}日 {closes:%H:%M} 截止，不到 24 小时了。" in message.body
    )
    assert (message.link, message.useful_until) == (
        f"/registrations/{draft.reference}/edit/",
        plan.registration_closes_at,
    )


def test_a_late_run_says_the_nearest_alone(applicant, occupation, plan):
    scenes.draft(applicant, occupation)
    with before(plan.registration_closes_at, 5):
        assert (remind(), remind()) == ({"draft_due": 1}, {})
    assert told(applicant) == [("draft_due", "24")]


def test_what_was_returned_by_its_own_deadline(applicant, occupation, manager, plan):
    scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    with before(plan.registration_closes_at, 24):
        assert remind() == {}
    for hours in (72, 24):
        with before(plan.correction_closes_at, hours):
            assert (remind(), remind()) == ({"return_due": 1}, {})
    with before(plan.correction_closes_at, 0):
        assert remind() == {}
    assert told(applicant) == [("return_due", "72"), ("return_due", "24")]


@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.APPROVED, Status.REJECTED, Status.WITHDRAWN])
def test_who_has_nothing_to_submit_is_left_in_peace(applicant, occupation, manager, plan, status):
    scenes.registration_at(status, applicant, occupation, manager)
    for moment in (plan.registration_closes_at, plan.correction_closes_at):
        with before(moment, 20):
            assert remind() == {}


def test_who_is_writing_now_is_left_in_peace(applicant, occupation, plan):
    with before(plan.registration_closes_at, 20):
        scenes.draft(applicant, occupation)
        assert remind() == {}
    with before(plan.registration_closes_at, 18):
        assert remind() == {"draft_due": 1}


def test_who_was_just_told_is_left_in_peace(applicant, occupation, manager, plan):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    with before(plan.correction_closes_at, 20):
        scenes.take(registration, Action.RETURN, manager, note="请改")
        assert remind() == {}
    with before(plan.correction_closes_at, 13):
        assert remind() == {"return_due": 1}


def test_nobody_is_sent_to_a_plan_that_cannot_be_reached_or_has_not_begun(applicant, occupation, plan):
    scenes.draft(applicant, occupation)
    for change in ({"published_at": None}, {"registration_opens_at": plan.registration_closes_at - HOUR}):
        kept = {name: getattr(plan, name) for name in change}
        type(plan).objects.filter(pk=plan.pk).update(**change)
        with before(plan.registration_closes_at, 20):
            assert remind() == {}
        type(plan).objects.filter(pk=plan.pk).update(**kept)


def test_a_deadline_that_was_put_off_is_reminded_of_anew(applicant, occupation, plan):
    scenes.draft(applicant, occupation)
    with before(plan.registration_closes_at, 24):
        assert remind() == {"draft_due": 1}
    plan.registration_closes_at += timedelta(days=5)
    plan.save()
    with before(plan.registration_closes_at, 24):
        assert (remind(), remind()) == ({"draft_due": 1}, {})


def test_after_the_deadline_nothing_goes_out(applicant, occupation, plan, settings):
    settings.MAIL_FROM = "noreply@example.cn"
    scenes.draft(applicant, occupation)
    with before(plan.registration_closes_at, 24):
        remind()
    assert Message.objects.get().useful_until == plan.registration_closes_at
    assert [delivery.channel for delivery in Delivery.objects.all()] == ["mail"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_remind_once(applicant, stranger, occupation, plan):
    for person in (applicant, stranger):
        scenes.draft(person, occupation)
    Registration.objects.update(updated_at=timezone.now() - 2 * HOUR)
    type(plan).objects.update(registration_closes_at=timezone.now() + 20 * HOUR)
    given = at_once(*[reminders.send] * 3)
    assert sum(each[Kind.DRAFT_DUE] for each in given) == 2
    assert Message.objects.count() == 2


def test_who_was_told_is_not_even_looked_at(applicant, stranger, occupation, plan, django_assert_num_queries):
    """Every five minutes, for all who have a draft."""
    for person in (applicant, stranger):
        scenes.draft(person, occupation)
    with before(plan.registration_closes_at, 24):
        assert remind() == {"draft_due": 2}
    with before(plan.registration_closes_at, 10), django_assert_num_queries(2):
        assert remind() == {}


def test_one_that_breaks_keeps_nobody_else_from_being_reminded(
    applicant, stranger, occupation, plan, monkeypatch, caplog
):
    """It would break every time, and be the first each time."""
    for user in (applicant, stranger):
        scenes.draft(user, occupation)

    def breaks(registration, *what, **how):
        if registration.applicant_id == applicant.pk:
            raise ValueError("broken")
        return put_once(registration, *what, **how)

    put_once = reminders.put_once
    monkeypatch.setattr(reminders, "put_once", breaks)
    with before(plan.registration_closes_at, 24):
        assert remind() == {"draft_due": 1}
    assert (told(applicant), told(stranger)) == ([], [("draft_due", "24")])
    assert [record.levelname for record in caplog.records if "could not be" in record.message] == ["ERROR"]


def test_the_command_counts_first(applicant, occupation, plan):
    scenes.draft(applicant, occupation)
    with before(plan.registration_closes_at, 24):
        said = [run("--dry-run"), run(), run()]
    assert said == [
        ["草稿没有提交：将提醒 1 人", "退回后没有重新提交：将提醒 0 人", "没有提醒任何人。"],
        ["草稿没有提交：已提醒 1 人", "退回后没有重新提交：已提醒 0 人"],
        ["草稿没有提交：已提醒 0 人", "退回后没有重新提交：已提醒 0 人"],
    ]
    assert Message.objects.count() == 1


def run(*arguments):
    call_command("send_reminders", *arguments, stdout=(said := io.StringIO()))
    return said.getvalue().splitlines()
