"""What must not be found: every text of plan A that could be nobody else's, and the bytes of its files."""

import hashlib
import io
import re
import zipfile
from html import unescape
from typing import Any
from urllib.parse import unquote

from django.core.files.storage import default_storage
from django.db import models
from django.db.models import F

from tests.isolation.two_plans import PLANTED, Rows, TwoPlans, texts_of

# Texts that nobody makes up twice: account codes, references, numbers of documents, UUIDs, digests, names of files.
UNGUESSABLE = re.compile(
    r"u-[0-9a-f]{16}|BJ\d\d-\w{4}-\w{4}|\d{17}[\dX]|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}|\S+/\S+\.\w{3,4}"
)


def telling(text: str) -> bool:
    return PLANTED in text or "CANARY" in text or bool(UNGUESSABLE.fullmatch(text))


class Canaries:
    def __init__(self, scene: TwoPlans, others: Rows) -> None:
        here, elsewhere = texts_of(scene.rows), set().union(*texts_of(others).values())
        self.places = {place for place, texts in here.items() if any(map(telling, texts))}
        self.words = {text for texts in here.values() for text in texts if telling(text)} - elsewhere
        self.files = digests_of_files(scene.rows) - digests_of_files(others)

    def found_in(self, answer: Any, sent: str) -> list[str]:
        """What of A an answer says, its headers included, but for what whoever asked has sent along."""
        body = b"".join(answer)
        text = "\n".join([unescape(readable(body)), unquote(str(dict(answer.headers)))])
        known = unquote(unquote(sent))
        words = [word for word in self.words if word in text and word not in known]
        if hashlib.sha256(body).hexdigest() in self.files:
            words.append("a file of A's")
        return sorted(words)


def digests_of_files(rows: Rows) -> set[str]:
    found = set()
    for model, pks in rows.items():
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, models.FileField)]
        for row in model._base_manager.filter(pk__in=pks) if names else ():
            for name in filter(None, (str(getattr(row, name)) for name in names)):
                with default_storage.open(name) as file:
                    found.add(hashlib.sha256(file.read()).hexdigest())
    return found


def readable(body: bytes) -> str:
    """A spreadsheet or an archive is looked into."""
    if body[:2] != b"PK":
        return body.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") + name for name in archive.namelist())


class Fingerprint:
    """All of A, and what hangs on it: taken before and after somebody of B sends something."""

    def __init__(self, scene: TwoPlans) -> None:
        self.rows = {model: pks for model, pks in scene.rows.items() if model._meta.label != "accounts.AuditEntry"}
        self.before = self.taken()

    def taken(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for model, pks in self.rows.items():
            rows = model._base_manager.filter(pk__in=pks).order_by("pk")
            found[model._meta.label] = [tuple(map(str, row)) for row in rows.values_list()]
            for field in model._meta.get_fields():
                if isinstance(field, models.ForeignObjectRel) and field.field.concrete and hangs(field):
                    name = f"{field.related_model._meta.label}.{field.field.name}"  # type: ignore[union-attr]
                    hanging = field.related_model._base_manager.filter(**{f"{field.field.name}__in": pks})  # type: ignore[union-attr]
                    found[name] = sorted(map(str, hanging.values_list(F("pk"), flat=True)))
        return found

    def changed(self) -> list[str]:
        after = self.taken()
        return sorted(name for name in self.before.keys() | after.keys() if self.before.get(name) != after.get(name))


def hangs(relation: Any) -> bool:
    """A person of A's may come into B's committee: what hangs on an account is not on A."""
    return relation.model._meta.label != "accounts.User" and not relation.many_to_many
