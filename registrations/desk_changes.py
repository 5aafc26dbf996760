"""What changed in a registration since it was returned, beside what had been asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from registrations.corrections import Correction, Task
from registrations.models import Registration
from registrations.snapshots import Change, names
from registrations.trail import ReviewEvent


@dataclass(frozen=True)
class Compared:
    """One field: what had been asked ("" for nothing), what stood there, what stands there now; both in words."""

    field: str
    label: str
    old: str
    new: str
    changed: bool
    asked: str = ""
    answer: str = ""  # why the person has left it as it is

    @classmethod
    def of_task(cls, task: Task) -> "Compared":
        return cls(task.field, task.label, task.old, task.new, task.changed, task.sentence, task.answer)

    @classmethod
    def of_change(cls, change: Change) -> "Compared":
        return cls(change.field, change.label, change.old, change.new, changed=True)


def since_return(registration: Registration, lines: Sequence[ReviewEvent] | None = None) -> list[Compared]:
    """What had been asked for, changed or not, then whatever else is another than it was."""
    correction = Correction.of(registration, lines)
    if correction is None:
        return []
    return [*map(Compared.of_task, correction.tasks), *map(Compared.of_change, unasked(correction))]


def unasked(correction: Correction) -> Iterable[Change]:
    kept = correction.snapshot
    if kept is None:
        return
    for name in names():
        if name not in correction.named and kept.differs(correction.registration, name):
            yield kept.change(correction.registration, name)
