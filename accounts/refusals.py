"""A ciphertext that was refused leaves an audit line, once what was being done has been rolled back."""

import logging
import sys
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, transaction
from django.http import HttpRequest

from accounts import once
from accounts.audit import ANONYMOUS, record
from accounts.fields import TamperedCiphertext
from accounts.models import User
from accounts.verbs import Verb

logger = logging.getLogger(__name__)


def record_refusal(actor: User | str, refusal: TamperedCiphertext) -> None:
    """One line, `accounts_identity.document_number:7`, and never a second failure because of it."""
    logger.error("ciphertext refused: %s", refusal)
    try:
        with transaction.atomic():
            record(actor, Verb.CIPHERTEXT_REFUSED, refusal.place[:80])
    except DatabaseError:
        logger.exception("the refusal of %s could not be written into the record", refusal.place)


def on_request_exception(sender: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Django's got_request_exception: the view's own transactions are over; its form's is ended here, then a line can be written."""
    problem = sys.exception()
    refusal = refusal_behind(problem)
    if refusal:
        once.take_back(request, problem)
        record_refusal(actor_of(request), refusal)


def refusal_behind(problem: BaseException | None) -> TamperedCiphertext | None:
    """The refusal that a problem is, or that it was raised from."""
    seen: set[int] = set()
    while problem is not None and id(problem) not in seen:
        if isinstance(problem, TamperedCiphertext):
            return problem
        seen.add(id(problem))
        problem = problem.__cause__ or problem.__context__
    return None


def actor_of(request: HttpRequest | None) -> str:
    """The pseudonym of whoever asked, without the identity: it may be the very thing that cannot be read."""
    try:
        session = getattr(request, "session", {})
        return User.objects.values_list("username", flat=True).get(pk=session[SESSION_KEY])
    except (KeyError, ValueError, ObjectDoesNotExist, DatabaseError):
        return ANONYMOUS
