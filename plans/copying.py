"""A new plan from an old one: what it offers and asks is taken over; who registered, and who may look, is not."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from accounts.verbs import Verb
from plans import attachment_files, members
from plans.models import Attachment, Occupation, Plan, Role
from plans.signals import plan_copied

# What belongs to the one competition alone.
LEFT_OUT = {
    *("id", "published_at", "correction_closes_at", "competition_starts_on", "competition_ends_on"),
    "decisions_published_at",
}


@contextmanager
def attachments_of(plan: Plan) -> Iterator[list[tuple[str, str]]]:
    """Title and name of each attachment's copy: a file of its own, so that the old plan may lose or exchange its one.

    To be entered outside the transaction, and left after it: gone again where it does not end well. OSError where one
    cannot be read.
    """
    attachments = list(plan.attachments.all())
    sources = [(str(held.file.name), partial(held.file.open, "rb")) for held in attachments]
    with attachment_files.stored(sources) as names:
        yield list(zip((held.title for held in attachments), names, strict=True))


@transaction.atomic
def copy(
    plan: Plan,
    by: User,
    attachments: Iterable[tuple[str, str]],
    *,
    code: str,
    title: str,
    opens: datetime,
    closes: datetime,
) -> Plan:
    """An unpublished plan with the old one's occupations and these attachments; `by` is its manager. Moments are aware.

    IntegrityError where the code is taken.
    """
    values = {field.attname: getattr(plan, field.attname) for field in Plan._meta.concrete_fields}
    values = {name: value for name, value in values.items() if name not in LEFT_OUT}
    values |= {"code": code, "title": title, "registration_opens_at": opens, "registration_closes_at": closes}
    made = Plan.objects.create(**values)
    Occupation.objects.bulk_create(fresh(occupation, made) for occupation in plan.occupations.all())
    for named, file in attachments:
        Attachment.objects.create(plan=made, title=named, file=file)
    record(by, Verb.PLAN_CREATED, made, detail=f"copy of {plan.code}")
    members.appoint(made, by, Role.MANAGER, by)
    plan_copied.send(Plan, plan=made, original=plan)
    return made


def fresh(occupation: Occupation, plan: Plan) -> Occupation:
    occupation.pk = None
    occupation._state.adding = True
    occupation.plan, occupation.seats_taken = plan, 0
    return occupation
