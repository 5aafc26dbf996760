"""What slips into a log line is masked: document and mobile numbers, tokens, and what stands behind a telling name.

A net under code that should not have let it slip, so it rather takes too much: a long number that is none, a `code=` that
is no secret. Pure but for the logging classes; deploy/gunicorn.conf.py uses it without Django.
"""

import copy
import logging
import re
from traceback import format_exception

DOCUMENT, MOBILE, TOKEN, HIDDEN = "[证件号码]", "[手机号码]", "[令牌]", "***"

# A digit as it is typed (half and full width), as an address carries the latter, and as JSON or ascii() writes it.
DIGIT = r"(?:[0-9０-９]|%EF%BC%9[0-9]|\\uff1[0-9])"
LAST = rf"(?:{DIGIT}|[XxＸｘ]|%EF%BC%B8|%EF%BD%98|\\uff38|\\uff58)"
# What people put between digits: one blank, one dash, or their forms in an address.
GAP = r"(?:[\s\u00a0\u3000\u2010-\u2015\u2212－·_+-]|%20|%C2%A0|%E3%80%80|\\u3000|\\xa0)?"


def digits(count: int) -> str:
    return rf"(?:{DIGIT}{GAP}){{{count}}}"


FREE, END = r"(?<![0-9０-９])", r"(?![0-9０-９]|%EF%BC%9|\\uff1)"  # no digit before, none after
# An unbroken run of 15 to 19, right or mistyped; with gaps only what holds a birth date, or every table would be masked.
UNBROKEN = re.compile(rf"{FREE}{DIGIT}{{14,18}}{LAST}{END}", re.IGNORECASE)
CENTURY = rf"(?:[1１]{GAP}[89８９]|[2２]{GAP}[0０])"
BROKEN = re.compile(rf"{FREE}{digits(6)}{CENTURY}{GAP}{digits(9)}{LAST}{END}", re.IGNORECASE)
ENCODED = re.compile(rf"(?:%EF%BC%9[0-9]){{14,18}}{LAST}", re.IGNORECASE)
OLD_FOREIGN_CARD = re.compile(rf"(?<![A-Za-z])[A-Za-z]{{3}}[0-9]{{12}}{END}")
# One letter and eight digits or two and seven: Chinese passports, travel permits, and many others' passports.
PASSPORT = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z][0-9]{8}|[A-Za-z]{2}[0-9]{7})(?![A-Za-z0-9])")
MOBILE_NUMBER = re.compile(rf"{FREE}(?:(?:\+|%2B|00)?86{GAP})?1[3-9][0-9]{GAP}[0-9]{{4}}{GAP}[0-9]{{4}}{END}")
# Anything of the shape of a token; whether it holds one is asked of each match, which keeps long texts cheap.
DOTTED = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]*+)++")
# What plans/invitation_links.py puts into the link of an invitation, in an address, in another's query or alone.
INVITATION = re.compile(r"invite_[A-Za-z0-9_-]{16,}")
BEARER = re.compile(r"\b(Bearer|Basic)(\s+)[A-Za-z0-9._~+/=-]+", re.IGNORECASE)

SECRET_NAMES = (
    *("code", "state", "token", "access_token", "id_token", "refresh_token", "id_token_hint", "client_secret"),
    *("nonce", "code_verifier", "password", "csrfmiddlewaretoken", "csrftoken", "sessionid", "sid"),
    *("portal_session", "portal_csrf", "__Host-portal_session", "__Host-portal_csrf"),
)
PERSONAL_NAMES = (
    *("document_number", "document_index", "id_number", "passport", "passport_number", "legal_name", "phone"),
    *("phone_number", "emergency_phone", "emergency_contact", "email", "address", "certificate_number", "q"),
    *("证件号码", "护照号码", "护照", "姓名", "手机", "手机号码"),
)
# name=value, name: value, 'name': 'value', "name": ["value"], name\":\"value\" and (name)=(value), as PostgreSQL says.
NAMED = re.compile(
    rf"""(?<![\w-])(?P<name>{"|".join(map(re.escape, sorted({*SECRET_NAMES, *PERSONAL_NAMES}, key=len, reverse=True)))})
    (?P<between>\\?["']?\)?\s*(?:=|:|：|%3D)\s*\[?\(?)
    (?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\"(?:[^"\\]|\\[^"])*\\"|[^\s&"'<>,;()\[\]{{}}，；。）]+)""",
    re.VERBOSE | re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text without what should never have been in it. Never raises; the same again for what it has masked."""
    text = INVITATION.sub(TOKEN, text)
    text = BEARER.sub(rf"\1\2{TOKEN}", text)
    text = NAMED.sub(rf"\g<name>\g<between>{HIDDEN}", text)
    text = DOTTED.sub(without_token, text)
    return MOBILE_NUMBER.sub(MOBILE, mask_documents(text))


def mask_documents(text: str) -> str:
    """The text without document numbers alone: for what goes out to people, where a telephone number is meant to stand."""
    text = ENCODED.sub(DOCUMENT, text)
    text = BROKEN.sub(DOCUMENT, text)
    text = OLD_FOREIGN_CARD.sub(DOCUMENT, text)
    text = PASSPORT.sub(DOCUMENT, text)
    return UNBROKEN.sub(DOCUMENT, text)


def without_token(match: re.Match[str]) -> str:
    """A JSON Web Token begins with a header whose first bytes, {", are eyJ in base64."""
    before, found, _ = match[0].partition("eyJ")
    return f"{before}{TOKEN}" if found else match[0]


class RedactingFilter(logging.Filter):
    """Stands on every handler. The record goes on as a copy: another handler formats it for itself."""

    def filter(self, record: logging.LogRecord) -> logging.LogRecord:
        safe = copy.copy(record)
        safe.msg, safe.args = redact(message_of(record)), None
        if record.exc_info and record.exc_info[1] is not None:
            # exc_text is what a formatter takes where it stands; without exc_info it cannot write its own.
            safe.exc_text, safe.exc_info = redact("".join(format_exception(record.exc_info[1])).rstrip("\n")), None
        elif record.exc_text:
            safe.exc_text = redact(record.exc_text)
        if record.stack_info:
            safe.stack_info = redact(record.stack_info)
        return safe


def message_of(record: logging.LogRecord) -> str:
    """The message, or its form alone where its arguments do not fit: a log line is no place to fail in."""
    try:
        return record.getMessage()
    except Exception:  # whatever somebody's __str__ raises
        return str(record.msg)
