"""Send what is to be sent: claimed before it goes out, tried again with growing pauses, given up with a line in the log."""

import logging
import time
from datetime import timedelta

from django.tasks import task
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from profiles.models import Profile
from registrations.carriers import CARRIERS, Carrier, open_channels
from registrations.messages import Channel, ChannelChoice, Delivery, DeliveryState
from registrations.patience import Fault, NotSent, next_try

logger = logging.getLogger(__name__)

# One task is short, so that a worker that is asked to end does so soon, and others come in between.
BATCH, BATCH_SECONDS = 20, 5.0
# A server that is away is asked by one delivery a minute, not by all that wait.
BREATHER = timedelta(seconds=55)
# Longer than any carrier takes: what is still being sent then was interrupted, and nobody knows how far it came.
INTERRUPTED = timedelta(minutes=3)
SERVER_MARK = "server: "  # before the code of what is the server's fault


@task(queue_name="messages")
def send_mail() -> None:
    send_due(Channel.MAIL)


@task(queue_name="messages")
def send_sms() -> None:
    send_due(Channel.SMS)


TASKS = {Channel.MAIL: send_mail, Channel.SMS: send_sms}


def ask_to_send() -> None:
    """Have a task look at what is due; one that has not begun yet will see this, too. Called after the commit."""
    for channel in open_channels():
        job = TASKS[channel]
        if (
            Delivery.objects.due(channel, timezone.now()).exists()
            and not DBTaskResult.objects.ready().filter(task_path=job.module_path).exists()
        ):
            job.enqueue()


def sweep() -> None:
    """By the worker, every minute: what was interrupted, what is due again, and whatever lost its task."""
    since = timezone.now() - INTERRUPTED
    stuck = Delivery.objects.filter(state=DeliveryState.SENDING, tried_at__lt=since)
    if number := stuck.update(state=DeliveryState.WAITING, last_error="interrupted", next_try_at=timezone.now()):
        logger.warning("%d deliveries were interrupted and are sent again; some may arrive twice", number)
    ask_to_send()


def send_due(channel: Channel) -> int:
    """Send some of what is due and ask for another task if there is more. Returns how many were sent."""
    if channel not in open_channels() or is_down(channel):
        return 0
    sent, until = 0, time.monotonic() + BATCH_SECONDS
    due = Delivery.objects.due(channel, timezone.now()).order_by("next_try_at", "pk")
    with CARRIERS[channel]() as carrier:
        for delivery in due.select_related("message__registration__plan", "message__person")[:BATCH]:
            try:
                sent += attempt(delivery, carrier)
            except NotSent as problem:
                if problem.fault is Fault.SERVER:
                    return sent
            if time.monotonic() > until:
                break
    ask_to_send()
    return sent


def is_down(channel: str) -> bool:
    """Whether the last one that was tried found nobody there, a moment ago."""
    since = timezone.now() - BREATHER
    last = Delivery.objects.filter(channel=channel, tried_at__gt=since).order_by("-tried_at").first()
    return last is not None and last.last_error.startswith(SERVER_MARK)


def attempt(delivery: Delivery, carrier: Carrier) -> bool:
    """One try; whether it was sent. Raises NotSent when what is to be done about it has been written down."""
    now = timezone.now()
    attempts = delivery.attempts + 1
    if not Delivery.objects.move(delivery, DeliveryState.SENDING, attempts=attempts, tried_at=now):
        return False  # another worker was faster
    if reason := needless(delivery, carrier):
        Delivery.objects.move(delivery, DeliveryState.SKIPPED, last_error=reason)
        return False
    try:
        carrier.carry(delivery.message, carrier.address(Profile.of(delivery.message.person)))
    except NotSent as problem:
        put_off(delivery, problem)
        raise
    except Exception as problem:
        # A backend of somebody else's, a template: only the kind of mistake is told, its text may name people.
        unknown = NotSent(Fault.LATER, type(problem).__name__[:30])
        put_off(delivery, unknown)
        raise unknown from None
    Delivery.objects.move(delivery, DeliveryState.SENT, last_error="")
    return True


def needless(delivery: Delivery, carrier: Carrier) -> str:
    """Why it need not be sent after all, in a word; "" if it must."""
    message = delivery.message
    if message.useful_until and timezone.now() >= message.useful_until:
        return "too late"
    if not message.person.is_active:
        return "account closed"
    if not ChannelChoice.of(message.person).wants(delivery.channel):
        return "not wanted"
    return "" if carrier.address(Profile.of(message.person)) else "no address"


def put_off(delivery: Delivery, problem: NotSent) -> None:
    code = f"{SERVER_MARK}{problem.code}" if problem.fault is Fault.SERVER else problem.code
    moment = next_try(problem.fault, delivery.attempts, delivery.message.created_at, timezone.now())
    if moment:
        Delivery.objects.move(delivery, DeliveryState.WAITING, last_error=code[:40], next_try_at=moment)
        logger.warning(
            "delivery %d (%s) was not sent: %s; try %d", delivery.pk, delivery.channel, code, delivery.attempts
        )
        return
    Delivery.objects.move(delivery, DeliveryState.GIVEN_UP, last_error=code[:40])
    logger.error(
        "delivery %d (%s) is given up after %d tries: %s", delivery.pk, delivery.channel, delivery.attempts, code
    )
