"""Many registrations at once: the question, the job, each registration once, and who may see it."""

import re
from dataclasses import astuple, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts import clock, limits
from accounts.models import User
from plans.models import CommitteeMember
from registrations import bulk, jobs, moves
from registrations.decisions import Seen
from registrations.jobs import Job, JobRow, State
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.test_admin import said

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(occupation, manager):
    names = ["甲一", "乙二", "丙三"]
    return [scenes.registration_at(Status.SUBMITTED, scenes.person(name), occupation, manager) for name in names]


@pytest.fixture
def other_occupation(plan):
    return scenes.occupation(plan)


@pytest.fixture
def in_background(monkeypatch):
    """Even one is too many for the answer itself."""
    monkeypatch.setattr("registrations.bulk_pages.AT_ONCE", 0)


def choose(visitor: Any, plan: Any, registrations: Any = (), action: str = "approve", **more: Any) -> Any:
    sent = {"action": action, "_selected_action": [found.pk for found in registrations], **more}
    return visitor.post(f"/admin/registrations/registration/bulk/{plan.code}/", sent)


def form_of(page: Any, **more: Any) -> dict[str, Any]:
    seal = re.search(r'name="versions" value="([^"]+)"', page.content.decode())
    return {"versions": seal[1] if seal else "", "note": "", **more}


def asked(visitor: Any, plan: Any, registrations: Any = (), action: str = "approve", **more: Any) -> tuple[Job, Any]:
    """The job that waits for its answer, and the question's page."""
    answer = choose(visitor, plan, registrations, action, **more)
    job = Job.objects.latest("pk")
    assert (answer.status_code, answer["Location"], job.state) == (302, job.get_absolute_url(), State.ASKED)
    return job, visitor.get(job.get_absolute_url())


def confirmed(visitor: Any, job: Job, page: Any, **more: Any) -> Job:
    answer = visitor.post(job.get_absolute_url(), form_of(page, **more))
    assert (answer.status_code, answer["Location"]) == (302, job.get_absolute_url())
    job.refresh_from_db()
    return job


def standing(job: Job) -> tuple[str, int, int, int]:
    job.refresh_from_db()
    return job.state, job.total, job.done, job.refused


def outcomes(job: Job) -> list[tuple[str, str]]:
    return list(job.rows.values_list("outcome", "sentence"))


def statuses(registrations: Any) -> list[str]:
    return [scenes.fresh(found).status for found in registrations]


def queued() -> list[Any]:
    return [row.args_kwargs["args"] for row in DBTaskResult.objects.order_by("enqueued_at")]


# The way ------------------------------------------------------------------------------------------------------------


def test_a_few_are_done_before_the_answer(sign_in, three, reviewer):
    visitor, plan = sign_in(reviewer), three[0].plan
    job, page = asked(visitor, plan, three)
    text = page.content.decode()
    assert (statuses(three), "将对 <strong>3</strong> 份报名执行“审核通过”" in text) == (["submitted"] * 3, True)
    assert [found.reference in text for found in three] == [True] * 3
    confirmed(visitor, job, page)
    assert (standing(job), queued()) == (("done", 3, 3, 0), [])
    assert [(found.events.first().by, scenes.fresh(found).status) for found in three] == [(reviewer, "approved")] * 3


def test_many_are_handed_to_the_worker(sign_in, three, reviewer, in_background):
    visitor, plan = sign_in(reviewer), three[0].plan
    job = confirmed(visitor, *asked(visitor, plan, three))
    assert (standing(job), queued(), statuses(three)) == (
        ("waiting", 3, 0, 0),
        [[str(job.public_id)]],
        ["submitted"] * 3,
    )
    jobs.run_job.func(str(job.public_id))
    assert (standing(job), statuses(three)) == (("done", 3, 3, 0), ["approved"] * 3)


@pytest.mark.parametrize(("action", "after"), [("return", "returned"), ("reject", "rejected")])
def test_several_are_returned_or_rejected_with_a_reason(sign_in, three, reviewer, action, after):
    visitor, plan = sign_in(reviewer), three[0].plan
    job, page = asked(visitor, plan, three, action)
    again = visitor.post(job.get_absolute_url(), form_of(page))
    assert (again.status_code, again.content.decode().count("的原因，让报名人员知道该怎么做。")) == (200, 1)
    assert (standing(job), statuses(three)) == (("asked", 3, 0, 0), ["submitted"] * 3)
    confirmed(visitor, job, page, note="请补充证书")
    assert [(scenes.fresh(found).status, found.events.first().note) for found in three] == [(after, "请补充证书")] * 3


def test_everything_of_the_filter(sign_in, three, reviewer, manager):
    visitor, plan = sign_in(reviewer), three[0].plan
    other = scenes.occupation(plan)
    elsewhere = scenes.registration_at(Status.SUBMITTED, scenes.person("丁四"), other, manager)
    wanted = f"status=submitted&occupation={three[0].occupation_id}"
    job, page = asked(visitor, plan, everything="1", filter=wanted)
    later = scenes.registration_at(Status.SUBMITTED, scenes.person("戊五"), three[0].occupation, manager)
    confirmed(visitor, job, page)
    assert (standing(job), statuses([*three, elsewhere, later])) == (
        ("done", 3, 3, 0),
        ["approved"] * 3 + ["submitted"] * 2,
    )


def test_what_cannot_be_done_is_said_before(sign_in, three, reviewer, manager, occupation):
    scenes.take(three[1], Action.REJECT, manager, "不符合")
    own = scenes.registration_at(Status.SUBMITTED, reviewer, occupation, manager)
    visitor = sign_in(reviewer)
    job, page = asked(visitor, occupation.plan, everything="1", filter="status=all")
    text = page.content.decode()
    assert outcomes(job) == [
        ("waiting", ""),
        ("unfit", "现在是“审核不通过”，不能审核通过。"),
        ("waiting", ""),
        ("unfit", bulk.OWN),
    ]
    assert ("2 份不能审核通过，不包括在内" in text, f"{own.reference} 周敏：{bulk.OWN}" in text) == (True, True)
    confirmed(visitor, job, page)
    assert (standing(job), statuses([*three, own])) == (
        ("done", 2, 2, 0),
        ["approved", "rejected", "approved", "submitted"],
    )


def test_where_none_can_be_done_nothing_can_be_confirmed(sign_in, three, reviewer, manager):
    scenes.take(three[0], Action.REJECT, manager, "不符合")
    visitor = sign_in(reviewer)
    job, page = asked(visitor, three[0].plan, three[:1])
    assert ("确认审核通过" in page.content.decode(), job.total) == (False, 0)
    visitor.post(job.get_absolute_url(), form_of(visitor.get(job.get_absolute_url())))
    assert standing(job) == ("asked", 0, 0, 0)


def test_pressed_twice_it_is_done_once(sign_in, three, reviewer, in_background):
    visitor, plan = sign_in(reviewer), three[0].plan
    job, page = asked(visitor, plan, three)
    confirmed(visitor, job, page)
    again = visitor.post(job.get_absolute_url(), form_of(page), follow=True)
    assert (said(again), len(queued()), Job.objects.count()) == (["这次批量处理已经确认过，没有再做一遍。"], 1, 1)


# Between the question and the doing ---------------------------------------------------------------------------------


def test_what_was_arranged_since_did_not_decide_it(sign_in, three, reviewer, manager, other_occupation):
    """Who approved it is named, not who has proposed another occupation since."""
    visitor = sign_in(reviewer)
    job, page = asked(visitor, three[0].plan, three)
    scenes.take(three[1], Action.APPROVE, scenes.member(three[1].plan, "reviewer", "陈静"))
    moves.propose(scenes.fresh(three[1]), other_occupation, reason="人数不足。", by=manager)
    confirmed(visitor, job, page)
    assert outcomes(job)[1] == ("refused", "已被陈静处理：审核通过。")


def test_a_machine_whose_clock_goes_slow_refuses_nobody(sign_in, plan, occupation, reviewer, manager, monkeypatch):
    """When it was asked is told by the clock that tells when it was submitted: the database's."""
    ahead = timedelta(minutes=5)
    monkeypatch.setattr(clock, "now", lambda: timezone.now() + ahead)
    registration = scenes.registration_at(Status.SUBMITTED, scenes.person(), occupation, manager)
    visitor = sign_in(reviewer)
    job, page = asked(visitor, plan, [registration])
    confirmed(visitor, job, page)
    assert outcomes(job) == [("done", "")]


def test_who_was_faster_is_named(sign_in, three, reviewer, manager):
    visitor, plan = sign_in(reviewer), three[0].plan
    job, page = asked(visitor, plan, three)
    scenes.take(three[0], Action.REJECT, manager, "不符合")
    scenes.take(three[1], Action.RECALL, three[1].applicant)
    confirmed(visitor, job, page)
    assert (standing(job), outcomes(job)) == (
        ("done", 3, 1, 2),
        [
            ("refused", "已被周敏处理：审核不通过。"),
            ("refused", "报名人员已撤回修改，现在是“填写中”。"),
            ("done", ""),
        ],
    )
    assert statuses(three) == ["rejected", "draft", "approved"]


def test_what_was_sent_again_is_to_be_seen_first(sign_in, three, reviewer):
    visitor, plan = sign_in(reviewer), three[0].plan
    job, page = asked(visitor, plan, three)
    edited = scenes.take(three[0], Action.RECALL, three[0].applicant)
    edited.write(edited.version, phone="13912345679")
    scenes.take(edited, Action.SUBMIT, edited.applicant)
    same = scenes.take(three[1], Action.RECALL, three[1].applicant)
    scenes.take(same, Action.SUBMIT, same.applicant)
    confirmed(visitor, job, page)
    assert outcomes(job) == [("refused", bulk.CHANGED)] * 2 + [("done", "")]
    assert statuses(three) == ["submitted", "submitted", "approved"]


@pytest.mark.parametrize("lost", ["removed", "viewer", "deactivated"])
def test_who_lost_the_role_meanwhile_decides_nothing(sign_in, three, reviewer, in_background, lost):
    visitor, plan = sign_in(reviewer), three[0].plan
    job = confirmed(visitor, *asked(visitor, plan, three))
    roles = CommitteeMember.objects.filter(user=reviewer)
    if lost == "removed":
        roles.delete()
    elif lost == "viewer":
        roles.update(role="viewer")
    else:
        User.objects.filter(pk=reviewer.pk).update(is_active=False)
    jobs.run_job.func(str(job.public_id))
    assert (standing(job), outcomes(job), statuses(three)) == (
        ("done", 3, 0, 3),
        [("refused", bulk.NO_LONGER)] * 3,
        ["submitted"] * 3,
    )


class Killed(BaseException):
    """As if the process ended here."""


def killed_at(monkeypatch: Any, number: int) -> None:
    real, calls = bulk.step, []

    def step(*given: Any) -> None:
        calls.append(1)
        real(*given)
        if len(calls) == number:
            raise Killed

    monkeypatch.setattr(bulk, "step", step)


def test_after_a_kill_in_the_middle_each_is_done_once(sign_in, three, reviewer, in_background, monkeypatch):
    visitor, plan = sign_in(reviewer), three[0].plan
    job = confirmed(visitor, *asked(visitor, plan, three))
    with monkeypatch.context() as patched:
        killed_at(patched, 2)
        with pytest.raises(Killed):
            jobs.run_job.func(str(job.public_id))
    assert (standing(job), statuses(three)) == (("failed", 3, 1, 0), ["approved", "submitted", "submitted"])
    Job.objects.update(state=State.RUNNING)  # a process that is killed says nothing
    jobs.run_job.func(str(job.public_id))
    assert (standing(job), statuses(three)) == (("done", 3, 3, 0), ["approved"] * 3)
    assert [found.events.filter(action=Action.APPROVE).count() for found in three] == [1, 1, 1]
    jobs.run_job.func(str(job.public_id))
    assert standing(job) == ("done", 3, 3, 0)


def test_what_another_worker_has_done_is_not_done_again(sign_in, three, reviewer, in_background, caplog):
    """Both have read that all three wait."""
    job = confirmed(sign_in(reviewer), *asked(sign_in(reviewer), three[0].plan, three))
    job.move(State.WAITING, to=State.RUNNING)
    for pk in [*job.rows.values_list("pk", flat=True)] * 2:
        bulk.decide_one(job, pk, bulk.Decision.of(job))
    assert (standing(job), outcomes(job), caplog.messages) == (("running", 3, 3, 0), [("done", "")] * 3, [])


def test_what_breaks_in_one_does_not_stop_the_rest(sign_in, three, reviewer, monkeypatch, caplog):
    real = Registration.take

    def take(self: Registration, *given: Any, **named: Any) -> Any:
        if self.pk == three[1].pk:
            raise ValueError("broken")
        return real(self, *given, **named)

    monkeypatch.setattr(Registration, "take", take)
    visitor = sign_in(reviewer)
    job = confirmed(visitor, *asked(visitor, three[0].plan, three))
    assert (standing(job), outcomes(job)[1], statuses(three)) == (
        ("done", 3, 2, 1),
        ("refused", bulk.BROKEN),
        ["approved", "submitted", "approved"],
    )
    assert [record.message for record in caplog.records if record.name == "registrations.bulk"] == [
        f"job {job.public_id}: row {job.rows.all()[1].pk} broke"
    ]


def test_a_registration_that_is_gone_is_passed_over(sign_in, three, reviewer, in_background):
    visitor, plan = sign_in(reviewer), three[0].plan
    job = confirmed(visitor, *asked(visitor, plan, three))
    three[0].delete()
    jobs.run_job.func(str(job.public_id))
    assert (standing(job), job.percent) == (("done", 3, 2, 0), 100)


def test_a_job_that_is_stopped_does_no_more(sign_in, three, reviewer, in_background, monkeypatch):
    visitor, plan = sign_in(reviewer), three[0].plan
    job = confirmed(visitor, *asked(visitor, plan, three))
    real = bulk.step

    def step(registration: Any, *given: Any) -> None:
        real(registration, *given)
        if registration.pk == three[1].pk:
            Job.objects.update(state=State.STOPPED)

    monkeypatch.setattr(bulk, "step", step)
    # In one connection the row's transaction takes the stop back with it; the stop is what is looked at.
    with pytest.raises(jobs.Stopped):
        bulk.decide_one(*stop_at(job, three[1]))
    assert (statuses(three), outcomes(job)) == (["submitted"] * 3, [("waiting", "")] * 3)


def stop_at(job: Job, registration: Any) -> tuple[Job, int, bulk.Decision]:
    job.move(State.WAITING, to=State.RUNNING)
    return job, JobRow.objects.get(job=job, registration=registration).pk, bulk.Decision.of(job)


def test_its_owner_stops_it_and_what_failed_goes_on(sign_in, three, reviewer, manager, in_background):
    visitor, plan = sign_in(reviewer), three[0].plan
    job = confirmed(visitor, *asked(visitor, plan, three))
    assert sign_in(manager).post(job.get_absolute_url(), {"step": "stop"}).status_code == 403
    job.move(State.WAITING, to=State.FAILED)
    again = visitor.post(job.get_absolute_url(), {"step": "go_on"}, follow=True)
    assert (said(again), standing(job)[0], len(queued())) == (
        ["已重新交给后台，会从停下的地方继续。"],
        "waiting",
        2,
    )
    again = visitor.post(job.get_absolute_url(), {"step": "stop"}, follow=True)
    assert (said(again), standing(job)[0]) == (["已停止。已经办好的不会撤销，其余的没有处理。"], "stopped")
    jobs.run_job.func(str(job.public_id))
    assert (standing(job), statuses(three)) == (("stopped", 3, 0, 0), ["submitted"] * 3)


# Whose it is --------------------------------------------------------------------------------------------------------


def test_who_sees_it(sign_in, three, reviewer, manager, viewer, in_background):
    plan = three[0].plan
    elsewhere = scenes.member(scenes.open_plan(), "manager")
    visitor = sign_in(reviewer)
    job, page = asked(visitor, plan, three)
    people = {"reviewer": reviewer, "manager": manager, "viewer": viewer, "elsewhere": elsewhere}

    def answers() -> dict[str, list[int]]:
        places = [job.get_absolute_url(), f"{job.get_absolute_url()}progress/"]
        return {who: [sign_in(user).get(place).status_code for place in places] for who, user in people.items()}

    hidden = [404, 404]
    assert answers() == {"reviewer": [200, 200], "manager": hidden, "viewer": hidden, "elsewhere": hidden}
    confirmed(visitor, job, page)
    assert answers() == {"reviewer": [200, 200], "manager": [200, 200], "viewer": hidden, "elsewhere": hidden}
    CommitteeMember.objects.filter(user=reviewer).delete()
    CommitteeMember.objects.create(user=reviewer, plan=scenes.open_plan(), role="manager")
    assert answers() == {"reviewer": hidden, "manager": [200, 200], "viewer": hidden, "elsewhere": hidden}


def test_the_progress_has_figures_only(sign_in, three, reviewer, in_background):
    visitor = sign_in(reviewer)
    job = confirmed(visitor, *asked(visitor, three[0].plan, three))
    assert visitor.get(f"{job.get_absolute_url()}progress/").json() == {
        "alive": True,
        "state": "等待后台处理",
        "total": 3,
        "done": 0,
        "refused": 0,
        "percent": 0,
        "silent": False,
    }


def test_where_no_worker_begins_the_page_says_so(sign_in, three, reviewer, in_background):
    visitor = sign_in(reviewer)
    job = confirmed(visitor, *asked(visitor, three[0].plan, three))
    sentence = "data-silent>后台还没有开始处理。后台程序可能没有运行，请稍等；过几分钟仍是这样的，请联系运营人员。"
    assert sentence not in visitor.get(job.get_absolute_url()).content.decode()
    Job.objects.update(queued_at=job.queued_at - 2 * jobs.PATIENCE)
    assert sentence in visitor.get(job.get_absolute_url()).content.decode()


def test_nothing_of_another_plan_is_chosen(sign_in, three, reviewer):
    elsewhere = scenes.registration_at(
        Status.SUBMITTED, scenes.person("己六"), scenes.occupation(scenes.open_plan()), scenes.person("外人")
    )
    visitor = sign_in(reviewer)
    job, _ = asked(visitor, three[0].plan, [three[0], elsewhere])
    assert [row.registration_id for row in job.rows.all()] == [three[0].pk]
    forged = f"plan={elsewhere.plan_id}&occupation={elsewhere.occupation_id}&status=nonsense"
    job, _ = asked(visitor, three[0].plan, everything="1", filter=forged)
    assert {row.registration_id for row in job.rows.all()} == {found.pk for found in three}
    assert choose(visitor, elsewhere.plan, [elsewhere]).status_code == 404
    assert Job.objects.count() == 2


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "没有选中任何报名。请先在列表里勾选，或选择全部符合筛选条件的。"),
        ({"_selected_action": ["x", "-1", "9" * 30]}, "没有选中任何报名。请先在列表里勾选，或选择全部符合筛选条件的。"),
        ({"action": "withdraw"}, "没有选择要做什么。请选择通过、退回或不通过。"),
    ],
)
def test_what_cannot_be_understood_is_said(sign_in, three, reviewer, sent, sentence):
    visitor = sign_in(reviewer)
    answer = choose(visitor, three[0].plan, **sent)
    assert (answer.status_code, said(visitor.get(answer["Location"])), Job.objects.count()) == (302, [sentence], 0)


def test_more_than_one_job_takes_is_said(sign_in, three, reviewer, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 2)
    visitor = sign_in(reviewer)
    answer = choose(visitor, three[0].plan, everything="1", filter="")
    sentence = "一次最多处理 2 份报名。请先按职业（工种）或参赛组别筛选，分几次处理。"
    assert (said(visitor.get(answer["Location"])), Job.objects.count()) == ([sentence], 0)


def test_a_viewer_chooses_nothing(sign_in, three, viewer):
    assert (choose(sign_in(viewer), three[0].plan, three).status_code, Job.objects.count()) == (403, 0)


def test_the_pages_ask_the_database_as_often_for_many(sign_in, three, reviewer, manager, occupation, in_background):
    visitor, plan = sign_in(reviewer), occupation.plan

    def counted(registrations: Any) -> list[int]:
        job, _ = asked(visitor, plan, registrations)
        found = []
        for place in (job.get_absolute_url(), job.get_absolute_url(), "/admin/registrations/registration/jobs/"):
            with CaptureQueriesContext(connection) as queries:
                assert visitor.get(place).status_code == 200
            found.append(len(queries))
            if len(found) == 1:
                confirmed(visitor, job, visitor.get(place))
        return found

    few = counted(three[:1])
    JobRow.objects.all().delete()
    assert counted(three) == few


def test_the_question_is_written_with_as_many_queries_for_many(sign_in, three, reviewer, monkeypatch):
    visitor, plan = sign_in(reviewer), three[0].plan

    def counted(registrations: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            choose(visitor, plan, registrations)
        assert Job.objects.latest("pk").total == len(registrations)
        return len(queries)

    assert counted(three) == counted(three[:1])


def test_a_row_has_what_a_reviewer_sees(reviewer, three):
    """The version, and the portrait's SHA-256, as each of its own page says it."""
    three[1].write(three[1].version, portrait=None)
    job = bulk.ask(reviewer, three[0].plan, Action.APPROVE, Registration.objects.order_by("-pk"), "/admin/")
    seen = [(found.pk, *astuple(Seen.of(scenes.fresh(found)))) for found in reversed(three)]
    assert list(job.rows.values_list("registration", "version", "portrait")) == seen


def test_the_same_key_is_the_same_job(reviewer, manager, plan):
    first, is_new = Job.once(reviewer, "one", plan=plan, kind=bulk.KIND)
    assert (Job.once(reviewer, "one", plan=plan, kind=bulk.KIND), is_new) == ((first, False), True)
    assert Job.once(manager, "one", plan=plan, kind=bulk.KIND)[1]


def test_too_many_questions_in_an_hour_are_refused(sign_in, three, reviewer, monkeypatch):
    monkeypatch.setattr(limits, "BULK", replace(limits.BULK, times=1))
    visitor, plan = sign_in(reviewer), three[0].plan
    found = [choose(visitor, plan, three).status_code for _ in range(2)]
    assert (found, Job.objects.count()) == ([302, 429], 1)
