"""Read a backup from its beginning to its end before anything is done with it: is it whole, and can we read it?"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

from django.conf import settings

from accounts.fields import TamperedCiphertext, blind_index, decrypt_text, key_id_of
from accounts.models import DocumentHolder
from accounts.rotation import SealedColumn, sealed_columns
from competition_portal.backups.archive import FILES, FORMAT, HEAD, STRANGE, SUMMARY, TABLES, ArchiveReader, Part
from competition_portal.backups.copy_text import fields_of
from competition_portal.backups.files import folders
from competition_portal.backups.making import TICK, Say
from competition_portal.backups.problems import BackupProblem

SAMPLE = 20  # ciphertexts that are tried for each key and column


@dataclass(frozen=True)
class Contents:
    """What an examined backup holds. `unreadable` is why the encrypted numbers in it cannot be read, or ""."""

    head: dict[str, Any]
    summary: dict[str, Any]
    digest: str
    unreadable: str

    @property
    def migrations(self) -> set[str]:
        return set(self.head["migrations"])

    @property
    def missing(self) -> int:
        return sum(self.summary["missing"].values())

    @property
    def rows(self) -> int:
        return sum(self.summary["rows"].values())


def examine(source: BinaryIO, keys: Mapping[str, bytes], say: Say) -> Contents:
    """All that there is to know about it. Raises BackupProblem for what is no whole backup of a kind that we know."""
    with closing(ArchiveReader(source, keys)) as reader:
        return examine_parts(reader, say)


def examine_parts(reader: ArchiveReader, say: Say) -> Contents:
    head: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    rows: Counter[str] = Counter()
    files = 0
    trial = Trial()
    for part in reader:
        if part.name == HEAD:
            head = read_head(part.content)
            trial.columns_are(head["tables"])
        elif part.name.startswith(TABLES):
            table, segment = table_of(part), part.content.read()
            if table not in head.get("tables", {}):
                raise BackupProblem(STRANGE)
            rows[table] += segment.count(b"\n")
            trial.look(table, segment)
        elif part.name.startswith(FILES):
            refuse_strange_place(part.name.removeprefix(FILES))
            files += 1
            if files % TICK == 0:
                say(f"已核对 {files} 个文件")
        elif part.name == SUMMARY:
            summary = json.loads(part.content.read())
    if not head or not summary or not agrees(summary, rows, files):
        raise BackupProblem(STRANGE)
    return Contents(head, summary, reader.digest, trial.verdict())


def refuse_strange_place(name: str) -> None:
    """Whoever has the key could have sealed anything: what is not where our files lie leads out of the storage, or into others' things."""
    folder, *rest = name.split("/")
    if folder not in folders() or not rest or not {"", ".", ".."}.isdisjoint(rest):
        raise BackupProblem(STRANGE)


def table_of(part: Part) -> str:
    return part.name.removeprefix(TABLES).partition("/")[0]


def read_head(content: IO[bytes]) -> dict[str, Any]:
    head: dict[str, Any] = json.loads(content.read())
    if head["format"] != FORMAT:
        raise BackupProblem(f"这份备份是本系统 {head['portal']} 版做的，现在的版本读不了。请用那个版本的镜像恢复。")
    return head


def agrees(summary: dict[str, Any], rows: Mapping[str, int], files: int) -> bool:
    said = {table: number for table, number in summary["rows"].items() if number}
    missing = sum(summary["missing"].values())
    return said == dict(rows) and summary["files"] == files and summary["named"] == files + missing


class Trial:
    """Whether FIELD_ENCRYPTION_KEYS and BLIND_INDEX_KEY of this place are those of the rows in a backup."""

    def __init__(self) -> None:
        self.sealed: dict[str, list[tuple[SealedColumn, dict[str, int]]]] = defaultdict(list)
        self.tried: Counter[tuple[str, str]] = Counter()
        self.unknown: set[str] = set()
        self.refused: list[str] = []

    def columns_are(self, tables: Mapping[str, list[str]]) -> None:
        for column in sealed_columns():
            places = {name: number for number, name in enumerate(tables.get(column.model._meta.db_table, []))}
            if str(column.field.column) in places:
                self.sealed[column.model._meta.db_table].append((column, places))

    def look(self, table: str, segment: bytes) -> None:
        for column, places in self.sealed.get(table, []):
            for line in segment.split(b"\n")[:-1]:
                place = places[str(column.field.column)]
                stored = line.split(b"\t", place + 1)[place]
                if stored and stored != rb"\N":
                    self.attempt(column, places, stored.decode(), line)

    def attempt(self, column: SealedColumn, places: dict[str, int], stored: str, line: bytes) -> None:
        key_id = key_id_of(stored) if stored.count(":") >= 2 else ""
        if key_id not in settings.FIELD_ENCRYPTION_KEYS:
            self.unknown.add(key_id)
            return
        self.tried[column.place, key_id] += 1
        if self.tried[column.place, key_id] > SAMPLE:
            return
        try:
            plain = decrypt_text(stored, column.place)
        except TamperedCiphertext as problem:
            self.refused.append(str(problem))
            return
        if issubclass(column.model, DocumentHolder):
            row = fields_of(line.decode())
            if row[places["document_index"]] != blind_index(row[places["document_type"]] or "", plain):
                self.refused.append("证件号码与旁边的指纹不符，BLIND_INDEX_KEY 不是当时的那一把。")

    def verdict(self) -> str:
        if self.unknown:
            named = "、".join(sorted(key_id or "（无法识别）" for key_id in self.unknown))
            return (
                f"备份里的证件号码有用密钥 {named} 加密的，FIELD_ENCRYPTION_KEYS 里没有。请补上当时的密钥，再执行一次。"
            )
        if self.refused:
            return (
                f"抽查的证件号码有 {len(self.refused)} 个读不出来，第一个：{self.refused[0]}"
                "请核对 FIELD_ENCRYPTION_KEYS 和 BLIND_INDEX_KEY 是不是当时的密钥，再执行一次。"
            )
        return ""
