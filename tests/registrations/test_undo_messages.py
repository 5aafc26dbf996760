"""Undo is honest towards messages: nothing leaves before it is settled, and what was taken back is not told, or told as taken back."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from registrations import deliveries
from registrations.messages import Channel, Delivery
from registrations.notifications import SETTLED_AFTER
from registrations.undo import UNDO_FOR
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.test_deliveries import by_mail, with_address  # noqa: F401  (the fixture)
from tests.smtp_server import MailServer

DECISIONS = [Action.APPROVE, Action.RETURN, Action.REJECT]
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def letters(settings):
    """What has arrived so far."""
    with MailServer() as server:
        settings.MAILERS = server.mailers()
        yield lambda: [letter["Subject"].partition("：")[0] for letter in server.taken]


@pytest.fixture
def submitted(clock, letters, applicant, occupation, manager):
    """Its receipt has gone."""
    registration = scenes.registration_at(Status.SUBMITTED, with_address(applicant), occupation, manager)
    assert deliveries.send_due(Channel.MAIL) == 1
    return registration


def send():
    return deliveries.send_due(Channel.MAIL)


def told(user):
    return [message.kind for message in user.messages.order_by("pk")]


@pytest.mark.parametrize("action", DECISIONS)
def test_a_decision_leaves_when_it_cannot_be_taken_back_any_more(clock, letters, submitted, manager, action):
    scenes.take(submitted, action, manager, "请改。")
    clock.shift(UNDO_FOR)
    assert send() == 0
    clock.shift(SETTLED_AFTER - UNDO_FOR - timedelta(microseconds=1))
    assert send() == 0
    clock.shift(timedelta(microseconds=1))
    assert (send(), len(letters())) == (1, 2)


@pytest.mark.parametrize("action", DECISIONS)
def test_what_was_taken_back_is_told_to_nobody_though_the_task_ran_in_between(
    clock, letters, submitted, applicant, manager, action
):
    scenes.take(submitted, action, manager, "请改。")
    clock.shift(9 * SECOND)
    assert send() == 0
    scenes.take(submitted, Action.UNDO, manager)
    clock.shift(60 * SECOND)
    assert (send(), told(applicant), letters()) == (0, ["submitted"], ["已收到报名"])


def test_what_was_sent_after_all_is_told_as_taken_back(clock, letters, submitted, applicant, manager):
    """A worker whose clock is ahead."""
    scenes.take(submitted, Action.REJECT, manager, "不符合。")
    with time_machine.travel(timezone.now() + 20 * SECOND, tick=False):
        assert send() == 1
    scenes.take(submitted, Action.UNDO, manager)
    assert (told(applicant), send()) == (["submitted", "rejected", "undone"], 1)
    assert letters() == ["已收到报名", "报名审核不通过", "审核结果已撤销"]
    assert "不符合" not in applicant.messages.first().body


def test_what_is_being_sent_counts_as_sent(clock, submitted, applicant, manager):
    scenes.take(submitted, Action.APPROVE, manager)
    waiting = Delivery.objects.get(message__kind="approved")
    assert Delivery.objects.move(waiting, "sending", attempts=1, tried_at=timezone.now())
    scenes.take(submitted, Action.UNDO, manager)
    assert told(applicant) == ["submitted", "approved", "undone"]


def test_one_of_two_ways_that_waits_does_not_go_after_the_undoing(clock, submitted, applicant, manager):
    scenes.take(submitted, Action.APPROVE, manager)
    message = applicant.messages.get(kind="approved")
    Delivery.objects.create(message=message, channel=Channel.SMS, state="sent", attempts=1)
    scenes.take(submitted, Action.UNDO, manager)
    assert [(d.channel, d.state) for d in message.deliveries.all()] == [("sms", "sent")]
    assert told(applicant) == ["submitted", "approved", "undone"]


def test_what_was_read_in_the_portal_is_told_as_taken_back(clock, sign_in, submitted, applicant, manager):
    scenes.take(submitted, Action.APPROVE, manager)
    message = applicant.messages.get(kind="approved")
    sign_in(applicant).post(f"/messages/{message.pk}/open/")
    scenes.take(submitted, Action.UNDO, manager)
    assert told(applicant) == ["submitted", "approved", "undone"]
    page = sign_in(applicant).get("/messages/").content.decode()
    assert "刚才通知您的结果不算数。报名现在是“待审核”。" in page


def test_a_second_decision_is_told_as_if_there_had_been_none_before(clock, letters, submitted, applicant, manager):
    scenes.take(submitted, Action.REJECT, manager, "点错了。")
    scenes.take(submitted, Action.UNDO, manager)
    scenes.take(submitted, Action.APPROVE, manager)
    clock.shift(SETTLED_AFTER)
    assert (send(), told(applicant)) == (1, ["submitted", "approved"])
