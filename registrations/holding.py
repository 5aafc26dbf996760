"""Decisions that are held back: which steps are silent until their plan publishes, and what an applicant is told then."""

from datetime import datetime
from typing import TYPE_CHECKING

from registrations.workflow import Action, Status

if TYPE_CHECKING:
    from registrations.models import Registration

# What a plan may hold back. A return asks the applicant to act, and is told at once.
HIDDEN = (Status.APPROVED, Status.REJECTED)
DECIDES = frozenset({Action.APPROVE, Action.REJECT})
UNDECIDES = frozenset({Action.REOPEN, Action.UNDO})
# What leaves the status as it is and is told at once, also to whom a decision is held back from.
TOLD_AT_ONCE = frozenset({Action.EXTEND})
# The same for either decision, or it would tell which.
DECIDED_MEANWHILE = "组委会已经在审核，结果公布前不能撤回。请等结果公布；有急事请联系组委会。"
NO_MOVE_NOW = "组委会已经在审核，结果公布前不能调整职业（工种）。请等结果公布；有急事请联系组委会。"


def is_silent(registration: "Registration", action: Action, now: datetime) -> bool:
    """Whether the applicant is not to learn of this step at this moment (aware): no message, no news, no seat that moves.

    What was told once, before its plan began to hold back, is reopened aloud.
    """
    if not registration.plan.holds_decisions_at(now):
        return False
    return action in DECIDES or (action in UNDECIDES and registration.held)
