"""Accounts, identities and records. One noun a module; the rest of the portal imports them from here."""

from accounts.models.append_only import AppendOnly, AppendOnlyModel, AppendOnlyQuerySet
from accounts.models.audit_entries import AuditEntry
from accounts.models.consents import Consent
from accounts.models.kept_forms import KeptForm
from accounts.models.people import (
    AccountEnded,
    AlreadyConfirmed,
    DocumentHolder,
    DocumentTaken,
    Identity,
    User,
    UserManager,
    pseudonym,
)
from accounts.models.sent_forms import SentForm
from accounts.models.sessions import Session

__all__ = [
    "AccountEnded",
    "AlreadyConfirmed",
    "AppendOnly",
    "AppendOnlyModel",
    "AppendOnlyQuerySet",
    "AuditEntry",
    "Consent",
    "DocumentHolder",
    "DocumentTaken",
    "Identity",
    "KeptForm",
    "SentForm",
    "Session",
    "User",
    "UserManager",
    "pseudonym",
]
