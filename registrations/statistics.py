"""How a plan's registration goes, in figures: nothing here names a person."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from statistics import quantiles
from typing import Any

from django.db.models import Count
from django.utils import timezone

from photos.reasons import Reason
from plans.models import Division, Plan
from registrations.districts import OUTSIDE, UNKNOWN, district_of
from registrations.models import Registration
from registrations.trail import ReviewEvent
from registrations.workflow import DECISIONS, TABLE, Action, Status

CHUNK = 2000
MOST_DAYS = 62  # beyond that, weeks
HOURS_WAITED = [(24, "不到 1 天"), (72, "1 到 3 天"), (168, "3 到 7 天")]
LONGER = "7 天以上"

Rows = list[tuple[str, int]]


@dataclass(frozen=True)
class Seats:
    occupation: str
    registered: int
    taken: int
    capacity: int | None

    @property
    def left(self) -> int | None:
        return None if self.capacity is None else self.capacity - self.taken


@dataclass
class Trail:
    """What the plan's trail tells, of what stands, read once from its first line to its last."""

    days: Counter[date] = field(default_factory=Counter)
    waited: list[float] = field(default_factory=list)  # hours from a submission to the committee's step
    reasons: Counter[str] = field(default_factory=Counter)
    returned: int = 0

    def follow(self, lines: Iterable[tuple[Any, ...]]) -> None:
        """The lines of one registration, (action, at, items), in their order."""
        since: datetime | None = None
        submitted = False
        for action, at, items in lines:
            if action == Action.SUBMIT:
                if not submitted:
                    self.days[timezone.localdate(at)] += 1
                since, submitted = at, True
            elif action in DECISIONS and since:
                self.waited.append((at - since).total_seconds() / 3600)
                since = None
            elif TABLE[Action(action)].target:  # what leaves the status as it is ends no wait
                since = at if action == Action.REOPEN else None
            if action == Action.RETURN:
                self.count_reasons(items)

    def count_reasons(self, items: list[dict[str, Any]]) -> None:
        codes = [code for item in items if item.get("field") == "portrait" for code in item.get("codes", [])]
        self.reasons.update(codes)
        self.returned += any(item.get("field") == "portrait" for item in items)

    def by_day(self) -> Rows:
        """Every day from the first to the last, or every week where that are too many; empty without a submission."""
        if not self.days:
            return []
        first, last = min(self.days), max(self.days)
        step = 1 if (last - first).days < MOST_DAYS else 7
        begins = first - timedelta(days=first.weekday()) if step == 7 else first
        counted: Counter[date] = Counter()
        for day, number in self.days.items():
            counted[begins + (day - begins) // timedelta(days=step) * timedelta(days=step)] += number
        starts = (begins + timedelta(days=step * n) for n in range((last - begins).days // step + 1))
        return [(f"{day.month}月{day.day}日{'起一周' if step == 7 else ''}", counted[day]) for day in starts]


@dataclass(frozen=True)
class Waiting:
    """How long submissions wait now, and how long those waited that were dealt with."""

    now: Rows
    dealt_with: int
    half: float | None  # hours within which half of them were dealt with
    most: float | None  # and nine in ten


@dataclass(frozen=True)
class Statistics:
    at: datetime
    total: int
    by_day: Rows
    by_status: Rows
    seats: list[Seats]
    by_division: Rows
    by_district: Rows
    waiting: Waiting
    photo_reasons: Rows
    photos_returned: int


def of(plan: Plan, now: datetime | None = None) -> Statistics:
    """The figures of a plan at this moment (aware). Drafts are nobody's but the applicant's: they are not counted.

    Seven queries, however many registrations there are; memory stays flat but for one number for each that waited.
    """
    now = now or timezone.now()
    trail = read_trail(plan)
    statuses = dict(listed(plan).values_list("status").annotate(number=Count("pk")).order_by())
    return Statistics(
        at=now,
        total=sum(statuses.values()),
        by_day=trail.by_day(),
        by_status=[(status.label, statuses.get(status, 0)) for status in Status if status != Status.DRAFT],
        seats=seats_of(plan),
        by_division=divisions_of(plan),
        by_district=districts_of(plan),
        waiting=waiting(plan, trail.waited, now),
        photo_reasons=reasons_of(trail),
        photos_returned=trail.returned,
    )


def listed(plan: Plan) -> Any:
    return Registration.objects.filter(plan=plan).exclude(status=Status.DRAFT)


def read_trail(plan: Plan) -> Trail:
    """Of what stands: a decision that was taken back was none."""
    lines = ReviewEvent.objects.standing().filter(registration__plan=plan).exclude(registration__status=Status.DRAFT)
    rows = lines.order_by("registration_id", "pk").values_list("registration_id", "action", "at", "items")
    trail = Trail()
    for _, own in groupby(rows.iterator(chunk_size=CHUNK), key=lambda row: row[0]):
        trail.follow(row[1:] for row in own)
    return trail


def live(plan: Plan) -> Any:
    """Whoever takes part or wants to: without those who withdrew and those who were refused."""
    return listed(plan).exclude(status__in=[Status.WITHDRAWN, Status.REJECTED])


def seats_of(plan: Plan) -> list[Seats]:
    numbers = dict(live(plan).values_list("occupation").annotate(number=Count("pk")).order_by())
    return [
        Seats(str(found), numbers.get(found.pk, 0), found.seats_taken, found.capacity)
        for found in plan.occupations.all()
    ]


def divisions_of(plan: Plan) -> Rows:
    numbers = dict(live(plan).values_list("occupation__division").annotate(number=Count("pk")).order_by())
    return [(str(division.label), numbers.get(division.value, 0)) for division in Division]


def districts_of(plan: Plan) -> Rows:
    """By the employer's name first, which may say a district, then by the address; the most frequent first."""
    written: Iterator[tuple[str, str]] = (
        live(plan).order_by().values_list("employer", "address").iterator(chunk_size=CHUNK)
    )
    counted = Counter(district_of(employer, address) for employer, address in written)
    last = [(name, counted.pop(name)) for name in (OUTSIDE, UNKNOWN) if name in counted]
    return [*sorted(counted.items(), key=lambda row: (-row[1], row[0])), *last]


def waiting(plan: Plan, waited: list[float], now: datetime) -> Waiting:
    counted: Counter[str] = Counter()
    pending: Any = Registration.objects.filter(plan=plan, status=Status.SUBMITTED).order_by()
    for since in pending.values_list("submitted_at", flat=True).iterator(chunk_size=CHUNK):
        counted[bucket((now - since).total_seconds() / 3600)] += 1
    tenths = quantiles(waited, n=10, method="inclusive") if len(waited) > 1 else waited * 9
    half, most = (tenths[4], tenths[8]) if tenths else (None, None)
    names = [*(name for _, name in HOURS_WAITED), LONGER]
    return Waiting([(name, counted[name]) for name in names], len(waited), half, most)


def bucket(hours: float) -> str:
    return next((name for most, name in HOURS_WAITED if hours < most), LONGER)


def reasons_of(trail: Trail) -> Rows:
    return [(reason.label, trail.reasons[reason]) for reason in Reason if trail.reasons[reason]]


def in_words(hours: float | None) -> str:
    """A time span as the page says it."""
    if hours is None:
        return "还没有"
    if hours < 1:
        return f"{max(1, round(hours * 60))} 分钟"
    return f"{hours:.1f} 小时" if hours < 48 else f"{hours / 24:.1f} 天"
