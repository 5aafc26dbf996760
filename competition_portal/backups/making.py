"""Make a backup: the tables as they are at one moment, then the files that they name."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, BinaryIO

import django
from django.db import connection

from competition_portal import __version__
from competition_portal.backups.archive import FILES, FORMAT, HEAD, MISSING, SUMMARY, TABLES, ArchiveWriter
from competition_portal.backups.files import Fetched, Names, close, digest_of, fetch, side_by_side, still_named
from competition_portal.backups.snapshot import Snapshot, snapshot

TICK = 1000  # files between two signs of life
NAMED = 20  # missing ones that are told one by one

Say = Callable[[str], None]


@dataclass
class Made:
    """What is in a backup. `missing` has, by why, how many files are not in it: lost, known to be lost, removed since."""

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    file_bytes: int = 0
    bytes: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)


def make(out: BinaryIO, keys: Mapping[str, bytes], say: Say) -> Made:
    """Write a backup to `out`, under the first key. Raises BackupProblem, OSError, and what the database raises."""
    with closing(ArchiveWriter(out, keys)) as archive:
        return fill(archive, say)


def fill(archive: ArchiveWriter, say: Say) -> Made:
    made = Made()
    with snapshot() as moment:
        add_head(archive, moment)
        for table in moment.tables():
            made.rows[table.name] = 0
            for number, segment in enumerate(moment.segments(table), start=1):
                archive.add(f"{TABLES}{table.name}/{number:06}.copy", segment)
                made.rows[table.name] += segment.count(b"\n")
            say(f"数据表 {table.name}：{made.rows[table.name]} 行")
        names = Names(moment)
        sequences = moment.sequences()
    try:
        add_files(archive, names, made, say)
    finally:
        names.close()
    archive.add_json(
        SUMMARY,
        {
            "rows": made.rows,
            "sequences": sequences,
            "named": names.number,
            "files": made.files,
            "file_bytes": made.file_bytes,
            "missing": dict(made.missing),
        },
    )
    archive.finish()
    made.bytes = archive.sealed.written
    return made


def add_head(archive: ArchiveWriter, moment: Snapshot) -> None:
    head = {
        "format": FORMAT,
        "portal": __version__,
        "django": django.__version__,
        "database": connection.vendor,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "migrations": moment.migrations(),
        "tables": {table.name: table.columns for table in moment.tables()},
    }
    archive.add_json(HEAD, head)


def add_files(archive: ArchiveWriter, names: Names, made: Made, say: Say) -> None:
    with tempfile.TemporaryFile(prefix="portal-backup-") as missing:
        with closing(side_by_side(fetch, names, drop=close)) as all_fetched:
            for number, fetched in enumerate(all_fetched, start=1):
                if fetched.content is None:
                    note_missing(missing, fetched, made)
                else:
                    with fetched.content:
                        archive.add_file(f"{FILES}{fetched.name}", fetched.content, fetched.size, fetched.sha256)
                    made.files, made.file_bytes = made.files + 1, made.file_bytes + fetched.size
                if number % TICK == 0:
                    say(f"文件：{number} 个，共 {names.number} 个")
        archive.add_file(MISSING, missing, missing.tell(), digest_of(missing))
    say(f"文件：{made.files} 个，{made.file_bytes} 字节")


def note_missing(missing: IO[bytes], fetched: Fetched, made: Made) -> None:
    connection.close()  # between two missing files the portal's own may have been idle for long
    why = "known" if fetched.known_lost else "lost" if still_named(fetched.name) else "removed"
    made.missing[why] += 1
    if why == "lost" and len(made.lost) < NAMED:
        made.lost.append(fetched.name)
    missing.write(json.dumps({"name": fetched.name, "why": why}, ensure_ascii=False).encode() + b"\n")
