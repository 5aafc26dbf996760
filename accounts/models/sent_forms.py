"""A form that was sent and done: whoever sends it once more gets the same answer (accounts/once.py)."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.fields import EncryptedTextField


class SentForm(models.Model):
    """The key of one form of one person, and what became of it. Written in the transaction that did it; kept a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sent_forms")
    key = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)  # keyed: of where it was sent and of what was in it
    # JSON: where it leads, and the sentences for the next page, which name people.
    answer = EncryptedTextField(blank=True)
    sent_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    class Meta:
        verbose_name = "已办理的表单"
        verbose_name_plural = "已办理的表单"
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_form")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.sent_at:%Y-%m-%d %H:%M:%S}"
