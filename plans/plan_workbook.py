"""A plan written as a workbook: one sheet of names and contents, one for each list. Knows no model."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any, BinaryIO

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from plans import occupation_sheet
from plans.plan_file import (
    ATTACHMENT,
    FIELDS,
    REASON,
    SECTIONS,
    Cell,
    PlanFile,
    PlanFileRefused,
    Row,
    named,
    row_of,
    unknown,
    unreadable,
)
from plans.workbooks import MOST_FILE_BYTES, Line, SheetRefused, lines_of, plain, refuse_what_swells, text_of

PLAN_SHEET = "竞赛计划"
MOST_SHEETS = 20


def read(content: BinaryIO, size: int) -> PlanFile:
    """Raises PlanFileRefused for what is no such file; what is wrong in a cell is told in the answer."""
    if size > MOST_FILE_BYTES:
        raise PlanFileRefused("表格文件超过 2 MB，没有读取。请去掉图片和不用的表。")
    try:
        refuse_what_swells(content, cure="表格太大，没有读取。请去掉图片和不用的表。")
        book = load_workbook(content, read_only=True, data_only=True, keep_links=False)
        try:
            return read_sheets({plain(sheet.title): sheet for sheet in book.worksheets[:MOST_SHEETS]})
        finally:
            book.close()
    except SheetRefused as refusal:
        raise PlanFileRefused(str(refusal)) from refusal
    except PlanFileRefused:
        raise
    except Exception as problem:  # openpyxl has no one exception for a broken file
        raise PlanFileRefused("读不了这个表格，可能已损坏或加了密码。请用 Excel 或 WPS 另存为 xlsx。") from problem


def read_sheets(sheets: dict[str, Any]) -> PlanFile:
    file = PlanFile(occupation_place=f"“{SECTIONS['occupations']}”第 {{}} 行")
    if PLAN_SHEET not in sheets:
        raise PlanFileRefused(f"没有名为“{PLAN_SHEET}”的表。可以先用 --example xlsx 得到一份样本。")
    for title, sheet in sheets.items():
        section = named(title, SECTIONS)
        if title == PLAN_SHEET:
            take_plan(file, lines_of(sheet, occupation_sheet.MOST_COLUMNS))
        elif section == "occupations":
            take_occupations(file, lines_of(sheet, occupation_sheet.MOST_COLUMNS))
        elif section == "attachments":
            file.attachments = rows(file, section, ATTACHMENT, lines_of(sheet, occupation_sheet.MOST_COLUMNS)) or None
        elif section == "return_reasons":
            file.reasons = rows(file, section, REASON, lines_of(sheet, occupation_sheet.MOST_COLUMNS)) or None
        else:
            known = "、".join([PLAN_SHEET, *SECTIONS.values()])
            file.wrong(f"表“{sheet.title[:31]}”", f"不认识这张表。可用的表名：{known}；不用的表请删去。")
    return file


def text_in(cell: Any) -> str:
    """As text_of(); a moment without its seconds, a day without its midnight."""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == time() else f"{cell:%Y-%m-%d %H:%M:%S}"
    return text_of(cell).replace("\r\n", "\n").replace("_x000D_", "")


def take_plan(file: PlanFile, lines: Iterable[Line]) -> None:
    """Two columns, 项目 and 内容; what stands further to the right is for people."""
    for number, cells in enumerate(lines, start=1):
        heading, text = ([text_in(cell) for cell in cells[:2]] + ["", ""])[:2]
        if not heading or plain(heading) == "项目":
            continue
        name = named(heading, FIELDS)
        if name is None:
            file.wrong(f"“{PLAN_SHEET}”A{number}", unknown(heading, FIELDS))
        else:
            file.put(name, Cell(text, f"“{PLAN_SHEET}”B{number}"))


def take_occupations(file: PlanFile, lines: Iterable[Line]) -> None:
    """As the committee's own page reads them; a sheet with headings alone says nothing."""
    held = list(lines)
    if sum(any(text_of(cell) for cell in line) for line in held) < 2:
        return
    try:
        file.occupations = occupation_sheet.table(held)
    except SheetRefused as refusal:
        file.wrong(f"表“{SECTIONS['occupations']}”", str(refusal))
        return
    for row in file.occupations.rows:
        for text in row.texts.values():
            if problem := unreadable(text):
                file.wrong(file.occupation_place.format(row.number), problem)


def rows(file: PlanFile, section: str, known: dict[str, str], lines: Iterable[Line]) -> list[Row]:
    """Below the first line that is not empty, which has the headings."""
    title, headings, found = SECTIONS[section], None, []
    for number, cells in enumerate(lines, start=1):
        texts = [text_in(cell) for cell in cells]
        if not any(texts):
            continue
        if headings is None:
            headings = texts
            continue
        pairs = [
            (heading, Cell(text, f"“{title}”{get_column_letter(place)}{number}"))
            for place, (heading, text) in enumerate(zip(headings, texts, strict=False), start=1)
            if heading or text
        ]
        found.append(row_of(file, f"“{title}”第 {number} 行", pairs, known))
    return found
