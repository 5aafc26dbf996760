"""The files that rows name: out of the storage into a backup, and from there into a storage."""

import hashlib
import json
import logging
import tempfile
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import IO, Any

from django.apps import apps
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection, models

from competition_portal.backups.problems import BackupProblem
from competition_portal.backups.snapshot import Snapshot
from photos.models import remove_file
from registrations.carried import CarriedFile

logger = logging.getLogger(__name__)

AT_ONCE = 8  # a store far away takes its time for each
IN_MEMORY = 1024 * 1024  # bytes of each that is under way; what is longer is on the disk
PIECE = 256 * 1024
PAUSES = (1, 4)  # seconds, after which a store that was away is asked again


@dataclass(frozen=True)
class Column:
    """A column with names of files. `lost` is the one that says since when the file is known to be lost."""

    model: type[models.Model]
    name: str
    lost: str

    def select(self) -> str:
        quote = connection.ops.quote_name
        lost = f"min(CASE WHEN {quote(self.lost)} IS NULL THEN 0 ELSE 1 END)" if self.lost else "0"
        table, name = quote(self.model._meta.db_table), quote(self.name)
        return f"SELECT {name}, {lost} FROM {table} WHERE {name} <> '' GROUP BY {name} ORDER BY {name}"  # noqa: S608


def columns() -> list[Column]:
    found = []
    for model in apps.get_models():
        names = {field.name for field in model._meta.concrete_fields}
        for field in model._meta.concrete_fields:
            if isinstance(field, models.FileField) and model is not CarriedFile:
                found.append(Column(model, str(field.column), "lost_at" if "lost_at" in names else ""))
    return found


def folders() -> list[str]:
    """Where those files lie in the storage."""
    return ["attachments", "portraits", "previews", "uploads"]


class Names:
    """The names of all files of a snapshot, on the disk: there may be millions."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.file = tempfile.TemporaryFile("w+", encoding="utf-8", prefix="portal-backup-")  # noqa: SIM115
        self.number = 0
        for column in columns():
            for name, lost in snapshot.texts(column.select()):
                self.file.write(json.dumps([name, lost == "1"]) + "\n")
                self.number += 1

    def __iter__(self) -> Iterator[tuple[str, bool]]:
        """Each name, and whether the portal knows that the file is lost."""
        self.file.seek(0)
        for line in self.file:
            name, lost = json.loads(line)
            yield name, lost

    def close(self) -> None:
        self.file.close()


@dataclass(frozen=True)
class Fetched:
    name: str
    known_lost: bool
    content: IO[bytes] | None  # at its beginning; None where there is no such file
    size: int = 0
    sha256: str = ""


def fetch(named: tuple[str, bool]) -> Fetched:
    name, known_lost = named
    for pause in (*PAUSES, None):
        try:
            return fetch_once(name, known_lost)
        except FileNotFoundError:
            return Fetched(name, known_lost, None)
        except OSError as problem:
            if pause is None:
                logger.error("The file %s could not be read: %s", name, problem)
                raise BackupProblem(
                    "照片存储读不了，没有做成备份，原因见日志。请用 python manage.py doctor 检查存储，恢复后再执行一次。"
                ) from problem
            time.sleep(pause)
    raise AssertionError("unreachable")


def fetch_once(name: str, known_lost: bool) -> Fetched:
    kept = tempfile.SpooledTemporaryFile(IN_MEMORY, prefix="portal-backup-")  # noqa: SIM115  (closed by who asked)
    digest = hashlib.sha256()
    try:
        with default_storage.open(name) as content:
            while data := content.read(PIECE):
                digest.update(data)
                kept.write(data)
        size = kept.tell()
        kept.seek(0)
    except BaseException:
        kept.close()
        raise
    return Fetched(name, known_lost, kept, size, digest.hexdigest())


def side_by_side[A, B](
    function: Callable[[A], B], things: Iterable[A], drop: Callable[[B], None] = lambda result: None
) -> Generator[B, None, None]:
    """function(thing) for each, in their order, AT_ONCE at a time and never more of them under way.

    Who closes it before its end waits for those; what they brought goes to `drop`.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting: deque[Future[B]] = deque()
        try:
            for thing in things:
                waiting.append(pool.submit(function, thing))
                if len(waiting) > AT_ONCE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for left in waiting:
                if left.exception() is None:
                    drop(left.result())


def close(fetched: Fetched) -> None:
    if fetched.content:
        fetched.content.close()


def still_named(name: str) -> bool:
    """Whether a row of this moment names the file: if none does, it was removed since, as it should be."""
    return any(column.model._base_manager.filter(**{column.name: name}).exists() for column in columns())


# The way back ----------------------------------------------------------------------------------------------------------


def first_stored() -> str:
    """The name of any file that the storage has where ours belong, or "". Raises OSError."""
    storage: Any = default_storage  # a PrivateStorage
    for folder in folders():
        for stored in storage.walk(folder):
            return str(stored.name)
    return ""


class Restored:
    """What this restore has put into the storage, so that it can be taken out again."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile("w+", encoding="utf-8", prefix="portal-restore-")  # noqa: SIM115
        self.turn = Lock()
        self.written = self.kept = 0
        self.others: set[str] = set()  # whose name was written down, and whose file is somebody else's

    def store(self, named: tuple[str, IO[bytes]]) -> None:
        """Under its own name, or not at all. A file that is there already stays, and must be the same.

        Raises BackupProblem, OSError.
        """
        name, content = named
        with content:
            if default_storage.exists(name):
                self.keep(name, content)
                return
            saved = self.save(name, content)
        if saved != name:
            with self.turn:
                self.others.add(name)
            remove_file(saved)
            raise BackupProblem(
                f"还有别的程序在往存储里写（{name}），没有恢复，数据库没有改动。请停止系统，再执行一次。"
            )

    def keep(self, name: str, content: IO[bytes]) -> None:
        with default_storage.open(name) as stored:
            same = digest_of(stored) == digest_of(content)
        if not same:
            raise BackupProblem(
                f"存储里已有同名但内容不同的文件 {name}，没有恢复，数据库没有改动。请换一个空的目录或桶；确认它是坏的，就先移走它。"
            )
        with self.turn:
            self.kept += 1

    def save(self, name: str, content: IO[bytes]) -> str:
        content.seek(0)
        with self.turn:
            self.file.write(json.dumps(name) + "\n")  # before: what breaks off may have arrived
            self.written += 1
        return str(default_storage.save(name, File(content, name)))

    def take_back(self) -> int:
        """Remove what was written; the number of files that stay because the storage does not let go of them."""
        self.file.seek(0)
        names = (json.loads(line) for line in self.file)
        return sum(not remove_file(name) for name in names if name not in self.others)

    def close(self) -> None:
        self.file.close()


def digest_of(content: IO[bytes]) -> str:
    content.seek(0)
    digest = hashlib.sha256()
    while data := content.read(PIECE):
        digest.update(data)
    content.seek(0)
    return digest.hexdigest()
