"""Rows of a backup into the database: in one transaction, into tables that are empty, with their sequences."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection

from competition_portal.backups.copy_text import TO_SQLITE, kind_of_sqlite, values_of
from competition_portal.backups.snapshot import postgres_sequences
from competition_portal.backups.tables import FILLED_BY_MIGRATE, MIGRATIONS, left_out, tables_of

LOCK_SECONDS = 10


def held() -> dict[str, int]:
    """How many rows each table has that an empty portal has none in."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables_of(connection):
            if table.name not in left_out() | FILLED_BY_MIGRATE:
                cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table.name)}")  # noqa: S608  (our own)
                if number := cursor.fetchone()[0]:
                    found[table.name] = number
    return found


class Loader:
    """Everything here happens in the caller's transaction."""

    def __init__(self) -> None:
        self.tables = {table.name: table for table in tables_of(connection)}

    def execute(self, *statements: str) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def names(self) -> list[str]:
        return [name for name in self.tables if name != MIGRATIONS]

    def lock(self) -> None:
        """Nobody else reads or writes from now on. Raises OperationalError where somebody does not let go."""

    def clear(self) -> None:
        """The guards of the append-only tables let nobody delete a line; where all of it goes, they are not asked."""
        raise NotImplementedError

    def load(self, table: str, columns: list[str], segments: Iterable[bytes]) -> None:
        raise NotImplementedError

    def set_sequences(self, highest: dict[str, int]) -> None:
        raise NotImplementedError

    def settle(self) -> None:
        """After the commit."""


class PostgresLoader(Loader):
    def lock(self) -> None:
        self.execute(
            f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'",
            "SET LOCAL statement_timeout = 0",
            "SET LOCAL idle_in_transaction_session_timeout = 0",
            f"LOCK TABLE {self.listed()} IN ACCESS EXCLUSIVE MODE",
        )

    def clear(self) -> None:
        self.execute(f"TRUNCATE {self.listed()}")

    def listed(self) -> str:
        return ", ".join(map(connection.ops.quote_name, self.names()))

    def load(self, table: str, columns: list[str], segments: Iterable[bytes]) -> None:
        quoted = ", ".join(map(connection.ops.quote_name, columns))
        into = f"COPY {connection.ops.quote_name(table)} ({quoted}) FROM STDIN"
        with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(into) as rows:
            for segment in segments:
                rows.write(segment)

    def set_sequences(self, highest: dict[str, int]) -> None:
        with connection.cursor() as cursor:
            for table, sequence in postgres_sequences(connection, list(self.tables.values())).items():
                cursor.execute(f"SELECT coalesce(max(id), 0) FROM {connection.ops.quote_name(table)}")  # noqa: S608
                last = max(cursor.fetchone()[0], highest.get(table, 0))
                cursor.execute("SELECT setval(%s::regclass, greatest(%s, 1), %s)", [sequence, last, last > 0])

    def settle(self) -> None:
        self.execute("ANALYZE")


class SQLiteLoader(Loader):
    def clear(self) -> None:
        self.execute(*(f"DELETE FROM {connection.ops.quote_name(name)}" for name in self.names()))  # noqa: S608

    def load(self, table: str, columns: list[str], segments: Iterable[bytes]) -> None:
        ours = self.tables[table]
        kinds = dict(zip(ours.columns, ours.kinds, strict=True))
        readers = [TO_SQLITE[kind_of_sqlite(kinds[column])] for column in columns]
        quoted = ", ".join(map(connection.ops.quote_name, columns))
        marks = ", ".join(["%s"] * len(columns))
        into = f"INSERT INTO {connection.ops.quote_name(table)} ({quoted}) VALUES ({marks})"  # noqa: S608  (our own)
        with connection.cursor() as cursor:
            for segment in segments:
                cursor.executemany(into, list(rows_of(segment, readers)))

    def set_sequences(self, highest: dict[str, int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, seq FROM sqlite_sequence")
            now = dict(cursor.fetchall())
            for table, last in highest.items():
                if last > now.get(table, 0):
                    cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                    cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])


def rows_of(segment: bytes, readers: list[Any]) -> Iterator[list[Any]]:
    for line in segment.decode().split("\n")[:-1]:
        yield values_of(line, readers)


def loader() -> Loader:
    return PostgresLoader() if connection.vendor == "postgresql" else SQLiteLoader()


def unlike(tables: dict[str, list[str]]) -> list[str]:
    """The tables of a backup that this database does not have with the same columns."""
    ours = {table.name: set(table.columns) for table in tables_of(connection)}
    return sorted(name for name, columns in tables.items() if ours.get(name) != set(columns))
