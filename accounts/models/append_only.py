"""Records that only grow."""

from typing import Any

from django.core import checks
from django.db import connections, models, transaction

from accounts.fields import EncryptedTextField


class AppendOnly(Exception):
    """Somebody tried to change or remove a line of a record that only grows."""


class AppendOnlyQuerySet(models.QuerySet):
    def update(self, **fields: Any) -> int:
        raise AppendOnly(f"{self.model.__name__} lines are never changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnly(f"{self.model.__name__} lines are never removed")

    def _raw_delete(self, using: str | None) -> int:
        """What Django calls when it believes that nothing else depends on the rows."""
        raise AppendOnly(f"{self.model.__name__} lines are never removed")

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """New lines, as they are; an upsert would be a change."""
        if kwargs.get("update_conflicts") or True in args[2:3]:
            raise AppendOnly(f"{self.model.__name__} lines are never changed")
        return super().bulk_create(objs, *args, **kwargs)

    def delete_although_append_only(self) -> int:
        """Remove these lines because their retention has ended or their person has asked; how many there were.

        For accounts/erasure.py alone. PostgreSQL's trigger lets a DELETE through, never an UPDATE, while this
        transaction says so; it says so no longer than this takes (docs/adr/0007).
        """
        with transaction.atomic(using=self.db):
            self.say_retention("on")
            removed = super()._raw_delete(self.db)
            self.say_retention("off")
        return removed

    def say_retention(self, word: str) -> None:
        connection = connections[self.db]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('portal.retention', %s, true)", [word])


class AppendOnlyModel(models.Model):
    """A line that is written once. PostgreSQL refuses a change by trigger as well (docs/adr/0002)."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly(f"{type(self).__name__} lines are never changed")
        super().save(*args, **kwargs)

    def _do_update(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Django tries this first for a new object with a key of its own (a fixture): then comes the INSERT."""
        return []

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnly(f"{type(self).__name__} lines are never removed")

    @classmethod
    def check(cls, **kwargs: Any) -> list[checks.CheckMessage]:
        """What cannot be written again cannot be encrypted again: the old key would be needed for ever."""
        sealed = [field for field in cls._meta.local_fields if isinstance(field, EncryptedTextField)]
        hint = "Keep what is encrypted in a table whose lines can be written again (manage.py rotate_keys)."
        found = [
            checks.Error("An append-only line cannot hold encrypted text.", hint, field, "accounts.E011")
            for field in sealed
        ]
        return [*super().check(**kwargs), *found]
