"""调整职业（工种）: a manager proposes another occupation, its applicant agrees or not; the status stays as it is."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from plans.models import Occupation
from registrations import workflow
from registrations.trail import ReviewEvent
from registrations.workflow import MOVABLE, TABLE, Action, StepRefused

if TYPE_CHECKING:
    from registrations.models import Registration

REASON_LENGTH = 300
WAITS = "已经有一个建议在等报名人员答复。要换一个，请先收回那个建议。"
GONE = "这个调整建议已经不在了：可能已经答复过，或被组委会收回。请刷新页面查看最新情况。"


class State(models.TextChoices):
    WAITING = "waiting", "等待答复"
    AGREED = "agreed", "已同意"
    DECLINED = "declined", "不同意"
    RETRACTED = "retracted", "已收回"
    LAPSED = "lapsed", "已失效"


ENDS = {Action.MOVE: State.AGREED, Action.DECLINE: State.DECLINED, Action.RETRACT: State.RETRACTED}


class MoveProposal(models.Model):
    """Another occupation of the same plan, proposed for a registration."""

    registration = models.ForeignKey(
        "registrations.Registration", models.CASCADE, verbose_name="报名", related_name="proposals"
    )
    occupation = models.ForeignKey(Occupation, models.CASCADE, verbose_name="调整为", related_name="+")
    reason = models.CharField("原因", max_length=REASON_LENGTH)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="建议人", related_name="+")
    at = models.DateTimeField("时间", default=timezone.now)
    state = models.CharField("结果", max_length=10, choices=State, default=State.WAITING)
    ended_at = models.DateTimeField("答复时间", null=True)

    class Meta:
        verbose_name = "调整职业（工种）的建议"
        verbose_name_plural = "调整职业（工种）的建议"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["registration"], condition=Q(state=State.WAITING.value), name="one_proposal_waits"
            )
        ]

    def __str__(self) -> str:
        return f"{self.occupation}（{self.get_state_display()}）"


def waiting(registration: "Registration") -> MoveProposal | None:
    """The one that waits for its answer."""
    found = MoveProposal.objects.select_related("occupation", "by__identity").filter(registration=registration)
    return found.filter(state=State.WAITING).first()


def of_outer() -> models.Exists:
    """Whether one waits, for a query of registrations."""
    return models.Exists(MoveProposal.objects.filter(registration=models.OuterRef("pk"), state=State.WAITING))


def waits(registration: "Registration") -> bool:
    """For a page: as the registration was read (querysets.py), if it was asked then."""
    known: bool | None = getattr(registration, "has_proposal", None)
    return waiting(registration) is not None if known is None else known


def shown(registration: "Registration") -> MoveProposal | None:
    """For a page: asked for only where there is one."""
    return waiting(registration) if waits(registration) else None


def refusal(registration: "Registration", wanted: bool) -> str:
    """Why a step that needs a proposal, or none, is not possible, as a sentence; empty when it is."""
    held = waiting(registration) is not None
    return "" if held == wanted else (WAITS if held else GONE)


@transaction.atomic
def propose(registration: "Registration", occupation: Occupation, *, reason: str, by: User) -> MoveProposal:
    """StepRefused with the reason; then nothing has changed."""
    workflow.check(Action.PROPOSE, registration.state, registration.actors(by), reason)
    if occupation.plan_id != registration.plan_id or occupation.pk == registration.occupation_id:
        raise StepRefused("请选择这个竞赛计划里的另一个职业（工种）。")
    if occupation.is_full and occupation.pk != registration.seat_id:
        raise StepRefused(f"“{occupation}”的名额已满。请先增加名额，或选择别的职业（工种）。")
    registration.take(Action.PROPOSE, by=by, note=reason, items=[line(registration, occupation)])
    try:
        with transaction.atomic():
            return MoveProposal.objects.create(
                registration=registration, occupation=occupation, reason=reason.strip(), by=by
            )
    except IntegrityError as problem:  # another manager in the same instant
        raise StepRefused(WAITS) from problem


def line(registration: "Registration", occupation: Occupation) -> dict[str, Any]:
    """What the trail says beside the reason."""
    before = registration.occupation or "未选"
    return {"field": "occupation", "label": "职业（工种）", "code": "move", "sentence": f"{before} → {occupation}"}


@transaction.atomic
def answer(registration: "Registration", action: Action, number: str, by: User, note: str = "") -> ReviewEvent:
    """Agree, decline or retract: the proposal with this key, as the page showed it. StepRefused with the reason.

    The registration is held from the look at the proposal on: whoever agrees to one is never moved by the next one.
    """
    rows = type(registration).objects.filter(pk=registration.pk)
    rows.select_for_update(no_key=True).values_list("pk").first()
    proposal = waiting(registration)
    if proposal is None or str(proposal.pk) != number:
        raise StepRefused(GONE)
    return registration.take(action, by=by, note=note, items=[line(registration, proposal.occupation)])


def answered(registration: "Registration", action: Action, number: str) -> bool:
    """Whether this very answer has been given before: the button was pressed twice."""
    asked = Q(pk=int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else Q(pk=None)
    return MoveProposal.objects.filter(asked, registration=registration, state=ENDS[action]).exists()


def ended_by(registration: "Registration", action: Action) -> MoveProposal | None:
    """The proposal that this step ends, none for a step that ends none. StepRefused where there is no such proposal."""
    if action not in ENDS:
        return None
    found = MoveProposal.objects.filter(registration=registration, state=State.WAITING).first()
    if found is None:
        raise StepRefused(GONE)
    return found


def settle(
    registration: "Registration", action: Action, ended: MoveProposal | None, now: datetime, silent: bool
) -> None:
    """What a step does to the proposal that waits, inside its transaction and after the registration is written: in this
    order the rows are locked, by everybody.

    A silent one (docs/adr/0021) leaves it as it is: a proposal that lapsed would tell that somebody was rejected. So does
    one that leaves the status as it is, which may be beside a decision that is held.
    """
    if ended:
        still = MoveProposal.objects.filter(pk=ended.pk, state=State.WAITING)
        if not still.update(state=ENDS[action], ended_at=now):
            raise StepRefused(GONE)
    elif not silent and TABLE[action].target and TABLE[action].target not in MOVABLE:
        lapse(registration, now)


def lapse(registration: "Registration", now: datetime) -> None:
    """It has come to where there is nothing to move."""
    waits = MoveProposal.objects.filter(registration=registration, state=State.WAITING)
    waits.update(state=State.LAPSED, ended_at=now)
