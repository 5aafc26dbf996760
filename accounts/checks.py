"""Settings that would hurt in production, each with its cure (`manage.py check --deploy`)."""

import base64
from collections.abc import Sequence
from itertools import combinations
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error

ADDRESSES = (
    "OIDC_OP_ISSUER",
    "OIDC_OP_AUTHORIZATION_ENDPOINT",
    "OIDC_OP_TOKEN_ENDPOINT",
    "OIDC_OP_USER_ENDPOINT",
    "OIDC_OP_JWKS_ENDPOINT",
    "OIDC_OP_LOGOUT_ENDPOINT",
)
NEW_KEY = "请用 openssl rand -base64 32 为每一项单独生成，再重新启动。"


def check_debug(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [
        Error(
            "DEBUG 是打开的，出错页面会泄露个人信息和密钥。", "请去掉环境变量 DEBUG，或设为 false。", id="accounts.E001"
        )
    ]


def check_development_key(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The development key stands in the source: it keeps nothing secret."""
    if not readings(settings.SECRET_KEY) & readings(settings.DEVELOPMENT_SECRET_KEY):
        return []
    return [Error("SECRET_KEY 用的是开发环境的密钥，任何人都知道。", NEW_KEY, id="accounts.E002")]


def check_derived_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A key that follows from SECRET_KEY is lost with it, and with it every document number."""
    return [
        Error(
            f"{name} 没有设置，现在是从 SECRET_KEY 推算的：一旦更换 SECRET_KEY，证件号码就再也读不出来。",
            NEW_KEY,
            id="accounts.E006",
        )
        for name, key in keys().items()
        if key in settings.DERIVED_KEYS.values()
    ]


def check_equal_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Each key has one purpose, so that the loss of one is not the loss of all."""
    return [
        Error(f"{first} 与 {second} 是同一个密钥，一个泄露就等于全部泄露。", NEW_KEY, id="accounts.E003")
        for (first, one), (second, other) in combinations(keys().items(), 2)
        if readings(one) & readings(other)
    ]


def check_platform_addresses(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Over plain http, anybody on the way can sign in as anybody."""
    return [
        Error(
            f"{name} 不是 https 地址，登录信息会以明文传送。",
            "请改为平台的 https:// 地址；平台没有 https 时，请先让平台开通。",
            id="accounts.E004",
        )
        for name in ADDRESSES
        if (address := getattr(settings, name, "")) and urlsplit(address).scheme != "https"
    ]


def check_https(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.USE_HTTPS:
        return []
    return [
        Error(
            "USE_HTTPS 是关闭的，会话和证件号码会以明文传送。",
            "请把环境变量 USE_HTTPS 设为 true；前面有反向代理时，同时把 TRUST_PROXY 设为 true。",
            id="accounts.E005",
        )
    ]


CHECKS = (
    check_debug,
    check_development_key,
    check_derived_keys,
    check_equal_keys,
    check_platform_addresses,
    check_https,
)


def keys() -> dict[str, str | bytes]:
    """Every key, by the name that an operator knows it under."""
    ring = {f"FIELD_ENCRYPTION_KEYS 中的 {key_id}": key for key_id, key in settings.FIELD_ENCRYPTION_KEYS.items()}
    return {"SECRET_KEY": settings.SECRET_KEY, "BLIND_INDEX_KEY": settings.BLIND_INDEX_KEY, **ring}


def readings(key: str | bytes) -> set[bytes]:
    """The bytes of a key, and those that its text means: a 32 byte key copied into SECRET_KEY is still that key."""
    if isinstance(key, bytes):
        return {key}
    found = {key.encode()}
    for decode in (bytes.fromhex, lambda text: base64.b64decode(text, validate=True)):
        try:
            found.add(decode(key))
        except ValueError:
            continue
    return found
