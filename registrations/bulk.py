"""One decision for many registrations: which of them it is about, and each in turn, once."""

import logging
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import BigIntegerField, Case, CharField, Expression, QuerySet, Value, When
from django.db.models.functions import Coalesce

from accounts import clock
from accounts.models import User
from plans.models import Plan, Role
from registrations import jobs
from registrations.jobs import Job, JobRow, Outcome
from registrations.models import Registration
from registrations.workflow import TABLE, Action, Actor, Status, StepRefused

logger = logging.getLogger(__name__)

KIND = "decide"
MOST = 20_000
AT_ONCE = 20  # up to so many are done before the answer
CHUNK = 500
ACTIONS = [action for action, line in TABLE.items() if line.actor == Actor.COMMITTEE]

OWN = "这是您本人的报名，不能自己审核。"
NO_LONGER = "您现在不能审核这个竞赛计划的报名：可能已被移出组委会，或角色改成了“查看”。没有处理。"
CHANGED = "报名人员在您看过之后修改过或重新提交过。请打开看过最新内容后再审核。"
BROKEN = "处理时系统出错，没有处理。请打开这份报名单独审核。"


class TooMany(Exception):
    """More registrations than one job takes. `str()` is the sentence."""

    def __init__(self) -> None:
        super().__init__(f"一次最多处理 {MOST} 份报名。请先按职业（工种）或参赛组别筛选，分几次处理。")


@dataclass(frozen=True)
class Decision:
    """What was decided, as a job keeps it."""

    action: Action
    note: str = ""
    items: tuple[dict[str, Any], ...] = ()
    whole: bool = False

    def arguments(self) -> dict[str, Any]:
        return {"action": self.action.value, "note": self.note, "items": list(self.items), "whole": self.whole}

    @classmethod
    def of(cls, job: Job) -> "Decision":
        asked = job.arguments
        return cls(Action(asked["action"]), asked["note"], tuple(asked["items"]), asked["whole"])


# The question -------------------------------------------------------------------------------------------------------


@transaction.atomic
def ask(user: User, plan: Plan, action: Action, chosen: QuerySet[Registration], back: str) -> Job:
    """A job that waits for its confirmation, with a row for each of the chosen: it is about these, as they are now,
    whatever the filter finds later (docs/adr/0019). Raises TooMany."""
    if chosen[MOST : MOST + 1].exists():
        raise TooMany
    arguments = {**Decision(action).arguments(), "back": back}
    # By the clock that says when each was submitted: what was submitted again after this moment is not decided.
    about = {"owner": user, "plan": plan, "kind": KIND, "arguments": arguments}
    job = Job.objects.create(**about, state=jobs.State.ASKED, created_at=clock.now())
    write_rows(job, action, chosen.filter(plan=plan))
    job.total = job.rows.filter(outcome=Outcome.WAITING).count()
    job.save(update_fields=["total"])
    return job


def write_rows(job: Job, action: Action, chosen: QuerySet[Registration]) -> None:
    """In one statement, however many: the database makes the rows out of the registrations, in their order."""
    outcome = Case(When(why_not="", then=Value(Outcome.WAITING)), default=Value(Outcome.UNFIT))
    row: dict[str, Any] = {
        "job": Value(job.pk, BigIntegerField()),
        "registration": "pk",
        "version": "version",
        "portrait": Coalesce("portrait__sha256", Value("")),  # as decisions.Seen has it
        "outcome": outcome,
        "sentence": "why_not",
    }
    found = chosen.annotate(why_not=why_not(job, action)).values_list(*row.values())
    try:
        selected, params = found.query.sql_with_params()
    except EmptyResultSet:  # nothing was ticked
        return
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(JobRow._meta.get_field(name).column)) for name in row)  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {quote(JobRow._meta.db_table)} ({columns}) {selected}", params)  # noqa: S608


def why_not(job: Job, action: Action) -> Expression:
    """For the database: why the owner of the job cannot do this with a registration; empty where it can be done."""
    if not job.plan.has_member(job.owner, Role.REVIEWER, Role.MANAGER):
        return Value(NO_LONGER, CharField())
    out_of_turn = [status for status in Status if status not in TABLE[action].sources]
    return Case(
        When(applicant=job.owner_id, then=Value(OWN)),
        *(When(status=status, then=Value(f"现在是“{status.label}”，不能{action.label}。")) for status in out_of_turn),
        default=Value(""),
        output_field=CharField(),
    )


# Doing it -----------------------------------------------------------------------------------------------------------


def decide(job: Job) -> None:
    """Each row that waits, in chunks; then again, until none does: another worker may have left one behind."""
    decision = Decision.of(job)
    waiting = JobRow.objects.filter(job=job, outcome=Outcome.WAITING)
    while pks := list(waiting.values_list("pk", flat=True)[:CHUNK]):
        for pk in pks:
            decide_one(job, pk, decision)


def decide_one(job: Job, pk: int, decision: Decision) -> None:
    """One row. What breaks in it does not stop the others; a database that is away stops them all."""
    try:
        take(job, pk, decision)
    except (jobs.Stopped, OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("job %s: row %s broke", job.public_id, pk)
        refuse(job, pk, BROKEN)


@transaction.atomic
def take(job: Job, pk: int, decision: Decision) -> None:
    """The step and its outcome in one transaction.

    Locked in the order in which a registration is removed, too: the registration, then its row, then the seat.
    """
    found = Registration.objects.filter(pk__in=JobRow.objects.filter(pk=pk).values("registration")).for_pages()
    registration = found.select_for_update(of=("self",)).first()
    if registration is None or not settle(pk, Outcome.DONE):
        return  # it was removed, or another worker was faster
    row = JobRow.objects.get(pk=pk)
    try:
        with transaction.atomic():
            step(registration, row, decision, job)
    except StepRefused as refusal:
        JobRow.objects.filter(pk=pk).update(outcome=Outcome.REFUSED, sentence=str(refusal)[: jobs.SENTENCE_LENGTH])
        job.count(refused=1)
    else:
        job.count(done=1)


def step(registration: Registration, row: JobRow, decision: Decision, job: Job) -> None:
    """As the owner, if the owner still may: asked anew for each registration."""
    by = User.objects.get(pk=job.owner_id)
    if registration.applicant_id == by.pk:
        raise StepRefused(OWN)
    if not by.is_active or Actor.COMMITTEE not in registration.actors(by):
        raise StepRefused(NO_LONGER)
    if registration.state not in TABLE[decision.action].sources:
        raise StepRefused(who_was_faster(registration))
    again = registration.submitted_at is None or registration.submitted_at > job.created_at
    if again or (registration.version, registration.portrait_sha256) != (row.version, row.portrait):
        raise StepRefused(CHANGED)
    registration.take(
        decision.action,
        by=by,
        note=decision.note,
        items=decision.items,
        whole=decision.whole,
        seen_portrait=row.portrait,
    )


def who_was_faster(registration: Registration) -> str:
    """By whom, and to what: the last line of its trail that moved it says."""
    last = registration.events.moving().select_related("by__identity").first()
    if last is None:
        return f"现在是“{registration.state.label}”。"
    if last.by_applicant:
        return f"报名人员已{last.get_action_display()}，现在是“{registration.state.label}”。"
    return f"已被{last.by}处理：{last.get_action_display()}。"


def settle(pk: int, outcome: Outcome, sentence: str = "") -> bool:
    """Write what became of a row, if nobody has; False where somebody was faster."""
    waiting = JobRow.objects.filter(pk=pk, outcome=Outcome.WAITING)
    return bool(waiting.update(outcome=outcome, sentence=sentence[: jobs.SENTENCE_LENGTH]))


@transaction.atomic
def refuse(job: Job, pk: int, sentence: str) -> None:
    if settle(pk, Outcome.REFUSED, sentence):
        job.count(refused=1)


def title(job: Job) -> str:
    return f"批量{Decision.of(job).action.label}"


jobs.KINDS[KIND] = jobs.Kind(title, decide)
