"""The queue of a plan: which registrations a committee wants to see, in which order, and which one comes next."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.http import QueryDict
from django.utils.http import urlencode

from accounts.models import User
from plans.models import Division, Plan
from registrations.models import Registration, RegistrationQuerySet
from registrations.position import Position
from registrations.workflow import Status

ALL = "all"  # in an address: whatever the status; an address that says none asks for what waits for a decision
SHOWN = [status for status in Status if status != Status.DRAFT]


class Order(StrEnum):
    """By when it was submitted: what waits longest first, or what came last."""

    WAITING = "waiting"
    NEWEST = "newest"

    @property
    def label(self) -> str:
        return {self.WAITING: "等得最久的在前", self.NEWEST: "最新提交的在前"}[self]


@dataclass(frozen=True)
class QueueFilter:
    """What of a plan's registrations is wanted, and in which order. Nothing in it is personal: it stands in addresses."""

    plan: Plan
    status: Status | None = Status.SUBMITTED  # None for all that a committee may see
    occupation: int | None = None  # primary key
    division: str = ""  # a value of Division; empty beside an occupation, which has its own
    order: Order = Order.WAITING

    @classmethod
    def read(cls, plan: Plan, asked: QueryDict) -> "QueueFilter":
        """From a query string. What it does not offer is left out without a word: a bookmark outlives an occupation."""
        status, division, order = (asked.get(name, "") for name in ("status", "division", "order"))
        occupation = occupation_of(plan, asked.get("occupation", ""))
        chosen = next((known for known in SHOWN if known == status), Status.SUBMITTED)
        return cls(
            plan,
            status=None if status == ALL else chosen,
            occupation=occupation,
            division=division if division in Division.values and occupation is None else "",
            order=next((known for known in Order if known == order), Order.WAITING),
        )

    def query_string(self) -> str:
        """The same filter always gives the same text, and `read` gives the same filter back."""
        said: dict[str, Any] = {"status": self.status.value if self.status else ALL}
        if self.occupation:
            said["occupation"] = self.occupation
        if self.division:
            said["division"] = self.division
        if self.order != Order.WAITING:
            said["order"] = self.order.value
        return urlencode(said)

    def narrow(self, registrations: RegistrationQuerySet) -> RegistrationQuerySet:
        """The wanted ones, in no order. Drafts never are among them.

        A division as the keys of its occupations: of those a database knows how many there are, and finds the few at
        the end of a long queue without reading what stands before them.
        """
        wanted: dict[str, Any] = {"plan": self.plan, "status": self.status, "occupation": self.occupation}
        found = registrations.filter(**{name: value for name, value in wanted.items() if value})
        if self.division:
            known = self.plan.occupations.all()  # a page has them already
            found = found.filter(occupation__in=[one.pk for one in known if one.division == self.division])
        return found if self.status else found.exclude(status=Status.DRAFT)

    def apply(self, registrations: RegistrationQuerySet) -> RegistrationQuerySet:
        """The wanted ones, in the wanted order."""
        return self.narrow(registrations).order_by(*self.ordering())

    def ordering(self, *, backwards: bool = False) -> list[str]:
        sign = "-" if (self.order == Order.NEWEST) != backwards else ""
        return [f"{sign}submitted_at", f"{sign}pk"]

    def beyond(self, registrations: RegistrationQuerySet, place: Position, *, before: bool = False) -> Any:
        """The wanted ones that come after a place, nearest first; or before it, nearest first."""
        later = (self.order == Order.NEWEST) == before
        found = self.narrow(registrations).filter(place.later() if later else place.earlier())
        return found.order_by(*self.ordering(backwards=before))

    def next_after(
        self, registration: Registration, user: User, among: RegistrationQuerySet | None = None
    ) -> Registration | None:
        """The next one that this person can still decide, in the same filter and order; at the end it begins anew.

        None where nothing else is left to decide. `among` narrows it further: to what nobody else is looking at.
        """
        if registration.submitted_at is None or self.status not in {None, Status.SUBMITTED}:
            return None
        found = Registration.objects.reviewable_by(user) if among is None else among
        found = found.filter(status=Status.SUBMITTED).exclude(applicant=user).exclude(pk=registration.pk)
        following: Registration | None = self.beyond(found, Position.of(registration)).first()
        return following or self.apply(found).first()


def occupation_of(plan: Plan, text: str) -> int | None:
    """The key of one of the plan's occupations, as an address says it. Of anything else nothing reaches the database."""
    if not text:
        return None
    return next((found.pk for found in plan.occupations.all() if str(found.pk) == text), None)
