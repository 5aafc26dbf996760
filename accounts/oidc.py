"""The relying party: what the unified identity platform says becomes a User, and every failure a sentence."""

import base64
import hashlib
import logging
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeGuard
from urllib.parse import urlsplit

import jwt
import requests
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from accounts import identity
from accounts.audit import record
from accounts.exchange import Exchange, NotAcceptable
from accounts.fields import TamperedCiphertext, decrypt_text, encrypt_text
from accounts.models import Identity, User
from accounts.platform import endpoints
from accounts.signing_keys import key_of
from accounts.verbs import Verb

logger = logging.getLogger(__name__)

LEEWAY_SECONDS = 120  # for clocks that disagree
TOKEN_AGE_SECONDS = 600  # the platform makes the token while we ask for it: an old one was made for something else
SIGN_OUT_SECONDS = 2  # for the platform to show that a browser can be sent there
ID_TOKEN_CONTEXT = "session.id_token"  # noqa: S105  (associated data, not a secret)


# What reading a stranger's token can raise: an endless `exp` overflows, a thousand brackets recurse.
UNACCEPTABLE = (
    *(jwt.PyJWTError, KeyError, TypeError, ValueError, AttributeError),
    *(OverflowError, RecursionError),
)


class LoginRefused(Exception):
    """A login that must not succeed. `str()` is the sentence for the person, `reason` the word for log and record.

    `user` is whose login it is, where that is certain: the platform's answer was checked.
    """

    def __init__(self, reason: str, sentence: str, user: User | None = None) -> None:
        super().__init__(sentence)
        self.reason, self.user = reason, user


UNREACHABLE = "统一身份认证平台暂时没有回应，您没有登录。请过一会儿重新登录；报名信息不受影响。"
UNTRUSTED = "统一身份认证平台返回的登录结果无法通过核对，您没有登录。请重新登录；如果反复出现，请联系平台客服。"
EXPIRED = "这次登录已经失效：可能等待太久、按了后退键，或在别的窗口里登录过。请重新登录。"


@contextmanager
def refusing() -> Iterator[None]:
    """Whatever the platform gets wrong becomes LoginRefused, with a reason that has nothing of its answer in it."""
    try:
        yield
    except requests.RequestException as problem:
        raise LoginRefused(f"platform unreachable: {type(problem).__name__}", UNREACHABLE) from problem
    except NotAcceptable as problem:
        raise LoginRefused(f"answer not acceptable: {problem}", UNTRUSTED) from problem
    except UNACCEPTABLE as problem:
        raise LoginRefused(f"answer not acceptable: {type(problem).__name__}", UNTRUSTED) from problem


def authorization_endpoint() -> str:
    """Where a login begins. Raises LoginRefused where the platform does not say."""
    with refusing():
        return endpoints(Exchange()).authorization


class PlatformBackend(OIDCAuthenticationBackend):
    """mozilla-django-oidc's code flow with the checks of OpenID Connect Core 1.0, 3.1.3.7 and 5.3.2."""

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> User | None:
        if request is None or "nonce" not in kwargs:
            return None
        with refusing():
            self.exchange = Exchange()
            self.endpoints = endpoints(self.exchange)
            return super().authenticate(request, **kwargs)

    def get_token(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The token response. Raises NotAcceptable where it has no bearer token (3.1.3.3; RFC 6750, 2.1)."""
        client = (payload["client_id"], payload.pop("client_secret"))
        answer = self.exchange.ask("POST", self.endpoints.token, data=payload, auth=client)
        kind, token = answer.get("token_type"), answer.get("access_token")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise NotAcceptable("token_type")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise NotAcceptable("access_token")
        self.access_token = token
        return answer

    def get_userinfo(self, access_token: str, id_token: str, payload: dict[str, Any]) -> dict[str, Any]:
        bearer = {"Authorization": f"Bearer {access_token}"}
        claims = self.exchange.ask("GET", self.endpoints.userinfo, headers=bearer)
        if claims.get("sub") != payload["sub"]:
            raise NotAcceptable("userinfo is somebody else's")
        return claims

    # What it must say ------------------------------------------------------------------------------------------

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """The claims of an ID token that is for this login, or an exception out of UNACCEPTABLE."""
        header = jwt.get_unverified_header(token)
        if header.get("alg") != self.OIDC_RP_SIGN_ALGO:
            raise NotAcceptable("alg")
        if str(header.get("typ", "JWT")).upper() != "JWT":
            raise NotAcceptable("typ")  # a token of another kind, RFC 8725, 3.11
        if "crit" in header:
            raise NotAcceptable("crit")  # we know no extension: PyJWT knows one (RFC 7797) that no ID token may use
        claims: dict[str, Any] = jwt.decode(
            token,
            key_of(token, self.OIDC_RP_SIGN_ALGO, self.endpoints.jwks, self.exchange),
            algorithms=[self.OIDC_RP_SIGN_ALGO],
            audience=self.OIDC_RP_CLIENT_ID,
            issuer=settings.OIDC_OP_ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
        check_claims(claims, client_id=self.OIDC_RP_CLIENT_ID, nonce=kwargs.get("nonce"))
        if "at_hash" in claims and claims["at_hash"] != half_hash(self.access_token):
            raise NotAcceptable("at_hash")
        return claims

    def store_tokens(self, access_token: str, id_token: str) -> None:
        """Nothing yet: the login that follows may begin a new session (see CallbackView.login_success)."""

    # Whose it is -----------------------------------------------------------------------------------------------

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> User:
        claims = payload | self.get_userinfo(access_token, id_token, payload)
        with transaction.atomic():
            user, _ = User.objects.from_platform(payload["iss"], payload["sub"])
            if user.is_active:
                remember_vouched(user, claims)
                record(user, Verb.LOGIN, user)
        if not user.is_active:
            raise LoginRefused("deactivated", "这个账户已被停用，不能登录。如有疑问，请联系系统管理员。", user)
        # Signing out needs the ID token; in the session table nobody can read it.
        user.sealed_id_token = encrypt_text(id_token, ID_TOKEN_CONTEXT)
        return user

    def get_user(self, user_id: int) -> User | None:
        """The account of a session, with its identity and consent in the same query; None at once when it is deactivated."""
        return User.objects.of_session(user_id)


def check_claims(claims: dict[str, Any], *, client_id: str, nonce: str | None) -> None:
    """What PyJWT leaves open of OpenID Connect Core 1.0, 2 and 3.1.3.7. Raises NotAcceptable with the claim's name."""
    for name in ("exp", "iat", "nbf"):
        if type(claims.get(name, 0)) not in (int, float):
            raise NotAcceptable(name)  # PyJWT takes text and true for a time
    if claims["iat"] < time.time() - TOKEN_AGE_SECONDS - LEEWAY_SECONDS:
        raise NotAcceptable("iat too old")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != client_id:
        raise NotAcceptable("azp")
    if not nonce or claims["nonce"] != nonce:
        raise NotAcceptable("nonce")
    subject = claims["sub"]
    if not (0 < len(subject) <= 255 and subject.isascii() and subject.isprintable()):
        raise NotAcceptable("sub")


def half_hash(access_token: str) -> str:
    """The left half of the token's SHA-256, for RS256 (3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode("ascii")).digest()[:16]).rstrip(b"=").decode()


VOUCHED = (
    *("legal_name", "name_vouched", "phone", "document_vouched"),
    *("document_type", "document_number", "document_index"),
)


def remember_vouched(user: User, claims: dict[str, Any]) -> None:
    """Refresh what the platform vouches for, as long as the person has not confirmed: in another window, meanwhile."""
    found, _ = Identity.objects.get_or_create(user=user)
    if found.confirmed_at:
        return
    name, phone = claims.get("name"), claims.get("phone_number")
    found.name_vouched = False
    if is_text(name) and 0 < len(name.strip()) <= 64:
        found.legal_name, found.name_vouched = identity.as_documents_have_it(name), True
    if is_text(phone) and len(phone) <= 20:
        found.phone = phone
    document = vouched_document(claims)
    found.document_vouched = document is not None
    if document:
        found.hold_document(document)
    values = {name: getattr(found, name) for name in VOUCHED}
    Identity.objects.filter(pk=found.pk, confirmed_at=None).update(**values)


def is_text(value: Any) -> TypeGuard[str]:
    """Whether it is one line that a database takes and a page shows as it is: no controls, no half characters."""
    return isinstance(value, str) and not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in value)


def vouched_document(claims: dict[str, Any]) -> identity.DocumentNumber | None:
    """The document among the claims, or None: a platform's wrong number is not vouched for, the person types it."""
    kind, number = claims.get("id_type"), claims.get("id_number")
    if kind not in identity.DocumentType.values or not isinstance(number, str):
        return None
    try:
        return identity.parse(kind, number, today=timezone.localdate())
    except ValidationError:
        logger.warning("the platform vouched for a document number that is not one; the person is asked instead")
        return None


def sign_out_url(request: HttpRequest, id_token: str) -> str:
    """Where the browser goes to end the platform's session (RP-Initiated Logout 1.0), and comes back to our page.

    Our page at once where there is nothing to end there, or nobody who would answer (docs/adr, “Signing out looks first”).
    """
    back = reverse("accounts:signed_out")
    if not id_token:
        return back
    here_only = f"{back}?{urlencode({'platform': 'away'})}"
    try:
        hint = decrypt_text(id_token, ID_TOKEN_CONTEXT)
    except TamperedCiphertext:
        logger.warning("the session's ID token could not be read; signing out here only")
        return here_only
    try:
        with refusing():
            exchange = Exchange().at_most(SIGN_OUT_SECONDS)
            address = endpoints(exchange).end_session
    except LoginRefused as refusal:
        logger.warning("signing out here only: %s", refusal.reason)
        return here_only
    if not address:
        return back
    if (
        not settings.OIDC_OP_LOGOUT_ENDPOINT
        and "{0.scheme}://{0.netloc}".format(urlsplit(address)) != settings.PLATFORM_ORIGIN
    ):
        # The policy of the page that posted here would stop the browser on its way: it would stay on that page.
        logger.warning("signing out here only: the platform's logout has another origin, set OIDC_OP_LOGOUT_ENDPOINT")
        return here_only
    if not exchange.finds(address):
        logger.warning("signing out here only: the platform's logout does not answer")
        return here_only
    query = {
        "post_logout_redirect_uri": request.build_absolute_uri(back),
        "client_id": settings.OIDC_RP_CLIENT_ID,
        "id_token_hint": hint,
    }
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"
