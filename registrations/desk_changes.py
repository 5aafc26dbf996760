"""What changed in a registration since it was returned, beside what had been asked for."""

from dataclasses import dataclass

from registrations.models import Registration
from registrations.snapshots import changes_since_return, of_last_return
from registrations.workflow import Action


@dataclass(frozen=True)
class Compared:
    """One field: what had been asked ("" for nothing), what stood there, what stands there now; both "" if unchanged."""

    field: str
    label: str
    asked: str = ""
    old: str = ""
    new: str = ""
    changed: bool = False
    answer: str = ""  # why the person has left it as it is


def since_return(registration: Registration) -> list[Compared]:
    """What changed, in the order of the pages, then what had been asked for and stayed as it was."""
    line = registration.events.standing().filter(action=Action.RETURN).first()
    if line is None:
        return []
    asked = {item["field"]: item for item in line.items}
    changes = {change.field: change for change in changes_since_return(registration)}
    snapshot = of_last_return(registration)
    answers = snapshot.answers if snapshot else {}
    changed = [
        Compared(name, change.label, sentence(asked.get(name)), change.old, change.new, changed=True)
        for name, change in changes.items()
    ]
    stayed = [
        Compared(name, item.get("label", name), sentence(item), answer=answers.get(name, ""))
        for name, item in asked.items()
        if name not in changes
    ]
    return changed + stayed


def sentence(item: dict[str, str] | None) -> str:
    return item["sentence"] if item else ""
