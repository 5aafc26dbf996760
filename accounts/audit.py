"""Write one line into the record of who did what."""

from accounts.models import AuditEntry, User


def record(actor: User | str, verb: str, target: object = "", *, detail: str = "") -> AuditEntry:
    """One audit line. `actor` is an account or, for an operator's command, its name.

    A target that is an account is named by its pseudonym, anything else by model and primary key: never by a name or
    a number of a document.
    """
    return AuditEntry.objects.create(actor=name_of(actor), verb=verb, target=name_of(target), detail=detail)


def name_of(thing: object) -> str:
    if isinstance(thing, str):
        return thing
    if isinstance(thing, User):
        return thing.username
    return f"{type(thing)._meta.label_lower}:{thing.pk}"  # type: ignore[attr-defined]
