"""Put a backup into an empty place, all of it or nothing."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from accounts.audit import record
from accounts.verbs import Verb
from competition_portal import dependencies
from competition_portal.backups.archive import FILES, STRANGE, TABLES, ArchiveReader, Part
from competition_portal.backups.examining import Contents, table_of
from competition_portal.backups.files import IN_MEMORY, Restored, first_stored, side_by_side
from competition_portal.backups.loading import Loader, held, loader, unlike
from competition_portal.backups.making import TICK, Say
from competition_portal.backups.problems import BackupProblem
from competition_portal.backups.tables import migrations_of, tables_of

ACTOR = "command:restore"


@dataclass(frozen=True)
class Terms:
    """What the operator has allowed: to throw away what the database holds, to go on with files that are there."""

    replace_database: bool = False
    keep_files: bool = False


# Before anything is written -------------------------------------------------------------------------------------------


def check_place(contents: Contents, terms: Terms) -> None:
    """Raises BackupProblem where this backup cannot be put into this database and this storage."""
    complete = check_migrations(contents)
    if tables_of(connection):
        if complete and (wrong := unlike(contents.head["tables"])):
            raise BackupProblem(
                f"数据库里的表与备份不同：{'、'.join(wrong)}。请换一个空的数据库（没有任何表），恢复时会建好。"
            )
        check_empty(terms)
    if not terms.keep_files and (name := first_stored()):
        raise BackupProblem(
            f"照片存储不是空的（例如 {name}）。请换一个空的目录或桶；这些文件本来就属于这份备份（上次恢复中断，或者只丢了数据库）的，"
            "加 --keep-files：同名且内容相同的留用，不同的拒绝。"
        )


def check_migrations(contents: Contents) -> bool:
    """Whether the tables are there as the backup has them; if not, they can be made. Raises BackupProblem.

    Some of them may be there, with nothing in them: an earlier try broke off.
    """
    known = {f"{app}.{name}" for app, name in dependencies.migrations_of_this_version()}
    if newer := sorted(contents.migrations - known):
        raise BackupProblem(
            f"备份是本系统 {contents.head['portal']} 版做的，里面有现在的版本不认识的迁移（例如 {newer[0]}）。请用那个版本的镜像恢复。"
        )
    here = set(migrations_of(connection))
    if here - contents.migrations or (here != contents.migrations and held()):
        other = sorted(here ^ contents.migrations)
        raise BackupProblem(
            f"数据库的迁移与备份时不同（例如 {other[0]}）。请换一个空的数据库（没有任何表）再执行：恢复时会建到备份时的样子，之后再执行 migrate。"
        )
    return here == contents.migrations


def check_empty(terms: Terms) -> None:
    if not terms.replace_database and (found := held()):
        listed = "、".join(f"{table} {number} 行" for table, number in list(found.items())[:5])
        raise BackupProblem(
            f"数据库不是空的（{listed}{'等' if len(found) > 5 else ''}），没有恢复。请换一个空的数据库；"
            "确定不要现有的内容，加 --replace-database。"
        )


# Writing --------------------------------------------------------------------------------------------------------------


def make_tables(contents: Contents) -> None:
    """As `migrate` makes them, to where the backup was: a newer portal goes on from there afterwards."""
    if set(migrations_of(connection)) != contents.migrations:
        executor = MigrationExecutor(connection)
        wanted = {node for node in executor.loader.graph.nodes if ".".join(node) in contents.migrations}
        # Only the last ones: what stands before another would be taken for a way back.
        nodes = executor.loader.graph.node_map
        executor.migrate([node for node in wanted if not wanted & {child.key for child in nodes[node].children}])
    if not settings.CACHE_URL:
        call_command("createcachetable", verbosity=0)
    if wrong := unlike(contents.head["tables"]):
        raise BackupProblem(f"建好的表与备份不同：{'、'.join(wrong)}。请用做备份的那个版本的镜像恢复。")


def restore(
    open_source: Callable[[], BinaryIO], keys: Mapping[str, bytes], contents: Contents, terms: Terms, say: Say
) -> Restored:
    """Rows and files, and the rows count only when every file is there: one transaction, committed last.

    Raises BackupProblem, OSError and what the database raises; then nothing has been written, or it has been taken
    away again.
    """
    make_tables(contents)
    with closing(Restored()) as restored:
        try:
            with transaction.atomic(), closing(open_source()) as source, closing(ArchiveReader(source, keys)) as reader:
                write(reader, contents, terms, restored, say)
        except BaseException as problem:
            if stuck := restored.take_back():
                problem.add_note(f"{stuck} 个已写入的文件没能删除")
            raise
    loader().settle()
    return restored


def write(reader: ArchiveReader, contents: Contents, terms: Terms, restored: Restored, say: Say) -> None:
    into = loader()
    into.lock()
    check_empty(terms)  # once more, now that nobody can write
    into.clear()
    rows = load_parts(reader, contents, into, restored, say)
    if reader.digest != contents.digest:
        raise BackupProblem("备份文件在核对之后变了，没有恢复。请确认没有别的程序在写它，再执行一次。")
    if any(rows[table] != number for table, number in contents.summary["rows"].items()):
        raise BackupProblem(STRANGE)
    into.set_sequences(contents.summary["sequences"])
    connection.check_constraints()
    record(ACTOR, Verb.BACKUP_RESTORED, detail=f"made {contents.head['made_at']}, rows {contents.rows}")


def load_parts(reader: ArchiveReader, contents: Contents, into: Loader, restored: Restored, say: Say) -> Counter[str]:
    """All tables, then all files; how many rows each table got."""
    rows: Counter[str] = Counter()
    parts = iter(reader)
    part = next(parts, None)
    while part is not None:
        if part.name.startswith(TABLES):
            table = table_of(part)
            run = Run(f"{TABLES}{table}/", part, parts)
            into.load(table, contents.head["tables"][table], run.segments())
            rows[table] += run.rows
            say(f"数据表 {table}：{run.rows} 行")
            part = run.following
        elif part.name.startswith(FILES):
            run = Run(FILES, part, parts)
            store_files(run, restored, say)
            part = run.following
        else:
            part = next(parts, None)
    return rows


def store_files(run: "Run", restored: Restored, say: Say) -> None:
    with closing(side_by_side(restored.store, run.files())) as stored:
        for number, _ in enumerate(stored, start=1):
            if number % TICK == 0:
                say(f"文件：{number} 个")
    say(f"文件：写入 {restored.written} 个，原有 {restored.kept} 个")


class Run:
    """The parts whose names begin alike, which follow each other; `following` is what came after them."""

    def __init__(self, beginning: str, first: Part, parts: Iterator[Part]) -> None:
        self.beginning, self.first, self.parts = beginning, first, parts
        self.rows = 0
        self.following: Part | None = None

    def __iter__(self) -> Iterator[Part]:
        for part in chain([self.first], self.parts):
            if not part.name.startswith(self.beginning):
                self.following = part
                return
            yield part

    def segments(self) -> Iterator[bytes]:
        for part in self:
            segment = part.content.read()
            self.rows += segment.count(b"\n")
            yield segment

    def files(self) -> Iterator[tuple[str, IO[bytes]]]:
        """The name of each, and its content at the beginning, for whoever closes it."""
        for part in self:
            content = SpooledTemporaryFile(IN_MEMORY, prefix="portal-restore-")  # noqa: SIM115  (closed by who asked)
            try:
                shutil.copyfileobj(part.content, content)
            except BaseException:
                content.close()
                raise
            yield part.name.removeprefix(FILES), content
