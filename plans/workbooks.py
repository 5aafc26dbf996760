"""What a committee's xlsx files have in common: what is refused before one is opened, and how a heading is read."""

import re
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

MOST_FILE_BYTES = 2 * 1024 * 1024
MOST_UNPACKED_BYTES = 50 * 1024 * 1024


class SheetRefused(Exception):
    """A file that cannot be read as the table that is wanted. `str()` is the sentence for the person at the screen."""


def refuse_what_swells(content: IO[bytes], most: int = MOST_UNPACKED_BYTES, cure: str = "") -> None:
    """Only the list of contents is read for this. Raises SheetRefused."""
    try:
        with ZipFile(content) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            known = "xl/workbook.xml" in archive.namelist()
    except (BadZipFile, NotImplementedError, ValueError, OSError) as problem:
        raise SheetRefused("这不是 xlsx 文件。请用 Excel 或 WPS 另存为 xlsx 后再上传。") from problem
    if not known:
        raise SheetRefused("这不是 xlsx 文件。请用 Excel 或 WPS 另存为 xlsx 后再上传。")
    if unpacked > most:
        raise SheetRefused(cure or "表格太大。请只保留职业（工种）这一张表后再上传。")
    content.seek(0)


def plain(heading: str) -> str:
    """A heading without what people put around it."""
    return re.sub(r"[\s（）()*＊:：]", "", heading)


def text_of(cell: Any) -> str:
    """As a person reads the cell: 30.0 is 30."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
