"""The same job by two workers at the same moment, and a job against a colleague: each registration is decided once."""

import pytest

from registrations import bulk, jobs
from registrations.jobs import Job, State
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.test_bulk import outcomes, queued, standing
from tests.registrations.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def twelve(occupation, manager):
    occupation.capacity = None
    occupation.save()
    people = [scenes.person(f"第{number}人") for number in range(12)]
    return [scenes.registration_at(Status.SUBMITTED, person, occupation, manager) for person in people]


def confirmed(reviewer, twelve, action=Action.APPROVE) -> Job:
    chosen = Registration.objects.filter(pk__in=[found.pk for found in twelve]).order_by("pk")
    job = bulk.ask(reviewer, twelve[0].plan, action, chosen, "/")
    arguments = bulk.Decision(action, "原因").arguments()
    assert job.hand_over(State.ASKED, arguments=arguments)
    return job


def test_two_workers_do_each_once(twelve, reviewer) -> None:
    job = confirmed(reviewer, twelve)

    def work() -> None:
        jobs.run_job.func(str(job.public_id))

    assert at_once(work, work) == [None, None]
    assert (standing(job), outcomes(job)) == (("done", 12, 12, 0), [("done", "")] * 12)
    assert [found.events.filter(action=Action.APPROVE).count() for found in twelve] == [1] * 12


def test_a_double_press_in_the_same_moment_is_one_task(twelve, reviewer) -> None:
    chosen = Registration.objects.filter(plan=twelve[0].plan)
    asked = bulk.ask(reviewer, twelve[0].plan, Action.APPROVE, chosen, "/")

    def press() -> bool:
        return Job.objects.get(pk=asked.pk).hand_over(State.ASKED)

    assert sorted(at_once(press, press)) == [False, True]
    assert queued() == [[str(asked.public_id)]]


def test_a_colleague_in_the_same_moment(twelve, reviewer, manager) -> None:
    """Whoever comes second is told; nothing is decided twice, and every seat that was given back was given back once."""
    job = confirmed(reviewer, twelve, Action.REJECT)

    def colleague() -> int:
        done = 0
        for found in reversed(twelve):
            try:
                scenes.fresh(found).take(Action.APPROVE, by=manager)
                done += 1
            except bulk.StepRefused:
                continue
        return done

    _, approved = at_once(lambda: jobs.run_job.func(str(job.public_id)), colleague)
    twelve[0].occupation.refresh_from_db()
    assert standing(job) == ("done", 12, 12 - approved, approved)
    assert {sentence for outcome, sentence in outcomes(job) if outcome == "refused"} <= {"已被周敏处理：审核通过。"}
    assert twelve[0].occupation.seats_taken == approved == Registration.objects.filter(status="approved").count()
    assert [found.events.exclude(action=Action.SUBMIT).count() for found in twelve] == [1] * 12
