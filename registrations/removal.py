"""Remove registrations with their trails and portraits: at the end of their time, or because their person has asked."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.erasure import remove_lines
from accounts.retention import Part, Rows, remove_rows
from photos.models import Portrait, Upload
from photos.removal import remove as remove_pictures
from photos.removal import remove_if_unused
from plans.models import Occupation, Plan
from profiles.models import Profile
from registrations import tally
from registrations.extensions import Extension
from registrations.jobs import ALIVE, Job
from registrations.models import Registration
from registrations.trail import ReviewEvent
from registrations.workflow import Status

DECIDED = {Status.APPROVED, Status.REJECTED, Status.WITHDRAWN}


def remove(registrations: QuerySet[Any]) -> int:
    """Seats that are still taken are given back, so that the counters keep counting what there is."""
    wanted = ("seat", "portrait", "plan", "occupation", "status")
    rows = list(registrations.select_for_update(of=("self",)).order_by("pk").only(*wanted))
    pks = [row.pk for row in rows]
    remove_lines(ReviewEvent.objects.filter(registration__in=pks))
    removed = Registration.objects.filter(pk__in=pks).delete()[1].get(Registration._meta.label, 0)
    for seat in sorted(row.seat_id for row in rows if row.seat_id):
        Occupation.objects.give_seat_back(seat)
    tally.shift({kind: -number for kind, number in Counter(row.kind for row in rows).items()})
    remove_if_unused({row.portrait_id for row in rows if row.portrait_id})
    return removed


def untouched_drafts(before: datetime) -> QuerySet[Registration]:
    return Registration.objects.filter(status=Status.DRAFT, updated_at__lt=before)


def of_plans_over(before: datetime) -> QuerySet[Registration]:
    """Of plans in which nothing has happened since: registration, corrections and the competition are over."""
    return Registration.objects.filter(
        Q(extended_until=None) | Q(extended_until__lt=before), plan__in=plans_over(before).values("pk")
    )


def plans_over(before: datetime) -> QuerySet[Plan]:
    day = timezone.localtime(before).date()
    return Plan.objects.filter(
        Q(correction_closes_at=None) | Q(correction_closes_at__lt=before),
        Q(competition_starts_on=None) | Q(competition_starts_on__lt=day),
        Q(competition_ends_on=None) | Q(competition_ends_on__lt=day),
        registration_closes_at__lt=before,
    )


def extensions_over(before: datetime) -> QuerySet[Extension]:
    """What they allowed stands in the trails, as long as those do."""
    return Extension.objects.filter(until__lt=before, plan__in=plans_over(before).values("pk"))


def trail_without_draft(before: datetime) -> QuerySet[ReviewEvent]:
    """Lines about drafts that their owners have deleted (docs/adr/0002)."""
    registrations = Registration.objects.filter(pk=OuterRef("registration_id"))
    return ReviewEvent.objects.filter(~Exists(registrations), at__lt=before)


def working_copies_done_with(before: datetime) -> QuerySet[Upload]:
    """Whose portraits are used by decided registrations of plans that are over, and by nothing else: no profile, nobody
    who could still be asked for another frame. The portraits themselves stay with their registrations."""
    cut = Portrait.objects.filter(upload=OuterRef("pk"))
    over = of_plans_over(before).filter(status__in=DECIDED)
    open_ones = Registration.objects.exclude(pk__in=over.values("pk"))
    profiles = Profile.objects.exclude(portrait=None)
    return Upload.objects.filter(
        Exists(cut.filter(pk__in=over.values("portrait"))),
        ~Exists(cut.filter(pk__in=open_ones.exclude(portrait=None).values("portrait"))),
        ~Exists(cut.filter(pk__in=profiles.values("portrait"))),
        created_at__lt=before,
    )


def old_jobs(before: datetime) -> QuerySet[Job]:
    """With what became of each registration; what was decided stands in the trails."""
    return Job.objects.filter(created_at__lt=before).exclude(state__in=ALIVE)


PARTS: tuple[Part, ...] = (
    Rows("drafts", "没有再动过的草稿", untouched_drafts, remove),
    Rows("drafts", "已删除草稿的审核记录", trail_without_draft, remove_lines),
    Rows("jobs", "批量处理的结果", old_jobs, remove_rows),
    Rows("closed_plans", "已结束竞赛的报名", of_plans_over, remove),
    Rows("closed_plans", "已结束竞赛的个人延期", extensions_over, remove_rows),
    Rows("uploads", "已结束报名的照片原件", working_copies_done_with, remove_pictures),
)
