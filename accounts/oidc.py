"""The relying party: what the unified identity platform says becomes a User, and every failure a sentence."""

import logging
import time
from typing import Any

import jwt
import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from accounts import identity
from accounts.audit import record
from accounts.deadline import session_until
from accounts.fields import TamperedCiphertext, decrypt_text, encrypt_text
from accounts.models import Identity, User

logger = logging.getLogger(__name__)

EXCHANGE_SECONDS = 6  # for token, keys and userinfo together, however slowly the platform drips
ANSWER_BYTES = 256 * 1024
LEEWAY_SECONDS = 120  # for clocks that disagree
ID_TOKEN_CONTEXT = "session.id_token"  # noqa: S105  (associated data, not a secret)


# What reading a stranger's JSON and token can raise: an endless `exp` overflows, a thousand brackets recurse.
UNACCEPTABLE = (
    *(jwt.PyJWTError, KeyError, TypeError, ValueError, AttributeError),
    *(OverflowError, RecursionError),
)


class LoginRefused(Exception):
    """A login that must not succeed. `str()` is the sentence for the person, `reason` the word for the log."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


UNREACHABLE = "统一身份认证平台暂时没有回应，您没有登录。请过一会儿重新登录；报名信息不受影响。"
UNTRUSTED = "统一身份认证平台返回的登录结果无法通过核对，您没有登录。请重新登录；如果反复出现，请联系平台客服。"
EXPIRED = "这次登录已经失效：可能等待太久、按了后退键，或在别的窗口里登录过。请重新登录。"


class PlatformBackend(OIDCAuthenticationBackend):
    """mozilla-django-oidc's code flow with the checks of OpenID Connect Core 1.0, 3.1.3.7 and 5.3.2."""

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> User | None:
        if request is None or "nonce" not in kwargs:
            return None
        self.deadline = time.monotonic() + EXCHANGE_SECONDS
        try:
            return super().authenticate(request, **kwargs)
        except requests.RequestException as problem:
            raise LoginRefused(f"platform unreachable: {type(problem).__name__}", UNREACHABLE) from problem
        except UNACCEPTABLE as problem:
            raise LoginRefused(f"answer not acceptable: {type(problem).__name__}", UNTRUSTED) from problem

    # What goes over the wire: bounded in time and size ----------------------------------------------------------

    def ask(self, method: str, url: str, **kwargs: Any) -> dict[str, Any]:
        """The platform's JSON answer, or requests.RequestException / ValueError. Never waits past the deadline."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise requests.Timeout("exchange took too long")
        timeout = min(settings.OIDC_TIMEOUT, remaining)
        with (
            session_until(self.deadline) as session,
            session.request(method, url, timeout=timeout, stream=True, allow_redirects=False, **kwargs) as response,
        ):
            body = self.read_bounded(response)
            if response.status_code >= 500:
                raise requests.ConnectionError(f"status {response.status_code}")
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
        answer = requests.models.complexjson.loads(body)
        if not isinstance(answer, dict):
            raise ValueError("not an object")
        return answer

    def read_bounded(self, response: requests.Response) -> bytes:
        body = b""
        for piece in response.iter_content(8192):
            body += piece
            if len(body) > ANSWER_BYTES:
                raise ValueError("answer too long")
        return body

    def get_token(self, payload: dict[str, Any]) -> dict[str, Any]:
        client = (payload["client_id"], payload.pop("client_secret"))
        return self.ask("POST", self.OIDC_OP_TOKEN_ENDPOINT, data=payload, auth=client)

    def retrieve_matching_jwk(self, token: str) -> jwt.PyJWK:
        header = jwt.get_unverified_header(token)
        for key in self.ask("GET", self.OIDC_OP_JWKS_ENDPOINT)["keys"]:
            if key.get("kid") == header.get("kid") and key.get("kty") == "RSA" and key.get("use", "sig") == "sig":
                return jwt.PyJWK(key, algorithm=self.OIDC_RP_SIGN_ALGO)
        raise ValueError("no key fits")

    def get_userinfo(self, access_token: str, id_token: str, payload: dict[str, Any]) -> dict[str, Any]:
        claims = self.ask("GET", self.OIDC_OP_USER_ENDPOINT, headers={"Authorization": f"Bearer {access_token}"})
        if claims.get("sub") != payload["sub"]:
            raise ValueError("userinfo is somebody else's")
        return claims

    # What it must say ------------------------------------------------------------------------------------------

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            self.retrieve_matching_jwk(token),
            algorithms=[self.OIDC_RP_SIGN_ALGO],
            audience=self.OIDC_RP_CLIENT_ID,
            issuer=settings.OIDC_OP_ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.OIDC_RP_CLIENT_ID:
            raise ValueError("azp")
        if not kwargs.get("nonce") or claims["nonce"] != kwargs["nonce"]:
            raise ValueError("nonce")
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise ValueError("sub")
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
                record(user, "login", user)
        if not user.is_active:
            record(user, "login.refused", user, detail="deactivated")
            raise LoginRefused("deactivated account", "这个账户已被停用，不能登录。如有疑问，请联系系统管理员。")
        # Signing out needs the ID token; in the session table nobody can read it.
        user.sealed_id_token = encrypt_text(id_token, ID_TOKEN_CONTEXT)
        return user

    def get_user(self, user_id: int) -> User | None:
        """The account of a session, with its identity in the same query; None at once when it is deactivated."""
        return get_user_model().objects.select_related("identity").filter(pk=user_id, is_active=True).first()


def remember_vouched(user: User, claims: dict[str, Any]) -> None:
    """Refresh what the platform vouches for, as long as the person has not confirmed."""
    found, _ = Identity.objects.get_or_create(user=user)
    if found.confirmed_at:
        return
    name, phone = claims.get("name"), claims.get("phone_number")
    found.name_vouched = isinstance(name, str) and 0 < len(name.strip()) <= 64
    if isinstance(name, str) and found.name_vouched:
        found.legal_name = name.strip()
    if isinstance(phone, str) and len(phone) <= 20:
        found.phone = phone
    document = vouched_document(claims)
    found.document_vouched = document is not None
    if document:
        found.hold_document(document)
    found.save()


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
    """Where the platform ends its own session and sends the person back to our page (RP-Initiated Logout 1.0)."""
    back = request.build_absolute_uri(reverse("accounts:signed_out"))
    if not settings.OIDC_OP_LOGOUT_ENDPOINT or not id_token:
        return back
    query = {"post_logout_redirect_uri": back, "client_id": settings.OIDC_RP_CLIENT_ID}
    try:
        query["id_token_hint"] = decrypt_text(id_token, ID_TOKEN_CONTEXT)
    except TamperedCiphertext:
        logger.warning("the session's ID token could not be read; signing out here only")
        return back
    return f"{settings.OIDC_OP_LOGOUT_ENDPOINT}?{urlencode(query)}"
