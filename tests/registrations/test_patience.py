"""How long it is tried again: by whose fault it is."""

from datetime import datetime, timedelta

import pytest

from registrations.patience import Fault, next_try

FIRST = datetime.fromisoformat("2026-11-25T10:00:00+08:00")


def tries(fault):
    """The minutes at which it is tried, if it never succeeds."""
    now, moments = FIRST, [0]
    while moment := next_try(fault, len(moments), FIRST, now):
        now = moment
        moments.append((now - FIRST) // timedelta(minutes=1))
    return moments


@pytest.mark.parametrize(
    ("fault", "first_ones", "number", "last"),
    [
        (Fault.REFUSED, [0, 1, 6], 3, 6),
        (Fault.LATER, [0, 1, 6, 31, 91], 27, 24 * 60 - 29),
        (Fault.SERVER, [0, 1, 6, 31, 91], 75, 3 * 24 * 60 - 29),
    ],
)
def test_the_pauses_grow_and_end(fault, first_ones, number, last):
    found = tries(fault)
    assert (found[: len(first_ones)], len(found), found[-1]) == (first_ones, number, last)
