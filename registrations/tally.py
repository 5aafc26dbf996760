"""How many registrations of a plan are in which state: kept beside them, so that no page ever counts a table."""

import logging
from collections.abc import Mapping
from typing import NamedTuple

from django.db import models
from django.db.models import F, Q

from plans.models import Occupation, Plan
from registrations.trail import STATUS_CHOICES
from registrations.workflow import Status

logger = logging.getLogger(__name__)


class Kind(NamedTuple):
    """What is counted together. Of a returned one the occupation may be open: then its key is None."""

    plan: int
    occupation: int | None
    status: str

    @property
    def is_counted(self) -> bool:
        """Drafts are nobody's but the applicant's, and so is their number."""
        return self.status != Status.DRAFT

    @property
    def place(self) -> tuple[int, int, str]:
        """In this order rows are locked, by everybody: two who cross must not wait for one another."""
        return self.plan, self.occupation or 0, self.status


class Tally(models.Model):
    """One count: of a plan, an occupation and a status. Moved in the transaction that moves what is counted."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="tallies")
    occupation = models.ForeignKey(Occupation, models.CASCADE, null=True, related_name="tallies")
    status = models.CharField(max_length=10, choices=STATUS_CHOICES)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "occupation", "status"],
                condition=Q(occupation__isnull=False),
                name="one_tally_per_occupation",
            ),
            models.UniqueConstraint(
                fields=["plan", "status"], condition=Q(occupation__isnull=True), name="one_tally_without_occupation"
            ),
            models.CheckConstraint(condition=Q(count__gte=0), name="tally_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.occupation_id} {self.status}: {self.count}"

    @property
    def kind(self) -> Kind:
        return Kind(self.plan_id, self.occupation_id, self.status)


def shift(changes: Mapping[Kind, int]) -> None:
    """Add to each count, within the caller's transaction and after its seats, always in the same order."""
    for kind in sorted((kind for kind in changes if kind.is_counted), key=lambda kind: kind.place):
        if changes[kind]:
            add(kind, changes[kind])


def moved(before: Kind, after: Kind) -> None:
    """One registration is counted elsewhere from now on."""
    if before != after:
        shift({before: -1, after: 1})


def add(kind: Kind, number: int) -> None:
    """One UPDATE, so that nobody's is lost. A count that has gone astray never stops a step: `recount` mends it."""
    rows = rows_of(kind).filter(count__gte=max(0, -number))
    if rows.update(count=F("count") + number):
        return
    if number < 0:
        logger.error("a tally of plan %s is less than what is to be taken from it: run recount", kind.plan)
        return
    make([kind])
    rows.update(count=F("count") + number)


def rows_of(kind: Kind) -> models.QuerySet[Tally]:
    return Tally.objects.filter(**kind._asdict())


def make(kinds: list[Kind]) -> None:
    """Rows that are not there yet, at zero. Who comes second waits for the first and finds its row."""
    rows = [
        Tally(plan_id=kind.plan, occupation_id=kind.occupation, status=kind.status)
        for kind in sorted(kinds, key=lambda kind: kind.place)
    ]
    Tally.objects.bulk_create(rows, ignore_conflicts=True)
