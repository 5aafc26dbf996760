"""报名编号: random, readable over the telephone, never the primary key."""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without 0/O, 1/I/L


def new_reference(year: int) -> str:
    """For example BJ26-7K4M-Q2AB: 31⁸ possibilities a year, so that nobody guesses one."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"BJ{year % 100:02d}-{text[:4]}-{text[4:]}"
