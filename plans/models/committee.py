"""组委会: who belongs to it, and in which role."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Role(models.TextChoices):
    VIEWER = "viewer", "查看"
    REVIEWER = "reviewer", "审核"
    MANAGER = "manager", "管理"


class CommitteeMember(models.Model):
    """组委会成员: one person's role in ONE plan."""

    plan = models.ForeignKey("plans.Plan", models.CASCADE, verbose_name="竞赛计划", related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name="账户", related_name="committee_memberships"
    )
    role = models.CharField("角色", max_length=10, choices=Role)
    # Null for whoever came in before these columns did; added_by is null for an operator's command, too.
    since = models.DateTimeField("加入时间", null=True, default=timezone.now, editable=False)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, verbose_name="由谁加入", related_name="+"
    )

    class Meta:
        verbose_name = "组委会成员"
        verbose_name_plural = "组委会成员"
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "user"],
                name="one_role_per_member_and_plan",
                violation_error_message="这个账户已经是该竞赛计划的组委会成员。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}（{self.get_role_display()}）"
