"""Mail that really goes over SMTP: delayed by a dead server, never lost, never twice; and short messages."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from profiles.models import Profile
from registrations import deliveries
from registrations.messages import Channel, ChannelChoice, Delivery, Kind
from registrations.notifications import SETTLED_AFTER
from registrations.patience import Fault, NotSent
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.threads import at_once
from tests.smtp_server import MailServer
from tests.test_outside import certificate

ADDRESS = "someone@example.cn"
NOBODY_THERE = {
    "default": {
        "BACKEND": "registrations.smtp.BoundedBackend",
        "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 1},
    }
}


@pytest.fixture(autouse=True)
def by_mail(settings):
    settings.MAIL_FROM = "职业技能竞赛 <noreply@jnjs.example.cn>"
    settings.PORTAL_URL = "https://jnjs.example.cn"
    settings.MAILERS = NOBODY_THERE


def with_address(user, address=ADDRESS):
    Profile.objects.update_or_create(user=user, defaults={"email": address, "phone": "13812342671"})
    return user


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, with_address(applicant), occupation, manager)


def states():
    return [(d.state, d.attempts, d.last_error) for d in Delivery.objects.order_by("pk")]


def send(channel=Channel.MAIL):
    return deliveries.send_due(channel)


def minutes_later(minutes):
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes))


def settled():
    """When a decision cannot be taken back any more, so that it leaves."""
    return time_machine.travel(timezone.now() + SETTLED_AFTER)


# What arrives ---------------------------------------------------------------------------------------------------------


def test_a_mail_says_it_in_both_forms_with_one_link_and_no_number(submitted, manager, settings):
    number = submitted.document_number
    items = [{"field": "phone", "label": "手机", "sentence": "打不通 & <b>请改</b>"}]
    submitted.take(Action.RETURN, by=manager, items=items, note=f"证件 {number} 不符")
    with MailServer() as server, settled():
        settings.MAILERS = server.mailers()
        assert send() == 2
    receipt, letter = server.taken
    assert (server.connections, receipt["Subject"]) == (1, f"已收到报名：{submitted.plan.title}")
    assert (letter["Subject"], letter["To"]) == (f"报名被退回修改：{submitted.plan.title}", ADDRESS)
    assert str(letter["From"]) == settings.MAIL_FROM
    message = submitted.messages.get(kind=Kind.RETURNED)
    assert letter["Message-ID"] == f"<{message.token.hex}.mail@jnjs.example.cn>"
    link = f"https://jnjs.example.cn/registrations/{submitted.reference}/"
    plain, html = (letter.get_body([kind]).get_content() for kind in ("plain", "html"))
    assert (plain.count("https://"), html.count("https://")) == (1, 1)
    assert f"查看和办理：{link}" in plain.split("\r\n") and f'<a href="{link}">' in html
    assert "1. 手机：打不通 & <b>请改</b>" in plain and "打不通 &amp; &lt;b&gt;请改&lt;/b&gt;" in html
    for text in (plain, html):
        assert "证件 [证件号码] 不符" in text
        assert number not in text and submitted.legal_name not in text


def test_an_address_that_would_add_a_header_goes_nowhere(applicant, submitted, settings):
    Profile.objects.update(email="a@example.cn\nBcc: all@example.cn")
    with MailServer() as server:
        settings.MAILERS = server.mailers()
        assert send() == 0
    assert (server.taken, states()) == ([], [("waiting", 1, "ValueError")])


# A server that is away ------------------------------------------------------------------------------------------------


def test_a_dead_server_delays_and_loses_nothing_and_sends_nothing_twice(submitted, manager, settings, caplog):
    scenes.take(submitted, Action.APPROVE, manager)
    assert (send(), states()) == (0, [("waiting", 1, "server: ConnectionRefusedError"), ("waiting", 0, "")])
    assert send() == 0  # it is left in peace for a while
    assert states()[1] == ("waiting", 0, "")
    for minutes in (1, 6, 31, 60 * 24):
        with minutes_later(minutes):
            assert send() == 0
    tried = [attempts for _, attempts, _ in states()]
    assert sum(tried) == 5
    assert ADDRESS not in caplog.text
    with MailServer() as server, minutes_later(60 * 26):
        settings.MAILERS = server.mailers()
        assert [send(), send()] == [2, 0]
    assert sorted(letter["Subject"][:4] for letter in server.taken) == ["已收到报", "报名审核"]
    assert {state for state, _, _ in states()} == {"sent"}


def test_after_three_days_it_is_given_up_with_a_line(submitted, caplog):
    with minutes_later(60 * 24 * 3):
        assert send() == 0
    (only,) = Delivery.objects.all()
    assert states() == [("given_up", 1, "server: ConnectionRefusedError")]
    line = f"delivery {only.pk} (mail) is given up after 1 tries: server: ConnectionRefusedError"
    assert line in caplog.messages


def test_a_server_that_drips_is_left_in_time(submitted, settings):
    with MailServer(drip=True) as server:
        settings.MAILERS = server.mailers(timeout=1)
        began = time.monotonic()
        assert send() == 0
        took = time.monotonic() - began
    assert (took < 5, states()) == (True, [("waiting", 1, "server: SMTPServerDisconnected")])


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("trusted", [False, True])
def test_mail_goes_under_tls_to_whom_somebody_vouches_for(submitted, settings, tmp_path, monkeypatch, at_once, trusted):
    file = certificate(tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with MailServer(certificate=file, tls_at_once=at_once) as server:
        settings.MAILERS = server.mailers(timeout=5)
        assert send() == trusted
    assert (len(server.taken), states()) == (
        (1, [("sent", 1, "")]) if trusted else (0, [("waiting", 1, "server: SSLCertVerificationError")])
    )


@pytest.mark.parametrize(
    ("server", "error"),
    [
        (MailServer(greeting="554 go away"), "server: smtp 554"),
        (MailServer(greeting="421 busy"), "server: smtp 421"),
        (MailServer(refuse={ADDRESS: "421 closing"}), "server: smtp 421"),
        (MailServer(refuse={ADDRESS: "452 mailbox full"}), "smtp 452"),
        (MailServer(after_data="451 later"), "smtp 451"),
        (MailServer(after_data="554 spam"), "smtp 554"),
    ],
)
def test_whose_fault_it_is(submitted, settings, server, error):
    server.taken, server.port = [], 0
    with server:
        settings.MAILERS = server.mailers()
        assert (send(), states()) == (0, [("waiting", 1, error)])


def test_one_who_is_refused_does_not_keep_the_others(applicant, submitted, stranger, plan, manager, settings, caplog):
    scenes.registration_at(Status.SUBMITTED, with_address(stranger, "li@example.cn"), scenes.occupation(plan), manager)
    with MailServer(refuse={ADDRESS: f"550 no {ADDRESS} here"}) as server:
        settings.MAILERS = server.mailers()
        assert send() == 1
        for minutes in (1, 7):
            with minutes_later(minutes):
                assert send() == 0
    assert states() == [("given_up", 3, "smtp 550"), ("sent", 1, "")]
    assert [letter["To"] for letter in server.taken] == ["li@example.cn"]
    refused = Delivery.objects.get(state="given_up")
    assert f"delivery {refused.pk} (mail) is given up after 3 tries: smtp 550" in caplog.messages
    assert ADDRESS not in caplog.text


# Once ------------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_four_workers_that_look_together_one_sends(submitted, manager, settings):
    scenes.take(submitted, Action.APPROVE, manager)
    with MailServer() as server, settled():
        settings.MAILERS = server.mailers()
        sent = at_once(*[send] * 4)
    assert (sum(sent), len(server.taken)) == (2, 2)
    assert states() == [("sent", 1, ""), ("sent", 1, "")]


def test_what_was_interrupted_is_sent_again_under_the_same_name(submitted, settings, caplog):
    now = timezone.now()
    Delivery.objects.update(state="sending", attempts=1, tried_at=now)
    deliveries.sweep()
    assert states() == [("sending", 1, "")]
    with MailServer() as server, minutes_later(4):
        settings.MAILERS = server.mailers()
        deliveries.sweep()
        assert send() == 1
    assert "1 deliveries were interrupted and are sent again; some may arrive twice" in caplog.messages
    token = submitted.messages.get().token.hex
    assert [letter["Message-ID"] for letter in server.taken] == [f"<{token}.mail@jnjs.example.cn>"]


def test_the_task_comes_with_the_commit_once_and_says_nothing(submitted, manager, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        scenes.take(submitted, Action.APPROVE, manager)
    with django_capture_on_commit_callbacks(execute=True):
        scenes.take(submitted, Action.REOPEN, manager, note="再看一次")
    (waiting,) = DBTaskResult.objects.all()
    assert (waiting.task_path, waiting.queue_name) == ("registrations.deliveries.send_mail", "messages")
    assert waiting.args_kwargs == {"args": [], "kwargs": {}}


def test_a_step_that_is_rolled_back_leaves_neither_task_nor_message(applicant, occupation):
    draft = scenes.draft(with_address(applicant), occupation)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        draft.take(Action.SUBMIT, by=applicant)
        1 / 0  # noqa: B018
    assert (DBTaskResult.objects.count(), applicant.messages.count(), Delivery.objects.count()) == (0, 0, 0)


def test_a_task_that_was_lost_is_asked_for_by_the_sweep(submitted):
    assert DBTaskResult.objects.count() == 0  # the test's transaction was never committed
    deliveries.sweep()
    assert [row.task_path for row in DBTaskResult.objects.all()] == ["registrations.deliveries.send_mail"]


def test_a_long_queue_is_done_in_short_tasks(submitted, settings, monkeypatch):
    monkeypatch.setattr(deliveries, "BATCH", 1)
    scenes.take(submitted, Action.WITHDRAW, submitted.applicant)
    with MailServer() as server:
        settings.MAILERS = server.mailers()
        assert send() == 1
        assert DBTaskResult.objects.count() == 1
        DBTaskResult.objects.all().delete()
        assert send() == 1
    assert (DBTaskResult.objects.count(), len(server.taken)) == (0, 2)


# Not after all ---------------------------------------------------------------------------------------------------------


def close_account(user):
    user.is_active = False
    user.save()


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        (lambda user: ChannelChoice.objects.create(user=user, mail=False), "not wanted"),
        (lambda user: Profile.objects.update(email=""), "no address"),
        (lambda user: user.messages.update(useful_until=timezone.now()), "too late"),
        (close_account, "account closed"),
    ],
)
def test_what_has_become_needless_is_not_sent(submitted, applicant, settings, meanwhile, reason):
    meanwhile(applicant)
    with MailServer() as server:
        settings.MAILERS = server.mailers()
        assert (send(), server.taken) == (0, [])
    assert states() == [("skipped", 1, reason)]


def test_a_portal_that_no_longer_sends_leaves_it(submitted, settings):
    settings.MAIL_FROM = ""
    assert (send(), states()) == (0, [("waiting", 0, "")])
    deliveries.sweep()
    assert DBTaskResult.objects.count() == 0


# Short messages --------------------------------------------------------------------------------------------------------

SENT = []


class Gateway:
    fault = None

    def send(self, number, text, reference):
        if self.fault:
            raise self.fault
        SENT.append((number, text, reference))


@pytest.fixture
def by_sms(settings, applicant):
    settings.MAIL_FROM = ""
    settings.SMS_BACKEND = f"{__name__}.Gateway"
    ChannelChoice.objects.create(user=applicant, mail=False, sms=True)
    SENT.clear()


def test_a_short_message_goes_to_the_telephone_in_the_profile(by_sms, submitted, manager):
    scenes.take(submitted, Action.APPROVE, manager)
    with settled():
        assert send(Channel.SMS) == 1
    message = submitted.messages.get(kind=Kind.APPROVED)
    text = f"【竞赛报名】您的报名{submitted.reference}审核通过，请留意参赛通知。"
    assert [("13812342671", text, f"{message.token.hex}.sms")] == SENT


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (NotSent(Fault.SERVER, "gateway 503"), "server: gateway 503"),
        (KeyError("13812342671"), "KeyError"),
    ],
)
def test_a_gateway_that_fails_is_asked_again_and_its_words_stay_out(
    by_sms, submitted, manager, monkeypatch, caplog, fault, error
):
    monkeypatch.setattr(Gateway, "fault", fault)
    scenes.take(submitted, Action.APPROVE, manager)
    with settled():
        assert send(Channel.SMS) == 0
    assert states() == [("waiting", 1, error)]
    assert "13812342671" not in caplog.text
    monkeypatch.undo()
    with minutes_later(3):
        assert send(Channel.SMS) == 1


def test_the_console_shows_it_with_the_number_masked(by_sms, submitted, manager, settings, capsys):
    settings.SMS_BACKEND = "registrations.sms.ConsoleSms"
    scenes.take(submitted, Action.APPROVE, manager)
    with settled():
        assert send(Channel.SMS) == 1
    assert f"to 138****2671: 【竞赛报名】您的报名{submitted.reference}审核通过" in capsys.readouterr().out


def test_the_tasks_are_the_two_channels(submitted, settings):
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    deliveries.send_sms.call()
    assert states() == [("waiting", 0, "")]
    deliveries.send_mail.call()
    assert (states(), len(mail.outbox)) == ([("sent", 1, "")], 1)
