"""Values of SQLite as PostgreSQL writes them, and back."""

import pytest

from competition_portal.backups.copy_text import FROM_SQLITE, TO_SQLITE, fields_of, kind_of_sqlite, line_of, values_of
from tests.backups.portal import AWKWARD


@pytest.mark.parametrize(
    ("declared", "stored", "text"),
    [
        ("bool", 1, "t"),
        ("bool", 0, "f"),
        ("char(32)", "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"),
        ("varchar(32)", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("datetime", "2026-11-26 10:00:00.120000", "2026-11-26 10:00:00.120000+00"),
        ("datetime", "2026-11-26 10:00:00", "2026-11-26 10:00:00+00"),
        ("text", "a\tb\\N", "a\\tb\\\\N"),
    ],
)
def test_there_and_back(declared, stored, text):
    kind = kind_of_sqlite(declared)
    assert (FROM_SQLITE[kind](stored), TO_SQLITE[kind](text)) == (text, stored)


def test_the_shorter_fraction_that_postgresql_writes():
    """Django keeps six digits: moments are compared as text in SQLite."""
    assert TO_SQLITE["timestamp"]("2026-11-26 10:00:00.5+00") == "2026-11-26 10:00:00.500000"


def test_a_row_with_everything_awkward():
    line = line_of([1, None, AWKWARD, ""], [FROM_SQLITE["other"]] * 4)
    assert (line.count("\n"), line[-1], line.count("\t")) == (1, "\n", 3)
    assert fields_of(line[:-1]) == values_of(line[:-1], [TO_SQLITE["other"]] * 4) == ["1", None, AWKWARD, ""]
