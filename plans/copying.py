"""A new plan from an old one: what it offers and asks is taken over; who registered, and who may look, is not."""

from datetime import datetime

from django.core.files.base import ContentFile
from django.db import transaction

from accounts.audit import record
from accounts.models import User
from accounts.verbs import Verb
from plans import members
from plans.models import Attachment, Occupation, Plan, Role

# What belongs to the one competition alone.
LEFT_OUT = {
    *("id", "published_at", "correction_closes_at", "competition_starts_on", "competition_ends_on"),
    "decisions_published_at",
}


@transaction.atomic
def copy(plan: Plan, by: User, *, code: str, title: str, opens_at: datetime, closes_at: datetime) -> Plan:
    """An unpublished plan with the old one's occupations and attachments; `by` is its manager. Moments are aware.

    OSError where an attachment cannot be read: nothing is copied then.
    """
    values = {field.attname: getattr(plan, field.attname) for field in Plan._meta.concrete_fields}
    values = {name: value for name, value in values.items() if name not in LEFT_OUT}
    values |= {"code": code, "title": title, "registration_opens_at": opens_at, "registration_closes_at": closes_at}
    made = Plan.objects.create(**values)
    Occupation.objects.bulk_create(fresh(occupation, made) for occupation in plan.occupations.all())
    for attachment in plan.attachments.all():
        copy_attachment(attachment, made)
    record(by, Verb.PLAN_CREATED, made, detail=f"copy of {plan.code}")
    members.appoint(made, by, Role.MANAGER, by)
    return made


def fresh(occupation: Occupation, plan: Plan) -> Occupation:
    occupation.pk = None
    occupation._state.adding = True
    occupation.plan, occupation.seats_taken = plan, 0
    return occupation


def copy_attachment(attachment: Attachment, plan: Plan) -> None:
    """With a file of its own: the old plan may lose or exchange its one."""
    with attachment.file.open("rb") as source:
        content = ContentFile(source.read())
    made = Attachment(plan=plan, title=attachment.title)
    made.file.save(str(attachment.file.name).rsplit("/", 1)[-1], content)
