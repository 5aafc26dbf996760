"""How the portal is reached: over https, under its own name, through proxies that it knows, without debug pages."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning


def check_debug(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [
        Error(
            "DEBUG 是打开的，出错页面会泄露个人信息和密钥。", "请去掉环境变量 DEBUG，或设为 false。", id="accounts.E001"
        )
    ]


def check_https(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.USE_HTTPS:
        return []
    return [
        Error(
            "USE_HTTPS 是关闭的，会话和证件号码会以明文传送。",
            "请把环境变量 USE_HTTPS 设为 true；前面有反向代理时，同时把 TRUSTED_PROXIES 设为反向代理的层数。",
            id="accounts.E005",
        )
    ]


def check_hosts(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A request under a name that is not ours must not be answered: the name ends up in links and redirects."""
    return [
        Error(
            f"ALLOWED_HOSTS 里的 {host} 等于不限制域名，别人可以用自己的域名冒充本系统。",
            "请只写本系统自己的域名，例如 jnjs.example.cn。",
            id="accounts.E014",
        )
        for host in settings.ALLOWED_HOSTS
        if host == "*" or (host.startswith(".") and host.count(".") < 2)
    ]


def check_origins(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"CSRF_TRUSTED_ORIGINS 里的 {origin} 不是确定的 https 来源，别的网站可以替用户提交表单。",
            "请只写带 https:// 的完整来源；没有别的来源就留空。",
            id="accounts.E015",
        )
        for origin in settings.CSRF_TRUSTED_ORIGINS
        if "*" in origin or not origin.startswith("https://")
    ]


def check_proxies(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The image serves plain http, so https is a proxy's: unknown to us, each request is sent to https once more."""
    if not settings.USE_HTTPS or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "USE_HTTPS 是打开的，TRUSTED_PROXIES 却是 0：如果 HTTPS 由前面的反向代理处理，每个页面都会不停跳转，"
            "限制次数也会把所有人算成同一个地址。",
            "请把 TRUSTED_PROXIES 设为自己的反向代理的层数，例如 1；应用服务器自己处理 HTTPS 时，可以忽略这一条。",
            id="accounts.W001",
        )
    ]


CHECKS = (check_debug, check_https, check_hosts, check_origins, check_proxies)
