"""A committee's own xlsx with headings: which of them are understood, and its rows filled in. Knows no request."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from typing import IO, Any
from zipfile import ZipFile

from defusedxml.ElementTree import ParseError, iterparse
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.worksheet.worksheet import Worksheet

from plans.workbooks import SheetRefused, plain, refuse_what_swells, text_of
from registrations.columns import COLUMNS, Column, Kind, columns_for
from registrations.writers import FORMULA

MOST_ROWS = 10_000  # openpyxl holds the whole workbook in memory
MOST_MERGED_CELLS = 20_000
MOST_CELLS = 200_000  # of all sheets; an empty one is four letters in a file, and 360 bytes in memory
MOST_COLUMNS = 100
MOST_LINES = 2000  # of the uploaded sheet, which is a form and no list
ROWS_TO_FIND_HEADINGS = 15
ENOUGH = 2  # headings in one row, by which it is the row of headings
TOO_LARGE = "表格太大。请只保留要填的表，删去图片和多余的行后再上传。"
TOO_MANY = f"填自己的表格一次最多 {MOST_ROWS} 份报名。请先按状态、职业（工种）或参赛组别筛选，或用“导出名单”。"
SERIAL = Column("serial", "序号", lambda found: "", width=8)
# How committees also call our columns; each knows its own heading anyway.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "serial": ("顺序号", "No", "No."),
    "reference": ("报名号", "报名序号"),
    "status": ("审核状态", "报名状态", "审核结果"),
    "occupation": ("职业工种", "职业", "工种", "参赛职业", "参赛工种", "参赛项目", "竞赛项目", "报考职业", "赛项"),
    "division": ("组别",),
    "legal_name": ("参赛人", "选手姓名", "参赛选手", "参赛人员", "报名人员"),
    "document_type": ("证件种类",),
    "number": ("身份证号", "身份证号码", "身份证", "证件号", "公民身份号码", "居民身份证号码"),
    "birth_date": ("出生年月", "出生年月日", "生日"),
    "education": ("学历", "文化程度"),
    "school": ("毕业院校", "学校", "就读院校"),
    "major": ("专业",),
    "employer": ("单位", "单位名称", "所在单位", "工作单位名称"),
    "position": ("职务", "岗位"),
    "years_of_service": ("从业年限", "从业年数"),
    "skill_level": ("技能等级", "职业资格等级", "现有等级"),
    "certificate_number": ("证书号", "证书号码"),
    "phone": ("手机号", "手机号码", "联系电话", "电话", "移动电话"),
    "email": ("邮箱", "电子邮件", "E-mail", "Email"),
    "address": ("地址", "联系地址"),
    "postcode": ("邮编",),
    "emergency_phone": ("紧急联系电话",),
    "submitted_at": ("报名时间",),
}


@dataclass(frozen=True)
class Understood:
    """Where the headings are, which columns they name (by number from 1)."""

    sheet: str
    row: int
    first: int  # the first row that is filled
    columns: dict[int, str]
    headings: dict[int, str]  # as they stand there

    def triples(self) -> list[tuple[str, str, str]]:
        """Place, their heading and ours, in the order of the sheet."""
        return [
            (get_column_letter(place), self.headings[place], column_of(key).heading)
            for place, key in sorted(self.columns.items())
        ]

    @property
    def unknown(self) -> list[str]:
        return [text for place, text in self.headings.items() if text and place not in self.columns]

    @property
    def asks_for_numbers(self) -> bool:
        return "number" in self.columns.values()


def column_of(key: str) -> Column:
    return SERIAL if key == SERIAL.key else COLUMNS[key]


def wanted() -> dict[str, str]:
    """Every known heading without its ornaments, and the column that it names."""
    found = {plain(heading).lower(): key for key, headings in SYNONYMS.items() for heading in headings}
    return (
        found | {plain(column.heading).lower(): key for key, column in COLUMNS.items()} | {SERIAL.heading: SERIAL.key}
    )


def understand(content: IO[bytes]) -> Understood:
    """Raises SheetRefused."""
    return read_headings(opened(content))


def opened(content: IO[bytes]) -> Any:
    """The workbook, held in memory; raises SheetRefused for one that would not fit there or cannot be read."""
    content.seek(0)
    refuse_what_swells(content, TOO_LARGE)
    try:
        refuse_many_cells(content)
        book = load_workbook(content, keep_links=False)
        sheet = book.worksheets[0]
    except SheetRefused:
        raise
    except Exception as problem:  # openpyxl has no one exception for a broken file
        raise SheetRefused(
            "读不了这个文件，可能已损坏或加了密码。请用 Excel 或 WPS 另存为 xlsx 后再上传。"
        ) from problem
    if sheet.max_row > MOST_LINES:
        raise SheetRefused(f"第一张表有 {sheet.max_row} 行。请上传只有表头、还没有填的表格。")
    return book


def refuse_many_cells(content: IO[bytes]) -> None:
    """Before openpyxl makes an object of each; a merged range of all is forty letters in a file, and 17 thousand million objects."""
    cells = merged = 0
    with ZipFile(content) as archive:
        for element in elements_of(archive):
            kind = element.tag.rpartition("}")[2]
            if kind == "mergeCell":
                left, top, right, bottom = range_boundaries(element.get("ref", ""))
                merged += (right - left + 1) * (bottom - top + 1)
            cells += kind == "c"
            if cells > MOST_CELLS:
                raise SheetRefused(TOO_LARGE)
    if merged > MOST_MERGED_CELLS:
        raise SheetRefused("表格里合并的单元格太多。请取消整列或整表的合并后再上传。")
    content.seek(0)


def elements_of(archive: ZipFile) -> Iterator[Any]:
    """Of every part, whatever it is called: which of them are sheets is told by others. What is no XML ends at once."""
    for entry in archive.infolist():
        with archive.open(entry) as file, suppress(ParseError):
            for _, element in iterparse(file, forbid_dtd=True):
                yield element
                element.clear()


# The headings -------------------------------------------------------------------------------------------------------


def read_headings(book: Any) -> Understood:
    sheet, known = book.worksheets[0], wanted()
    rows = {number: named(sheet, number, known) for number in range(1, ROWS_TO_FIND_HEADINGS + 1)}
    row = max(rows, key=lambda number: len(rows[number]))  # the first of those with most
    if len(rows[row]) < ENOUGH:
        raise SheetRefused(
            f"没有找到表头。第一张表的前 {ROWS_TO_FIND_HEADINGS} 行里要有一行列名，例如“姓名”“证件号码”“工作单位”。"
        )
    last = max(
        [row, *(merged.max_row for merged in sheet.merged_cells.ranges if merged.min_row <= row <= merged.max_row)]
    )
    refuse_what_is_filled(sheet, last + 1)
    headings = {place: text_of(sheet.cell(row, place).value)[:30] for place in range(1, width(sheet) + 1)}
    return Understood(sheet.title, row, last + 1, rows[row], headings)


def width(sheet: Worksheet) -> int:
    return min(sheet.max_column, MOST_COLUMNS)


def named(sheet: Worksheet, row: int, known: dict[str, str]) -> dict[int, str]:
    """The columns that this row names; a second one of the same name stays empty."""
    found: dict[int, str] = {}
    for place in range(1, width(sheet) + 1):
        key = known.get(plain(text_of(sheet.cell(row, place).value)).lower())
        if key and key not in found.values():
            found[place] = key
    return found


def refuse_what_is_filled(sheet: Worksheet, first: int) -> None:
    """Nobody's example must stand beside somebody else's name."""
    # Those that the file has: iter_rows() makes every cell that it passes, and one in the last column passes 16,384.
    cells: dict[tuple[int, int], Any] = sheet._cells
    if filled := [row for (row, _), cell in cells.items() if row >= first and text_of(cell.value)]:
        raise SheetRefused(
            f"表头下面第 {min(filled)} 行已经有内容。请删去示例和表尾（可以移到表头上方或另一张表），再上传。"
        )
    if any(merged.max_row >= first for merged in sheet.merged_cells.ranges):
        raise SheetRefused("表头下面有合并的单元格。请取消合并后再上传。")


# The rows -----------------------------------------------------------------------------------------------------------


def columns_of(understood: Understood, full_numbers: bool) -> list[Column]:
    keys = [key for _, key in sorted(understood.columns.items())]
    ours = {column.key: column for column in columns_for([key for key in keys if key in COLUMNS], full_numbers)}
    return [ours.get(key, SERIAL) for key in keys]


def fill(content: IO[bytes], out: IO[bytes], rows: Iterable[list[str]]) -> int:
    """Write the workbook with these rows (as `columns_of` orders them) below its headings; how many there were."""
    book = opened(content)
    understood = read_headings(book)
    sheet, places = book.worksheets[0], sorted(understood.columns)
    kinds = [column_of(understood.columns[place]).kind for place in places]
    pattern = Pattern.of(sheet, understood.first)
    number = 0
    for number, row in enumerate(rows, start=1):
        line = understood.first + number - 1
        pattern.apply(sheet, line)
        for place, kind, text in zip(places, kinds, row, strict=True):
            write(sheet.cell(line, place), str(number) if understood.columns[place] == SERIAL.key else text, kind)
    book.save(out)
    return number


def write(cell: Any, text: str, kind: Kind) -> None:
    """As text, whatever it looks like: openpyxl takes what begins with = for a formula, and #N/A for an error."""
    if not text:
        return
    cell.value = text
    cell.data_type = "s"
    if text.startswith(FORMULA):
        cell.quotePrefix = True  # it stays text when somebody edits it
    if kind == Kind.DIGITS:
        cell.number_format = "@"


@dataclass(frozen=True)
class Pattern:
    """How the first row below the headings looks: the others are to look the same."""

    height: float | None
    styles: dict[int, Any]

    @classmethod
    def of(cls, sheet: Worksheet, row: int) -> "Pattern":
        cells = {place: sheet.cell(row, place) for place in range(1, width(sheet) + 1)}
        return cls(
            sheet.row_dimensions[row].height,
            {place: copy(cell._style) for place, cell in cells.items() if cell.has_style},
        )

    def apply(self, sheet: Worksheet, row: int) -> None:
        if self.height:
            sheet.row_dimensions[row].height = self.height
        for place, style in self.styles.items():
            sheet.cell(row, place)._style = copy(style)
