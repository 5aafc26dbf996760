"""组委会邀请: the links by which others are invited into a plan's committee."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts import clock
from plans.invitation_links import fingerprint
from plans.models.committee import Role

if TYPE_CHECKING:
    from accounts.models import User
    from plans.models import Plan

INVITATION_DAYS = 7


class Standing(StrEnum):
    """What has become of an invitation."""

    OPEN = "open"
    USED = "used"
    REVOKED = "revoked"
    EXPIRED = "expired"

    @property
    def label(self) -> str:
        return {self.OPEN: "等待接受", self.USED: "已接受", self.REVOKED: "已撤销", self.EXPIRED: "已过期"}[self]


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open_at(self, now: datetime) -> "InvitationQuerySet":
        return self.filter(used_at=None, revoked_at=None, expires_at__gt=now)

    def of_token(self, token: str) -> "Invitation | None":
        found = self.select_related("plan", "by__identity").filter(fingerprint=fingerprint(token))
        return found.first()


class Invitation(models.Model):
    """A link into one plan's committee, for one person, for seven days. The token itself is nowhere in the database."""

    plan = models.ForeignKey("plans.Plan", models.CASCADE, verbose_name="竞赛计划", related_name="invitations")
    role = models.CharField("角色", max_length=10, choices=Role)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="邀请人", related_name="+")
    fingerprint = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField("邀请时间", default=timezone.now, editable=False)
    expires_at = models.DateTimeField("有效期至", db_index=True, editable=False)
    revoked_at = models.DateTimeField("撤销时间", null=True, editable=False)
    used_at = models.DateTimeField("接受时间", null=True, editable=False)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, verbose_name="接受人", related_name="+"
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = "组委会邀请"
        verbose_name_plural = "组委会邀请"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(used_at__isnull=True, used_by__isnull=True)
                | Q(used_at__isnull=False, used_by__isnull=False),
                name="used_invitation_says_by_whom",
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan}（{self.get_role_display()}）"

    @classmethod
    def make(cls, plan: "Plan", role: str, by: "User", token: str) -> tuple["Invitation", str]:
        """An invitation and its token, which only its link ever says."""
        until = clock.now() + timedelta(days=INVITATION_DAYS)
        return cls.objects.create(plan=plan, role=role, by=by, fingerprint=fingerprint(token), expires_at=until), token

    @property
    def standing(self) -> Standing:
        if self.used_at:
            return Standing.USED
        if self.revoked_at:
            return Standing.REVOKED
        return Standing.OPEN if clock.near() < self.expires_at else Standing.EXPIRED

    def stands(self, **values: Any) -> bool:
        """Write these if nobody was faster and its time is not over: of two who press at once one has it."""
        return bool(Invitation.objects.open_at(clock.now()).filter(pk=self.pk).update(**values))
