"""The trail that a registration's steps leave: one line for each, never changed and never removed."""

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models import AppendOnlyModel
from accounts.models.append_only import AppendOnlyQuerySet
from accounts.written import Question
from registrations import workflow
from registrations.workflow import Action, Actor, Status

STATUS_CHOICES = [(status.value, status.label) for status in Status]


class TrailQuerySet(AppendOnlyQuerySet):
    def standing(self) -> "TrailQuerySet":
        """What still holds: without the decisions that were taken back, and without the taking back (docs/adr/0016)."""
        return self.filter(undoes=None, undone=None)

    def moving(self) -> "TrailQuerySet":
        """What led from one status to another: without proposals, extensions and their like."""
        return self.exclude(before=models.F("after"))


def standing(lines: Iterable["ReviewEvent"]) -> list["ReviewEvent"]:
    """The same of a whole trail that has been read."""
    lines = list(lines)
    undone = {line.undoes_id for line in lines}
    return [line for line in lines if line.undoes_id is None and line.pk not in undone]


class ReviewEvent(AppendOnlyModel):
    """One line of the trail: who took which step, from where to where, and what was said."""

    # The line outlives a draft that its owner deletes, so nothing cascades and nothing is set to null.
    registration = models.ForeignKey(
        "registrations.Registration", models.DO_NOTHING, db_constraint=False, related_name="events", verbose_name="报名"
    )
    action = models.CharField("操作", max_length=10, choices=[(action.value, action.label) for action in Action])
    before = models.CharField("之前", max_length=10, choices=STATUS_CHOICES)
    after = models.CharField("之后", max_length=10, choices=STATUS_CHOICES)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="操作人")
    note = models.TextField("意见", blank=True)
    items = models.JSONField("需修改的内容", default=list, blank=True)
    whole = models.BooleanField("整份报名表都可以修改", default=False, db_default=False)
    held = models.BooleanField("公布以后才告诉报名人员", default=False, db_default=False)
    portrait_sha256 = models.CharField(max_length=64, blank=True)
    version = models.PositiveIntegerField(default=0)
    undoes = models.OneToOneField(
        "self", models.DO_NOTHING, db_constraint=False, null=True, editable=False, related_name="undone"
    )
    at = models.DateTimeField("时间", default=timezone.now)

    objects = TrailQuerySet.as_manager()  # type: ignore[misc]  # Django takes the nearest

    class Meta:
        verbose_name = "审核记录"
        verbose_name_plural = "审核记录"
        ordering = ["-pk"]
        indexes = [models.Index(fields=["registration", "-id"], name="trail_of_registration")]

    def __str__(self) -> str:
        return f"{self.get_action_display()}（{self.at:%Y-%m-%d %H:%M}）"

    @property
    def by_applicant(self) -> bool:
        return workflow.TABLE[Action(self.action)].actor == Actor.APPLICANT


def standing_of(registration: int) -> TrailQuerySet:
    return ReviewEvent.objects.filter(registration=registration).standing()


# What its applicant's page reads of it; while the plan holds its decisions back, without them.
STANDING = Question(standing_of, -1)
TOLD = Question(lambda registration: standing_of(registration).filter(held=False), -1)
