"""注销账户: remove all that is held about a person, and leave a pseudonym."""

from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.models import AppendOnlyQuerySet, User
from accounts.personal_data import REGISTERED
from accounts.verbs import Verb


class ErasureRefused(Exception):
    """Something must come first. `reasons` are the sentences for the person at the screen."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def reasons_against(user: User) -> list[str]:
    return [reason for holding in REGISTERED for reason in holding.refuses(user)]


def what_will_happen(user: User) -> list[str]:
    return [sentence for holding in REGISTERED for sentence in holding.warns(user)]


def counts(user: User) -> dict[str, int]:
    """What an erasure would remove, by name."""
    return {name: number for holding in REGISTERED for name, number in holding.count(user).items()}


@transaction.atomic
def erase(user: User, actor: User | str) -> dict[str, int]:
    """Remove it all, or nothing; what was removed, by name. Raises ErasureRefused. Photo files go after the commit.

    What is built on something else goes before it: the rooms above first.
    """
    held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not held.is_active and held.subject is None:
        raise ErasureRefused(["这个账户已经注销。"])
    if reasons := reasons_against(held):
        raise ErasureRefused(reasons)
    removed = counts(held)
    for holding in reversed(REGISTERED):
        holding.erase(held)
    told = "，".join(f"{name} {number}" for name, number in removed.items() if number)
    record(actor if isinstance(actor, str) else held, Verb.PERSON_ERASED, held, detail=told[:200])
    return removed


def remove_lines(lines: Any) -> int:
    """The only way out of an append-only record: its retention has ended, or its person has asked."""
    if not isinstance(lines, AppendOnlyQuerySet):
        raise TypeError(f"{lines!r} are no lines of an append-only record")
    return lines.delete_although_append_only()
