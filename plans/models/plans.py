"""竞赛计划: one published competition, its moments, and who may see it."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from accounts import clock
from photos.requirements import PhotoRequirements
from plans.markdown import render
from plans.models.committee import CommitteeMember, Role
from plans.models.occupations import Occupation

if TYPE_CHECKING:
    from accounts.models import User


class PlanState(StrEnum):
    """Where a published plan stands at a moment."""

    SOON = "soon"
    OPEN = "open"
    CLOSED = "closed"

    @property
    def label(self) -> str:
        return {self.SOON: "未开始", self.OPEN: "报名中", self.CLOSED: "已截止"}[self]


class Level(models.TextChoices):
    NATIONAL = "national", "国家级"
    CITY = "city", "市级"
    DISTRICT = "district", "区级"
    INDUSTRY = "industry", "行业"


class PlanQuerySet(models.QuerySet["Plan"]):
    def published(self, now: datetime | None = None) -> "PlanQuerySet":
        return self.filter(published_at__lte=now or clock.near())

    def open_at(self, now: datetime) -> "PlanQuerySet":
        return self.published(now).filter(registration_opens_at__lte=now, registration_closes_at__gt=now)

    def holding(self, now: datetime) -> "PlanQuerySet":
        """As Plan.holds_decisions_at()."""
        ahead = Q(decisions_published_at=None) | Q(decisions_published_at__gt=now)
        return self.filter(ahead, holds_decisions=True)

    def in_state(self, state: PlanState, now: datetime) -> "PlanQuerySet":
        if state == PlanState.OPEN:
            return self.open_at(now)
        if state == PlanState.SOON:
            return self.published(now).filter(registration_opens_at__gt=now)
        return self.published(now).filter(registration_closes_at__lte=now)

    def search(self, text: str) -> "PlanQuerySet":
        """Plans with every word somewhere in title, code, organisers or the name of an occupation."""
        found = self
        for word in text.split()[:5]:
            found = found.filter(
                Q(title__icontains=word)
                | Q(code__icontains=word)
                | Q(organiser__icontains=word)
                | Q(co_organiser__icontains=word)
                | Q(pk__in=Occupation.objects.filter(name__icontains=word).values("plan"))
            )
        return found

    def open_first(self, now: datetime) -> "PlanQuerySet":
        """Open ones first, the one that closes soonest on top; then what comes; then what is over, latest first."""
        return self.alias(
            rank=models.Case(
                models.When(registration_closes_at__lte=now, then=2),
                models.When(registration_opens_at__gt=now, then=1),
                default=0,
            ),
            ends=models.Case(models.When(registration_closes_at__gt=now, then=F("registration_closes_at"))),
        ).order_by("rank", F("ends").asc(nulls_last=True), "-registration_closes_at", "pk")

    def reviewable_by(self, user: "User") -> "PlanQuerySet":
        """The plans whose committee this person belongs to, in any role; every plan for a superuser."""
        if user.is_superuser:
            return self
        return self.filter(pk__in=CommitteeMember.objects.filter(user=user).values("plan"))


class Plan(PhotoRequirements):
    """One competition for which people register. Times are moments; registration closes exclusively."""

    code = models.CharField(
        "计划编号",
        max_length=32,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9-]+\Z", "计划编号只能用字母、数字和连字符。")],
        help_text="出现在网址里，发布后请不要再改，例如 BJ2026-07。",
    )
    title = models.CharField("竞赛名称", max_length=120)
    level = models.CharField("级别", max_length=10, choices=Level)
    category = models.CharField("类别", max_length=4, blank=True, choices=[("一类", "一类"), ("二类", "二类")])
    organiser = models.CharField("主办单位", max_length=120)
    co_organiser = models.CharField("承办单位", max_length=200, blank=True)
    registration_opens_at = models.DateTimeField("报名开始时间", db_index=True)
    registration_closes_at = models.DateTimeField(
        "报名截止时间", db_index=True, help_text="到这一刻为止，这一刻本身已不能提交。"
    )
    correction_closes_at = models.DateTimeField(
        "修改截止时间", null=True, blank=True, help_text="被退回的报名在此之前可以重新提交。不填则与报名截止时间相同。"
    )
    competition_starts_on = models.DateField("竞赛开始日期", null=True, blank=True)
    competition_ends_on = models.DateField("竞赛结束日期", null=True, blank=True)
    place = models.CharField("竞赛地点", max_length=200, blank=True)
    description = models.TextField("竞赛说明", blank=True, help_text="可以用 Markdown 排版；网页代码会被去掉。")
    contact = models.CharField("联系人", max_length=60, blank=True)
    contact_phone = models.CharField("联系电话", max_length=40, blank=True)
    published_at = models.DateTimeField(
        "发布时间", null=True, blank=True, db_index=True, help_text="不填为未发布；填将来的时间则到时自动发布。"
    )
    holds_decisions = models.BooleanField(
        "审核结果统一公布",
        default=False,
        db_default=False,
        help_text="勾选后，通过和不通过先不告诉报名人员，等您公布时一起公布；退回修改照常马上告诉。",
    )
    decisions_published_at = models.DateTimeField("审核结果公布时间", null=True, blank=True, editable=False)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = "竞赛计划"
        verbose_name_plural = "竞赛计划"
        ordering = ["-registration_closes_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(registration_opens_at__lt=F("registration_closes_at")),
                name="plan_opens_before_it_closes",
                violation_error_message="报名截止时间必须晚于报名开始时间。",
            ),
            models.CheckConstraint(
                condition=Q(correction_closes_at__isnull=True)
                | Q(correction_closes_at__gte=F("registration_closes_at")),
                name="plan_corrections_end_after_registration",
                violation_error_message="修改截止时间不能早于报名截止时间。",
            ),
            models.CheckConstraint(
                condition=Q(competition_starts_on__isnull=True)
                | Q(competition_ends_on__isnull=True)
                | Q(competition_starts_on__lte=F("competition_ends_on")),
                name="plan_competition_starts_before_it_ends",
                violation_error_message="竞赛结束日期不能早于开始日期。",
            ),
            models.CheckConstraint(
                condition=Q(decisions_published_at__isnull=True) | Q(holds_decisions=True),
                name="plan_publishes_what_it_holds",
                violation_error_message="审核结果已经定了公布时间，不能取消统一公布。",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("plans:detail", args=[self.code])

    def clean(self) -> None:
        super().clean()
        row, now = Plan.objects.filter(pk=self.pk).first(), clock.near()
        if row is None:
            return
        if row.holds_decisions and not self.holds_decisions and (reason := row.why_it_holds_on()):
            raise ValidationError({"holds_decisions": reason})
        if row.is_published_at(now) and not self.is_published_at(now) and (reason := row.why_it_stays_published()):
            raise ValidationError({"published_at": reason})

    def why_it_holds_on(self) -> str:
        """Why it cannot go back to telling each decision at once, as a sentence; empty where it can."""
        if self.decisions_published_at:
            return "审核结果已经公布或定了公布时间，不能取消统一公布。要取消定时公布的，请到“公布审核结果”页面。"
        number = self.registrations.filter(held=True).count()
        return f"已有 {number} 份审核结果等着公布，不能取消。请到“公布审核结果”页面公布。" if number else ""

    def is_published_at(self, now: datetime) -> bool:
        return self.published_at is not None and self.published_at <= now

    def why_it_stays_published(self) -> str:
        """Why its publication cannot be taken back, as a sentence; empty while nobody has so much as begun a draft."""
        if not self.registrations.exists():
            return ""
        return f"“{self}”已经有人开始填写报名，不能撤回发布。可以修改竞赛说明，或联系运营人员。"

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Whoever saves a row read it a while ago: what was published meanwhile stays published (plans/decisions.py)."""
        if update_fields is None and not self._state.adding:
            own = {field.name for field in self._meta.concrete_fields}
            update_fields = own - {"id", "decisions_published_at"}
        super().save(update_fields=update_fields, **options)

    @property
    def level_label(self) -> str:
        return f"{self.get_level_display()}{self.category}"

    def state_at(self, now: datetime) -> PlanState:
        if now < self.registration_opens_at:
            return PlanState.SOON
        return PlanState.OPEN if now < self.registration_closes_at else PlanState.CLOSED

    @property
    def state(self) -> PlanState:
        return self.state_at(clock.near())

    def holds_decisions_at(self, now: datetime) -> bool:
        """Whether what is decided is not told yet. The clock alone publishes; from the moment itself on all is seen."""
        published_at = self.decisions_published_at
        return self.holds_decisions and (published_at is None or now < published_at)

    @property
    def is_holding(self) -> bool:
        return self.holds_decisions_at(clock.near())

    @property
    def corrections_end_at(self) -> datetime:
        return self.correction_closes_at or self.registration_closes_at

    def description_html(self) -> str:
        """The description as safe HTML."""
        return render(self.description)

    def role_of(self, user: "User") -> str | None:
        """This person's role in the committee, or None. A superuser's is the manager's."""
        if user.is_superuser:
            return Role.MANAGER
        return self.members.filter(user=user).values_list("role", flat=True).first()

    def has_member(self, user: "User", *roles: str) -> bool:
        """Whether this person is in the committee, in one of these roles if any are named. Superusers are."""
        if user.is_superuser:
            return True
        mine = self.members.filter(user=user)
        return (mine.filter(role__in=roles) if roles else mine).exists()
