"""Compare the counts that are kept with what there is, and mend them while steps are being taken."""

from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, F

from plans.models import Plan
from registrations import tally
from registrations.models import Registration
from registrations.tally import Kind, Tally
from registrations.workflow import Status


class Difference(NamedTuple):
    kind: Kind
    kept: int
    counted: int


def differences(plan: Plan, *, mend: bool = False) -> list[Difference]:
    """Where the kept count is wrong, in the order of occupation and status; `mend` corrects it.

    Each count that a step could move is locked first, in the steps' own order. A step that has moved its registration
    and not yet the count is not committed, so it is not counted here, and adds itself afterwards.
    """
    if mend:  # in a transaction of its own: what is not there cannot be locked
        tally.make(possible(plan))
    with transaction.atomic():
        locked = Tally.objects.filter(plan=plan).select_for_update()
        kept = {row.kind: row.count for row in locked.order_by(F("occupation").asc(nulls_first=True), "status")}
        counted = count(plan)
        found = [
            Difference(kind, kept.get(kind, 0), counted.get(kind, 0))
            for kind in sorted({*kept, *counted}, key=lambda kind: kind.place)
            if kept.get(kind, 0) != counted.get(kind, 0)
        ]
        for difference in found if mend else []:
            tally.rows_of(difference.kind).update(count=difference.counted)
    return found


def possible(plan: Plan) -> list[Kind]:
    occupations = [*plan.occupations.values_list("pk", flat=True), None]
    return [
        Kind(plan.pk, occupation, status.value)
        for occupation in occupations
        for status in Status
        if status != Status.DRAFT
    ]


def count(plan: Plan) -> dict[Kind, int]:
    """The long way: what the counts have to say."""
    counted = Registration.objects.filter(plan=plan).exclude(status=Status.DRAFT).order_by()
    rows = counted.values_list("plan", "occupation", "status").annotate(number=Count("pk"))
    return {Kind(*kind): number for *kind, number in rows}
