"""Accounts of the platform, and the tickets behind its QR codes."""

import secrets
import uuid
from datetime import datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils import timezone

from identity_sandbox import documents


def new_subject() -> str:
    return str(uuid.uuid4())


class Account(AbstractBaseUser):
    """Somebody who can sign in; verified once the platform knows name and document."""

    username = models.CharField("用户名", max_length=30, unique=True)
    subject = models.CharField("用户标识", max_length=64, unique=True, default=new_subject, editable=False)
    name = models.CharField("姓名", max_length=50, blank=True)
    id_type = models.CharField("证件类型", max_length=20, blank=True, choices=list(documents.KINDS.items()))
    # Not unique, unlike at the real platform: the demo must be able to show what the portal says to a second account.
    id_number = models.CharField("证件号码", max_length=18, blank=True)
    phone_number = models.CharField("手机号码", max_length=11, blank=True)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "username"
    objects = BaseUserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(name="", id_type="", id_number="", phone_number="")
                | ~(Q(name="") | Q(id_type="") | Q(id_number="") | Q(phone_number="")),
                name="account_verified_as_a_whole",
            )
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def is_verified(self) -> bool:
        return bool(self.id_number)

    def vouched_claims(self) -> dict[str, str | bool]:
        """What the platform vouches for, as the claims of the userinfo endpoint: nothing for a bare account."""
        if not self.is_verified:
            return {}
        return {
            "name": self.name,
            "id_type": self.id_type,
            "id_number": self.id_number,
            "phone_number": self.phone_number,
            "phone_number_verified": True,
        }


def new_token() -> str:
    return secrets.token_urlsafe(24)


def two_minutes_from_now() -> datetime:
    return timezone.now() + timedelta(minutes=2)


class ScanTicket(models.Model):
    """One QR code: shown in one browser session, confirmed once on a phone, used up once by that session."""

    token = models.CharField(max_length=43, unique=True, default=new_token)
    expires_at = models.DateTimeField(default=two_minutes_from_now)
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE)
    redeemed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"scan ticket {self.pk}"

    @property
    def state(self) -> str:
        """waiting for the phone, confirmed by it, or over (too old, or used up)."""
        if self.redeemed_at or self.expires_at <= timezone.now():
            return "over"
        return "confirmed" if self.account_id else "waiting"

    def confirm(self, account: Account) -> bool:
        """Say on the phone who it is; False when somebody was faster or it is too late."""
        waiting = ScanTicket.objects.filter(pk=self.pk, account=None, redeemed_at=None, expires_at__gt=timezone.now())
        return bool(waiting.update(account=account))

    def redeem(self) -> Account | None:
        """The account to sign in, the first time; None ever after, before confirmation, or when it is too late."""
        now = timezone.now()
        confirmed = ScanTicket.objects.filter(pk=self.pk, account__isnull=False, redeemed_at=None, expires_at__gt=now)
        if not confirmed.update(redeemed_at=now):
            return None
        self.refresh_from_db()
        return self.account
