"""报名: one person in one plan."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts import clock
from accounts.models import DocumentHolder, User
from photos.models import PhotoClosed, Portrait
from photos.spec import PhotoSpec
from plans.models import Occupation, Plan
from profiles.models import PersonalDetails, Profile, StaleDetails
from registrations import completeness, holding, steps, tally, trail
from registrations.corrections import LOCKED, Correction
from registrations.extensions import Extension as Extension  # Django finds an app's models here
from registrations.jobs import Job as Job
from registrations.moves import MoveProposal as MoveProposal
from registrations.querysets import RegistrationQuerySet as RegistrationQuerySet
from registrations.reference import new_reference
from registrations.return_reasons import ReturnReason  # noqa: F401  (a model of this app)
from registrations.trail import STATUS_CHOICES, ReviewEvent
from registrations.workflow import EDITABLE, Action, Actor, Status, StepRefused


class Registration(PersonalDetails, DocumentHolder):
    """One person in one plan, with copies of details and document of its own: what was submitted stays as it was."""

    reference = models.CharField("报名编号", max_length=16, unique=True, editable=False)
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="报名人员", related_name="registrations"
    )
    plan = models.ForeignKey(Plan, models.PROTECT, verbose_name="竞赛计划", related_name="registrations")
    occupation = models.ForeignKey(
        Occupation, models.PROTECT, null=True, blank=True, verbose_name="职业（工种）", related_name="registrations"
    )
    seat = models.ForeignKey(
        Occupation, models.PROTECT, null=True, editable=False, verbose_name="占用的名额", related_name="seated"
    )
    portrait = models.ForeignKey(
        Portrait, models.PROTECT, null=True, editable=False, verbose_name="证件照", related_name="+"
    )
    status = models.CharField("状态", max_length=10, choices=STATUS_CHOICES, default=Status.DRAFT, editable=False)
    unseen = models.BooleanField("有未读的审核结果", default=False, editable=False)
    held = models.BooleanField("审核结果还没有告诉本人", default=False, db_default=False, editable=False)
    submitted_at = models.DateTimeField("提交时间", null=True, editable=False)
    created_at = models.DateTimeField("开始填写时间", default=timezone.now, editable=False)
    # The person's Extension in this plan, kept here by registrations/extensions.py: deadlines are asked for in lists.
    extended_until = models.DateTimeField("个人截止时间", null=True, editable=False)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = "报名"
        verbose_name_plural = "报名"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["applicant", "plan"],
                condition=~Q(status=Status.WITHDRAWN.value),
                name="one_live_registration_per_plan",
                violation_error_message="您已报名该竞赛。",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.DRAFT.value) | Q(submitted_at__isnull=False),
                name="submitted_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(held=False) | Q(status__in=[status.value for status in holding.HIDDEN]),
                name="held_is_decided",
            ),
            models.CheckConstraint(condition=Q(status__in=[status.value for status in Status]), name="status_is_known"),
        ]
        # The queue's: a status or all, an occupation or all, in the order of submitting. Of a division, the occupation
        # is read from the index, too. The last finds a name.
        indexes = [
            models.Index(fields=["plan", "status", "submitted_at", "id", "occupation"], name="queue_of_status"),
            models.Index(fields=["plan", "submitted_at", "id", "occupation"], name="queue_of_all"),
            models.Index(fields=["plan", "occupation", "status", "submitted_at", "id"], name="queue_of_occupation"),
            models.Index(fields=["plan", "occupation", "submitted_at", "id"], name="queue_of_occupation_all"),
            models.Index(fields=["plan", "legal_name"], name="queue_by_name"),
            models.Index(fields=["plan"], condition=Q(held=True), name="held_of_plan"),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("registrations:detail", args=[self.reference])

    @classmethod
    def begin(cls, user: User, plan: Plan, **values: Any) -> "Registration":
        """A draft with a reference of its own. IntegrityError where the person has a live one in this plan."""
        while True:
            reference = new_reference(timezone.localdate().year)
            if not cls.objects.filter(reference=reference).exists():
                return cls.objects.create(applicant=user, plan=plan, reference=reference, **values)

    # What it is ---------------------------------------------------------------------------------------------------

    @property
    def state(self) -> Status:
        return Status(self.status)

    @property
    def is_held(self) -> bool:
        """Whether its applicant is not to learn yet how it was decided, nor that it was (docs/adr/0021)."""
        return self.held and self.plan.is_holding

    @property
    def shown_status(self) -> Status:
        """What its applicant sees: this, and not `status`, is what applicants' pages, files and messages ask."""
        return Status.SUBMITTED if self.is_held else self.state

    def shown_events(self) -> list[ReviewEvent]:
        """The trail as its applicant sees it, newest first."""
        lines = (trail.TOLD if self.plan.is_holding else trail.STANDING).answers(self.pk)
        for line in lines:
            line.registration = self
        return lines

    def status_for(self, user: User) -> Status:
        return self.shown_status if user.pk == self.applicant_id else self.state

    @property
    def is_editable(self) -> bool:
        return self.status in EDITABLE

    def deadline(self) -> datetime:
        """Until when (exclusive, aware) the applicant can act: later where a manager has given this person more time."""
        return self.or_later(self.usual_deadline())

    @property
    def corrections_end_at(self) -> datetime:
        """Until when (exclusive, aware) its applicant could correct it, were it returned."""
        return self.or_later(self.plan.corrections_end_at)

    def or_later(self, usual: datetime) -> datetime:
        return max(usual, self.extended_until or usual)

    def usual_deadline(self) -> datetime:
        """Everybody's: later where corrections were asked for."""
        return self.plan.corrections_end_at if self.status == Status.RETURNED else self.plan.registration_closes_at

    @property
    def is_extended(self) -> bool:
        """Whether this person has more time than the others."""
        return self.deadline() > self.usual_deadline()

    def closed_reason(self, now: datetime | None = None) -> str:
        """Why the applicant cannot change it now, as a sentence; empty when the applicant can."""
        now = now or clock.near()
        if self.status not in EDITABLE:
            return f"这份报名现在是“{self.shown_status.label}”，不能修改。"
        if now < self.plan.registration_opens_at and self.status == Status.DRAFT:
            return "报名还没有开始，不能修改。"
        if now >= self.deadline():
            moment = timezone.localtime(self.deadline())
            return f"报名已于 {moment:%Y} 年 {moment.month} 月 {moment.day} 日 {moment:%H:%M} 截止，不能再修改或提交。"
        return ""

    def missing(self) -> list[Any]:
        """Everything that is still to be filled in before it can be submitted, in the order of the form."""
        return completeness.missing(self, super().missing())

    def correction(self) -> Correction | None:
        """What sent it back, as long as it waits for corrections."""
        return Correction.of(self) if self.status == Status.RETURNED else None

    def only_open(self, values: dict[str, Any]) -> dict[str, Any]:
        """Without what a return has left closed."""
        correction = self.correction()
        if correction is None:
            return values
        return {name: value for name, value in values.items() if name in correction.open_fields}

    def writable_rows(self) -> models.QuerySet["Registration"]:
        return Registration.objects.filter(pk=self.pk, status=self.status)

    def write(self, version: int, **values: Any) -> None:
        """Whichever way a value comes, from a form or from the profile: what is closed stays as it was returned.

        One that was sent back and gets another occupation is counted there from now on.
        """
        values = self.only_open(values)
        if self.status == Status.DRAFT or "occupation" not in values:
            super().write(version, **values)
            return
        with transaction.atomic():
            # From the row: a form has already put its choice into the instance.
            row = Registration.objects.filter(pk=self.pk, version=version).values_list("occupation", flat=True)
            before = self.kind._replace(occupation=row.first())
            super().write(version, **values)
            tally.moved(before, self.kind)

    @property
    def kind(self) -> tally.Kind:
        """Among what it is counted."""
        return tally.Kind(self.plan_id, self.occupation_id, self.status)

    @property
    def portrait_sha256(self) -> str:
        return self.portrait.sha256 if self.portrait else ""

    # Its steps (registrations/steps.py) -----------------------------------------------------------------------------

    def actors(self, user: User) -> set[Actor]:
        return steps.actors(self, user)

    def actions_for(self, user: User) -> list[Action]:
        return steps.actions_for(self, user)

    def take(
        self,
        action: Action,
        *,
        by: User,
        note: str = "",
        items: Collection[dict[str, Any]] = (),
        whole: bool = False,
        seen_portrait: str | None = None,
        at: datetime | None = None,
    ) -> ReviewEvent:
        """The one way to another status: see steps.take()."""
        return steps.take(self, action, by=by, note=note, items=items, whole=whole, seen_portrait=seen_portrait, at=at)

    # A draft that is given up ----------------------------------------------------------------------------------------

    def discard(self, by: User) -> None:
        """Delete a draft, which only its owner can. The trail, if it was submitted once, stays.

        The row is held from the look at its status on: delete() first reads what hangs on it, and then asks no more.
        """
        if by.pk != self.applicant_id:
            raise StepRefused("只有报名人员本人可以删除草稿。")
        with transaction.atomic():
            draft = Registration.objects.select_for_update().filter(pk=self.pk, status=Status.DRAFT).first()
            if draft is None:
                raise StepRefused("只有“填写中”的报名可以删除。请刷新页面查看最新状态。")
            draft.delete()

    # A subject of photos (photos/views.py) ------------------------------------------------------------------------

    @property
    def photo_spec(self) -> PhotoSpec:
        return self.plan.photo_spec

    @property
    def photo_owner(self) -> User:
        return self.applicant

    @property
    def photo_closed(self) -> str:
        return self.closed_reason(clock.now()) or self.portrait_locked

    @property
    def portrait_locked(self) -> str:
        """Why a return leaves the photo as it is, as a sentence; empty where it does not."""
        return "" if self.only_open({"portrait": None}) else LOCKED

    @property
    def other_portrait(self) -> Portrait | None:
        """The profile's, which may be used here, too (photos/subjects.py)."""
        return Profile.of(self.applicant).portrait

    def get_photo_return_url(self) -> str:
        return reverse("registrations:edit", args=[self.reference])

    def set_portrait(self, portrait: Portrait) -> None:
        if self.portrait_locked:
            raise PhotoClosed(self.portrait_locked)
        try:
            self.write(self.version, portrait=portrait)
        except StaleDetails as problem:
            raise PhotoClosed("这份报名刚刚在另一个窗口里修改或提交过，照片没有更换。请回到报名页面核对。") from problem
