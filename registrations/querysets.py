"""Which registrations: of a person, for a committee, still to be submitted, and with what a page names."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Coalesce, Greatest

from accounts.models import User
from plans.models import CommitteeMember, Plan
from registrations import moves
from registrations.workflow import EDITABLE, Status

if TYPE_CHECKING:
    from registrations.models import Registration  # noqa: F401  (named by the string below)


def due_at() -> models.Expression:
    """As Registration.deadline()."""
    corrections = Coalesce("plan__correction_closes_at", "plan__registration_closes_at")
    usual = models.Case(models.When(status=Status.RETURNED, then=corrections), default="plan__registration_closes_at")
    return Greatest(usual, Coalesce("extended_until", usual))


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def owned_by(self, user: User) -> "RegistrationQuerySet":
        return self.filter(applicant=user)

    def reviewable_by(self, user: User) -> "RegistrationQuerySet":
        """What this person's committees may see. Drafts are nobody's but the applicant's."""
        return self.filter(plan__in=Plan.objects.reviewable_by(user)).exclude(status=Status.DRAFT)

    def live(self) -> "RegistrationQuerySet":
        return self.exclude(status=Status.WITHDRAWN)

    def editable(self) -> "RegistrationQuerySet":
        return self.filter(status__in=EDITABLE)

    def held(self, now: datetime) -> "RegistrationQuerySet":
        """Decided, and not to be told before their plan's publication."""
        return self.filter(held=True, plan__in=Plan.objects.holding(now))

    def to_be_told(self, now: datetime) -> "RegistrationQuerySet":
        """Whose decision is published, and whose message is not written yet."""
        return self.filter(held=True).exclude(plan__in=Plan.objects.holding(now))

    def still_open(self, now: datetime) -> "RegistrationQuerySet":
        """What the applicant can still submit."""
        return self.editable().alias(due_at=due_at()).filter(due_at__gt=now)

    def due_between(self, begin: datetime, end: datetime) -> "RegistrationQuerySet":
        """What the applicant can still submit, whose deadline() lies after `begin` and not after `end`."""
        return self.editable().alias(due_at=due_at()).filter(due_at__gt=begin, due_at__lte=end)

    def for_list(self) -> "RegistrationQuerySet":
        """With what a line of one's own list names, and without the document number, which would be decrypted."""
        told = ["reference", "applicant", "status", "held", "unseen", "submitted_at", "created_at", "extended_until"]
        plan = ["code", "title", "registration_opens_at", "registration_closes_at", "correction_closes_at"]
        plan += ["holds_decisions", "decisions_published_at"]
        told += [f"plan__{name}" for name in plan] + ["occupation__name", "occupation__division"]
        return self.select_related("plan", "occupation").only(*told)

    def with_proposal(self) -> "RegistrationQuerySet":
        """Each with `has_proposal`: mostly it has none, and nothing more need be asked of it."""
        return self.annotate(has_proposal=moves.of_outer())

    def with_role_of(self, user: User) -> "RegistrationQuerySet":
        """Each with `role`: this person's in its plan, or None. For what a page shows; a step asks once more."""
        mine = CommitteeMember.objects.filter(user=user, plan=models.OuterRef("plan"))
        return self.annotate(role=models.Subquery(mine.values("role")))

    def for_owner(self) -> "RegistrationQuerySet":
        """With all that one's own page names, but for oneself."""
        return self.select_related("plan", "occupation", "portrait").with_proposal()

    def for_desk(self, user: User) -> "RegistrationQuerySet":
        """With all that the committee's page names: the person's own words, not the account's identity."""
        found = self.select_related("plan", "occupation", "portrait", "applicant")
        return found.with_proposal().with_role_of(user)

    def for_pages(self) -> "RegistrationQuerySet":
        """With all that a page about it names."""
        return self.select_related("plan", "occupation", "portrait", "applicant__identity")
