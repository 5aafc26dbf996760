"""Write one line into the record of who did what."""

from accounts import origin
from accounts.models import AuditEntry, User
from accounts.verbs import Verb

ANONYMOUS = "anonymous"  # as actor: whoever was not signed in


def record(
    actor: User | str, verb: Verb, target: object = "", *, subject: User | None = None, detail: str = ""
) -> AuditEntry:
    """One audit line, with the address and the number of the request in which it is written.

    `actor` is an account or, for an operator's command, its name; `subject` is the person whom it concerns, where
    the target is not that account itself. A target that is an account is named by its pseudonym, anything else by
    model and primary key: never by a name or a number of a document.
    """
    if subject is None and isinstance(target, User):
        subject = target
    here = origin.current()
    return AuditEntry.objects.create(
        actor=name_of(actor),
        verb=verb,
        target=name_of(target),
        subject=subject.username if subject else "",
        detail=detail,
        address=here.address,
        request_id=here.request_id,
    )


def name_of(thing: object) -> str:
    if isinstance(thing, str):
        return thing
    if isinstance(thing, User):
        return thing.username
    return f"{type(thing)._meta.label_lower}:{thing.pk}"  # type: ignore[attr-defined]
