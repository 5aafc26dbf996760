"""What the queue offers beside its rows: each state, occupation and division with its count, from the kept counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from plans.models import Division, Occupation
from registrations.queue import SHOWN, Order, QueueFilter
from registrations.tally import Tally
from registrations.workflow import Status


@dataclass(frozen=True)
class Choice:
    """One link: where it leads, and how many are there."""

    label: str
    query: str
    count: int
    is_current: bool


class Facets:
    """Two queries' worth of answers: what is counted of the plan, and the names of its occupations."""

    def __init__(self, asked: QueueFilter, occupations: Sequence[Occupation]) -> None:
        self.asked, self.known = asked, {occupation.pk: occupation for occupation in occupations}
        rows = Tally.objects.filter(plan=asked.plan, count__gt=0)
        self.rows = list(rows.values_list("occupation", "status", "count"))

    def count(self, asked: QueueFilter) -> int:
        return sum(
            count
            for occupation, status, count in self.rows
            if asked.status in {None, status}
            and asked.occupation in {None, occupation}
            and asked.division in {"", self.division(occupation)}
        )

    def division(self, occupation: int | None) -> str | None:
        return self.known[occupation].division if occupation in self.known else None

    def choice(self, label: str, asked: QueueFilter) -> Choice:
        return Choice(label, asked.query_string(), self.count(asked), asked == self.asked)

    @property
    def total(self) -> int:
        """How many the filter lets through."""
        return self.count(self.asked)

    @property
    def is_empty(self) -> bool:
        """Nobody has submitted anything in this plan yet."""
        return not self.rows

    def statuses(self) -> list[Choice]:
        offered: list[Status | None] = [*SHOWN, None]
        labels = {status: status.label if status else "全部" for status in offered}
        return [self.choice(labels[status], replace(self.asked, status=status)) for status in offered]

    def occupations(self) -> list[Choice]:
        whole = self.choice("全部职业", replace(self.asked, occupation=None))
        return [whole, *(
            self.choice(str(found), replace(self.asked, occupation=found.pk, division=""))
            for found in self.known.values()
            if self.asked.division in {"", found.division}
        )]  # fmt: skip

    def divisions(self) -> list[Choice]:
        offered = [("全部组别", ""), *((division.label, division.value) for division in Division)]
        return [self.choice(label, replace(self.asked, division=value, occupation=None)) for label, value in offered]

    def orders(self) -> list[Choice]:
        return [self.choice(order.label, replace(self.asked, order=order)) for order in Order]
