"""个人延期: more time for one person in one plan, with a reason; a row, a line in the trail, and words for the person."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts import clock
from accounts.audit import record
from accounts.models import User
from accounts.verbs import Verb
from plans.models import Plan, Role
from registrations import notifications
from registrations.messages import Kind
from registrations.trail import ReviewEvent
from registrations.workflow import TABLE, Action, Status, StepRefused

if TYPE_CHECKING:
    from registrations.models import Registration

REASON_LENGTH = 300
FASTER = "这个人的截止时间刚刚被另一位管理成员改过，没有保存。请看过现在的时间后再操作。"


class Extension(models.Model):
    """Until when one person can act in one plan. What it was before stands in the trail and in the record."""

    plan = models.ForeignKey(Plan, models.CASCADE, verbose_name="竞赛计划", related_name="extensions")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name="报名人员", related_name="extensions"
    )
    until = models.DateTimeField("延长到")
    reason = models.CharField("原因", max_length=REASON_LENGTH)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="操作人", related_name="+")
    at = models.DateTimeField("时间", default=timezone.now)

    class Meta:
        verbose_name = "个人延期"
        verbose_name_plural = "个人延期"
        ordering = ["-at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["plan", "person"], name="one_extension_per_person")]

    def __str__(self) -> str:
        return in_words(self.until)

    @property
    def stands(self) -> bool:
        return self.stands_at(clock.near())

    def stands_at(self, now: datetime) -> bool:
        return self.until > max(now, self.plan.registration_closes_at)


def of(person: User, plan: Plan) -> Extension | None:
    return Extension.objects.select_related("plan", "by__identity").filter(person=person, plan=plan).first()


def given_until(person: User, plan: Plan) -> datetime | None:
    """Until when this person has been given time in this plan, be it past; None where it never was."""
    return Extension.objects.filter(person=person, plan=plan).values_list("until", flat=True).first()


def in_words(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.year} 年 {local.month} 月 {local.day} 日 {local:%H:%M}"


def known(plan: Plan, person: User) -> "Registration | None":
    """The person's newest registration that the committee may know of: no draft."""
    found = person.registrations.filter(plan=plan).exclude(status=Status.DRAFT)
    return found.select_related("plan", "occupation", "portrait", "applicant__identity").order_by("-pk").first()


@transaction.atomic
def grant(
    plan: Plan, person: User, until: datetime | None, *, reason: str, by: User, seen: datetime | None = None
) -> Extension:
    """Give this person time until then (exclusive, aware), more or less than before; None ends it now.

    `seen` is what stood on the page: of two managers at once, the second is told. StepRefused with the sentence.
    """
    check_right(plan, person, by)
    # The person's row is the queue: whoever starts a draft at this moment (intake.start) has done so or will see this.
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    now, held, registration = clock.now(), of(person, plan), known(plan, person)
    if (held.until if held and held.stands_at(now) else None) != seen:
        raise StepRefused(FASTER)
    usual = registration.usual_deadline() if registration else plan.registration_closes_at
    check_moment(until, now, usual, held if seen else None)
    if not reason.strip():
        raise StepRefused("请写明原因，报名人员会看到。")
    values = {"until": until or now, "reason": reason.strip(), "by": by, "at": now}
    given, _ = Extension.objects.update_or_create(plan=plan, person=person, defaults=values)
    person.registrations.filter(plan=plan).update(extended_until=given.until)
    record(by, Verb.PERSON_EXTENDED, plan, subject=person, detail=in_detail(held if seen else None, until))
    tell(given, registration, until, max(usual, until or usual))
    return given


def check_right(plan: Plan, person: User, by: User) -> None:
    if person.pk == by.pk:
        raise StepRefused("不能给自己延长，请由另一位管理成员操作。")
    if not plan.has_member(by, Role.MANAGER):
        raise StepRefused("只有管理成员可以延长个人的截止时间。")


def check_moment(until: datetime | None, now: datetime, usual: datetime, held: Extension | None) -> None:
    if until is None and held is None:
        raise StepRefused("这个人现在没有延期，不用结束。")
    if until is not None and until <= now:
        raise StepRefused("新的截止时间要晚于现在。要马上结束延期，请用“结束延期”。")
    if until is not None and until <= usual:
        raise StepRefused(f"所有人的截止时间就是 {in_words(usual)}，请填更晚的时间。")


def in_detail(held: Extension | None, until: datetime | None) -> str:
    before, after = (
        f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment else "-" for moment in (held and held.until, until)
    )
    return f"{before} → {after}"


def tell(given: Extension, registration: "Registration | None", until: datetime | None, ends: datetime) -> None:
    """In the trail of what is known to the committee; to the person in any case in which there is something to name."""
    if registration and registration.shown_status in TABLE[Action.EXTEND].sources:
        registration.extended_until = given.until
        registration.take(Action.EXTEND, by=given.by, note=given.reason, items=[line(until, ends)])
    draft = given.person.registrations.filter(plan=given.plan, status=Status.DRAFT).first()
    if draft:
        said = line(until, ends)
        values = {"items": [f"{said['label']}：{said['sentence']}"], "note": given.reason}
        notifications.put(draft, Kind.EXTENDED, f"extended-{given.at:%Y%m%d%H%M%S%f}", values)
        transaction.on_commit(notifications.ask_to_send, robust=True)


def line(until: datetime | None, ends: datetime) -> dict[str, Any]:
    """What the trail says beside the reason."""
    said = f"您的截止时间是 {in_words(ends)}。" if until else f"延期结束，截止时间仍是 {in_words(ends)}。"
    return {"field": "deadline", "label": "截止时间", "code": "extended", "sentence": said}


def tell_trail(draft: "Registration") -> None:
    """Given while there was nothing that the committee knew of, it is in the trail before the step that it allows."""
    given = of(draft.applicant, draft.plan)
    if given is None or draft.events.filter(action=Action.EXTEND, at=given.at).exists():
        return
    ReviewEvent.objects.create(
        registration=draft,
        action=Action.EXTEND,
        before=draft.status,
        after=draft.status,
        by=given.by,
        note=given.reason,
        items=[line(given.until, draft.deadline())],
        portrait_sha256=draft.portrait_sha256,
        version=draft.version,
        at=given.at,
    )


def closing(plan: Plan, person: User) -> datetime:
    """Until when (exclusive, aware) this person can begin in this plan."""
    usual = plan.registration_closes_at
    return max(usual, given_until(person, plan) or usual)
