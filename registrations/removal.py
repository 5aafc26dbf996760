"""Remove registrations with their trails and portraits: at the end of their time, or because their person has asked."""

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.erasure import remove_lines
from accounts.retention import Part, Rows
from photos.removal import remove_if_unused
from plans.models import Occupation
from registrations.models import Registration, ReviewEvent
from registrations.workflow import Status


def remove(registrations: QuerySet[Any]) -> int:
    """Seats that are still taken are given back, so that the counter keeps counting what there is."""
    rows = list(registrations.select_for_update(of=("self",)).order_by("pk").only("seat", "portrait"))
    pks = [row.pk for row in rows]
    remove_lines(ReviewEvent.objects.filter(registration__in=pks))
    removed = Registration.objects.filter(pk__in=pks).delete()[1].get(Registration._meta.label, 0)
    for seat in sorted(row.seat_id for row in rows if row.seat_id):
        Occupation.objects.give_seat_back(seat)
    remove_if_unused({row.portrait_id for row in rows if row.portrait_id})
    return removed


def untouched_drafts(before: datetime) -> QuerySet[Registration]:
    return Registration.objects.filter(status=Status.DRAFT, updated_at__lt=before)


def of_plans_over(before: datetime) -> QuerySet[Registration]:
    """Of plans in which nothing has happened since: registration, corrections and the competition are over."""
    day = timezone.localtime(before).date()
    return Registration.objects.filter(
        Q(plan__correction_closes_at=None) | Q(plan__correction_closes_at__lt=before),
        Q(plan__competition_starts_on=None) | Q(plan__competition_starts_on__lt=day),
        Q(plan__competition_ends_on=None) | Q(plan__competition_ends_on__lt=day),
        plan__registration_closes_at__lt=before,
    )


def trail_without_draft(before: datetime) -> QuerySet[ReviewEvent]:
    """Lines about drafts that their owners have deleted (docs/adr/0002)."""
    registrations = Registration.objects.filter(pk=OuterRef("registration_id"))
    return ReviewEvent.objects.filter(~Exists(registrations), at__lt=before)


PARTS: tuple[Part, ...] = (
    Rows("drafts", "没有再动过的草稿", untouched_drafts, remove),
    Rows("drafts", "已删除草稿的审核记录", trail_without_draft, remove_lines),
    Rows("closed_plans", "已结束竞赛的报名", of_plans_over, remove),
)
