"""Rows in bulk: PostgreSQL by COPY, every other database in batches."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

SQLITE_BATCH = 200
PLAIN = (models.ForeignKey, models.IntegerField, models.BooleanField, models.DateField, models.UUIDField)


def on_postgres() -> bool:
    return connection.vendor == "postgresql"


def keys(model: type[models.Model], number: int) -> list[int]:
    """Primary keys that nobody else is given, of a model that counts them. Called within a transaction."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if on_postgres():
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, number]
            )
            return [key for (key,) in cursor.fetchall()]
        # Not the largest that there is: a row that was deleted is never called by its key again.
        cursor.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = %s", [table])
        first = cursor.fetchone()[0] + 1
        return list(range(first, first + number))


def write(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    """Insert the rows with the keys that they have. Each value goes the way of save(): what is encrypted, is."""
    if not on_postgres():
        model._default_manager.bulk_create(rows, batch_size=SQLITE_BATCH)
        return
    columns, readers = columns_of(model), [reader(field) for field in model._meta.local_concrete_fields]
    with connection.cursor() as cursor, cursor.copy(f"COPY {columns} FROM STDIN") as copy:
        for row in rows:
            copy.write_row([read(row) for read in readers])


def columns_of(model: type[models.Model]) -> str:
    """The table and its columns, as SQL names them."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in model._meta.local_concrete_fields)
    return f"{quote(model._meta.db_table)} ({columns})"


def reader(field: Any) -> Callable[[Any], Any]:
    """What turns a row into this column's value. A million rows have a hundred million values: where the driver takes
    what stands in the instance as it is, nobody else is asked."""
    if isinstance(field, PLAIN) and not getattr(field, "auto_now", False):
        return attrgetter(field.attname)
    database = connections[DEFAULT_DB_ALIAS]  # itself, not the proxy that asks for the thread's at each attribute
    return lambda row: field.get_db_prep_save(field.pre_save(row, True), database)
