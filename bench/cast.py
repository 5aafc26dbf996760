"""Who takes part: people of the seeded database, found by what they are about to do, and signed in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.people import Person

PAGES = 4  # people who ask for pages at the same time


@dataclass(frozen=True)
class Part:
    """Somebody, and the registration that this is about."""

    person: Person
    registration: Any


@dataclass(frozen=True)
class Cast:
    plan: Any
    other: Any  # a plan in which the returning ones are not yet
    visitors: list[Person]  # without an account
    busy: list[Person]  # in several plans
    reviewers: list[Person]
    sent_again: list[Any]  # registrations with a trail and a change, one for each of the applicants
    applicants: list[Part]  # theirs
    drafts: list[Part]
    photographed: list[Part]  # drafts, too
    waiting: list[Any]  # registrations to decide
    returning: list[Any]  # registrations of people with a profile and a portrait, who come back for `other`


def find(origin: str, requests: int) -> Cast:
    """As many as there are, up to `requests` of those who can do what they do only once."""
    from accounts.models import User
    from photos.models import Portrait
    from plans.models import Plan
    from registrations.models import Registration
    from registrations.workflow import Status

    plan, other = Plan.objects.get(code="SEED-01"), Plan.objects.get(code="SEED-02")
    seeded = Registration.objects.for_pages().filter(applicant__username__startswith="seed-").order_by("-pk")
    here = seeded.filter(plan=plan)
    again = list(here.filter(status=Status.SUBMITTED, snapshots__isnull=False)[:PAGES])
    few = max(4, requests // 8)
    drafts = list(seeded.filter(status=Status.DRAFT)[: requests + few])
    few = min(few, len(drafts) // 3)
    waiting = here.filter(status=Status.SUBMITTED, snapshots=None)
    several = User.objects.filter(registrations__plan=plan).filter(registrations__plan=other).order_by("-pk")
    decided = here.filter(status=Status.APPROVED).exclude(applicant__registrations__plan=other)
    reviewers = User.objects.filter(username__startswith="seed-reviewer").order_by("pk")[:PAGES]
    returning = list(decided[: max(8, requests // 4)])
    # All but a few of the seeded pictures have no file, and say so; nobody looks at these, but they have to be submitted.
    Portrait.objects.filter(owner__in=[each.applicant_id for each in [*drafts, *returning]]).mark(None)

    def parts(found: Iterable[Any]) -> list[Part]:
        return [Part(signed_in(origin, each.applicant), each) for each in found]

    return Cast(
        plan=plan,
        other=other,
        visitors=[Person(origin) for _ in range(PAGES)],
        busy=[signed_in(origin, user) for user in several[:PAGES]],
        reviewers=[signed_in(origin, user) for user in reviewers],
        sent_again=again,
        applicants=parts(again),
        drafts=parts(drafts[few:]),
        photographed=parts(drafts[:few]),
        waiting=list(waiting[: 2 * requests]),
        returning=returning,
    )


def signed_in(origin: str, user: Any) -> Person:
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user, backend="accounts.oidc.PlatformBackend")
    name = settings.SESSION_COOKIE_NAME
    return Person(origin, {name: client.cookies[name].value})
