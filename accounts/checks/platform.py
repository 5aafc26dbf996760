"""The unified identity platform: the real one, spoken to over https."""

from collections.abc import Sequence
from ipaddress import ip_address
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


def check_platform_addresses(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Over plain http, anybody on the way can sign in as anybody.

    An address that is empty is found by discovery, which leaves no https issuer for plain http (accounts/platform.py).
    """
    return [
        Error(
            f"{name} 不是 https 地址，登录信息会以明文传送。",
            "请改为平台的 https:// 地址；平台没有 https 时，请先让平台开通。",
            id="accounts.E004",
        )
        for name in ADDRESSES
        if (address := getattr(settings, name, "")) and urlsplit(address).scheme != "https"
    ]


def check_sandbox(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The demo's platform lets in whoever asks: its password is published."""
    signs = ["identity_sandbox 在 INSTALLED_APPS 里"] if "identity_sandbox" in settings.INSTALLED_APPS else []
    signs += [f"{name} 指向本机" for name in ADDRESSES if is_loopback(getattr(settings, name, ""))]
    return [
        Error(
            f"{sign}，像是演示用的统一身份认证平台，任何人都能用它登录成任何人。",
            "请改为正式平台的地址，并去掉 identity_sandbox。",
            id="accounts.E013",
        )
        for sign in signs
    ]


def check_issuer(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """OpenID Connect Discovery 1.0, 3: an issuer has neither query nor fragment, and all addresses follow from it."""
    if not {"?", "#"} & set(settings.OIDC_OP_ISSUER):
        return []
    return [
        Error(
            "OIDC_OP_ISSUER 里有 ? 或 #，不是 issuer：平台的地址查不到，登录结果也不能通过核对。",
            "请照平台 /.well-known/openid-configuration 里的 issuer 填写，一个字符都不要差。",
            id="accounts.E020",
        )
    ]


def is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


CHECKS = (check_platform_addresses, check_sandbox, check_issuer)
