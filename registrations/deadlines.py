"""Whoever can still submit is told that there is more time, or less: by the worker, in chunks, everybody once."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.tasks import task

from accounts import clock
from plans.models import Plan
from registrations import chunks
from registrations.extensions import in_words
from registrations.messages import Kind
from registrations.models import Registration
from registrations.notifications import put_once
from registrations.querysets import RegistrationQuerySet
from registrations.workflow import Status

# Which of the plan's moments ends their time.
NAMES = {Status.DRAFT: "报名截止时间", Status.RETURNED: "修改截止时间"}


def tell(sender: object, plan: Plan, before: datetime, corrections_before: datetime, **kwargs: Any) -> str:
    """In the transaction that moved a deadline, which holds the plan's row: whatever their number, it only asks for
    the telling, of those whose own deadline it is. How many there are, for the committee."""
    was, ends = {Status.DRAFT: before, Status.RETURNED: corrections_before}, moments(plan)
    texts = {
        status.value: f"{name}从 {in_words(was[status])} {how(was[status], ends[status])}到 {in_words(ends[status])}。"
        for status, name in NAMES.items()
        if in_words(ends[status]) != in_words(was[status])  # a form has no seconds
    }
    number = concerned(plan, texts).count()
    if not number:
        return "还没有需要通知的人。"
    key = "-".join(["deadline", *stamps(plan).values(), f"{clock.now():%Y%m%d%H%M%S%f}"])
    tell_more.enqueue(plan.pk, key, texts, 0)
    return f"正在通知 {number} 位还没有{'' if Status.DRAFT in texts else '重新'}提交的报名人员。"


def how(was: datetime, ends: datetime) -> str:
    return "延长" if ends > was else "提前"


def moments(plan: Plan) -> dict[Status, datetime]:
    return {Status.DRAFT: plan.registration_closes_at, Status.RETURNED: plan.corrections_end_at}


def stamps(plan: Plan) -> dict[str, str]:
    """The moments in keys of messages: the same of a plan that a form has filled, in Beijing's time, and of its row."""
    return {status.value: f"{moment.astimezone(UTC):%Y%m%d%H%M}" for status, moment in moments(plan).items()}


def concerned(plan: Plan, texts: dict[str, str]) -> RegistrationQuerySet:
    found: RegistrationQuerySet = plan.registrations.still_open(clock.now())
    return found.filter(status__in=list(texts))


@task
def tell_more(plan: int, key: str, texts: dict[str, str], after: int) -> None:
    """Some of them, each with the sentence for their status, and a task for the rest. `key` has the moments as they were
    moved: of one that was moved once more, the later task tells. And it has when, so that one that comes back is told."""
    found = Plan.objects.filter(pk=plan).first()
    if found is None:
        return
    now = stamps(found)
    asked = dict(zip(now, key.split("-")[1:], strict=False))
    if texts := {status: text for status, text in texts.items() if asked[status] == now[status]}:
        chunks.go_on(tell_more, plan, key, texts, after=after, some=partial(tell_some, found, key, texts))


def tell_some(plan: Plan, key: str, texts: dict[str, str], after: int) -> chunks.Chunk:
    waiting = concerned(plan, texts).select_related("occupation", "applicant").defer("document_number")
    return chunks.do_some(waiting, after, partial(tell_one, key=key, texts=texts), "told of another deadline")


def tell_one(registration: Registration, key: str, texts: dict[str, str]) -> bool:
    """Whether this person was told now."""
    values = {"text": texts[registration.status]}
    return put_once(registration, Kind.DEADLINE, key, values, useful_until=registration.deadline())
