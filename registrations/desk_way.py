"""The way through a queue: the filter that travels in the desk's addresses, what comes next, what was done just now."""

from dataclasses import dataclass
from datetime import timedelta

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from registrations import claims, desk_rows, undo
from registrations.models import Registration
from registrations.queue import QueueFilter
from registrations.trail import ReviewEvent
from registrations.workflow import DECISIONS, Action

TOLD_FOR = timedelta(minutes=1)  # longer, and what was done just now is no news


@dataclass(frozen=True)
class Done:
    """A decision that this person has taken on the page before."""

    registration: Registration
    event: ReviewEvent
    seconds: int  # left to take it back; 0 when it cannot be
    undo: str  # where that is done


@dataclass(frozen=True)
class Way:
    """Where one is: at a registration, in a filter. Nothing personal: it stands in addresses."""

    registration: Registration
    wanted: QueueFilter
    came_from: str  # key of the decision that led here; or anything, as an address says it

    @classmethod
    def of(cls, registration: Registration, asked: QueryDict) -> "Way":
        return cls(registration, QueueFilter.read(registration.plan, asked), asked.get("done", ""))

    @property
    def query(self) -> str:
        return self.wanted.query_string()

    def page(self, registration: Registration, *, done: int | None = None) -> str:
        more = f"&done={done}" if done else ""
        return f"{self.address('change', registration)}?{self.query}{more}"

    def step(self, action: Action) -> str:
        """Where a step is asked about or taken; with the version and the portrait that are on the screen now."""
        seen = f"version={self.registration.version}&portrait={self.registration.portrait_id or ''}"
        return f"{self.address(action.value)}?{self.query}&{seen}"

    def address(self, name: str, registration: Registration | None = None) -> str:
        return reverse(f"admin:registrations_registration_{name}", args=[(registration or self.registration).pk])

    @property
    def onward(self) -> str:
        return f"{self.address('next')}?{self.query}"

    @property
    def claim(self) -> str:
        return f"{self.address('claim')}?{self.query}"

    @property
    def queue(self) -> str:
        return f"{reverse('admin:registrations_registration_queue', args=[self.wanted.plan.code])}?{self.query}"

    def following(self, user: User) -> Registration | None:
        """What comes next in this filter and is nobody else's at the moment."""
        free = claims.unclaimed(Registration.objects.reviewable_by(user), user)
        return self.wanted.next_after(self.registration, user, among=free)

    def done(self, user: User) -> Done | None:
        """The decision that led here, if it was this person's and is fresh, about what this person may see."""
        if not (self.came_from.isascii() and self.came_from.isdigit() and len(self.came_from) < 19):
            return None
        now = timezone.now()
        fresh = ReviewEvent.objects.standing().filter(by=user, action__in=DECISIONS, at__gt=now - TOLD_FOR)
        event = fresh.filter(pk=int(self.came_from)).first()
        registration = desk_rows.found(user, event.registration_id) if event else None
        if event is None or registration is None:
            return None
        left = 0 if undo.refusal(registration, now) else int((event.at + undo.UNDO_FOR - now).total_seconds())
        return Done(registration, event, max(0, left), f"{self.address('undo', registration)}?{self.query}")
