"""Taking back a decision: by whoever took it, within ten seconds, as long as nobody has gone on from there.

Where a page has read the whole trail, newest first, it hands it over as `lines`, and nothing is asked once more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from accounts.models import User
from registrations.trail import ReviewEvent
from registrations.workflow import DECISIONS, TABLE, Action, StepRefused

if TYPE_CHECKING:
    from registrations.models import Registration

UNDO_FOR = timedelta(seconds=10)
DECIDED = {TABLE[action].target for action in DECISIONS}


def last_decision(registration: "Registration", lines: Sequence[ReviewEvent] | None = None) -> ReviewEvent | None:
    """The line that brought it to where it stands, if that was a decision; extensions and proposals move nothing."""
    if registration.status not in DECIDED:
        return None
    if lines is None:
        line = registration.events.moving().first()
    else:
        line = next((each for each in lines if each.before != each.after), None)
    return line if line and line.action in DECISIONS else None


def latest(registration: "Registration", lines: Sequence[ReviewEvent] | None = None) -> ReviewEvent | None:
    """The decision that stands, if nothing has been written after it."""
    line = last_decision(registration, lines)
    newest = registration.events.first() if line and lines is None else lines[0] if lines else None
    return line if line and line == newest else None


def decided(registration: "Registration", user: User, lines: Sequence[ReviewEvent] | None = None) -> bool:
    """Whether this person took the decision that stands."""
    line = latest(registration, lines)
    return line is not None and line.by_id == user.pk


def refusal(registration: "Registration", now: datetime, lines: Sequence[ReviewEvent] | None = None) -> str:
    """Why its last decision cannot be taken back at this moment (aware), as a sentence; empty when it can."""
    line = latest(registration, lines)
    if line is None or now - line.at > UNDO_FOR:
        return f"已经超过 {UNDO_FOR.seconds} 秒，不能撤销。已通过或不通过的，可以请管理成员“重新审核”。"
    if line.version != registration.version:
        return "报名人员已经在修改，不能撤销。等重新提交后再审核。"
    return ""


def take_back(registration: "Registration", decision: str, by: User) -> None:
    """Take back the decision with this key, as the page sent it; once more is the same. StepRefused with the reason."""
    last, undoes = last_line(registration, by)
    if decision and undoes == decision:
        return
    if last != decision:
        raise StepRefused("这份报名已经有了新的记录，不能撤销那次决定。请看过下面的审核记录后再操作。")
    try:
        registration.take(Action.UNDO, by=by)
    except StepRefused:
        # Of a button that was pressed twice, the second may have waited for the first.
        if last_line(registration, by)[1] != decision:
            raise


def last_line(registration: "Registration", by: User) -> tuple[str, str]:
    """The key of the last line, and of the one that it undoes if this person has written it; "" for none."""
    line = registration.events.first()
    if line is None:
        return "", ""
    return str(line.pk), str(line.undoes_id or "") if line.by_id == by.pk else ""
