"""What the text of a variable can mean: each a parser, which raises an exception for what it does not take."""

import base64
import os
import re
from collections.abc import Callable, Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.validators import validate_email


def text(value: str) -> str:
    return value


def one_of(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        return {word: word for word in allowed}[value.lower()]

    return parse


def path_prefix(value: str) -> str:
    """Plain words between slashes: what nginx compares after it has decoded and resolved a path, `..` and `//` too."""
    if not re.fullmatch(r"/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*/)+", value):
        raise ValueError("not a prefix")
    return value


def word(value: str) -> str:
    """Visible ASCII: a name or key that goes into the header of a request."""
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("not a word")
    return value


def bucket(value: str) -> str:
    """As S3 has them, and those of older stores: 3 to 63 letters, digits, dots, hyphens and underscores."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]", value):
        raise ValueError("not a bucket")
    return value


def boolean(value: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    return words[value.lower()]


def whole_number(value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise ValueError(value)
    return int(value)


def positive(value: str) -> int:
    number = whole_number(value)
    if not number:
        raise ValueError("zero")
    return number


def up_to(most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = positive(value)
        if number > most:
            raise ValueError("too many")
        return number

    return parse


def at_least(least: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = whole_number(value)
        if number < least:
            raise ValueError("too small")
        return number

    return parse


def sender(value: str) -> str:
    """`name@host` or `Name <name@host>`: one address that stands in one line."""
    name, address = parseaddr(value)
    validate_email(address)
    if not name.isprintable():
        raise ValueError("more than one line")
    return f"{name} <{address}>" if name else address


def dotted_path(value: str) -> str:
    if value.count(".") < 1 or not all(part.isidentifier() for part in value.split(".")):
        raise ValueError("no dotted path")
    return value


def folder(value: str | Path) -> Path:
    """A folder that can be written to, made if it is not there. OSError if it cannot be had."""
    path = Path(value)
    path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK):
        raise PermissionError("read only")
    return path


def words(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def hosts(value: str) -> list[str]:
    """Host names as Django compares them: no scheme, no port, no path. One wrong one would be a 400 for everybody."""
    names = words(value)
    if not names or any("/" in name or ":" in name.strip("[]") and not name.startswith("[") for name in names):
        raise ValueError("not a host")
    return names


def scopes(value: str) -> str:
    if "openid" not in value.split():
        raise ValueError("no openid")
    return value


def secret(value: str) -> str:
    """At least 50 characters with at least 5 different ones: what Django's check security.W009 asks."""
    if len(value) < 50 or len(set(value)) < 5 or value.startswith("django-insecure-"):
        raise ValueError("weak")
    return value


def token(value: str) -> str:
    """What stands behind Bearer (RFC 6750, 2.1), long enough that nobody guesses it."""
    if len(value) < 32 or len(set(value)) < 5 or not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", value):
        raise ValueError("weak")
    return value


def url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError(value)
    return value


def endpoint(value: str) -> str:
    """The address of a service that is told its keys apart: its origin goes into the header of every page."""
    parts = urlsplit(url(value))
    if "@" in parts.netloc or parts.query or parts.fragment or not re.fullmatch(r"[!-~]+", value):
        raise ValueError("not an endpoint")
    parts.port  # noqa: B018  raises ValueError for what is no port
    return value


def cache_url(value: str) -> str:
    if urlsplit(value).scheme not in {"redis", "rediss"} or not urlsplit(value).hostname:
        raise ValueError("not a redis")
    urlsplit(value).port  # noqa: B018  raises ValueError for what is no port
    return value


def origins(value: str) -> list[str]:
    return [url(word) for word in words(value)]


def database(value: str) -> dict[str, Any]:
    if urlsplit(value).scheme not in {"sqlite", "postgres", "postgresql"}:
        raise ValueError("engine")  # django-environ would warn, and repeat the value
    config: dict[str, Any] = dict(environ.Env.db_url_config(value))
    if config["ENGINE"] not in {"django.db.backends.sqlite3", "django.db.backends.postgresql"}:
        raise ValueError(config["ENGINE"])
    return config


def aes_key(value: str) -> bytes:
    key = base64.b64decode(value, validate=True)
    if len(key) != 32:
        raise ValueError("not 32 bytes")
    return key


def retention(defaults: Mapping[str, int], least: Mapping[str, int]) -> Callable[[str], dict[str, int]]:
    """A parser of `kind:days,kind:days`: all of `defaults`, in their order, with the days that are named instead.

    ValueError for a kind that is not among them or named twice, for no days, and for fewer than `least` has.
    """

    def parse(value: str) -> dict[str, int]:
        given: dict[str, int] = {}
        for word in words(value):
            kind, days = (part.strip() for part in word.split(":", 1))
            if kind not in defaults or kind in given or not least.get(kind, 1) <= positive(days) <= 36_500:
                raise ValueError("retention")
            given[kind] = positive(days)
        if not given:
            raise ValueError("empty")
        return {**defaults, **given}

    return parse


def keyring(value: str) -> dict[str, bytes]:
    """`id:base64,id:base64` as {id: 32 bytes}, in the order given: the first one encrypts, all of them decrypt."""
    ring = {}
    for word in words(value):
        key_id, encoded = word.split(":", 1)
        if not key_id.isalnum() or len(key_id) > 16 or key_id in ring:
            raise ValueError("key id")
        ring[key_id] = aes_key(encoded)
    if not ring:
        raise ValueError("empty")
    return ring
