"""Plans, what they offer and their committees. One noun a module; the rest of the portal imports them from here."""

from plans.models.attachments import Attachment
from plans.models.committee import CommitteeMember, Role
from plans.models.invitations import Invitation
from plans.models.occupations import Division, Occupation
from plans.models.plans import Level, Plan, PlanQuerySet, PlanState

__all__ = [
    "Attachment",
    "CommitteeMember",
    "Division",
    "Invitation",
    "Level",
    "Occupation",
    "Plan",
    "PlanQuerySet",
    "PlanState",
    "Role",
]
