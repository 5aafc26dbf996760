"""Which tables are in a backup, which are left out, and what the database says about them."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from competition_portal.models import WorkerPulse
from registrations.carried import CarriedFile

# What `migrate` itself puts into an empty database. Kept beside it: the state of the migrations is in the head.
FILLED_BY_MIGRATE = {"django_content_type", "auth_permission"}
MIGRATIONS = "django_migrations"
# Temporary tables and partitions are not: a partitioned table is read as a whole.
POSTGRES_TABLES = """
    SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    ORDER BY c.relname, a.attnum
"""
# Generated columns are not in table_info.
SQLITE_TABLES = """
    SELECT t.name, c.name, c.type FROM sqlite_master t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.cid
"""


@dataclass(frozen=True)
class Table:
    """`kinds` are the declared types of SQLite's columns; PostgreSQL needs none."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...] = ()


def cache_table() -> str:
    cache: dict[str, Any] = settings.CACHES["default"]
    return str(cache["LOCATION"]) if cache["BACKEND"].endswith("DatabaseCache") else "shared_cache"


def left_out() -> set[str]:
    """Who is signed in, how often somebody tried, which worker runs, and files that are made anew within the day."""
    models = (Session, WorkerPulse, CarriedFile)
    return {MIGRATIONS, cache_table(), *(model._meta.db_table for model in models)}


def tables_of(connection: BaseDatabaseWrapper) -> list[Table]:
    """Every table of the portal's schema with the columns that hold something of their own. Whatever the models say."""
    with connection.cursor() as cursor:
        cursor.execute(POSTGRES_TABLES if connection.vendor == "postgresql" else SQLITE_TABLES)
        found: dict[str, list[tuple[str, ...]]] = {}
        for table, *column in cursor.fetchall():
            found.setdefault(table, []).append(tuple(column))
    return [
        Table(name, tuple(column[0] for column in columns), tuple(column[1] for column in columns if column[1:]))
        for name, columns in found.items()
    ]


def migrations_of(connection: BaseDatabaseWrapper) -> list[str]:
    """As `registrations.0007_messages`, in alphabetical order; none where `migrate` has never been."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())
