"""What a return asks its applicant to do: the tasks, which of them are done, and which fields are open."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from registrations import snapshots
from registrations.completeness import CROP
from registrations.snapshots import Snapshot, label_of
from registrations.trail import ReviewEvent, standing
from registrations.workflow import Action

if TYPE_CHECKING:
    from registrations.models import Registration

# Whoever corrects the one needs the other: another level has another certificate.
GOES_WITH = {"skill_level": {"certificate_number"}}
LOCKED = "组委会退回时没有要求修改这一项，所以不能改。确实需要改的，请联系组委会。"


@dataclass(frozen=True)
class Task:
    """One thing to fix: what was said of it, the value that was sent back and the present one, in words."""

    field: str
    label: str
    sentence: str
    codes: list[str]  # of the portrait's reasons (photos/reasons.py)
    old: str
    new: str
    changed: bool
    answer: str  # why it stays as it is, where its applicant says so

    @property
    def done(self) -> bool:
        return self.changed or bool(self.answer)

    @property
    def line(self) -> dict[str, Any]:
        """The answer for the trail, beside which the committee reads it."""
        said = self.answer if self.changed else f"没有修改。{self.answer}"
        return {"field": self.field, "label": self.label, "code": "answer", "sentence": said}


class Correction:
    """The return that a registration waits for its applicant to answer."""

    def __init__(self, registration: "Registration", line: ReviewEvent, snapshot: Snapshot | None) -> None:
        self.registration, self.line, self.snapshot = registration, line, snapshot
        self.note = line.note

    @classmethod
    def of(cls, registration: "Registration", lines: Sequence[ReviewEvent] | None = None) -> "Correction | None":
        """None where nothing was returned. One query, or none where the whole trail is there, with its snapshots."""
        if lines is None:
            line = registration.events.standing().filter(action=Action.RETURN).select_related("snapshot").first()
        else:
            line = next((each for each in standing(lines) if each.action == Action.RETURN), None)
        return cls(registration, line, getattr(line, "snapshot", None)) if line else None

    @property
    def is_tracked(self) -> bool:
        """Whether there are tasks that are to be done one by one; not before it was kept what stood there."""
        return bool(self.snapshot and self.line.items)

    @property
    def whole(self) -> bool:
        """Whether all of the form is open: said so, or nothing was named that could be opened instead."""
        return self.line.whole or not self.is_tracked

    @cached_property
    def tasks(self) -> list[Task]:
        return [self.task(item) for item in self.line.items]

    def task(self, item: dict[str, Any]) -> Task:
        name, kept = item["field"], self.snapshot
        change = kept.change(self.registration, name) if kept else None
        return Task(
            field=name,
            label=item.get("label") or label_of(self.registration, name),
            sentence=item["sentence"],
            codes=item.get("codes", []),
            old=change.old if change else "",
            new=change.new if change else "",
            changed=self.has_changed(name),
            answer=kept.answers.get(name, "") if kept else "",
        )

    def has_changed(self, name: str) -> bool:
        if name == "portrait":  # the line knows it, in the days before snapshots too
            return self.line.portrait_sha256 != self.registration.portrait_sha256
        return self.snapshot is not None and self.snapshot.differs(self.registration, name)

    @property
    def left(self) -> list[Task]:
        """What is still to be done before it can be submitted again."""
        return [task for task in self.tasks if not task.done] if self.is_tracked else []

    @property
    def named(self) -> frozenset[str]:
        return frozenset(item["field"] for item in self.line.items)

    @cached_property
    def open_fields(self) -> frozenset[str]:
        """What the applicant can change: what was named, what goes with it, and what has to be filled in besides.

        What was changed since stays open: a gap that was filled with a slip of the pen would close over it.
        """
        every = frozenset(snapshots.names())
        if self.whole or self.snapshot is None:
            return every
        beside = {other for name in self.named for other in GOES_WITH.get(name, ())}
        gaps = {"portrait" if gap.field == CROP else gap.field for gap in self.registration.missing()}
        changed = {name for name in every if self.snapshot.differs(self.registration, name)}
        return (self.named | beside | gaps | changed) & every

    def refusal(self) -> str:
        """Why it cannot be submitted yet, as a sentence; empty when it can."""
        if not self.left:
            return ""
        names = "、".join(task.label for task in self.left)
        return (
            f"组委会要求修改的还有 {len(self.left)} 处没有完成：{names}。请逐项修改；原来填写的没有错的，请写明原因。"
        )

    def lines(self) -> list[dict[str, Any]]:
        """The applicant's answers, for the trail."""
        return [task.line for task in self.tasks if task.answer] if self.is_tracked else []

    def answer(self, said: dict[str, str]) -> None:
        """Keep why some values stay as they are; an empty answer takes back what was said."""
        if self.snapshot is None:
            return
        told = {**self.snapshot.answers, **{name: why for name, why in said.items() if name in self.named}}
        self.snapshot.answers = {name: why for name, why in told.items() if why}
        self.snapshot.save(update_fields=["answers"])
