"""Who is looking at a registration right now: a claim warns the others, and stands in nobody's way (docs/adr/0017)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User

if TYPE_CHECKING:
    from registrations.models import Registration

CLAIMED_FOR = timedelta(minutes=10)


class Claim(models.Model):
    """One member of the committee at one registration, until a moment; renewed as long as the page is open."""

    registration = models.OneToOneField(
        "registrations.Registration", models.CASCADE, primary_key=True, verbose_name="报名", related_name="claim"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name="审核人", related_name="+")
    until = models.DateTimeField("到什么时候")

    class Meta:
        verbose_name = "正在审核"
        verbose_name_plural = "正在审核"

    def __str__(self) -> str:
        return f"{self.registration_id} {self.by_id} {self.until:%H:%M}"


@transaction.atomic
def claim(registration: "Registration", by: User, *, take_over: bool = False) -> Claim | None:
    """Begin or renew this person's claim; returns the one that holds now, which may be somebody else's.

    `take_over` ends another's. This person's claims that are over go at the same time.
    """
    now = timezone.now()
    until = now + CLAIMED_FOR
    Claim.objects.filter(by=by, until__lte=now).exclude(registration=registration).delete()
    free = Q() if take_over else Q(by=by) | Q(until__lte=now)
    if not Claim.objects.filter(free, registration=registration).update(by=by, until=until):
        # Whoever comes in the same instant finds the row there; PostgreSQL and SQLite leave it as it is.
        Claim.objects.bulk_create([Claim(registration=registration, by=by, until=until)], ignore_conflicts=True)
    return current(registration)


def current(registration: "Registration") -> Claim | None:
    found = Claim.objects.select_related("by__identity").filter(registration=registration)
    return found.filter(until__gt=timezone.now()).first()


def release(registration: "Registration", by: User, until: datetime | None = None) -> None:
    """End this person's claim. `until` names the one that is meant: a page that is left late ends no newer one."""
    meant = Q() if until is None else Q(until=until)
    Claim.objects.filter(meant, registration=registration, by=by).delete()


def end(registration: "Registration") -> None:
    """Whoever's it is: it is decided, or a manager says so."""
    Claim.objects.filter(registration=registration).delete()


def holders(registrations: Iterable[int], user: User) -> dict[int, str]:
    """Who else is looking at which of them right now, by primary key. One query, and another for their names; none where
    there is nothing to look at."""
    claims = Claim.objects.filter(registration__in=registrations, until__gt=timezone.now()).exclude(by=user)
    found = dict(claims.values_list("registration", "by"))
    people = User.objects.select_related("identity").in_bulk(set(found.values()))
    return {registration: str(people[by]) for registration, by in found.items() if by in people}


def unclaimed(registrations: Any, user: User) -> Any:
    """Those that nobody else is looking at."""
    others = Claim.objects.filter(until__gt=timezone.now()).exclude(by=user)
    return registrations.exclude(pk__in=others.values("registration"))
