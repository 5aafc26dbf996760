"""The committee's list: one description of its columns, and the writers that bring it into a file row by row."""

import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import count
from typing import IO, Any

import xlsxwriter
from django.utils import timezone

from accounts.redaction import redact
from plans.models import Plan
from registrations.models import Registration, RegistrationQuerySet
from registrations.workflow import Status

CHUNK = 2000
REASON_LENGTH = 120  # what of the audit line's 200 characters is left beside plan, count and kind
ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Kind(StrEnum):
    """What a text is: DIGITS looks like a number and must not become one."""

    TEXT = "text"
    DIGITS = "digits"


@dataclass(frozen=True)
class Column:
    key: str
    heading: str
    value: Callable[[Registration], Any]
    kind: Kind = Kind.TEXT
    width: int = 14


def moment(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""


def detail(name: str, width: int = 14, kind: Kind = Kind.TEXT) -> Column:
    """A field of the registration, in words where it has words, under the name that the form gives it."""

    def value(registration: Registration) -> Any:
        display = getattr(registration, f"get_{name}_display", None)
        return display() if display else getattr(registration, name)

    return Column(name, str(Registration._meta.get_field(name).verbose_name), value, kind, width)  # type: ignore[union-attr]


ALL = [
    detail("reference", 16),
    detail("status", 10),
    Column("occupation", "职业（工种）", lambda found: found.occupation.name if found.occupation else "", width=20),
    Column("division", "参赛组别", lambda found: found.occupation.get_division_display() if found.occupation else ""),
    detail("legal_name", 12),
    detail("document_type", 16),
    Column("number", "证件号码", lambda found: found.masked_number, Kind.DIGITS, 22),
    *(detail(name, 10) for name in ("sex", "birth_date", "ethnicity", "political_status")),
    *(detail(name, 20) for name in ("education", "school", "major", "employer", "employer_type", "position")),
    detail("years_of_service", 10),
    detail("skill_level", 18),
    detail("certificate_number", 20, Kind.DIGITS),
    detail("phone", 16, Kind.DIGITS),
    detail("email", 24),
    detail("address", 36),
    detail("postcode", 10, Kind.DIGITS),
    detail("emergency_contact", 12),
    detail("emergency_phone", 16, Kind.DIGITS),
    Column("submitted_at", "提交时间", lambda found: moment(found.submitted_at), width=18),
]
COLUMNS = {column.key: column for column in ALL}


def columns_for(keys: Iterable[str], full_numbers: bool = False) -> list[Column]:
    """The columns in this order; document numbers masked unless they are asked for in full. KeyError for no column."""
    chosen = [COLUMNS[key] for key in keys]
    if not full_numbers:
        return chosen
    full = replace(COLUMNS["number"], value=lambda found: found.document_number)
    return [full if column.key == "number" else column for column in chosen]


def reason_problem(reason: str) -> str:
    """Why this reason for full numbers cannot stand in the record, as a sentence; empty when it can."""
    if not reason.strip():
        return "请写明为什么需要完整的证件号码。"
    if len(reason) > REASON_LENGTH:
        return f"理由最多 {REASON_LENGTH} 个字，请缩短。"
    if redact(reason) != reason:
        return "理由里有证件号码或手机号码，操作记录写下后不能修改。请换一种写法，例如“上报市级组委会”。"
    return ""


def listed(plan: Plan) -> RegistrationQuerySet:
    """What of a plan can be taken away: never a draft."""
    return Registration.objects.filter(plan=plan).exclude(status=Status.DRAFT)


def rows_of(registrations: RegistrationQuerySet, columns: Sequence[Column]) -> Iterator[list[str]]:
    """A row for each, read in chunks: what has been written is forgotten."""
    ordered = registrations.select_related("occupation").order_by("submitted_at", "pk")
    for registration in ordered.iterator(chunk_size=CHUNK):
        yield [clean(column.value(registration)) for column in columns]


def clean(value: Any) -> str:
    """As text that a spreadsheet can hold; line breaks stay."""
    return "" if value is None else ILLEGAL.sub("", str(value))


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


def audit_detail(plan: Plan, written: int, kind: str, reason: str) -> str:
    """Plan, count, kind of columns, and the reason where numbers were full."""
    numbers = f"full: {reason}" if reason else "masked"
    return f"{plan.code} {kind} {written} {numbers}"[:200]
