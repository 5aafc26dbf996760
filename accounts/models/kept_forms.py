"""What was typed into a form when the session ended, until its owner has signed in again."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.fields import EncryptedTextField


class KeptForm(models.Model):
    """One form that could not be saved: encrypted, its owner's alone, short-lived (accounts/kept_forms.py)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="kept_forms")
    path = models.CharField(max_length=200)
    content = EncryptedTextField()
    kept_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    class Meta:
        verbose_name = "没有保存的表单"
        verbose_name_plural = "没有保存的表单"
        constraints = [models.UniqueConstraint(fields=["user", "path"], name="one_kept_form_per_page")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.path}"
