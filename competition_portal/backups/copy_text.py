r"""Rows as text, in the one format that both databases can be told: PostgreSQL's COPY text format.

A line for each row, tabs between the columns, \N for null (PostgreSQL manual, COPY, "Text Format"). PostgreSQL speaks
it itself; here is what SQLite needs: its values as PostgreSQL writes them, and back.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

NULL = r"\N"
ESCAPES = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
UNESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
TO_ESCAPE = re.compile(r"[\\\b\f\n\r\t\v]")
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
FRACTION = re.compile(r"\.(\d{1,6})")


def escape(text: str) -> str:
    return TO_ESCAPE.sub(lambda found: ESCAPES[found[0]], text)


def unescape(text: str) -> str:
    return ESCAPED.sub(lambda found: UNESCAPES.get(found[1], found[1]), text) if "\\" in text else text


# What SQLite has, by the kind of column (kind_of_sqlite), as PostgreSQL writes it.
FROM_SQLITE: dict[str, Callable[[Any], str]] = {
    "boolean": lambda value: "t" if value else "f",
    "uuid": lambda value: str(UUID(value)),
    "timestamp": lambda value: f"{value}+00",
    "other": lambda value: escape(str(value)),
}
# What PostgreSQL writes, as Django keeps it in SQLite: moments in UTC, with six digits of a second or none.
TO_SQLITE: dict[str, Callable[[str], Any]] = {
    "boolean": lambda text: text == "t",
    "uuid": lambda text: text.replace("-", ""),
    "timestamp": lambda text: FRACTION.sub(lambda found: f".{found[1]:0<6}", text.removesuffix("+00")),
    "other": unescape,
}


def kind_of_sqlite(declared: str) -> str:
    """The kind of a column as Django declares it in SQLite: a UUID is char(32), every text of that length varchar(32)."""
    return {"bool": "boolean", "char(32)": "uuid", "datetime": "timestamp"}.get(declared.lower(), "other")


def line_of(values: Iterable[Any], writers: list[Callable[[Any], str]]) -> str:
    return (
        "\t".join(NULL if value is None else write(value) for value, write in zip(values, writers, strict=True)) + "\n"
    )


def fields_of(line: str) -> list[str | None]:
    """The columns of a line without its end, unescaped."""
    return [None if text == NULL else unescape(text) for text in line.split("\t")]


def values_of(line: str, readers: list[Callable[[str], Any]]) -> list[Any]:
    """The columns of a line without its end, as SQLite is to have them."""
    texts = line.split("\t")
    return [None if text == NULL else read(text) for text, read in zip(texts, readers, strict=True)]
