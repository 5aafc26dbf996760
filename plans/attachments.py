"""Which files a committee may offer for download, told by extension and by content. Pure."""

from collections.abc import Callable
from pathlib import PurePath
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

# What Word and Excel wrote until 2003: [MS-CFB], 2.2.
COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
KINDS_IN_WORDS = "PDF、Word（doc、docx）、Excel（xls、xlsx）、图片（jpg、png）和 zip"


def begins_with(*signatures: bytes) -> Callable[[BinaryIO], bool]:
    return lambda content: content.read(16).startswith(signatures)


def holds(*parts: str) -> Callable[[BinaryIO], bool]:
    """A zip file in which all of these lie. Only its list of contents is read: nothing is ever unpacked here."""

    def found(content: BinaryIO) -> bool:
        try:
            with ZipFile(content) as archive:
                return set(parts) <= set(archive.namelist())
        except (BadZipFile, NotImplementedError, ValueError, OSError):
            return False

    return found


KINDS: dict[str, Callable[[BinaryIO], bool]] = {
    ".pdf": begins_with(b"%PDF-"),
    ".doc": begins_with(COMPOUND_FILE),
    ".xls": begins_with(COMPOUND_FILE),
    ".docx": holds("[Content_Types].xml", "word/document.xml"),
    ".xlsx": holds("[Content_Types].xml", "xl/workbook.xml"),
    ".jpg": begins_with(b"\xff\xd8\xff"),
    ".jpeg": begins_with(b"\xff\xd8\xff"),
    ".png": begins_with(b"\x89PNG\r\n\x1a\n"),
    ".zip": holds(),
}


def refusal(name: str, content: BinaryIO) -> str:
    """The sentence why this file cannot be offered, or "". `content` is left at its beginning."""
    extension = PurePath(name).suffix.lower()
    if extension not in KINDS:
        return f"附件只收 {KINDS_IN_WORDS}。请把“{name}”另存为其中一种，再上传。"
    content.seek(0)
    right = KINDS[extension](content)
    content.seek(0)
    if right:
        return ""
    return f"“{name}”的内容与扩展名 {extension} 不符，可能改过名或已损坏。请用原来的程序重新保存，再上传。"
