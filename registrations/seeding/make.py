"""Seed a database: batch after batch of people with their registrations, each batch whole and counted when it is in."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from random import Random

import django
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Consent, Identity, User
from accounts.notice import NOTICE_VERSION
from photos.models import Portrait, remove_files
from plans.models import Occupation
from profiles.models import Profile
from registrations import tally
from registrations.messages import Message
from registrations.models import Registration
from registrations.reference import new_reference
from registrations.seeding import people, plans, portraits, roads
from registrations.seeding.people import Seeded
from registrations.seeding.plans import Offer
from registrations.seeding.portraits import Sample
from registrations.seeding.roads import Left
from registrations.seeding.writing import keys, write
from registrations.snapshots import Snapshot
from registrations.trail import ReviewEvent

BATCH = 5_000  # registrations of one transaction
PLANS = 10
# The first plan is the large one: of a hundred registrations so many are in it, the rest is spread evenly.
IN_THE_FIRST = 40
NO_PASSWORD = make_password(None)  # nobody signs in by one
OFTEN, MORE_OFTEN = 10, 50  # every tenth person registers in two plans, every fiftieth in three


@dataclass
class Batch:
    """Rows that go in together."""

    users: list[User] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    portraits: list[Portrait] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    registrations: list[Registration] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


@dataclass(frozen=True)
class Ground:
    """What all batches stand on."""

    offers: list[Offer]
    samples: list[Sample]
    now: datetime

    @classmethod
    def prepare(cls, number_of_plans: int) -> "Ground":
        now = timezone.now()
        with transaction.atomic():
            offers = plans.offers(number_of_plans, now)
        roads.words.cache_clear()  # of plans that were called by the same keys, in another database
        return cls(offers, portraits.samples(offers[0].plan.photo_spec), now)


@dataclass(frozen=True)
class Task:
    """One batch: the people from `serial` on with `number` registrations, the first `photos` of them with a picture."""

    serial: int
    number: int
    photos: int


def seed(
    number: int, *, plans: int = PLANS, photos: int = 0, processes: int = 1, progress: Callable[[int], None] = print
) -> Counter[str]:
    """Add `number` registrations; how many came to which status. The first `photos` people have a picture in the
    storage, the others' rows say that theirs is lost.

    Each batch is one transaction, with its counts: what is interrupted leaves a database that is right, only smaller.
    `progress` is told after each how many there are so far. More than one of the `processes` helps on PostgreSQL.
    """
    ground, statuses = Ground.prepare(plans), Counter[str]()
    with mapping(processes) as over:
        for found in over(partial(write_batch, ground), tasks(next_serial(), number, photos, len(ground.offers))):
            statuses.update(found)
            progress(statuses.total())
    return statuses


def tasks(serial: int, number: int, photos: int, most: int) -> Iterator[Task]:
    while number > 0:
        task = Task(serial, min(BATCH, number), max(0, photos))
        people_of_it = sum(1 for _ in places(serial, task.number, most))
        yield task
        serial, number, photos = serial + people_of_it, number - task.number, photos - people_of_it


@contextmanager
def mapping(processes: int) -> Iterator[Callable[..., Iterable[Counter[str]]]]:
    """Something that maps as map() does: here, or in processes that have the portal to themselves."""
    if processes == 1:
        yield map
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=django.setup) as pool:
        yield pool.map


def next_serial() -> int:
    """Where the people of an earlier time end."""
    range_of_names = {"username__gte": people.FIRST_USERNAME, "username__lt": people.BEYOND_USERNAME}
    last = User.objects.filter(**range_of_names).order_by("-username").values_list("username", flat=True).first()
    return int(last.removeprefix("seed-")) + 1 if last else 0


def write_batch(ground: Ground, task: Task) -> Counter[str]:
    """How many of the batch have come to which status."""
    files: list[str] = []
    try:
        with transaction.atomic():
            batch = fill(ground, task, files)
            for model, rows in in_order(batch):
                write(model, rows)
            count(batch)
    except BaseException:
        remove_files(files)
        raise
    return Counter(registration.status for registration in batch.registrations)


def in_order(batch: Batch) -> Iterator[tuple[type, list]]:
    yield User, batch.users
    yield Identity, batch.identities
    yield Consent, batch.consents
    yield Portrait, batch.portraits
    yield Profile, batch.profiles
    yield Registration, batch.registrations
    yield ReviewEvent, [event for left in batch.left for event in left.events]
    yield Snapshot, [snapshot for left in batch.left for snapshot in left.snapshots]
    yield Message, [message for left in batch.left for message in left.messages]


def fill(ground: Ground, task: Task, files: list[str]) -> Batch:
    """The rows of a batch, with their keys; the names of the pictures that were stored go into `files`."""
    batch, chance = Batch(), Random(task.serial)  # noqa: S311  (the same people at each run, no secret)
    wanted = list(places(task.serial, task.number, len(ground.offers)))
    called = zip(keys(Registration, task.number), references(task.number, ground.now.year), strict=True)
    for place, ((person, times), key) in enumerate(zip(wanted, keys(User, len(wanted)), strict=True)):
        enter(batch, ground, person, key, files if place < task.photos else None)
        for offer in chosen(ground.offers, times, chance):
            register(batch, offer, person, next(called), chance, ground.now)
    lines = iter(keys(ReviewEvent, sum(len(left.events) for left in batch.left)))
    for left in batch.left:
        roads.number_lines(left, [next(lines) for _ in left.events])
    for model, rows in in_order(batch):
        if any(row.pk is None for row in rows):
            for row, key in zip(rows, keys(model, len(rows)), strict=True):
                row.pk = key
    return batch


def places(serial: int, number: int, most: int) -> Iterator[tuple[Seeded, int]]:
    """People from `serial` on, each with in how many plans (`most` at most), until there are `number` registrations."""
    while number > 0:
        often = 3 if serial % MORE_OFTEN == 0 else 2 if serial % OFTEN == 0 else 1
        times = min(number, most, often)
        yield Seeded(serial), times
        serial, number = serial + 1, number - times


def chosen(offers: list[Offer], times: int, chance: Random) -> list[Offer]:
    first, *others = offers
    if times > 1:
        return [first, *chance.sample(others, times - 1)]
    return [first if not others or chance.randrange(100) < IN_THE_FIRST else chance.choice(others)]


def references(number: int, year: int) -> list[str]:
    """So many that nobody has. Among a million of them, two that are equal are likelier than not."""
    found: set[str] = set()
    while len(found) < number:
        more = {new_reference(year) for _ in range(number - len(found))} - found
        found |= more - set(Registration.objects.filter(reference__in=more).values_list("reference", flat=True))
    return sorted(found)


def enter(batch: Batch, ground: Ground, person: Seeded, key: int, files: list[str] | None) -> None:
    """Account, identity, consent, portrait and profile, as after a first visit some weeks ago."""
    document, at = person.document(), ground.now - timedelta(days=30, seconds=person.serial % 86_400)
    user = User(pk=key, username=person.username, password=NO_PASSWORD, date_joined=at)
    user.issuer, user.subject = settings.OIDC_OP_ISSUER, person.username
    user.identity = Identity(user=user, legal_name=person.name, phone=person.phone, confirmed_at=at)
    user.identity.name_vouched = user.identity.document_vouched = True
    user.identity.hold_document(document)
    sample = ground.samples[person.serial % len(ground.samples)]
    if files is None:
        portrait = sample.row(key, portraits.file_name(), at, lost_at=at)
    else:
        files.append(portraits.keep(sample))
        portrait = sample.row(key, files[-1], at, lost_at=None)
    batch.users.append(user)
    batch.identities.append(user.identity)
    batch.consents.append(Consent(user=user, notice=NOTICE_VERSION, at=at))
    batch.portraits.append(portrait)
    batch.profiles.append(Profile(user=user, portrait=portrait, version=1, **person.details(document)))


def register(
    batch: Batch, offer: Offer, person: Seeded, called: tuple[int, str], chance: Random, now: datetime
) -> None:
    """One registration of the person who came last, with all that its road has left."""
    user, profile = batch.users[-1], batch.profiles[-1]
    registration = Registration(
        pk=called[0],
        reference=called[1],
        applicant=user,
        plan=offer.plan,
        occupation=offer.occupations[person.trade, person.division.value],
        portrait=profile.portrait,
        **profile.details(),
    )
    user.identity.copy_document_to(registration)
    deciders = [decider.pk for decider in offer.deciders]
    fate = chance.choice(roads.FATES)
    batch.left.append(roads.walk(registration, fate, offer.plan.registration_opens_at, now, chance, deciders))
    batch.registrations.append(registration)


def count(batch: Batch) -> None:
    """The counters, in the order in which the steps move them (registrations/steps.py)."""
    seats = Counter(registration.seat_id for registration in batch.registrations if registration.seat_id)
    for occupation in sorted(seats):
        Occupation.objects.filter(pk=occupation).update(seats_taken=F("seats_taken") + seats[occupation])
    tally.shift(Counter(registration.kind for registration in batch.registrations))
