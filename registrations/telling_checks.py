"""Deployment checks of how people are told: what would lead them, or their addresses, astray."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning


def check(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    return [Warning(wrong, cure, id=f"registrations.{name}") for name, holds, wrong, cure in doubts() if holds]


def doubts() -> list[tuple[str, bool, str, str]]:
    """(id, whether it holds, what is wrong, what to do)."""
    by_mail = bool(settings.MAIL_FROM)
    return [
        (
            "W001",
            by_mail and settings.PORTAL_URL_IS_DERIVED,
            f"PORTAL_URL 没有设置，邮件里的链接用的是 {settings.PORTAL_URL}，由 ALLOWED_HOSTS 得出，不一定打得开。",
            "请把环境变量 PORTAL_URL 设为报名人员打开本系统的地址，例如 https://jnjs.example.cn。",
        ),
        (
            "W002",
            by_mail and urlsplit(settings.PORTAL_URL).scheme != "https",
            "PORTAL_URL 不是 https 地址，从邮件进来的人第一步是明文的。",
            "请把环境变量 PORTAL_URL 改为 https:// 开头的地址。",
        ),
        (
            "W003",
            by_mail and not settings.MAIL_FOLDER and settings.MAIL_SECURITY == "none",
            "MAIL_SECURITY 是 none，邮件和邮件服务器的密码以明文传送。",
            "请改为 starttls 或 tls；邮件服务器就在本机、不经过网络时，可以忽略这一条。",
        ),
        (
            "W004",
            bool(settings.MAIL_FOLDER),
            "MAIL_FOLDER 设了，邮件只写成文件，一封也不会发出去。",
            "请去掉环境变量 MAIL_FOLDER，改设 MAIL_HOST。",
        ),
        (
            "W005",
            settings.SMS_BACKEND == "registrations.sms.ConsoleSms",
            "SMS_BACKEND 是只显示、不发出的 ConsoleSms，短信不会到任何人手里。",
            "请改为短信网关的后端；没有网关就去掉环境变量 SMS_BACKEND。",
        ),
    ]
