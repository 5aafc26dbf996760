"""The platform's public keys: kept for an hour, asked for once more where a token names one that is not known."""

from functools import lru_cache
from typing import Any

import jwt

from accounts.exchange import Exchange, NotAcceptable
from accounts.remembered import Remembered

KEY_BITS = 2048  # RFC 7518, 3.3: at least


def key_of(token: str, algorithm: str, address: str, exchange: Exchange) -> jwt.PyJWK:
    """The one key that may have signed the token.

    Raises requests.RequestException where the keys cannot be had, ValueError or jwt.PyJWTError where none fits.
    """
    kid = jwt.get_unverified_header(token).get("kid")
    keys = published_keys(address)
    known = keys.get(exchange)
    found = fitting(known, kid, algorithm)
    if not found:
        found = fitting(keys.newer(known, exchange), kid, algorithm)
    # Without a kid there must be no choice (OpenID Connect Core 1.0, 10.1); two keys of one kid are no better.
    if len(found) != 1:
        raise NotAcceptable("several keys fit" if found else "no key fits")
    key = jwt.PyJWK(found[0], algorithm=algorithm)
    if key.key.key_size < KEY_BITS:
        raise NotAcceptable("key too short")
    return key


def fitting(keys: list[Any], kid: str | None, algorithm: str) -> list[dict[str, Any]]:
    """Those of the key set (RFC 7517, 4) that are RSA, for signatures, for this algorithm, and have this id if any."""
    return [
        key
        for key in keys
        if isinstance(key, dict)
        and key.get("kty") == "RSA"
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and "verify" in key.get("key_ops", ["verify"])
        and kid in (None, key.get("kid"))
    ]


@lru_cache(maxsize=8)
def published_keys(address: str) -> Remembered[list[Any]]:
    """One for each address, for as long as the process lives."""

    def ask(exchange: Exchange) -> list[Any]:
        keys = exchange.ask("GET", address).get("keys")
        if not isinstance(keys, list) or not keys:
            raise NotAcceptable("no keys")
        return keys

    return Remembered(ask)
