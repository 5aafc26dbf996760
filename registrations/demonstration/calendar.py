"""When things happen in the demonstration: windows around now, and the waking hours in which people act. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

ROUNDED_BEYOND = timedelta(days=2)


@dataclass(frozen=True)
class Window:
    """When a plan is open, in days from now; negative is past. `lasts` is how much of the time that counts must be
    left (until it opens, or else until it closes) for the plan still to show what it is there for."""

    opens: float
    closes: float
    corrections: float | None = None
    competition: int = 30
    lasts: float | None = None

    def opens_at(self, now: datetime) -> datetime:
        """Nine in the morning. `now` is aware, in the portal's time zone."""
        return (now + timedelta(days=self.opens)).replace(hour=9, minute=0, second=0, microsecond=0)

    def closes_at(self, now: datetime) -> datetime:
        return self.end(now, self.closes)

    def corrections_close_at(self, now: datetime) -> datetime | None:
        return None if self.corrections is None else self.end(now, self.corrections)

    @staticmethod
    def end(now: datetime, days: float) -> datetime:
        """Five in the afternoon; where a day or less is left, the full hour."""
        distance = timedelta(days=days)
        moment = (now + distance).replace(minute=0, second=0, microsecond=0)
        return moment.replace(hour=17) if abs(distance) >= ROUNDED_BEYOND else moment

    def competition_on(self, now: datetime) -> date:
        return (now + timedelta(days=self.competition)).date()

    @property
    def is_ahead(self) -> bool:
        return self.opens > 0

    def is_stale(self, now: datetime, opens_at: datetime, closes_at: datetime) -> bool:
        """Whether a plan with these times no longer shows what it is there for."""
        if self.lasts is None:
            return False
        return (opens_at if self.is_ahead else closes_at) - now < timedelta(days=self.lasts)


def moments(opens_at: datetime, end: datetime, serial: int, count: int) -> list[datetime]:
    """`count` moments in order, between eight and nine, from the opening until the day before `end`.

    `serial` spreads people over the days. All in the time zone of `opens_at`, the portal's.
    """
    span = end - timedelta(days=1) - opens_at
    first = span * (serial * 37 % 100 / 125)
    step = (span - first) / (count + 1)
    return [waking(opens_at + first + step * place) for place in range(1, count + 1)]


def waking(moment: datetime) -> datetime:
    """The same day, between 8:00 and 21:00; later stays later."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(hours=8) + (moment - midnight) * 13 / 24
