"""Publication at the same moment: two tasks, two managers, a decision, an undo while the mail is being sent; and killed in the middle."""

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from plans import decisions
from plans.models import Plan
from plans.publication import PublicationRefused
from registrations import publishing
from registrations.messages import Delivery, Message
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("王晓明", "李芳", "孙三", "周四", "吴五", "郑六")


@pytest.fixture
def occupation(transactional_db):
    return scenes.occupation(scenes.open_plan(holds_decisions=True))


@pytest.fixture
def manager(occupation):
    return scenes.member(occupation.plan, "manager")


@pytest.fixture
def rejected(occupation, manager):
    """Rejected, and their seats still taken."""
    return [scenes.registration_at(Status.REJECTED, scenes.person(name), occupation, manager) for name in NAMES]


def publish(plan):
    Plan.objects.filter(pk=plan.pk).update(decisions_published_at=timezone.now())


def told():
    return sorted(Message.objects.exclude(kind="submitted").values_list("registration", "kind"))


def seats(occupation):
    occupation.refresh_from_db()
    return occupation.seats_taken


def test_two_tasks_tell_each_once_and_give_each_seat_back_once(occupation, rejected):
    publish(occupation.plan)
    assert sum(chunk.done for chunk in at_once(publishing.tell_some, publishing.tell_some)) == len(NAMES)
    assert told() == [(registration.pk, "rejected") for registration in rejected]
    assert (seats(occupation), Registration.objects.filter(held=True).count()) == (0, 0)


def test_of_two_managers_one_publishes_and_the_other_reads_when_it_was(occupation, manager, rejected):
    second = scenes.member(occupation.plan, "manager", "陈静")

    def press(user):
        try:
            decisions.publish(Plan.objects.get(pk=occupation.plan_id), user)
        except PublicationRefused as refusal:
            return str(refusal)
        return "published"

    answers = sorted(at_once(lambda: press(manager), lambda: press(second)))
    assert (answers[0], answers[1].endswith("公布，没有改动。")) == ("published", True)
    assert AuditEntry.objects.filter(verb="decisions.published").count() == 1


def test_who_cancels_in_the_moment_of_the_publication_takes_nothing_back(occupation, manager, rejected):
    """Whichever comes first: what was published stays so."""

    def cancel():
        try:
            decisions.cancel(Plan.objects.get(pk=occupation.plan_id), manager)
        except PublicationRefused:
            return "refused"
        return "cancelled"

    def release():
        decisions.publish(Plan.objects.get(pk=occupation.plan_id), manager)

    at_once(cancel, release, cancel)
    assert decisions.is_published(Plan.objects.get(pk=occupation.plan_id), timezone.now())


def test_a_decision_in_the_moment_of_the_publication_is_told_once(occupation, manager):
    submitted = [scenes.registration_at(Status.SUBMITTED, scenes.person(name), occupation, manager) for name in NAMES]

    def decide():
        for registration in submitted:
            scenes.take(registration, Action.REJECT, manager, "不符合。")

    def release():
        decisions.publish(Plan.objects.get(pk=occupation.plan_id), manager)
        while publishing.tell_some().done:
            pass

    at_once(decide, release)
    publishing.tell_some()  # the worker looks again
    assert told() == [(registration.pk, "rejected") for registration in submitted]
    assert (seats(occupation), Registration.objects.filter(held=True).count()) == (0, 0)


def test_reopened_while_it_is_being_told_it_has_one_truth(occupation, manager, rejected):
    """Whoever comes second finds it changed: told and then reopened aloud, or reopened and never told."""
    registration = rejected[0]
    publish(occupation.plan)
    stale = scenes.fresh(registration)
    answers = at_once(
        lambda: publishing.tell(registration.pk), lambda: stale.take(Action.REOPEN, by=manager, note="看错了。").action
    )
    row = scenes.fresh(registration)
    kinds = [kind for pk, kind in told() if pk == registration.pk]
    outcome = (row.status, row.held, row.seat_id == occupation.pk, kinds)
    assert (answers[0], outcome) in [
        (True, ("rejected", False, False, ["rejected"])),  # the manager was told to look again
        (False, ("submitted", False, True, ["reopened"])),
    ]
    assert seats(occupation) == (len(NAMES) if row.seat_id else len(NAMES) - 1)


def test_undo_and_the_mail_of_the_same_moment(settings, occupation, manager):
    """Either it was not sent and nobody hears of it, or it was and the person is told that it was taken back."""
    settings.MAIL_FROM = "noreply@jnjs.example.cn"
    Plan.objects.update(holds_decisions=False)
    registration = scenes.registration_at(Status.APPROVED, scenes.person(), occupation, manager)
    delivery = Delivery.objects.get(message__kind="approved")
    moved, _ = at_once(
        lambda: Delivery.objects.move(delivery, "sending", attempts=1, tried_at=timezone.now()),
        lambda: scenes.fresh(registration).take(Action.UNDO, by=manager),
    )
    kinds = [kind for _, kind in told()]
    assert sorted(kinds) == (["approved", "undone"] if moved else [])


def test_a_task_that_is_killed_leaves_each_told_or_untold(occupation, rejected, monkeypatch):
    """As a worker that dies: the connection ends in the middle of a transaction."""
    publish(occupation.plan)
    count, give = iter(range(len(NAMES))), publishing.Occupation.objects.give_seat_back

    def dying(pk):
        if next(count) == 2:
            raise SystemExit
        give(pk)

    with monkeypatch.context() as patch:
        patch.setattr(publishing.Occupation.objects, "give_seat_back", dying)
        with pytest.raises(SystemExit):
            publishing.tell_some()
    assert (len(told()), seats(occupation)) == (2, len(NAMES) - 2)
    assert (publishing.tell_some().done, len(told()), seats(occupation)) == (len(NAMES) - 2, len(NAMES), 0)
    assert publishing.tell_some().done == 0
