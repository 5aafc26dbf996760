"""公布审核结果: the page that counts, asks and publishes, whom it refuses, and what the plan's form leaves alone."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEntry
from plans.models import Plan
from registrations import publishing
from registrations.workflow import Action, Status
from tests import scenes
from tests.pages import form_of
from tests.plans.test_plan_pages import address, typed, words

DAY = timedelta(days=1)
PUBLISHED = "公布，没有改动。"


@pytest.fixture
def desk(sign_in, manager):
    return sign_in(manager)


@pytest.fixture
def holding(plan, occupation, manager):
    """Two approved, one rejected, one undecided."""
    Plan.objects.filter(pk=plan.pk).update(holds_decisions=True)
    plan.refresh_from_db()
    occupation.refresh_from_db()
    names = {"王晓明": Action.APPROVE, "李芳": Action.APPROVE, "孙三": Action.REJECT, "周四": None}
    for name, action in names.items():
        found = scenes.registration_at(Status.SUBMITTED, scenes.person(name), occupation, manager)
        if action:
            scenes.take(found, action, manager, "不符合参赛条件。")
    return plan


def moment_of(plan):
    return Plan.objects.get(pk=plan.pk).decisions_published_at


def verbs():
    return list(AuditEntry.objects.filter(verb__startswith="decisions").order_by("pk").values_list("verb", "detail"))


def test_now_after_a_question_that_counts(desk, holding, django_capture_on_commit_callbacks):
    assert "等着公布：审核通过2 份" in words(desk.get(address(holding, "decisions")))
    question = desk.post(address(holding, "decisions"), {"when": "now", "at": ""})
    said = words(question)
    assert ("这 3 位报名人员" in said, "还有 1 份没有审核" in said, "不能收回" in said) == (True, True, True)
    assert (moment_of(holding), form_of(question)["seen"]) == (None, "2-1")
    with django_capture_on_commit_callbacks(execute=True):
        response = desk.post(address(holding, "decisions"), form_of(question), follow=True)
    assert "已公布 3 份审核结果，正在逐一通知。" in words(response)
    assert moment_of(holding) <= timezone.now()
    assert verbs() == [("decisions.published", "2 approved, 1 rejected")]
    assert publishing.tell_decisions.module_path in queued()
    assert publishing.tell_some().done == 3


def queued():
    from django_tasks_db.models import DBTaskResult

    return list(DBTaskResult.objects.ready().values_list("task_path", flat=True))


def test_the_question_is_asked_again_when_a_colleague_has_decided_meanwhile(desk, holding, manager):
    question = desk.post(address(holding, "decisions"), {"when": "now"})
    last = holding.registrations.get(status="submitted")
    scenes.take(last, Action.REJECT, manager, "不符合。")
    again = desk.post(address(holding, "decisions"), form_of(question))
    assert ("份数和您看到的不一样了" in words(again), moment_of(holding)) == (True, None)
    assert form_of(again)["seen"] == "2-2"


def test_at_a_moment_changed_and_cancelled(desk, holding):
    at = (timezone.now() + DAY).replace(second=0, microsecond=0)
    question = desk.post(address(holding, "decisions"), {"when": "later", "at": typed(at)})
    assert "那时已经审核的都在内" in words(question)
    response = desk.post(address(holding, "decisions"), form_of(question), follow=True)
    assert ("自动公布审核结果。" in words(response), moment_of(holding)) == (True, at)
    again = desk.post(address(holding, "decisions"), {"when": "later", "at": typed(at + DAY)})
    desk.post(address(holding, "decisions"), form_of(again))
    assert moment_of(holding) == at + DAY
    response = desk.post(address(holding, "decisions"), {"cancel": "1"}, follow=True)
    assert ("已取消定时公布。" in words(response), moment_of(holding)) == (True, None)
    assert [verb for verb, _ in verbs()] == ["decisions.planned", "decisions.planned", "decisions.unplanned"]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"when": "later", "at": ""}, "请填写日期和时间。"),
        ({"when": "later", "at": "明天"}, "请按 2026-09-01 09:00 的样子填写日期和时间。"),
        ({"when": "later", "at": "2020-01-01T09:00"}, "公布时间要晚于现在；要马上公布的，请按“现在公布”。"),
    ],
)
def test_a_wrong_moment_is_said_beside_its_field(desk, holding, sent, sentence):
    response = desk.post(address(holding, "decisions"), sent)
    assert (response.status_code, sentence in words(response), moment_of(holding)) == (200, True, None)


def test_what_is_published_is_not_published_again_nor_cancelled(desk, holding):
    question = form_of(desk.post(address(holding, "decisions"), {"when": "now"}))
    desk.post(address(holding, "decisions"), question)
    first = moment_of(holding)
    del question["form_key"]  # with it, it is the same sending, and answered as the first one was
    for sent in (
        question,
        {"cancel": "1"},
        {"when": "now"},
        {"when": "later", "at": typed(timezone.now() + DAY), "seen": "2-1"},
    ):
        assert PUBLISHED in words(desk.post(address(holding, "decisions"), sent, follow=True))
    assert (moment_of(holding), len(verbs())) == (first, 1)


def test_a_plan_that_tells_at_once_has_nothing_to_publish(desk, plan):
    assert "审核后马上告诉本人，没有要公布的。" in words(desk.get(address(plan, "decisions")))
    sent = {"when": "now", "seen": "0-0"}
    response = desk.post(address(plan, "decisions"), sent, follow=True)
    assert ("不用公布。" in words(response), moment_of(plan), verbs()) == (True, None, [])


def test_nothing_to_publish_ends_the_holding(desk, plan):
    Plan.objects.filter(pk=plan.pk).update(holds_decisions=True)
    question = desk.post(address(plan, "decisions"), {"when": "now"})
    assert ("现在没有等着公布的结果。" in words(question), "审核不通过" in words(question)) == (True, False)
    response = desk.post(address(plan, "decisions"), form_of(question), follow=True)
    assert ("审核结果不再留待公布" in words(response), moment_of(plan) is None) == (True, False)


def change(desk, plan, **values):
    page = f"/admin/plans/plan/{plan.pk}/change/"
    sent = {**form_of(desk.get(page)), **values}
    return desk.post(page, {name: value for name, value in sent.items() if value is not None}, follow=True)


def test_the_plans_form_switches_it_on_and_off_while_nothing_waits(desk, plan, occupation):
    change(desk, plan, holds_decisions="on")
    assert Plan.objects.get(pk=plan.pk).holds_decisions is True
    change(desk, plan, holds_decisions=None)
    assert Plan.objects.get(pk=plan.pk).holds_decisions is False


def test_the_plans_form_lets_nothing_out_by_itself(desk, holding):
    response = change(desk, holding, holds_decisions=None)
    assert "已有 3 份审核结果等着公布，不能取消。请到“公布审核结果”页面公布。" in words(response)
    Plan.objects.filter(pk=holding.pk).update(decisions_published_at=timezone.now() + DAY)
    assert "不能取消统一公布" in words(change(desk, holding, holds_decisions=None))
    assert Plan.objects.get(pk=holding.pk).holds_decisions is True


def test_saving_the_plan_leaves_a_publication_of_the_same_moment_alone(holding):
    stale = Plan.objects.get(pk=holding.pk)
    Plan.objects.filter(pk=holding.pk).update(decisions_published_at=timezone.now())
    stale.title = "新的名称"
    stale.save()
    assert (moment_of(holding) is not None, Plan.objects.get(pk=holding.pk).title) == (True, "新的名称")


def test_the_database_knows_that_a_plan_publishes_only_what_it_holds(plan):
    with pytest.raises(IntegrityError), transaction.atomic():
        Plan.objects.filter(pk=plan.pk).update(decisions_published_at=timezone.now())


def test_the_queue_and_the_desk_say_that_it_waits(desk, sign_in, holding):
    reviewer = scenes.member(holding, "reviewer", "陈静")
    queue = f"/admin/registrations/registration/queue/{holding.code}/"
    for client, leads in ((desk, True), (sign_in(reviewer), False)):
        said = client.get(f"{queue}?status=all")
        assert words(said).count("审核通过 结果待公布") == 2
        assert (address(holding, "decisions") in said.content.decode()) is leads
    held = holding.registrations.filter(status="rejected").get()
    assert "审核不通过 结果待公布" in words(desk.get(f"/admin/registrations/registration/{held.pk}/change/"))
    Plan.objects.filter(pk=holding.pk).update(decisions_published_at=timezone.now())
    assert "结果待公布" not in words(desk.get(f"{queue}?status=all"))


def test_the_first_page_leads_there_while_it_waits(desk, sign_in, holding):
    """Managers alone, and until it is published."""
    link = f'<a href="{address(holding, "decisions")}">公布审核结果</a>'
    viewer = sign_in(scenes.member(holding, "viewer", "高远"))
    assert [link in client.get("/admin/").content.decode() for client in (desk, viewer)] == [True, False]
    Plan.objects.filter(pk=holding.pk).update(decisions_published_at=timezone.now())
    assert link not in desk.get("/admin/").content.decode()
