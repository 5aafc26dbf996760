"""Where the platform is asked for what: by explicit settings, one by one, else by its discovery document."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from accounts.exchange import Exchange, NotAcceptable
from accounts.remembered import Remembered

# Our name, the setting, and the name in the document (OpenID Connect Discovery 1.0, 3; RP-Initiated Logout 1.0, 2.1).
NAMES = {
    "authorization": ("OIDC_OP_AUTHORIZATION_ENDPOINT", "authorization_endpoint"),
    "token": ("OIDC_OP_TOKEN_ENDPOINT", "token_endpoint"),
    "userinfo": ("OIDC_OP_USER_ENDPOINT", "userinfo_endpoint"),
    "jwks": ("OIDC_OP_JWKS_ENDPOINT", "jwks_uri"),
    "end_session": ("OIDC_OP_LOGOUT_ENDPOINT", "end_session_endpoint"),
}
OPTIONAL = {"end_session"}


@dataclass(frozen=True)
class Endpoints:
    authorization: str
    token: str
    userinfo: str
    jwks: str
    end_session: str  # "" where the platform has none


def endpoints(exchange: Exchange) -> Endpoints:
    """Every address of the platform's. Asks only where a setting that a login needs is empty.

    Raises requests.RequestException or ValueError where the discovery document cannot be had or breaks a rule.
    """
    explicit = {field: getattr(settings, setting) for field, (setting, _) in NAMES.items()}
    if all(address for field, address in explicit.items() if field not in OPTIONAL):
        return Endpoints(**explicit)
    document = discovery(settings.OIDC_OP_ISSUER).get(exchange)
    return Endpoints(**{field: explicit[field] or address(document, field) for field in NAMES})


@lru_cache(maxsize=8)
def discovery(issuer: str) -> Remembered[dict[str, Any]]:
    """One for each issuer, for as long as the process lives."""

    def ask(exchange: Exchange) -> dict[str, Any]:
        # 4.1: a slash at the issuer's end is taken off before the path is added. 4.3: the issuer must be equal.
        document = exchange.ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != issuer:
            raise NotAcceptable("discovery is another issuer's")
        for field, (setting, _) in NAMES.items():
            if not getattr(settings, setting):
                address(document, field)  # a document that lacks something is not remembered
        return document

    return Remembered(ask)


def address(document: dict[str, Any], field: str) -> str:
    """An endpoint of the document, "" for an optional one that it lacks. Raises NotAcceptable for no proper URL."""
    name = NAMES[field][1]
    found = document.get(name, "" if field in OPTIONAL else None)
    if found == "":
        return ""
    if not isinstance(found, str):
        raise NotAcceptable(f"discovery: {name}")
    parts = urlsplit(found)
    schemes = {"https"} if settings.OIDC_OP_ISSUER.startswith("https:") else {"https", "http"}
    if parts.scheme not in schemes or not parts.hostname or parts.fragment or not found.isprintable():
        raise NotAcceptable(f"discovery: {name}")
    return found
