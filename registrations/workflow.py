"""How a registration lives: the statuses, the actions, and the one table that joins them."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, StrEnum


class Status(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        return STATUS_LABELS[self]


STATUS_LABELS = {
    Status.DRAFT: "填写中",
    Status.SUBMITTED: "待审核",
    Status.RETURNED: "退回修改",
    Status.APPROVED: "审核通过",
    Status.REJECTED: "审核不通过",
    Status.WITHDRAWN: "已撤回",
}
EDITABLE = frozenset({Status.DRAFT, Status.RETURNED})


class Action(StrEnum):
    SUBMIT = "submit"
    RECALL = "recall"
    WITHDRAW = "withdraw"
    RETURN = "return"
    APPROVE = "approve"
    REJECT = "reject"
    REOPEN = "reopen"
    UNDO = "undo"
    # These leave the status as it is.
    EXTEND = "extend"
    PROPOSE = "propose"
    RETRACT = "retract"
    MOVE = "move"
    DECLINE = "decline"

    @property
    def label(self) -> str:
        return ACTION_LABELS[self]


ACTION_LABELS = {
    Action.SUBMIT: "提交审核",
    Action.RECALL: "撤回修改",
    Action.WITHDRAW: "撤回报名",
    Action.RETURN: "退回修改",
    Action.APPROVE: "审核通过",
    Action.REJECT: "审核不通过",
    Action.REOPEN: "重新审核",
    Action.UNDO: "撤销决定",
    Action.EXTEND: "调整个人截止时间",
    Action.PROPOSE: "建议调整职业（工种）",
    Action.RETRACT: "收回调整职业（工种）的建议",
    Action.MOVE: "同意调整职业（工种）",
    Action.DECLINE: "不同意调整职业（工种）",
}
DECISIONS = frozenset({Action.RETURN, Action.APPROVE, Action.REJECT})
# As long as it stands there, its occupation may be talked about (registrations/moves.py).
MOVABLE = frozenset({Status.SUBMITTED, Status.RETURNED, Status.APPROVED})


class Actor(StrEnum):
    """In what capacity somebody acts."""

    APPLICANT = "applicant"
    COMMITTEE = "committee"
    MANAGER = "manager"
    DECIDER = "decider"  # of the committee, and whoever took the last step


class Seat(Enum):
    """What a step does to the seat."""

    TAKE = "take"
    KEEP = "keep"
    GIVE_BACK = "give back"


@dataclass(frozen=True)
class Step:
    """One line of the table. Without a target, the status stays as it is."""

    sources: frozenset[Status]
    target: Status | None
    actor: Actor
    seat: Seat = Seat.KEEP
    needs_note: bool = False
    in_time: bool = False
    complete: bool = False
    undoes: bool = False
    proposal: bool | None = None  # whether there must be one that waits for its answer, or must be none

    def after(self, status: Status) -> Status:
        return self.target or status


def step(*sources: Status, by: Actor, to: Status | None = None, **also: object) -> Step:
    return Step(frozenset(sources), to, by, **also)  # type: ignore[arg-type]


TABLE = {
    Action.SUBMIT: step(
        Status.DRAFT,
        Status.RETURNED,
        to=Status.SUBMITTED,
        by=Actor.APPLICANT,
        seat=Seat.TAKE,
        in_time=True,
        complete=True,
    ),
    Action.RECALL: step(Status.SUBMITTED, to=Status.DRAFT, by=Actor.APPLICANT, seat=Seat.GIVE_BACK, in_time=True),
    Action.WITHDRAW: step(
        Status.SUBMITTED,
        Status.RETURNED,
        Status.APPROVED,
        to=Status.WITHDRAWN,
        by=Actor.APPLICANT,
        seat=Seat.GIVE_BACK,
        in_time=True,
    ),
    Action.RETURN: step(Status.SUBMITTED, to=Status.RETURNED, by=Actor.COMMITTEE, needs_note=True),
    Action.APPROVE: step(Status.SUBMITTED, to=Status.APPROVED, by=Actor.COMMITTEE),
    Action.REJECT: step(Status.SUBMITTED, to=Status.REJECTED, by=Actor.COMMITTEE, seat=Seat.GIVE_BACK, needs_note=True),
    Action.REOPEN: step(
        Status.APPROVED, Status.REJECTED, to=Status.SUBMITTED, by=Actor.MANAGER, seat=Seat.TAKE, needs_note=True
    ),
    Action.UNDO: step(
        Status.RETURNED,
        Status.APPROVED,
        Status.REJECTED,
        to=Status.SUBMITTED,
        by=Actor.DECIDER,
        seat=Seat.TAKE,
        undoes=True,
    ),
    # A withdrawn one, too: its applicant may begin anew until then.
    Action.EXTEND: step(*MOVABLE, Status.WITHDRAWN, by=Actor.MANAGER, needs_note=True),
    Action.PROPOSE: step(*MOVABLE, by=Actor.MANAGER, needs_note=True, proposal=False),
    Action.RETRACT: step(*MOVABLE, by=Actor.MANAGER, proposal=True),
    Action.MOVE: step(*MOVABLE, by=Actor.APPLICANT, seat=Seat.TAKE, proposal=True),
    Action.DECLINE: step(*MOVABLE, by=Actor.APPLICANT, proposal=True),
}


class StepRefused(Exception):
    """A step that is not taken. `str()` is the sentence for the person at the screen."""


def possible(status: Status, actors: Collection[Actor]) -> list[Action]:
    """The actions that the table offers to these actors from this status, in the table's order."""
    return [action for action, line in TABLE.items() if status in line.sources and line.actor in actors]


def check(action: Action, status: Status, actors: Collection[Actor], note: str = "") -> Step:
    """The line of the table for this step, or StepRefused with the reason."""
    line = TABLE[action]
    if line.actor not in actors:
        raise StepRefused(f"您不能对这份报名执行“{action.label}”。")
    if status not in line.sources:
        raise StepRefused(f"这份报名现在是“{status.label}”，不能{action.label}。请刷新页面查看最新状态。")
    if line.needs_note and not note.strip():
        raise StepRefused(f"请写明{action.label}的原因，让报名人员知道该怎么做。")
    return line
