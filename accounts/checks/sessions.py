"""How one signs in and how long that lasts: no longer than is promised, by passwords only in an emergency."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Warning

LONGEST_SESSIONS = {"SESSION_IDLE_SECONDS": 1800, "SESSION_IDLE_STAFF_SECONDS": 900, "SESSION_MAX_SECONDS": 43200}


def check_sessions(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A machine that somebody left is somebody else's until the session ends: no longer than is promised to people."""
    return [
        Warning(
            f"{name} 是 {getattr(settings, name)} 秒，比承诺的 {most} 秒长：离开的人迟迟不会自动退出。",
            f"请去掉环境变量 {name}，或改成不大于 {most} 的数。",
            id="accounts.W002",
        )
        for name, most in LONGEST_SESSIONS.items()
        if getattr(settings, name) > most
    ]


def check_emergency_login(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Information, not a warning: an operator who opened it meant to."""
    if not settings.EMERGENCY_LOGIN:
        return []
    return [
        Info(
            "EMERGENCY_LOGIN 是打开的，应急账户可以用密码在 /accounts/emergency/ 登录。",
            "平台恢复后，请去掉环境变量 EMERGENCY_LOGIN 并重新启动；用密码登录的会话随即失效。",
            id="accounts.I001",
        )
    ]


CHECKS = (check_sessions, check_emergency_login)
