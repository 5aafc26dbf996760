"""Thousands of people who are signed in and have everything filled in but for the last step, made in seconds."""

import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

BATCH = 1_000


@dataclass(frozen=True)
class Applicant:
    """Whoever has a complete draft: its number, and the cookie of the person's session."""

    reference: str
    cookie: str


def crowd(number: int) -> tuple[Any, list[Applicant]]:
    """The occupation that all of them have chosen, and its applicants, each of an account of its own."""
    from tests import scenes

    occupation = scenes.occupation(scenes.open_plan(), capacity=None)
    portrait = scenes.portrait_of(scenes.person())
    serials = iter(range(number))
    applicants: list[Applicant] = []
    while batch := list(itertools.islice(serials, BATCH)):
        applicants += written(occupation, portrait, batch)
    return occupation, applicants


def written(occupation: Any, portrait: Any, numbers: list[int]) -> list[Applicant]:
    from accounts.models import Consent, Identity, Session, User
    from accounts.session_store import SessionStore
    from registrations.models import Registration

    users = User.objects.bulk_create(User(username=f"crowd-{number}", subject=f"crowd-{number}") for number in numbers)
    identities = [identity_of(user, number) for user, number in zip(users, numbers, strict=True)]
    Identity.objects.bulk_create(identities)
    Consent.objects.bulk_create(consents(users))
    drafts = [draft_of(user, held, occupation, portrait) for user, held in zip(users, identities, strict=True)]
    Registration.objects.bulk_create(drafts)
    keys = [secrets.token_hex(16) for _ in users]
    rows: list[Any] = [
        SessionStore(key).create_model_instance(signed_in_as(user)) for user, key in zip(users, keys, strict=True)
    ]
    Session.objects.bulk_create(rows)
    return [Applicant(draft.reference, cookie(key)) for draft, key in zip(drafts, keys, strict=True)]


def identity_of(user: Any, number: int) -> Any:
    from django.utils import timezone

    from accounts import identity
    from accounts.identity import DocumentType
    from accounts.models import Identity
    from tests.people import passport_number

    held = Identity(user=user, legal_name=f"王{number}", confirmed_at=timezone.now())
    held.hold_document(identity.parse(DocumentType.PASSPORT, passport_number(number), today=timezone.localdate()))
    return held


def consents(users: list[Any]) -> Iterator[Any]:
    from accounts.models import Consent
    from accounts.notice import NOTICE_VERSION

    return (Consent(user=user, notice=NOTICE_VERSION) for user in users)


def draft_of(user: Any, held: Any, occupation: Any, portrait: Any) -> Any:
    from registrations.models import Registration
    from tests import scenes

    reference = f"C{user.pk:08}"
    draft = Registration(
        applicant=user, plan=occupation.plan, occupation=occupation, portrait=portrait, reference=reference,
        version=1, **scenes.COMPLETE,
    )  # fmt: skip
    held.copy_document_to(draft)
    return draft


def signed_in_as(user: Any) -> dict[str, Any]:
    """What the session of somebody who has just signed in holds (accounts/sessions.py)."""
    from accounts import sessions

    backend = "accounts.oidc.PlatformBackend"
    moment = sessions.now()
    hashed = user.get_session_auth_hash()
    return {
        "_auth_user_id": str(user.pk), "_auth_user_backend": backend, "_auth_user_hash": hashed,
        sessions.STARTED: moment, sessions.SEEN: moment,
    }  # fmt: skip


def cookie(key: str) -> str:
    from django.conf import settings

    return f"{settings.SESSION_COOKIE_NAME}={key}"
