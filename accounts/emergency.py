"""The way in for an operator while the platform is away: an account with a password of ours, if a setting opens it."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from accounts import limits, origin
from accounts.models import User

ATTEMPTS = 5  # for each account and for each address
WINDOW_SECONDS = 15 * 60
BACKEND = "accounts.emergency.EmergencyBackend"


class EmergencyBackend(BaseBackend):
    """Passwords of emergency accounts. In AUTHENTICATION_BACKENDS only while EMERGENCY_LOGIN is on: turning it off
    ends the sessions that began with a password."""

    def authenticate(self, request: HttpRequest | None, *, account: str, password: str) -> User | None:  # type: ignore[override]
        """The account, or None after the same time, whatever was wrong."""
        if not settings.EMERGENCY_LOGIN:
            return None
        user = named(account)
        if user is None:
            User().set_password(password)  # costs what a comparison costs
            return None
        return user if user.check_password(password) and may_enter(user) else None

    def get_user(self, user_id: int) -> User | None:
        if not settings.EMERGENCY_LOGIN:
            return None
        user = User.objects.of_session(user_id)
        return user if user and may_enter(user) else None


def named(account: str) -> User | None:
    return User.objects.filter(username=account).first()


def may_enter(user: User) -> bool:
    """Staff with a password that a command has set: an account of the platform's has none."""
    return (
        user.is_active and (user.is_staff or user.is_superuser) and bool(user.password) and user.has_usable_password()
    )


def too_often(account: str) -> datetime | None:
    """Count one attempt at this account from the address of this request; when to come back if it is one too many.

    An account that does not exist counts alike, so that the limit does not tell which ones do.
    """
    moments = [
        limits.spend(f"emergency-{kind}", who, times=ATTEMPTS, seconds=WINDOW_SECONDS, audited=False)
        for kind, who in (("account", account), ("address", origin.current().address))
    ]
    return max((moment for moment in moments if moment), default=None)


def first_time_too_often(account: str) -> bool:
    """Whether nobody was told yet in this quarter of an hour: one line in the record, however long somebody hammers."""
    who = f"{account} {origin.current().address}"
    return limits.spend("emergency-told", who, times=1, seconds=WINDOW_SECONDS, audited=False) is None
