"""The parts of a backup in one stream: a tar, sealed, whose last part is the list of all the others with their SHA-256.

`head.json`, then `tables/NAME/000001.copy` …, `files/NAME` …, `missing.jsonl`, `summary.json`, `manifest.jsonl`.
"""

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

from competition_portal.backups.problems import BackupProblem
from competition_portal.backups.sealed import SealedReader, SealedWriter

FORMAT = 1
HEAD, MISSING, SUMMARY, MANIFEST = "head.json", "missing.jsonl", "summary.json", "manifest.jsonl"
TABLES, FILES = "tables/", "files/"
PIECE = 256 * 1024
STRANGE = "备份里的内容与清单不符，这份备份不能用。请换一份备份，并把这句话告诉开发人员。"


def entry(name: str, size: int, sha256: str) -> bytes:
    """One line of the list."""
    return json.dumps({"name": name, "bytes": size, "sha256": sha256}, ensure_ascii=False).encode() + b"\n"


class Parts:
    """The list as it grows, on the disk: there are as many parts as photos."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="portal-backup-")  # noqa: SIM115  (closed with its owner)
        self.digest = hashlib.sha256()

    def note(self, line: bytes) -> None:
        self.file.write(line)
        self.digest.update(line)


class ArchiveWriter:
    def __init__(self, out: BinaryIO, keys: Mapping[str, bytes]) -> None:
        self.sealed = SealedWriter(out, keys)
        sealed: Any = self.sealed  # has what tarfile asks of a file
        self.tar: Any = tarfile.open(fileobj=sealed, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self.parts = Parts()

    def add(self, name: str, data: bytes) -> None:
        self.add_file(name, io.BytesIO(data), len(data), hashlib.sha256(data).hexdigest())

    def add_json(self, name: str, value: Any) -> None:
        self.add(name, json.dumps(value, ensure_ascii=False, indent=1).encode())

    def add_file(self, name: str, content: IO[bytes], size: int, sha256: str) -> None:
        """Just so many bytes, whose SHA-256 is known."""
        self.put(name, content, size)
        self.parts.note(entry(name, size, sha256))

    def put(self, name: str, content: IO[bytes], size: int) -> None:
        about = tarfile.TarInfo(name)
        about.size, about.mode = size, 0o600
        self.tar.addfile(about, content)
        self.tar.members.clear()  # it would remember every photo

    def finish(self) -> None:
        size = self.parts.file.tell()
        self.parts.file.seek(0)
        self.put(MANIFEST, self.parts.file, size)
        self.tar.close()
        self.sealed.finish()

    def close(self) -> None:
        """Finished or not."""
        self.parts.file.close()


@dataclass(frozen=True)
class Part:
    """`content` can be read once, before the next part is asked for; what is not read is read over."""

    name: str
    size: int
    content: Any


class Digested(io.RawIOBase):
    """Reads from another and keeps count."""

    def __init__(self, content: IO[bytes]) -> None:
        self.content, self.digest, self.size = content, hashlib.sha256(), 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.content.read(size)
        self.digest.update(data)
        self.size += len(data)
        return data


class ArchiveReader:
    """Every part in its order. Raises BackupProblem unless all of it is what the list at its end says."""

    def __init__(self, source: BinaryIO, keys: Mapping[str, bytes]) -> None:
        self.sealed = SealedReader(source, keys)
        self.parts = Parts()
        self.digest = ""  # of the whole list, once it has been read to its end

    def __iter__(self) -> Iterator[Part]:
        sealed: Any = self.sealed  # has what tarfile asks of a file
        try:
            with tarfile.open(fileobj=sealed, mode="r|") as tar:
                yield from self.parts_of(tar)
        except tarfile.TarError as problem:
            raise BackupProblem(STRANGE) from problem

    def parts_of(self, tar: Any) -> Iterator[Part]:
        while (about := tar.next()) is not None:
            tar.members.clear()
            content = tar.extractfile(about)
            if content is None:
                raise BackupProblem(STRANGE)
            if about.name == MANIFEST:
                self.compare(content)
                self.read_to_the_end()
                return
            digested = Digested(content)
            yield Part(about.name, about.size, digested)
            while digested.read(PIECE):
                pass
            self.parts.note(entry(about.name, digested.size, digested.digest.hexdigest()))
        raise BackupProblem(STRANGE)  # the list itself is missing

    def close(self) -> None:
        self.parts.file.close()

    def compare(self, manifest: IO[bytes]) -> None:
        self.parts.file.seek(0)
        while True:
            said, found = manifest.read(PIECE), self.parts.file.read(PIECE)
            if said != found:
                raise BackupProblem(STRANGE)
            if not said:
                break
        self.digest = self.parts.digest.hexdigest()

    def read_to_the_end(self) -> None:
        while self.sealed.read(PIECE):
            pass
