"""职业（工种）: what one registers for within a plan, and the counter of its seats."""

from collections.abc import Iterable
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q


class Division(models.TextChoices):
    """参赛组别."""

    WORKER = "worker", "职工组"
    STUDENT = "student", "学生组"
    TEACHER = "teacher", "教师组"


class OccupationQuerySet(models.QuerySet["Occupation"]):
    def take_seat(self, occupation_id: int) -> bool:
        """Take one seat if one is left: one conditional UPDATE, so that the last seat is sold once."""
        free = Q(capacity__isnull=True) | Q(seats_taken__lt=F("capacity"))
        return bool(self.filter(free, pk=occupation_id).update(seats_taken=F("seats_taken") + 1))

    def give_seat_back(self, occupation_id: int) -> None:
        self.filter(pk=occupation_id).update(seats_taken=F("seats_taken") - 1)


class Occupation(models.Model):
    """职业（工种）: what one registers for within a plan."""

    plan = models.ForeignKey("plans.Plan", models.CASCADE, verbose_name="竞赛计划", related_name="occupations")
    code = models.CharField("职业编码", max_length=32, blank=True, help_text="国家职业分类编码，例如 6-31-01-03。")
    name = models.CharField("职业（工种）", max_length=60)
    division = models.CharField("参赛组别", max_length=10, choices=Division)
    skill_level = models.CharField("竞赛标准等级", max_length=30, blank=True, help_text="例如 高级工（三级）。")
    requirements = models.TextField("参赛条件", blank=True)
    capacity = models.PositiveIntegerField(
        "名额", null=True, blank=True, validators=[MinValueValidator(1)], help_text="不填为不限名额。"
    )
    seats_taken = models.PositiveIntegerField("已占名额", default=0, editable=False)

    objects = OccupationQuerySet.as_manager()

    class Meta:
        verbose_name = "职业（工种）"
        verbose_name_plural = "职业（工种）"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "name", "division"],
                name="one_occupation_per_division",
                violation_error_message="这个竞赛计划里已经有同名同组别的职业（工种）。",
            ),
            models.CheckConstraint(condition=Q(seats_taken__gte=0), name="seats_taken_not_negative"),
            models.CheckConstraint(
                condition=Q(capacity__isnull=True) | Q(seats_taken__lte=F("capacity")),
                name="seats_taken_within_capacity",
                violation_error_message="名额不能少于已经占用的名额。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}（{self.get_division_display()}）"

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Whoever saves a row read it a while ago: the counter moves by take_seat() and give_seat_back() alone."""
        if update_fields is None and not self._state.adding:
            update_fields = {field.name for field in self._meta.concrete_fields} - {"id", "seats_taken"}
        super().save(update_fields=update_fields, **options)

    @property
    def seats_left(self) -> int | None:
        """Seats left, or None where they are not limited."""
        return None if self.capacity is None else self.capacity - self.seats_taken

    @property
    def is_full(self) -> bool:
        return self.seats_left == 0
