"""More time for one person: what it opens, who gives it, what is said of it, and that a draft stays unseen."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AuditEntry
from photos.models import PhotoClosed
from plans import members
from plans.models import Plan
from registrations import extensions, intake, reminders, removal
from registrations.extensions import Extension, in_words
from registrations.models import Registration
from registrations.workflow import Action, Status, StepRefused
from tests import scenes
from tests.pages import form_of
from tests.registrations.reading import notices, text_of
from tests.registrations.threads import at_once

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
WHY = "因病住院，凭医院证明"
TYPED = "%Y-%m-%dT%H:%M"


@pytest.fixture
def after(plan):
    """Ten minutes after registration has closed."""
    moment = (plan.registration_closes_at + timedelta(minutes=10)).replace(second=0, microsecond=0)
    with time_machine.travel(moment, tick=False) as clock:
        yield clock


def until(plan, days=3):
    return (plan.registration_closes_at + days * DAY).replace(second=0, microsecond=0)


def grant(plan, person, by, moment, seen=None, reason=WHY):
    return extensions.grant(plan, person, moment, reason=reason, by=by, seen=seen)


def refused(doing):
    with pytest.raises(StepRefused) as refusal:
        doing()
    return str(refusal.value)


# What it opens --------------------------------------------------------------------------------------------------------


def test_who_has_not_begun_can_do_everything_until_then(applicant, stranger, plan, occupation, manager, after):
    assert refused(lambda: intake.start(applicant, plan)) == "这个竞赛的报名已经截止。"
    grant(plan, applicant, manager, until(plan))
    after.move_to(until(plan) - SECOND)
    draft = scenes.draft(applicant, occupation)
    assert (draft.deadline(), draft.closed_reason(), draft.photo_closed) == (until(plan), "", "")
    submitted = scenes.take(draft, Action.SUBMIT, applicant)
    again = scenes.take(submitted, Action.RECALL, applicant)
    scenes.take(scenes.take(again, Action.SUBMIT, applicant), Action.WITHDRAW, applicant)
    assert refused(lambda: intake.start(stranger, plan)) == "这个竞赛的报名已经截止。"
    last = scenes.draft(applicant, occupation)
    after.move_to(until(plan))  # exclusive
    late = "已经过了截止时间，不能再操作。如有特殊情况，请联系组委会。"
    assert refused(lambda: last.take(Action.SUBMIT, by=applicant)) == late
    with pytest.raises(PhotoClosed):
        raise PhotoClosed(last.photo_closed)
    assert "截止，不能再修改或提交。" in last.photo_closed
    last.discard(applicant)
    assert refused(lambda: intake.start(applicant, plan)) == "这个竞赛的报名已经截止。"


@pytest.mark.parametrize("status", [Status.DRAFT, Status.SUBMITTED, Status.RETURNED, Status.APPROVED])
def test_what_there_is_gets_it_at_once(applicant, plan, occupation, manager, status):
    registration = scenes.registration_at(status, applicant, occupation, manager)
    grant(plan, applicant, manager, until(plan))
    assert (scenes.fresh(registration).deadline(), scenes.fresh(registration).is_extended) == (until(plan), True)


def test_it_never_takes_time_away(applicant, plan, occupation, manager):
    draft = scenes.draft(applicant, occupation)
    grant(plan, applicant, manager, until(plan))
    Plan.objects.update(registration_closes_at=until(plan, 9))
    draft = scenes.fresh(draft)
    assert (draft.deadline(), draft.is_extended) == (until(plan, 9), False)


def test_reminders_and_the_due_ones_go_by_it(applicant, stranger, plan, occupation, manager):
    draft, other = scenes.draft(applicant, occupation), scenes.draft(stranger, occupation)
    grant(plan, applicant, manager, until(plan))
    for begin, end, expected in [
        (plan.registration_closes_at - DAY, plan.registration_closes_at, [other]),
        (until(plan) - DAY, until(plan), [draft]),
        (until(plan), until(plan) + DAY, []),
    ]:
        assert list(Registration.objects.due_between(begin, end)) == expected
    for moment, told in [(plan.registration_closes_at, [other]), (until(plan), [draft])]:
        with time_machine.travel(moment - timedelta(hours=20), tick=False):
            assert [reminder.registration for reminder in reminders.due(timezone.now())] == told


# Who, how long, why ---------------------------------------------------------------------------------------------------


def test_who_may_not(applicant, plan, reviewer, manager):
    only = "只有管理成员可以延长个人的截止时间。"
    foreign = scenes.member(scenes.open_plan(), "manager")
    for by in (reviewer, foreign):
        assert refused(lambda by=by: grant(plan, applicant, by, until(plan))) == only
    own = refused(lambda: grant(plan, manager, manager, until(plan)))
    assert (own, Extension.objects.count()) == ("不能给自己延长，请由另一位管理成员操作。", 0)


def test_moments_and_reasons_that_are_refused(applicant, plan, occupation, manager):
    now = timezone.now()
    asked = {
        "新的截止时间要晚于现在。要马上结束延期，请用“结束延期”。": (now - SECOND, WHY),
        f"所有人的截止时间就是 {in_words(plan.registration_closes_at)}，请填更晚的时间。": (
            plan.registration_closes_at,
            WHY,
        ),
        "请写明原因，报名人员会看到。": (until(plan), " \n"),
        "这个人现在没有延期，不用结束。": (None, WHY),
    }
    for sentence, (moment, reason) in asked.items():
        assert refused(lambda: grant(plan, applicant, manager, moment, reason=reason)) == sentence  # noqa: B023
    assert (Extension.objects.count(), applicant.messages.count()) == (0, 0)


def test_longer_shorter_and_ended(applicant, plan, occupation, manager):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    grant(plan, applicant, manager, until(plan, 3))
    assert refused(lambda: grant(plan, applicant, manager, until(plan, 5))) == extensions.FASTER
    grant(plan, applicant, manager, until(plan, 5), seen=until(plan, 3))
    grant(plan, applicant, manager, until(plan, 1), seen=until(plan, 5), reason="已经出院")
    grant(plan, applicant, manager, None, seen=until(plan, 1), reason="不参加了")
    registration = scenes.fresh(registration)
    assert (registration.deadline(), registration.is_extended) == (plan.registration_closes_at, False)
    said = [
        (line.items[0]["sentence"], line.note) for line in registration.events.filter(action="extend").order_by("pk")
    ]
    assert said == [
        (f"您的截止时间是 {in_words(until(plan, 3))}。", WHY),
        (f"您的截止时间是 {in_words(until(plan, 5))}。", WHY),
        (f"您的截止时间是 {in_words(until(plan, 1))}。", "已经出院"),
        (f"延期结束，截止时间仍是 {in_words(plan.registration_closes_at)}。", "不参加了"),
    ]
    assert Extension.objects.get().until <= timezone.now()
    grant(plan, applicant, manager, until(plan))  # anew


# In words -------------------------------------------------------------------------------------------------------------


def test_the_person_is_told_and_the_record_knows(applicant, plan, occupation, manager):
    registration = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    grant(plan, applicant, manager, until(plan))
    message = applicant.messages.first()
    assert (message.title, message.body.splitlines()) == (
        f"您的截止时间有变化：{plan.title}",
        [
            f"组委会为您一个人调整了报名（{registration.reference}）的截止时间。",
            "",
            f"截止时间：您的截止时间是 {in_words(until(plan))}。",
            "",
            f"原因：{WHY}",
        ],
    )
    line = AuditEntry.objects.get(verb="person.extended")
    moment = timezone.localtime(until(plan))
    assert (line.actor, line.subject, line.detail) == (
        manager.username,
        applicant.username,
        f"- → {moment:%Y-%m-%d %H:%M}",
    )


def test_given_to_a_draft_it_is_in_the_trail_when_that_is_submitted(applicant, plan, occupation, manager, after):
    with time_machine.travel(plan.registration_closes_at - DAY):
        draft = scenes.draft(applicant, occupation)
    given = grant(plan, applicant, manager, until(plan))
    assert (draft.events.count(), [m.kind for m in applicant.messages.all()]) == (0, ["extended"])
    scenes.take(scenes.take(draft, Action.SUBMIT, applicant), Action.RECALL, applicant)
    scenes.take(draft, Action.SUBMIT, applicant)
    lines = [(line.action, line.by, line.note) for line in draft.events.order_by("pk")]
    assert lines == [
        ("extend", manager, WHY),
        ("submit", applicant, ""),
        ("recall", applicant, ""),
        ("submit", applicant, ""),
    ]
    assert draft.events.last().at == given.at


def test_the_plans_pages_say_it_to_this_person_alone(applicant, stranger, plan, manager, sign_in, after):
    grant(plan, applicant, manager, until(plan))
    moment = timezone.localtime(until(plan))
    sentence = f"组委会已为您延长到 {moment.month}月{moment.day}日 {moment:%H:%M}"
    for address in ("/plans/", plan.get_absolute_url()):
        page, other = (text_of(sign_in(who).get(address).content.decode()) for who in (applicant, stranger))
        assert (sentence in page, "报名已截止" in page) == (True, False)
        assert ("组委会已为您" in other, "报名已截止" in other) == (False, True)
    answer = sign_in(applicant).post(f"/registrations/start/{plan.code}/", follow=True)
    assert answer.redirect_chain[-1][0] == f"/registrations/{Registration.objects.get().reference}/edit/"


def test_a_submitted_one_says_until_when_it_can_be_taken_back(applicant, plan, occupation, manager, sign_in, after):
    with time_machine.travel(plan.registration_closes_at - DAY):
        registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    grant(plan, applicant, manager, until(plan))
    moment = timezone.localtime(until(plan))
    said = f"组委会已为您延长到 {moment.month}月{moment.day}日 {moment:%H:%M}，在此之前可以撤回。"
    assert said in notices(sign_in(applicant).get(registration.get_absolute_url()))


def test_the_receipt_names_no_moment_that_is_over(applicant, plan, occupation, manager, sign_in, after):
    """Who submits after everybody else can correct it as long as they have been given time, too."""
    grant(plan, applicant, manager, until(plan))
    submitted = scenes.take(scenes.draft(applicant, occupation), Action.SUBMIT, applicant)
    moment = timezone.localtime(until(plan))
    page = text_of(sign_in(applicant).get(f"/registrations/{submitted.reference}/submitted/").content.decode())
    assert f"如被退回，请在 {moment.month}月{moment.day}日 {moment:%H:%M} 前修改后重新提交。" in page


def test_reopening_reaches_its_applicant_in_words(applicant, plan, occupation, manager, sign_in):
    rejected = scenes.registration_at(Status.REJECTED, applicant, occupation, manager)
    scenes.take(rejected, Action.REOPEN, manager, "证书已补齐")
    message = applicant.messages.first()
    assert (message.title, "原因：证书已补齐" in message.body) == (f"报名重新审核：{plan.title}", True)
    page = text_of(sign_in(applicant).get(rejected.get_absolute_url()).content.decode())
    assert "组委会重新审核 查看意见证书已补齐" in page


# The desk's pages -----------------------------------------------------------------------------------------------------


def page_of(registration):
    return f"/admin/registrations/registration/{registration.pk}/extend/"


def test_from_the_page_of_a_registration(applicant, plan, occupation, manager, sign_in):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    desk = sign_in(manager)
    empty = desk.post(page_of(registration), {"until": "", "reason": ""}).content.decode()
    assert ("请填写日期和时间。" in empty, "请写明原因，报名人员会看到。" in empty) == (True, True)
    typed = {"until": f"{timezone.localtime(until(plan)):{TYPED}}", "reason": WHY, "seen": ""}
    answer = desk.post(page_of(registration), typed, follow=True)
    page = text_of(answer.content.decode())
    assert f"王晓明的截止时间已调整为 {in_words(until(plan))}。" in page
    assert f"（{manager}，" in page.partition("截止时间已为此人延长到")[2]
    stale = text_of(desk.post(page_of(registration), typed).content.decode())
    assert extensions.FASTER in stale
    held = form_of(desk.get(page_of(registration)))
    ended = desk.post(page_of(registration), {**held, "reason": "不用了", "end": "1", "until": "x"}, follow=True)
    assert "王晓明的延期已结束。" in text_of(ended.content.decode())
    assert not scenes.fresh(registration).is_extended


def listed(plan, name=""):
    return f"/admin/registrations/registration/extensions/{plan.code}/{name}"


def seek(client, plan, person, last=None):
    last = last or person.identity.document_number[-4:]
    return client.post(listed(plan, "find/"), {"legal_name": person.legal_name, "last": last})


def without(response, *texts):
    page = response.content.decode().partition('id="content"')[2].partition("</main>")[0]
    for text in texts:
        page = page.replace(text, "…")
    return text_of(page)


def test_who_has_a_draft_and_who_has_not_begun_get_the_same_answers(
    applicant, stranger, plan, occupation, manager, sign_in
):
    scenes.draft(applicant, occupation)
    desk = sign_in(manager)
    typed = {"until": f"{timezone.localtime(until(plan)):{TYPED}}", "reason": WHY}
    found, answers = [], []
    for person in (applicant, stranger):
        page = seek(desk, plan, person)
        found.append(without(page, person.legal_name))
        answers.append(desk.post(listed(plan, "give/"), {**form_of(page), **typed}, follow=True))
    assert found[0] == found[1]
    assert [text_of(str(message)) for answer in answers for message in answer.context["messages"]] == [
        f"{person.legal_name}的截止时间已调整为 {in_words(until(plan))}。对方登录后能看到；已开始报名的，会同时收到通知。"
        for person in (applicant, stranger)
    ]
    assert {given.person for given in Extension.objects.all()} == {applicant, stranger}
    assert [line.detail for line in AuditEntry.objects.filter(verb="person.sought")] == ["found", "found"]


def test_nobody_is_found_by_a_guess_and_guesses_are_counted(applicant, plan, manager, sign_in, monkeypatch):
    desk = sign_in(manager)
    nobody = "没有找到唯一相符的人。请向本人核对姓名和证件号码的最后四位；对方要先登录本系统、确认过身份。"
    assert nobody in text_of(seek(desk, plan, applicant, last="0000").content.decode())
    monkeypatch.setattr(members, "MOST_OF_A_NAME", 0)
    assert nobody in text_of(seek(desk, plan, applicant).content.decode())
    tries = [seek(desk, plan, applicant, last="0000").status_code for _ in range(19)]
    assert tries == [200] * 18 + [429]
    assert seek(desk, plan, manager).status_code == 429
    assert Extension.objects.count() == 0


def test_what_was_sealed_for_another_plan_or_manager_gives_nothing(applicant, plan, manager, sign_in):
    elsewhere = scenes.open_plan()
    other = scenes.member(elsewhere, "manager")
    sent = form_of(seek(sign_in(other), elsewhere, applicant))
    sent |= {"until": f"{timezone.localtime(until(plan)):{TYPED}}", "reason": WHY}
    answer = sign_in(manager).post(listed(plan, "give/"), sent, follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["页面已过期，没有保存。请重新查找这个人。"]
    assert (sign_in(other).post(listed(plan, "give/"), sent).status_code, Extension.objects.count()) == (404, 0)


# How it ends ----------------------------------------------------------------------------------------------------------


def test_what_is_still_open_for_somebody_is_not_removed(applicant, stranger, plan, occupation, manager):
    for person in (applicant, stranger):
        scenes.registration_at(Status.RETURNED, person, occupation, manager)
    grant(plan, applicant, manager, until(plan))
    before = plan.registration_closes_at + SECOND
    assert [found.applicant for found in removal.of_plans_over(before)] == [stranger]
    assert list(removal.extensions_over(before)) == []
    over = until(plan) + SECOND
    assert (removal.of_plans_over(over).count(), removal.extensions_over(over).count()) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_a_draft_that_is_begun_in_the_same_instant_has_it():
    plan = scenes.open_plan()
    manager = scenes.member(plan, "manager")
    for _ in range(5):
        person = scenes.person()
        at_once(
            lambda person=person: grant(plan, person, manager, until(plan)),
            lambda person=person: intake.start(person, plan),
        )
        assert Registration.objects.get(applicant=person).deadline() == until(plan)


@pytest.mark.django_db(transaction=True)
def test_of_two_managers_at_once_the_second_is_told():
    plan, person = scenes.open_plan(), scenes.person()
    one, two = (scenes.member(plan, "manager") for _ in range(2))
    answers = at_once(
        lambda: grant(plan, person, one, until(plan, 1)).until, lambda: grant(plan, person, two, until(plan, 2)).until
    )
    assert answers.count(extensions.FASTER) == 1
    assert [Extension.objects.get().until] == [answer for answer in answers if answer != extensions.FASTER]
