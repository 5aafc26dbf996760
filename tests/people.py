"""Synthetic people for the tests: document numbers that are valid by construction and belong to nobody in particular."""

from datetime import date

from accounts.identity import Sex, check_character

# Every number that was made here: none of them may appear in a log line (tests/log_watch.py).
PLANTED = {"11010519491231002X"}  # the standard's own example, which many tests type
NUMBERS_A_DAY = 499  # odd 001–997 for men, even 002–998 for women


def resident_number(serial: int, *, born: date = date(1990, 3, 7), sex: Sex, region: str = "110105") -> str:
    """A valid resident identity number, another one for each serial from 0.

    Beyond 499 people of one sex, born on one day in one region, the district changes; province and birth date stay.
    """
    districts, sequence = divmod(serial, NUMBERS_A_DAY)
    if not 0 <= districts < 10_000:
        raise ValueError(f"serial must lie between 0 and {NUMBERS_A_DAY * 10_000 - 1}, not {serial}")
    place = f"{region[:2]}{(int(region[2:]) + districts) % 10_000:04}"
    return eighteen(place, sequence, born=born, sex=sex)


def eighteen(beginning: str, sequence: int, *, born: date, sex: Sex) -> str:
    """18 characters by GB 11643 after a beginning of 6, for permits and foreign cards too; sequence from 0 to 498."""
    digits = f"{beginning}{born:%Y%m%d}{2 * sequence + (1 if sex == Sex.MALE else 2):03}"
    return planted(digits + check_character(digits))


def passport_number(serial: int) -> str:
    """Shaped like an ordinary Chinese passport's."""
    return planted(f"E{serial:08}")


def planted(number: str) -> str:
    PLANTED.add(number)
    return number
