"""Deadlines that are moved at the desk, and by the worker told to whom they concern, once and in its own words."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from plans.models import Plan
from registrations import deadlines
from registrations.extensions import in_words
from registrations.workflow import Status
from tests import scenes
from tests.pages import form_of
from tests.registrations.test_deadlines import work

DAY = timedelta(days=1)


@pytest.fixture
def desk(sign_in, manager):
    return sign_in(manager)


@pytest.fixture
def moments(plan):
    """When registration closes, to the minute, as a form writes it; and two days later, when corrections end."""
    closes = plan.registration_closes_at.replace(second=0, microsecond=0)
    Plan.objects.update(registration_closes_at=closes, correction_closes_at=closes + 2 * DAY)
    return closes, closes + 2 * DAY


@pytest.fixture
def people(occupation, manager, moments):
    drafted, waiting, returned = (scenes.person(name) for name in ("甲一", "乙二", "丙三"))
    scenes.draft(drafted, occupation)
    scenes.registration_at(Status.SUBMITTED, waiting, occupation, manager)
    scenes.registration_at(Status.RETURNED, returned, occupation, manager)
    return drafted, waiting, returned


def typed(moment):
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}"


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def extend(desk, plan, closes, corrections):
    """By the page for it; what the committee reads."""
    page = f"/admin/plans/plan/{plan.code}/extend/"
    form = {**form_of(desk.get(page)), "closes_at": typed(closes), "corrections": typed(corrections)}
    return said(desk.post(page, form, follow=True))


def change(desk, plan, **moments):
    """By the plan's own form; what the committee reads before it is told that the plan is saved."""
    page = f"/admin/plans/plan/{plan.pk}/change/"
    form = form_of(desk.get(page))
    for name, moment in moments.items():
        form[f"{name}_0"], form[f"{name}_1"] = typed(moment).split("T") if moment else ("", "")
    return said(desk.post(page, form, follow=True))[:-1]


def heard(*people):
    """Of each, what has changed and what to do, in all messages about a deadline."""
    return [[tuple(body.splitlines()) for body in bodies_of(person)] for person in people]


def bodies_of(person):
    return person.messages.filter(kind="deadline").order_by("pk").values_list("body", flat=True)


def of_registration(person, before, after):
    return told(person, "报名截止时间", before, after, "还没有提交，请在 {} 之前提交。")


def of_corrections(person, before, after):
    return told(person, "修改截止时间", before, after, "退回修改后还没有重新提交，请改好后在 {} 之前重新提交。")


def told(person, name, before, after, to_do):
    reference = person.registrations.get().reference
    until = f"{timezone.localtime(after):%Y年%-m月%-d日 %H:%M}"
    how = "延长" if after > before else "提前"
    return (
        f"{name}从 {in_words(before)} {how}到 {in_words(after)}。",
        f"您的报名（{reference}）{to_do.format(until)}",
    )


def test_more_time_for_corrections_alone_is_told_to_who_was_sent_back(desk, plan, people, moments):
    closes, corrections = moments
    later = corrections + DAY
    assert change(desk, plan, correction_closes_at=later) == ["正在通知 1 位还没有重新提交的报名人员。"]
    assert (work(), heard(*people)) == (2, [[], [], [of_corrections(people[2], corrections, later)]])
    assert (change(desk, plan, correction_closes_at=later), work()) == ([], 0)


def test_both_at_once_are_told_once_each_to_whom_it_concerns(desk, plan, people, moments):
    closes, corrections = moments
    answer = extend(desk, plan, closes + DAY, corrections + DAY)
    assert answer == ["报名截止时间已延长。正在通知 2 位还没有提交的报名人员。"]
    arguments = DBTaskResult.objects.get().args_kwargs["args"]
    assert work() == 2
    once = [
        [of_registration(people[0], closes, closes + DAY)],
        [],
        [of_corrections(people[2], corrections, corrections + DAY)],
    ]
    assert heard(*people) == once
    deadlines.tell_more.call(*arguments)  # taken up again by another worker
    assert (work(), heard(*people)) == (1, once)


def test_whose_own_deadline_stays_is_not_told(desk, plan, people, moments):
    closes, corrections = moments
    assert extend(desk, plan, closes + DAY, corrections) == ["报名截止时间已延长。正在通知 1 位还没有提交的报名人员。"]
    work()
    assert heard(*people) == [[of_registration(people[0], closes, closes + DAY)], [], []]


def test_without_a_deadline_of_their_own_corrections_end_later_with_registration(desk, plan, people, moments):
    closes, _ = moments
    Plan.objects.update(correction_closes_at=None)
    change(desk, plan, registration_closes_at=closes + DAY)
    work()
    assert heard(people[0], people[2]) == [
        [of_registration(people[0], closes, closes + DAY)],
        [of_corrections(people[2], closes, closes + DAY)],
    ]


def test_less_time_for_corrections_is_told_to_who_was_sent_back(desk, plan, people, moments):
    closes, corrections = moments
    earlier = corrections - DAY
    assert change(desk, plan, correction_closes_at=earlier) == ["正在通知 1 位还没有重新提交的报名人员。"]
    work()
    first = of_corrections(people[2], corrections, earlier)
    assert heard(*people) == [[], [], [first]]
    assert change(desk, plan, correction_closes_at=None) == ["正在通知 1 位还没有重新提交的报名人员。"]
    work()
    assert heard(*people) == [[], [], [first, of_corrections(people[2], earlier, closes)]]


def test_an_earlier_end_of_registration_is_told_to_all_who_have_yet_to_submit(desk, plan, people, moments):
    closes, _ = moments
    Plan.objects.update(correction_closes_at=None)
    earlier = closes - DAY
    assert change(desk, plan, registration_closes_at=earlier) == ["正在通知 2 位还没有提交的报名人员。"]
    work()
    assert heard(*people) == [
        [of_registration(people[0], closes, earlier)],
        [],
        [of_corrections(people[2], closes, earlier)],
    ]


def test_a_deadline_that_comes_back_to_where_it_was_is_told_again(desk, plan, people, moments):
    """What a person heard last is what is true."""
    _, corrections = moments
    steps = [corrections, corrections - DAY, corrections, corrections - DAY]
    for moment in steps[1:]:
        change(desk, plan, correction_closes_at=moment)
        work()
    assert heard(people[2]) == [
        [of_corrections(people[2], before, after) for before, after in zip(steps, steps[1:], strict=False)]
    ]


def test_one_is_later_and_the_other_one_earlier(desk, plan, people, moments):
    closes, corrections = moments
    extend(desk, plan, closes + DAY, corrections - DAY)
    work()
    assert heard(*people) == [
        [of_registration(people[0], closes, closes + DAY)],
        [],
        [of_corrections(people[2], corrections, corrections - DAY)],
    ]


def test_seconds_that_a_form_cuts_off_are_no_change(desk, plan, people, moments):
    closes, corrections = moments
    seconds = timedelta(seconds=31)
    Plan.objects.update(registration_closes_at=closes + seconds, correction_closes_at=corrections + seconds)
    assert (change(desk, plan), work()) == ([], 0)


def test_a_task_of_the_former_release_is_done_by_this_one(plan, people, moments):
    """Its key ended with the moments; the worker of this release finds it waiting."""
    closes, corrections = moments
    key = "-".join(["deadline", *deadlines.stamps(Plan.objects.get()).values()])
    deadlines.tell_more.call(plan.pk, key, {"returned": "修改截止时间有变化。"}, 0)
    assert [len(found) for found in heard(*people)] == [0, 0, 1]


def test_who_cannot_act_any_more_even_so_is_not_told(desk, plan, people, moments):
    closes, _ = moments
    past = timezone.now().replace(second=0, microsecond=0) - DAY
    opened = past - 3 * DAY
    Plan.objects.update(registration_opens_at=opened, registration_closes_at=past - DAY, correction_closes_at=past)
    assert change(desk, plan, correction_closes_at=past + timedelta(minutes=5)) == ["还没有需要通知的人。"]
    later = past + 2 * DAY
    assert change(desk, plan, correction_closes_at=later) == ["正在通知 1 位还没有重新提交的报名人员。"]
    work()
    assert heard(*people) == [[], [], [of_corrections(people[2], past + timedelta(minutes=5), later)]]


def test_a_task_tells_of_the_deadline_that_was_not_moved_once_more(desk, plan, people, moments):
    """Of each of the two, the later task tells; what only the first one knows is not lost with it."""
    closes, corrections = moments
    extend(desk, plan, closes + DAY, corrections + DAY)
    change(desk, plan, correction_closes_at=corrections + 2 * DAY)
    work()
    assert heard(*people) == [
        [of_registration(people[0], closes, closes + DAY)],
        [],
        [of_corrections(people[2], corrections + DAY, corrections + 2 * DAY)],
    ]


def test_a_file_that_moves_corrections_alone_tells_as_the_desk_does(plan, people, moments, tmp_path):
    _, corrections = moments
    (tmp_path / "plan.yaml").write_text(
        f"计划编号: {plan.code}\n修改截止时间: {timezone.localtime(corrections + DAY):%Y-%m-%d %H:%M}\n",
        encoding="utf-8",
    )
    call_command("import_plan", str(tmp_path / "plan.yaml"), stdout=(answer := io.StringIO()))
    assert "正在通知 1 位还没有重新提交的报名人员。" in answer.getvalue().splitlines()
    work()
    assert heard(*people) == [[], [], [of_corrections(people[2], corrections, corrections + DAY)]]
