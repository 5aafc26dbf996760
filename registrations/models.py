"""报名: one person in one plan, and the steps it takes."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from accounts.models import DocumentHolder, User
from photos.models import PhotoClosed, Portrait
from photos.spec import PhotoSpec
from plans.models import Occupation, Plan, Role
from profiles.models import PersonalDetails, Profile, StaleDetails
from registrations import claims, completeness, holding, notifications, tally, undo, workflow
from registrations.corrections import LOCKED, Correction
from registrations.jobs import Job as Job  # Django finds an app's models here
from registrations.reference import new_reference
from registrations.return_reasons import ReturnReason  # noqa: F401  (a model of this app)
from registrations.snapshots import Snapshot
from registrations.trail import STATUS_CHOICES, ReviewEvent
from registrations.workflow import EDITABLE, Action, Actor, Seat, Status, StepRefused

FASTER = "这份报名刚刚被处理过，请刷新页面，看过最新内容后再操作。"
PHOTO_CHANGED = "已换过照片，请看过新照片后再决定。"
# What whoever wanted a seat is told to do where there is none.
FULL = {
    Actor.APPLICANT: "没有提交成功。您可以改选其他职业（工种）。",
    Actor.MANAGER: "不能重新审核。请先在竞赛计划里增加名额，或等有名额放出来再操作。",
    Actor.DECIDER: "不能撤销。请由管理成员增加名额，或等有名额放出来，再“重新审核”。",
}


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def owned_by(self, user: User) -> "RegistrationQuerySet":
        return self.filter(applicant=user)

    def reviewable_by(self, user: User) -> "RegistrationQuerySet":
        """What this person's committees may see. Drafts are nobody's but the applicant's."""
        return self.filter(plan__in=Plan.objects.reviewable_by(user)).exclude(status=Status.DRAFT)

    def live(self) -> "RegistrationQuerySet":
        return self.exclude(status=Status.WITHDRAWN)

    def editable(self) -> "RegistrationQuerySet":
        return self.filter(status__in=EDITABLE)

    def held(self, now: datetime) -> "RegistrationQuerySet":
        """Decided, and not to be told before their plan's publication."""
        return self.filter(held=True, plan__in=Plan.objects.holding(now))

    def to_be_told(self, now: datetime) -> "RegistrationQuerySet":
        """Whose decision is published, and whose message is not written yet."""
        return self.filter(held=True).exclude(plan__in=Plan.objects.holding(now))

    def due_between(self, begin: datetime, end: datetime) -> "RegistrationQuerySet":
        """What the applicant can still submit, whose deadline() lies after `begin` and not after `end`."""
        corrections = Coalesce("plan__correction_closes_at", "plan__registration_closes_at")
        deadline = models.Case(
            models.When(status=Status.RETURNED, then=corrections), default="plan__registration_closes_at"
        )
        return self.editable().alias(due_at=deadline).filter(due_at__gt=begin, due_at__lte=end)

    def for_pages(self) -> "RegistrationQuerySet":
        """With all that a page about it names."""
        return self.select_related("plan", "occupation", "portrait", "applicant__identity")


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

    def shown_events(self) -> models.QuerySet[ReviewEvent]:
        """The trail as its applicant sees it."""
        events = self.events.standing()
        return events.filter(held=False) if self.plan.is_holding else events

    def status_for(self, user: User) -> Status:
        return self.shown_status if user.pk == self.applicant_id else self.state

    @property
    def is_editable(self) -> bool:
        return self.status in EDITABLE

    def deadline(self) -> datetime:
        """Until when (exclusive, aware) the applicant can act: later where corrections were asked for."""
        return self.plan.corrections_end_at if self.status == Status.RETURNED else self.plan.registration_closes_at

    def closed_reason(self, now: datetime | None = None) -> str:
        """Why the applicant cannot change it now, as a sentence; empty when the applicant can."""
        now = now or timezone.now()
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

    # Who may do what ----------------------------------------------------------------------------------------------

    def actors(self, user: User) -> set[Actor]:
        """In what capacities this person can act on it. Nobody reviews their own."""
        if user.pk == self.applicant_id:
            return {Actor.APPLICANT}
        capacities = set()
        if self.plan.has_member(user, Role.REVIEWER, Role.MANAGER):
            capacities.add(Actor.COMMITTEE)
        if self.plan.has_member(user, Role.MANAGER):
            capacities.add(Actor.MANAGER)
        if Actor.COMMITTEE in capacities and undo.decided(self, user):
            capacities.add(Actor.DECIDER)
        return capacities

    def actions_for(self, user: User) -> list[Action]:
        """What the page offers this person now: the table's answer, less what is out of time."""
        offered = workflow.possible(self.status_for(user), self.actors(user))
        late = timezone.now() >= self.deadline()
        lines = [(action, workflow.TABLE[action]) for action in offered]
        return [
            action
            for action, line in lines
            if not (late and line.in_time) and not (line.undoes and undo.refusal(self, timezone.now()))
        ]

    # The one way to another status --------------------------------------------------------------------------------

    @transaction.atomic
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
        """Take one step and write its line in the trail, or raise StepRefused and leave everything as it was.

        `items` are what is to be fixed, each {"field": …, "label": …, "code": …, "sentence": …}; `whole` opens the rest of
        the form, too. The step is bound to the version of the row
        that this instance was read at, and to its portrait; `seen_portrait` is the SHA-256 of the one that whoever
        decides has seen ("" for none), where that was on an earlier page. `at` (aware) is for steps of the past, which the demonstration tells; else now.
        """
        now = at or timezone.now()
        sentences = note or " ".join(item["sentence"] for item in items)
        line = workflow.check(action, self.status_for(by), self.actors(by), sentences)
        correction = self.correction() if line.complete else None
        self.check_conditions(line, now, correction)
        silent = holding.is_silent(self, action, now)
        seat = self.seat_id if silent and self.seat_id else self.seat_after(line.seat)
        undoes = undo.last_decision(self) if line.undoes or (silent and action == Action.REOPEN) else None
        self.move(line, now, seat, seen_portrait, silent=silent)
        event = ReviewEvent.objects.create(
            registration=self,
            action=action,
            before=self.status,
            after=line.target,
            by=by,
            note=note.strip(),
            items=[*items, *(correction.lines() if correction else [])],
            whole=whole,
            held=silent,
            undoes=undoes,
            portrait_sha256=self.portrait_sha256,
            version=self.version,
            at=now,
        )
        if action == Action.RETURN:
            Snapshot.keep(self, event)
        claims.end(self)
        if not silent:
            notifications.write(event)
        # The counters come last: the rows that everybody wants are held for the shortest time.
        self.move_seat(line, seat)
        tally.moved(self.kind, self.kind._replace(status=line.target))
        transaction.on_commit(partial(notifications.announce, event), robust=True)
        self.refresh_from_db(fields=["status", "submitted_at", "unseen", "held", "seat"])
        return event

    def check_conditions(self, line: workflow.Step, now: datetime, correction: Correction | None) -> None:
        if line.actor == Actor.APPLICANT and self.is_held:
            raise StepRefused(holding.DECIDED_MEANWHILE)
        if line.in_time and now >= self.deadline():
            raise StepRefused("已经过了截止时间，不能再操作。如有特殊情况，请联系组委会。")
        if line.in_time and line.complete and self.status == Status.DRAFT and now < self.plan.registration_opens_at:
            raise StepRefused("报名还没有开始，请在开始后再提交。")
        if line.complete and (gaps := self.missing()):
            raise StepRefused(f"还有 {len(gaps)} 处没有填写完整：{'；'.join(gap.sentence for gap in gaps)}。")
        if line.undoes and (sentence := undo.refusal(self, now)):
            raise StepRefused(sentence)
        if correction and (refusal := correction.refusal()):
            raise StepRefused(refusal)

    def seat_after(self, seat: Seat) -> int | None:
        return {Seat.TAKE: self.occupation_id, Seat.KEEP: self.seat_id, Seat.GIVE_BACK: None}[seat]

    def move(
        self, line: workflow.Step, now: datetime, seat: int | None, seen_portrait: str | None, *, silent: bool
    ) -> None:
        """Write the status, and prove by the same statement that nobody was faster."""
        values: dict[str, Any] = {"status": line.target, "seat": seat, "held": silent and line.target in holding.HIDDEN}
        if not silent:
            values["unseen"] = line.actor in {Actor.COMMITTEE, Actor.MANAGER}
        if line.complete:
            values["submitted_at"] = now
        # The portrait by its key: through a join, PostgreSQL would judge a row by what it was before it waited for it.
        unchanged = Registration.objects.filter(
            pk=self.pk, status=self.status, version=self.version, portrait=self.portrait_id, held=self.held
        )
        if seen_portrait not in {None, self.portrait_sha256} or not unchanged.update(**values):
            raise StepRefused(self.who_was_faster(seen_portrait))

    def who_was_faster(self, seen_portrait: str | None) -> str:
        row = Registration.objects.select_related("portrait").filter(pk=self.pk).first()
        return FASTER if row is None or seen_portrait in {None, row.portrait_sha256} else PHOTO_CHANGED

    def move_seat(self, line: workflow.Step, seat: int | None) -> None:
        """Take the seat, give the former one back. Always in the same order, or two who swap wait for one another."""
        if seat == self.seat_id:
            return
        for occupation in sorted(pk for pk in (seat, self.seat_id) if pk is not None):
            if occupation != seat:
                Occupation.objects.give_seat_back(occupation)
            elif not Occupation.objects.take_seat(occupation):
                raise StepRefused(f"“{self.occupation}”的名额已满，{FULL[line.actor]}")

    def discard(self, by: User) -> None:
        """Delete a draft, which only its owner can. The trail, if it was submitted once, stays."""
        if by.pk != self.applicant_id:
            raise StepRefused("只有报名人员本人可以删除草稿。")
        if not Registration.objects.filter(pk=self.pk, status=Status.DRAFT).delete()[0]:
            raise StepRefused("只有“填写中”的报名可以删除。请刷新页面查看最新状态。")

    # A subject of photos (photos/views.py) ------------------------------------------------------------------------

    @property
    def photo_spec(self) -> PhotoSpec:
        return self.plan.photo_spec

    @property
    def photo_owner(self) -> User:
        return self.applicant

    @property
    def photo_closed(self) -> str:
        return self.closed_reason() or self.portrait_locked

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
