"""Encrypt anew, under the first key, what is stored under another: a row at a time, while the portal runs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import F, TextField, Value
from django.db.models.expressions import ExpressionWrapper
from django.db.models.functions import Left

from accounts.fields import VERSION, EncryptedTextField, TamperedCiphertext, decrypt_text, encrypt_text

BATCH = 200
ATTEMPTS = 3  # for a row that somebody else writes at the same moment
UNKNOWN_KEY = "?"  # counted under it: what names no key of the ring


def prefix(key_id: str) -> str:
    return f"{VERSION}:{key_id}:"


@dataclass(frozen=True)
class SealedColumn:
    """One encrypted column of one table, seen as the database has it: ciphertext."""

    model: type[models.Model]
    field: EncryptedTextField

    @property
    def place(self) -> str:
        return self.field.context

    def rows(self) -> models.QuerySet[Any]:
        """Every row that holds a ciphertext, with it as `sealed`. The base manager: no row may be left out."""
        sealed = ExpressionWrapper(F(self.field.attname), output_field=TextField())
        return self.model._base_manager.annotate(sealed=sealed).exclude(sealed=None).exclude(sealed="")

    def under(self, key_id: str) -> models.QuerySet[Any]:
        # Not startswith: SQLite's LIKE takes K1 for k1.
        return self.rows().alias(head=Left("sealed", len(prefix(key_id)))).filter(head=prefix(key_id))

    def waiting(self) -> models.QuerySet[Any]:
        """What is not under the first key, by primary key."""
        first = prefix(next(iter(settings.FIELD_ENCRYPTION_KEYS)))
        return self.rows().alias(head=Left("sealed", len(first))).exclude(head=first).order_by("pk")

    def count_by_key(self) -> Counter[str]:
        """How many rows each key of the ring has, those without rows left out."""
        counts = Counter({key_id: self.under(key_id).count() for key_id in settings.FIELD_ENCRYPTION_KEYS})
        counts[UNKNOWN_KEY] = self.rows().count() - counts.total()
        return +counts

    def batches(self) -> Iterator[list[tuple[Any, str]]]:
        """(primary key, ciphertext) of what waits, at most BATCH at a time, each row once."""
        rows = self.waiting().values_list("pk", "sealed")
        batch = list(rows[:BATCH])
        while batch:
            yield batch
            batch = list(rows.filter(pk__gt=batch[-1][0])[:BATCH])

    def renew(self, pk: Any, sealed: str) -> bool:
        """Whether the row was encrypted anew. Raises TamperedCiphertext, with its place, for what does not open.

        Compare-and-set on the ciphertext that was read: what somebody else wrote meanwhile is never overwritten.
        Nothing but this column is written: no version, no signal.
        """
        for _ in range(ATTEMPTS):
            try:
                anew = encrypt_text(decrypt_text(sealed, self.place), self.place)
            except TamperedCiphertext as problem:
                raise problem.at(pk) from None
            value = Value(anew, output_field=TextField())
            if self.rows().filter(pk=pk, sealed=sealed).update(**{self.field.attname: value}):
                return True
            current = self.waiting().filter(pk=pk).values_list("sealed", flat=True).first()
            if current is None:  # gone, emptied, or written under the first key by somebody else
                return False
            sealed = current
        return False

    def refused(self) -> Iterator[TamperedCiphertext]:
        """Every row, under whichever key, that would be refused to its reader: also one that was exchanged."""
        pks = self.rows().order_by("pk").values_list("pk", flat=True)
        batch = list(pks[:BATCH])
        while batch:
            yield from self.refused_among(batch)
            batch = list(pks.filter(pk__gt=batch[-1])[:BATCH])

    def refused_among(self, pks: list[Any]) -> Iterator[TamperedCiphertext]:
        try:
            list(self.model._base_manager.filter(pk__in=pks))
        except TamperedCiphertext as problem:
            if len(pks) == 1:
                yield problem if problem.place != self.place else problem.at(pks[0])
                return
            middle = len(pks) // 2
            yield from self.refused_among(pks[:middle])
            yield from self.refused_among(pks[middle:])


def sealed_columns() -> list[SealedColumn]:
    """Every encrypted column of every table of ours, in the order of their names."""
    found = [
        SealedColumn(model, field)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedTextField)
    ]
    return sorted(found, key=lambda column: column.place)
