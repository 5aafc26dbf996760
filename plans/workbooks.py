"""What a committee's xlsx files have in common: what is refused before one is opened, and how a heading is read."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

MOST_FILE_BYTES = 2 * 1024 * 1024
# openpyxl takes up to thirty times as much memory as what it reads whole, and of the styles more than a hundred times.
MOST_UNPACKED_BYTES = 8 * 1024 * 1024
MOST_STYLE_BYTES = 1024 * 1024
STYLES = "xl/styles.xml"
MOST_LINES = 2000  # a sheet may say that its second row is the millionth, or one that no sheet has

type Line = tuple[Any, ...]


class SheetRefused(Exception):
    """A file that cannot be read as the table that is wanted. `str()` is the sentence for the person at the screen."""


def refuse_what_swells(content: IO[bytes], cure: str = "") -> None:
    """Only the list of contents is read for this; of no part is more unpacked than that says. Raises SheetRefused."""
    try:
        with ZipFile(content) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            styles = sum(entry.file_size for entry in archive.infolist() if entry.filename == STYLES)
            known = "xl/workbook.xml" in archive.namelist()
    except (BadZipFile, NotImplementedError, ValueError, OSError) as problem:
        raise SheetRefused("这不是 xlsx 文件。请用 Excel 或 WPS 另存为 xlsx 后再上传。") from problem
    if not known:
        raise SheetRefused("这不是 xlsx 文件。请用 Excel 或 WPS 另存为 xlsx 后再上传。")
    if unpacked > MOST_UNPACKED_BYTES:
        raise SheetRefused(cure or "表格太大。请只保留职业（工种）这一张表后再上传。")
    if styles > MOST_STYLE_BYTES:
        raise SheetRefused("表格里的单元格格式太多，没有读取。请新建一个表格，只粘贴文字，再用新的表格。")
    content.seek(0)


def lines_of(sheet: Any, columns: int) -> Iterator[Line]:
    """The values of a sheet's rows, so many columns of each. Raises SheetRefused where it is longer than any of ours."""
    lines = sheet.iter_rows(max_col=columns, values_only=True)
    yield from islice(lines, MOST_LINES)
    if next(lines, None) is not None:
        raise SheetRefused(f"表“{sheet.title[:31]}”超过 {MOST_LINES} 行，没有读取。请删去下面的空行。")


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
