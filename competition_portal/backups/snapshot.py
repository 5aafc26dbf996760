"""Everything that the database holds at one moment, read while the portal goes on working."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection as portal_connection
from django.db.backends.base.base import BaseDatabaseWrapper

from competition_portal.backups.copy_text import FROM_SQLITE, fields_of, kind_of_sqlite, line_of
from competition_portal.backups.tables import Table, left_out, migrations_of, tables_of

SEGMENT = 4 * 1024 * 1024  # bytes of rows that are held in memory
ROWS = 1000  # that SQLite is asked for at a time


class Snapshot:
    """One transaction of a connection of its own: what others commit meanwhile is not in it, and nobody waits for it."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def tables(self) -> list[Table]:
        return [table for table in tables_of(self.connection) if table.name not in left_out()]

    def migrations(self) -> list[str]:
        return migrations_of(self.connection)

    def segments(self, table: Table) -> Iterator[bytes]:
        """Whole rows in COPY text, about SEGMENT bytes at a time."""
        waiting, size = [], 0
        columns = ", ".join(map(self.connection.ops.quote_name, table.columns))
        select = f"SELECT {columns} FROM {self.connection.ops.quote_name(table.name)}"  # noqa: S608  (names of our own)
        for lines in self.lines(select, table.kinds):
            waiting.append(bytes(lines))
            size += len(lines)
            if size >= SEGMENT:
                yield b"".join(waiting)
                waiting, size = [], 0
        if waiting:
            yield b"".join(waiting)

    def texts(self, select: str) -> Iterator[list[str | None]]:
        for lines in self.lines(select, ()):
            for line in bytes(lines).decode().split("\n")[:-1]:
                yield fields_of(line)

    def lines(self, select: str, kinds: tuple[str, ...]) -> Iterator[Any]:
        raise NotImplementedError

    def sequences(self) -> dict[str, int]:
        """The highest primary key that each table has ever given out: lines of the trail outlive what they name."""
        raise NotImplementedError


class PostgresSnapshot(Snapshot):
    def begin(self) -> None:
        self.connection.set_autocommit(False)
        with self.connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SET LOCAL DateStyle = 'ISO'")
            cursor.execute("SET LOCAL TimeZone = 'UTC'")  # a pooler may have given the session's to somebody else

    def lines(self, select: str, kinds: tuple[str, ...]) -> Iterator[Any]:
        with (
            self.connection.wrap_database_errors,
            self.connection.cursor() as cursor,
            cursor.copy(f"COPY ({select}) TO STDOUT") as rows,
        ):
            yield from rows

    def sequences(self) -> dict[str, int]:
        found = {}
        for table, sequence in postgres_sequences(self.connection, self.tables()).items():
            with self.connection.cursor() as cursor:
                cursor.execute(f"SELECT last_value - (NOT is_called)::int FROM {sequence}")  # noqa: S608  (the server's)
                found[table] = int(cursor.fetchone()[0])
        return found


def postgres_sequences(connection: BaseDatabaseWrapper, tables: list[Table]) -> dict[str, str]:
    """The sequence of each table's primary key, ready to be put into a statement."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            if "id" in table.columns:
                cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [connection.ops.quote_name(table.name)])
                if sequence := cursor.fetchone()[0]:
                    found[table.name] = str(sequence)
    return found


class SQLiteSnapshot(Snapshot):
    def begin(self) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # a transaction of the settings' kind would keep everybody from writing
            cursor.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from now on it sees this moment

    def lines(self, select: str, kinds: tuple[str, ...]) -> Iterator[Any]:
        writers: list[Callable[[Any], str]] = [FROM_SQLITE[kind_of_sqlite(kind)] for kind in kinds]
        with self.connection.wrap_database_errors, self.connection.cursor() as cursor:
            cursor.execute(select)
            writers = writers or [FROM_SQLITE["other"]] * len(cursor.description)
            while rows := cursor.fetchmany(ROWS):
                yield "".join(line_of(row, writers) for row in rows).encode()

    def sequences(self) -> dict[str, int]:
        known = {table.name for table in self.tables()}
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, seq FROM sqlite_sequence")
            return {name: int(value) for name, value in cursor.fetchall() if name in known}


@contextmanager
def snapshot(of: BaseDatabaseWrapper = portal_connection) -> Iterator[Snapshot]:
    own = of.copy()
    made = PostgresSnapshot(own) if own.vendor == "postgresql" else SQLiteSnapshot(own)
    if own.vendor == "sqlite":
        # Values as they stand in the file, instead of Python's moments.
        own.settings_dict["OPTIONS"] = {**own.settings_dict.get("OPTIONS", {}), "detect_types": 0}
    try:
        own.ensure_connection()
        made.begin()
        yield made
    finally:
        own.close()
