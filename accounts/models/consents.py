"""Who agreed to which version of the privacy notice, and when."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models.append_only import AppendOnlyModel
from accounts.notice import NOTICE_VERSION


class Consent(AppendOnlyModel):
    """A separate consent to the use of sensitive personal data (PIPL, articles 14 and 29): kept as proof."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="consents")
    notice = models.CharField("告知的版本", max_length=20, editable=False)
    at = models.DateTimeField("同意时间", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "同意记录"
        verbose_name_plural = "同意记录"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.user_id} {self.notice} {self.at:%Y-%m-%d %H:%M:%S}"

    @classmethod
    def give(cls, user: Any) -> "Consent":
        """This person agrees, now, to the notice that is in force."""
        return cls.objects.create(user=user, notice=NOTICE_VERSION)

    @classmethod
    def of_outer(cls, notice: str) -> Exists:
        """For a query over accounts: whether each has agreed to this version of the notice."""
        return Exists(cls.objects.filter(user=OuterRef("pk"), notice=notice))

    @classmethod
    def is_given_by(cls, user: Any) -> bool:
        """Whether this person has agreed to the notice that is in force."""
        return cls.objects.filter(user=user, notice=NOTICE_VERSION).exists()
