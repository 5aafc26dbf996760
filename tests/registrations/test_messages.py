"""What people are told: a message with each step, read on a page of its own, without what nobody else may know."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registrations import notifications
from registrations.messages import ChannelChoice, Delivery, Kind, Message
from registrations.models import Registration
from registrations.wording import has_sms, sms_text
from registrations.workflow import Action, Status, StepRefused
from tests import scenes


def told(user):
    return [(message.kind, message.title.partition("：")[0]) for message in user.messages.order_by("pk")]


STEPS = [
    (Status.SUBMITTED, [("submitted", "已收到报名")]),
    (Status.RETURNED, [("submitted", "已收到报名"), ("returned", "报名被退回修改")]),
    (Status.APPROVED, [("submitted", "已收到报名"), ("approved", "报名审核通过")]),
    (Status.REJECTED, [("submitted", "已收到报名"), ("rejected", "报名审核不通过")]),
    (Status.WITHDRAWN, [("submitted", "已收到报名"), ("withdrawn", "已撤回报名")]),
]


@pytest.mark.parametrize(("status", "expected"), STEPS)
def test_each_step_is_told_once(applicant, occupation, manager, status, expected):
    scenes.registration_at(status, applicant, occupation, manager)
    assert told(applicant) == expected
    assert Message.objects.exclude(person=applicant).count() == 0


def test_recalling_is_not_told_and_reopening_is(applicant, occupation, manager):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    registration = scenes.take(registration, Action.RECALL, applicant)
    registration = scenes.take(registration, Action.SUBMIT, applicant)
    registration = scenes.take(registration, Action.APPROVE, manager)
    scenes.take(registration, Action.REOPEN, manager, note="名单有误。")
    kinds = ["submitted", "submitted", "approved", "reopened"]
    assert [kind for kind, _ in told(applicant)] == kinds
    assert "原因：名单有误。" in applicant.messages.first().body


def test_a_step_that_is_refused_tells_nobody(applicant, stranger, plan, manager):
    occupation = scenes.occupation(plan, capacity=1)
    first, second = scenes.draft(applicant, occupation), scenes.draft(stranger, occupation)
    scenes.take(first, Action.SUBMIT, applicant)
    with pytest.raises(StepRefused, match="名额已满"):
        scenes.take(second, Action.SUBMIT, stranger)
    assert told(stranger) == []


def test_a_return_names_what_to_fix_until_when_and_no_document(applicant, occupation, manager, log_watch):
    closes = occupation.plan.registration_closes_at
    occupation.plan.correction_closes_at = closes.replace(year=closes.year + 1)
    occupation.plan.save()
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    number = registration.document_number
    items = [{"field": "phone", "label": "手机", "sentence": "010-12345678 打不通"}]
    registration.take(Action.RETURN, by=manager, items=items, note=f"证件 {number} 与照片不符")
    message = applicant.messages.get(kind=Kind.RETURNED)
    assert "1. 手机：010-12345678 打不通" in message.body
    assert "证件 [证件号码] 与照片不符" in message.body
    assert f"请在 {closes.year + 1}年" in message.body
    assert number not in message.body


def test_a_title_is_one_line_whatever_a_plan_is_called(applicant, occupation, manager):
    occupation.plan.title = "大赛\r\nBcc: all@example.cn"
    occupation.plan.save()
    scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    assert applicant.messages.get().title == "已收到报名：大赛 Bcc: all@example.cn"


@pytest.mark.parametrize("kind", Kind)
def test_an_sms_is_short_and_names_nobody(applicant, occupation, manager, kind):
    registration = scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    if not has_sms(kind):
        assert kind in {Kind.SUBMITTED, Kind.WITHDRAWN, Kind.MOVED, Kind.RETRACTED}
        return
    text = sms_text(Message(registration=registration, kind=kind))
    assert len(text) < 70
    assert registration.reference in text
    assert registration.legal_name not in text


# Ways out ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def both(settings):
    settings.MAIL_FROM, settings.SMS_BACKEND = "noreply@example.cn", "registrations.sms.ConsoleSms"


def ways(user):
    found = Delivery.objects.filter(message__person=user).order_by("pk")
    return [(delivery.message.kind, delivery.channel) for delivery in found]


def test_without_a_server_nothing_waits_to_be_sent(applicant, occupation, manager):
    scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    assert ways(applicant) == []


def test_mail_unless_one_says_otherwise(applicant, occupation, manager, both):
    scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    assert ways(applicant) == [("submitted", "mail"), ("approved", "mail")]


def test_an_sms_for_what_matters_if_one_wants_it(applicant, occupation, manager, both):
    ChannelChoice.objects.create(user=applicant, mail=False, sms=True)
    scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    assert ways(applicant) == [("approved", "sms")]


def test_old_news_are_sent_to_nobody(applicant, occupation, manager, both):
    registration = scenes.draft(applicant, occupation)
    registration.take(Action.SUBMIT, by=applicant, at=occupation.plan.registration_opens_at)
    assert (told(applicant), ways(applicant)) == ([("submitted", "已收到报名")], [])


# The pages -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def decided(applicant, occupation, manager):
    return scenes.registration_at(Status.RETURNED, applicant, occupation, manager)


def page(client, address="/messages/"):
    return client.get(address).content.decode()


def test_an_empty_list_says_what_will_be_here(applicant, sign_in):
    assert "还没有消息。提交报名以后，回执和审核结果会显示在这里。" in page(sign_in(applicant))


def test_what_is_not_read_is_counted_and_stands_first(applicant, decided, sign_in):
    client = sign_in(applicant)
    text = page(client)
    assert '消息<span class="count">1<span class="visually-hidden"> 条未读' in text
    assert text.index("报名被退回修改") < text.index("已收到报名")
    assert text.count(">未读<") == 1


def test_opening_marks_it_read_and_goes_on(applicant, decided, sign_in):
    client = sign_in(applicant)
    message = applicant.messages.get(kind=Kind.RETURNED)
    answer = client.post(f"/messages/{message.pk}/open/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/registrations/{decided.reference}/")
    assert (applicant.messages.unread().count(), Registration.objects.get().unseen) == (0, False)
    seen = Message.objects.get(pk=message.pk).seen_at
    client.post(f"/messages/{message.pk}/open/")
    assert Message.objects.get(pk=message.pk).seen_at == seen


def test_a_strangers_message_does_not_exist(applicant, stranger, decided, sign_in):
    message = applicant.messages.get(kind=Kind.RETURNED)
    assert sign_in(stranger).post(f"/messages/{message.pk}/open/").status_code == 404
    assert "报名被退回修改" not in page(sign_in(stranger))
    assert applicant.messages.unread().count() == 1


def test_all_at_once_and_one_s_own_alone(applicant, stranger, plan, decided, manager, sign_in):
    scenes.registration_at(Status.REJECTED, stranger, scenes.occupation(plan), manager)
    client = sign_in(applicant)
    assert "1 条消息已标为已读。" in client.post("/messages/read/", follow=True).content.decode()
    assert "没有未读的消息。" in client.post("/messages/read/", follow=True).content.decode()
    assert (applicant.messages.unread().count(), stranger.messages.unread().count()) == (0, 1)
    assert list(Registration.objects.filter(unseen=True).values_list("applicant", flat=True)) == [stranger.pk]


def test_who_has_seen_the_decision_has_read_the_message(applicant, decided, sign_in):
    sign_in(applicant).post(f"/registrations/{decided.reference}/seen/")
    assert applicant.messages.unread().count() == 0


def test_a_list_takes_the_same_number_of_queries_however_long(applicant, decided, sign_in):
    client = sign_in(applicant)
    page(client)
    with CaptureQueriesContext(connection) as few:
        page(client)
    for number in range(5):
        notifications.put(decided, Kind.APPROVED, f"again-{number}", {})
    with CaptureQueriesContext(connection) as many:
        page(client)
    assert len(few) == len(many)


def test_channels_are_chosen(applicant, both, sign_in):
    client = sign_in(applicant)
    assert "您还没有填写邮箱，填好以后才会发。" in page(client, "/messages/channels/")
    answer = client.post("/messages/channels/", {"sms": "on"}, follow=True)
    assert "已保存，从下一条消息起照此通知。" in answer.content.decode()
    choice = ChannelChoice.objects.get()
    assert (choice.user, choice.mail, choice.sms) == (applicant, False, True)


def test_what_the_portal_cannot_do_is_not_offered_and_not_forgotten(applicant, settings, sign_in):
    client = sign_in(applicant)
    assert "本系统目前不发邮件和短信" in page(client, "/messages/channels/")
    ChannelChoice.objects.create(user=applicant, mail=True, sms=True)
    settings.MAIL_FROM = "noreply@example.cn"
    client.post("/messages/channels/", {})
    choice = ChannelChoice.objects.get()
    assert (choice.mail, choice.sms) == (False, True)
