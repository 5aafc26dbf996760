"""The secret in the link of an invitation: how it is drawn, what the database keeps of it, the link itself."""

import secrets
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.crypto import salted_hmac

from accounts.fields import blind_index

if TYPE_CHECKING:
    from accounts.models import User
    from plans.models import Plan

# By it accounts/redaction.py knows a token wherever it slips in; 32 random bytes follow.
LINK_MARK = "invite_"


def new_token() -> str:
    return LINK_MARK + secrets.token_urlsafe(32)


def token_of(plan: "Plan", role: str, by: "User", key: str) -> str:
    """The one of a form's key (accounts/once.py), which a browser keeps no longer than its page; as hard to guess."""
    made = salted_hmac("plans.invitation", f"{plan.pk}:{role}:{by.pk}:{key}", algorithm="sha256").digest()
    return LINK_MARK + urlsafe_b64encode(made).decode().rstrip("=")


def fingerprint(token: str) -> str:
    return blind_index("invitation", token)


def link_of(token: str) -> str:
    return reverse("plans:invitation", args=[token])
