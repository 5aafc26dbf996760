"""The steps of a registration: who may take which, and the one way to another status."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction

from accounts import clock
from accounts.models import User
from plans.models import Occupation, Role
from registrations import claims, extensions, holding, moves, notifications, tally, undo, workflow
from registrations.corrections import Correction
from registrations.snapshots import Snapshot
from registrations.trail import ReviewEvent
from registrations.workflow import Action, Actor, Seat, Status, StepRefused

if TYPE_CHECKING:
    from registrations.models import Registration

FASTER = "这份报名刚刚有了变化，这次操作没有生效。请看过最新内容后再操作；页面没有更新的，请刷新。"
PHOTO_CHANGED = "已换过照片，请看过新照片后再决定。"
# What whoever wanted a seat is told to do where there is none.
FULL = {
    Action.SUBMIT: "没有提交成功。您可以改选其他职业（工种）。",
    Action.REOPEN: "不能重新审核。请先在竞赛计划里增加名额，或等有名额放出来再操作。",
    Action.UNDO: "不能撤销。请由管理成员增加名额，或等有名额放出来，再“重新审核”。",
    Action.MOVE: "没有调整，您的报名和原来的名额不变。请联系组委会，或等有名额放出来再同意。",
}


# Who may do what ------------------------------------------------------------------------------------------------------


class AlreadyRead(NamedTuple):
    """What a page has read before it asks: this person's role in the plan's committee, and the whole trail, newest first."""

    role: str | None
    lines: Sequence[ReviewEvent]


def actors(registration: "Registration", user: User, read: AlreadyRead | None = None) -> set[Actor]:
    """In what capacities this person can act on it. Nobody reviews their own."""
    if user.pk == registration.applicant_id:
        return {Actor.APPLICANT}
    role = read.role if read else registration.plan.role_of(user)
    if role not in {Role.REVIEWER, Role.MANAGER}:
        return set()
    found = {Actor.COMMITTEE, Actor.MANAGER} if role == Role.MANAGER else {Actor.COMMITTEE}
    return found | {Actor.DECIDER} if undo.decided(registration, user, read.lines if read else None) else found


def goes_from(registration: "Registration", action: Action, user: User) -> Status:
    """The status from which this person takes this step.

    What is told at once goes from what the applicant sees, whoever takes it: beside a decision that is held it is told for
    either kind or for neither, or who is told would know theirs (docs/adr/0021).
    """
    return registration.shown_status if action in holding.TOLD_AT_ONCE else registration.status_for(user)


def actions_for(
    registration: "Registration",
    user: User,
    known: set[Actor] | None = None,
    lines: Sequence[ReviewEvent] | None = None,
) -> list[Action]:
    """What the page offers this person now: the table's answer, less what is out of time.

    `known` are the person's capacities and `lines` the whole trail, newest first, where the page has them already.
    """
    capacities = actors(registration, user) if known is None else known
    late = clock.near() >= registration.deadline()
    rows = [
        (action, row)
        for action, row in workflow.TABLE.items()
        if row.actor in capacities and goes_from(registration, action, user) in row.sources
    ]
    waits = any(row.proposal is not None for _, row in rows) and moves.waits(registration)
    return [
        action
        for action, row in rows
        if not (late and row.in_time)
        and not (row.undoes and undo.refusal(registration, clock.near(), lines))
        and (row.proposal is None or row.proposal == waits)
    ]


# The one way to another status ----------------------------------------------------------------------------------------


@transaction.atomic
def take(
    registration: "Registration",
    action: Action,
    *,
    by: User,
    note: str = "",
    items: Collection[dict[str, Any]] = (),
    whole: bool = False,
    seen_portrait: str | None = None,
    at: datetime | None = None,
) -> ReviewEvent:
    """Take one step and write its line in the trail, or raise StepRefused and leave everything as it was.

    `items` are what is to be fixed, each {"field": …, "label": …, "code": …, "sentence": …}; `whole` opens the rest of
    the form, too. The step is bound to the version of the row that this instance was read at, and to its portrait;
    `seen_portrait` is the SHA-256 of the one that whoever decides has seen ("" for none), where that was on an earlier
    page. `at` (aware) is for steps of the past, which the demonstration tells; else now, by the database's clock.
    """
    now = at or clock.now()
    sentences = note or " ".join(item["sentence"] for item in items)
    line = workflow.check(action, goes_from(registration, action, by), actors(registration, by), sentences)
    correction = registration.correction() if line.complete else None
    check_conditions(registration, line, now, correction)
    if action == Action.SUBMIT and registration.is_extended:
        extensions.tell_trail(registration)
    silent = holding.is_silent(registration, action, now)
    was, proposal = registration.kind, moves.ended_by(registration, action)
    occupation = proposal.occupation_id if proposal and action == Action.MOVE else registration.occupation_id
    after = was._replace(status=line.after(registration.state), occupation=occupation)
    seat = seat_after(registration, line, after, silent)
    undoes = undo.last_decision(registration) if line.undoes or (silent and action == Action.REOPEN) else None
    written = move(registration, line, now, after, seat, seen_portrait, silent=silent)
    moves.settle(registration, action, proposal, now, silent)
    event = ReviewEvent.objects.create(
        registration=registration,
        action=action,
        before=registration.status,
        after=after.status,
        by=by,
        note=note.strip(),
        items=[*items, *(correction.lines() if correction else [])],
        whole=whole,
        held=silent,
        undoes=undoes,
        portrait_sha256=registration.portrait_sha256,
        version=registration.version,
        at=now,
    )
    if action == Action.RETURN:
        Snapshot.keep(registration, event)
    if line.target:
        claims.end(registration)
    if not silent:
        notifications.write(event)
    # The counters come last: the rows that everybody wants are held for the shortest time.
    move_seat(registration, action, seat)
    tally.moved(was, after)
    transaction.on_commit(partial(notifications.announce, event), robust=True)
    for name, value in written.items():
        setattr(registration, name, value)
    return event


def check_conditions(
    registration: "Registration", line: workflow.Step, now: datetime, correction: Correction | None
) -> None:
    if registration.is_held and (line.actor == Actor.APPLICANT or line.proposal is not None):
        raise StepRefused(holding.DECIDED_MEANWHILE if line.proposal is None else holding.NO_MOVE_NOW)
    if line.in_time and now >= registration.deadline():
        raise StepRefused("已经过了截止时间，不能再操作。如有特殊情况，请联系组委会。")
    if (
        line.in_time
        and line.complete
        and registration.status == Status.DRAFT
        and now < registration.plan.registration_opens_at
    ):
        raise StepRefused("报名还没有开始，请在开始后再提交。")
    if line.complete and (gaps := registration.missing()):
        raise StepRefused(f"还有 {len(gaps)} 处没有填写完整：{'；'.join(gap.sentence for gap in gaps)}。")
    if line.undoes and (sentence := undo.refusal(registration, now)):
        raise StepRefused(sentence)
    if line.proposal is not None and (sentence := moves.refusal(registration, line.proposal)):
        raise StepRefused(sentence)
    if correction and (refusal := correction.refusal()):
        raise StepRefused(refusal)


def move(
    registration: "Registration",
    line: workflow.Step,
    now: datetime,
    after: tally.Kind,
    seat: int | None,
    seen_portrait: str | None,
    *,
    silent: bool,
) -> dict[str, Any]:
    """Write the status, and prove by the same statement that nobody was faster. What was written, by column.

    Another occupation is another version: whoever decides has seen the one before.
    """
    values: dict[str, Any] = {"status": after.status, "seat_id": seat}
    if line.target:
        values["held"] = silent and after.status in holding.HIDDEN
    if not silent:
        values["unseen"] = line.actor in {Actor.COMMITTEE, Actor.MANAGER}
    if line.complete:
        values["submitted_at"] = now
    if after.occupation != registration.occupation_id:
        values |= {"occupation_id": after.occupation, "version": registration.version + 1}
    # The portrait by its key: through a join, PostgreSQL would judge a row by what it was before it waited for it.
    unchanged = type(registration).objects.filter(
        pk=registration.pk,
        status=registration.status,
        version=registration.version,
        portrait=registration.portrait_id,
        held=registration.held,
    )
    if seen_portrait not in {None, registration.portrait_sha256} or not unchanged.update(**values):
        raise StepRefused(who_was_faster(registration, seen_portrait))
    return values


def who_was_faster(registration: "Registration", seen_portrait: str | None) -> str:
    row = type(registration).objects.select_related("portrait").filter(pk=registration.pk).first()
    return FASTER if row is None or seen_portrait in {None, row.portrait_sha256} else PHOTO_CHANGED


def seat_after(registration: "Registration", line: workflow.Step, after: tally.Kind, silent: bool) -> int | None:
    """The occupation of which it holds a seat then. Whoever is not told yet keeps theirs: the counters would tell."""
    if silent and registration.seat_id:
        return registration.seat_id
    return {Seat.TAKE: after.occupation, Seat.KEEP: registration.seat_id, Seat.GIVE_BACK: None}[line.seat]


def move_seat(registration: "Registration", action: Action, seat: int | None) -> None:
    """Take the seat, give the former one back. Always in the same order, or two who swap wait for one another."""
    if seat == registration.seat_id:
        return
    for occupation in sorted(pk for pk in (seat, registration.seat_id) if pk is not None):
        if occupation != seat:
            Occupation.objects.give_seat_back(occupation)
        elif not Occupation.objects.take_seat(occupation):
            raise StepRefused(f"“{Occupation.objects.get(pk=occupation)}”的名额已满，{FULL[action]}")
