"""A stream of bytes, sealed chunk by chunk: nothing in it can be changed, exchanged, left out or cut off unnoticed.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015), as `age` has it: AES-256-GCM under a key of this
file alone, derived by HKDF-SHA256 from a key of BACKUP_KEYS and a random salt; the nonce is the number of the chunk
and whether it is the last one. The head of the file is bound to the key by being what it is derived for.
"""

import secrets
from collections.abc import Mapping
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from competition_portal.backups.problems import BackupProblem

MAGIC = b"competition-portal backup 1\n"
SALT_BYTES = 32
TAG_BYTES = 16
CHUNK = 256 * 1024  # bytes of plain text in every chunk but the last
LONGEST_KEY_ID = 16  # letters and digits of any script, as variables/parsers.py has it


def chunk_key(key: bytes, head: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=head).derive(key))


def nonce(number: int, last: bool) -> bytes:
    """12 bytes, each once in a file. 2^88 chunks are more than there will be."""
    return number.to_bytes(11, "big") + bytes([last])


class SealedWriter:
    """Takes plain bytes and writes them to `out` sealed; without `finish()` the file is not whole, and says so."""

    def __init__(self, out: BinaryIO, keys: Mapping[str, bytes]) -> None:
        key_id, key = next(iter(keys.items()))
        head, salt = MAGIC + key_id.encode() + b"\n", secrets.token_bytes(SALT_BYTES)
        self.out, self.cipher = out, chunk_key(key, head, salt)
        self.number, self.waiting = 0, bytearray()
        self.written = out.write(head + salt)

    def write(self, data: bytes) -> int:
        self.waiting += data
        while len(self.waiting) > CHUNK:  # never all of it: one chunk must be left to be the last
            self.seal(bytes(self.waiting[:CHUNK]), last=False)
            del self.waiting[:CHUNK]
        return len(data)

    def finish(self) -> None:
        self.seal(bytes(self.waiting), last=True)

    def seal(self, plain: bytes, *, last: bool) -> None:
        sealed = self.cipher.encrypt(nonce(self.number, last), plain, None)
        self.out.write(sealed)
        self.written, self.number = self.written + len(sealed), self.number + 1


class SealedReader:
    """Gives the plain bytes of a sealed file, each only after its chunk was found to be what was written.

    Raises BackupProblem for anything else. Whoever wants to know that nothing is missing reads to the end.
    """

    def __init__(self, source: BinaryIO, keys: Mapping[str, bytes]) -> None:
        self.source = source
        if exactly(source, len(MAGIC)) != MAGIC:
            raise BackupProblem("这不是本系统的备份文件，或者文件的开头已经损坏。请换一份备份。")
        self.key_id = self.read_key_id()
        salt = exactly(source, SALT_BYTES)
        if self.key_id not in keys:
            raise BackupProblem(
                f"备份所用的密钥 {self.key_id} 不在 BACKUP_KEYS 中。请把这把密钥加进 BACKUP_KEYS，再执行一次。"
            )
        self.cipher = chunk_key(keys[self.key_id], MAGIC + self.key_id.encode() + b"\n", salt)
        self.number, self.ready = 0, b""
        self.coming = exactly(source, CHUNK + TAG_BYTES)
        self.ended = False

    def read_key_id(self) -> str:
        told = b""
        while (byte := self.source.read(1)) not in {b"\n", b""} and len(told) <= 4 * LONGEST_KEY_ID:
            told += byte
        name = told.decode(errors="replace")
        if byte != b"\n" or not name.isalnum() or len(name) > LONGEST_KEY_ID:
            raise BackupProblem("备份文件的开头已经损坏或不完整。请换一份备份。")
        return name

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end alone."""
        while not self.ready and not self.ended:
            self.open_chunk()
        given, self.ready = self.ready[:size], self.ready[size:]
        return given

    def open_chunk(self) -> None:
        sealed, self.coming = self.coming, b""
        if len(sealed) == CHUNK + TAG_BYTES:
            self.coming = exactly(self.source, CHUNK + TAG_BYTES)
        last = not self.coming
        try:
            self.ready = self.cipher.decrypt(nonce(self.number, last), sealed, None)
        except InvalidTag:
            raise BackupProblem(self.why_it_does_not_open(sealed, last)) from None
        self.number, self.ended = self.number + 1, last

    def why_it_does_not_open(self, sealed: bytes, last: bool) -> str:
        if last and self.is_whole(sealed):
            return "备份文件不完整，后面的部分没有了，可能没有传完。请重新取一份，再执行一次。"
        if not self.number:
            return f"备份打不开：BACKUP_KEYS 中的 {self.key_id} 不是当时的那一把密钥，或者文件被改动过或没有传完。请核对密钥，或换一份备份。"
        return f"备份文件被改动过、已经损坏或没有传完（第 {self.number + 1} 段）。请重新取一份，或换一份备份。"

    def is_whole(self, sealed: bytes) -> bool:
        """Whether it is what was written here, only not as the last chunk."""
        try:
            self.cipher.decrypt(nonce(self.number, False), sealed, None)
        except InvalidTag:
            return False
        return True


def exactly(source: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer only at the end: a pipe gives what it has."""
    parts, left = [], size
    while left and (data := source.read(left)):
        parts.append(data)
        left -= len(data)
    return b"".join(parts)
