"""The files that a list is written into, row by row: what has been written is forgotten."""

import csv
import io
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import IO, Any

import xlsxwriter
from django.utils import timezone

from registrations.columns import Column, Kind, clean, moment

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class About:
    """What the second sheet says of the list: plan, filter, who; time and count are the writer's."""

    plan: str
    narrowed: str
    who: str
    numbers: str

    def lines(self, written: int) -> list[tuple[str, str]]:
        return [
            *(("竞赛计划", self.plan), ("筛选条件", self.narrowed), ("证件号码", self.numbers)),
            *(("导出时间", moment(timezone.now())), ("导出人", self.who), ("份数", str(written))),
        ]


def write_xlsx(out: IO[bytes], columns: Sequence[Column], rows: Iterable[list[str]], about: About) -> int:
    """Write the workbook and count its rows. Its sheets wait in a folder that is gone whatever happens."""
    with tempfile.TemporaryDirectory(prefix="portal-list-") as folder:
        book = xlsxwriter.Workbook(out, {"constant_memory": True, "tmpdir": folder})
        written = fill(book, columns, rows)
        facts = book.add_worksheet("说明")
        facts.set_column(0, 0, 14)
        facts.set_column(1, 1, 60)
        for number, (name, text) in enumerate(about.lines(written)):
            facts.write_string(number, 0, name)
            facts.write_string(number, 1, clean(text))
        book.close()
    return written


def fill(book: Any, columns: Sequence[Column], rows: Iterable[list[str]]) -> int:
    sheet, bold = book.add_worksheet("名单"), book.add_format({"bold": True})
    formats = {Kind.TEXT: book.add_format({"text_wrap": True}), Kind.DIGITS: book.add_format({"num_format": "@"})}
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width, formats[column.kind])
        sheet.write_string(0, place, column.heading, bold)
    line = 0
    for line, row in enumerate(rows, start=1):
        for place, text in enumerate(row):
            sheet.write_string(line, place, text, formats[columns[place].kind])  # never write(): it finds formulas
    return line


def write_csv(out: IO[bytes], columns: Sequence[Column], rows: Iterable[list[str]], about: About) -> int:
    """UTF-8 with its mark, by which Excel and WPS know it."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
    writer, counter = csv.writer(text, quoting=csv.QUOTE_ALL), count()
    writer.writerow(column.heading for column in columns)
    for row in rows:
        writer.writerow(harmless(cell, column.kind) for cell, column in zip(row, columns, strict=True))
        next(counter)
    text.flush()
    text.detach()
    return next(counter)


def harmless(cell: str, kind: Kind) -> str:
    """OWASP's convention: an apostrophe before what a spreadsheet would compute. A tab keeps long digits text."""
    if cell.startswith(FORMULA):
        return f"'{cell}"
    return f"\t{cell}" if kind == Kind.DIGITS and cell else cell


WRITERS = {"xlsx": write_xlsx, "csv": write_csv}
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
