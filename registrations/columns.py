"""One description of the columns of a committee's list: headings, what stands in them, and how wide they are."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils import timezone

from registrations.models import Registration

ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


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


def clean(value: Any) -> str:
    """As text that a spreadsheet can hold; line breaks stay."""
    return "" if value is None else ILLEGAL.sub("", str(value))
