"""A committee's workbook of occupations: its cells to rows, or sentences why not. Knows no model and no request."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from openpyxl import load_workbook

from plans.workbooks import SheetRefused, lines_of, plain, refuse_what_swells, text_of

MOST_ROWS = 500
MOST_COLUMNS = 50
ROWS_TO_FIND_HEADINGS = 10
# The field, its heading in our template, and how committees also call it.
HEADINGS: dict[str, tuple[str, ...]] = {
    "name": ("职业（工种）", "职业工种", "职业", "工种", "职业名称", "工种名称"),
    "division": ("参赛组别", "组别"),
    "code": ("职业编码", "编码"),
    "skill_level": ("竞赛标准等级", "标准等级", "等级"),
    "capacity": ("名额", "计划人数"),
    "requirements": ("参赛条件", "报名条件", "条件"),
}
REQUIRED = ("name", "division")


@dataclass(frozen=True)
class SheetRow:
    """One line as it stands in the file: `number` as the spreadsheet program shows it, texts by field."""

    number: int
    texts: dict[str, str]


@dataclass
class Sheet:
    fields: list[str]
    rows: list[SheetRow] = field(default_factory=list)


def read(content: BinaryIO) -> Sheet:
    """The first sheet of an xlsx file. Raises SheetRefused."""
    refuse_what_swells(content)
    try:
        book = load_workbook(content, read_only=True, data_only=True, keep_links=False)
        try:
            return table(lines_of(book.worksheets[0], MOST_COLUMNS))
        finally:
            book.close()
    except SheetRefused:
        raise
    except Exception as problem:  # openpyxl has no one exception for a broken file
        raise SheetRefused(
            "读不了这个文件，可能已损坏或加了密码。请用 Excel 或 WPS 另存为 xlsx 后再上传。"
        ) from problem


def table(lines: Iterable[tuple[Any, ...]]) -> Sheet:
    numbered = enumerate(lines, start=1)
    columns = headings(numbered)
    sheet = Sheet([name for name in HEADINGS if name in columns.values()])
    for number, cells in numbered:
        texts = {name: text_of(cells[place]) for place, name in columns.items() if place < len(cells)}
        if not any(texts.values()):
            continue
        if len(sheet.rows) == MOST_ROWS:
            raise SheetRefused(f"一次最多导入 {MOST_ROWS} 行，请分成几个文件。")
        sheet.rows.append(SheetRow(number, texts))
    if not sheet.rows:
        raise SheetRefused("表头下面没有内容，请填好后再上传。")
    return sheet


def headings(lines: Iterator[tuple[int, tuple[Any, ...]]]) -> dict[int, str]:
    """Which field each column is, from the first line that names both that are needed; the lines above may be titles."""
    wanted = {plain(heading): name for name, known in HEADINGS.items() for heading in known}
    for number, cells in lines:
        columns: dict[int, str] = {}
        for place, cell in enumerate(cells):
            name = wanted.get(plain(text_of(cell)))
            if name and name not in columns.values():
                columns[place] = name
        if set(REQUIRED) <= set(columns.values()):
            return columns
        if number >= ROWS_TO_FIND_HEADINGS:
            break
    raise SheetRefused("没有找到表头。前 10 行里要有一行写着“职业（工种）”和“参赛组别”，可以先下载模板。")
