"""`manage.py` itself: which commands there are, in Chinese, and what a mistyped one may have been."""

import sys
from difflib import get_close_matches
from typing import NoReturn

from django.core.management import ManagementUtility, get_commands, load_command_class
from django.core.management.base import BaseCommand

from accounts.command_words import WRONG_USE, folded
from accounts.commands import INTERRUPTED, PortalCommand

# Django's own that an operator needs; the others are for developers and stay unnamed.
OF_DJANGO = {
    "check": "检查设置；加 --deploy 连正式环境的也查",
    "collectstatic": "收集静态文件（镜像里已经收好）",
    "migrate": "建立或更新数据库里的表；升级后执行",
}
WIDTH = 80


def ours() -> dict[str, PortalCommand]:
    """Every command that is made on PortalCommand, by name."""
    loaded = {
        name: load_command_class(app, name) for name, app in get_commands().items() if not app.startswith("django")
    }
    return {name: command for name, command in sorted(loaded.items()) if isinstance(command, PortalCommand)}


class Portal(ManagementUtility):
    def main_help_text(self, commands_only: bool = False) -> str:
        if commands_only:
            return "\n".join(sorted(get_commands()))
        if self.settings_exception:
            return f"设置有误，没有启动：{self.settings_exception}"
        told = {name: str(command.help).partition("。")[0] for name, command in ours().items()}
        lines = ["用法：python manage.py 命令 [选项]。每个命令后面加 --help，可以看到它的说明。"]
        for heading, commands in (("本系统的命令：", told), ("Django 的命令：", OF_DJANGO)):
            lines += ["", heading, *entries(commands)]
        return "\n".join(lines)

    def fetch_command(self, subcommand: str) -> BaseCommand:
        # Where settings are wrong, Django says so itself, and manage.py in Chinese.
        if self.settings_exception is None and subcommand not in get_commands():
            self.unknown(subcommand)
        return super().fetch_command(subcommand)

    def unknown(self, name: str) -> NoReturn:
        close = get_close_matches(name, get_commands())
        meant = f"是不是要写 {'、'.join(close)}？" if close else "执行 python manage.py help，可以看到全部命令。"
        sys.stderr.write(f"没有命令 {name}。{meant}\n")
        sys.exit(WRONG_USE)


def entries(commands: dict[str, str]) -> list[str]:
    lines = []
    for name, meaning in commands.items():
        first, *rest = folded(meaning, WIDTH - 26)
        lines += [f"  {name:<23} {first}", *(" " * 26 + line for line in rest)]
    return lines


def run(arguments: list[str]) -> None:
    """As django-admin does, for the portal. Raises ImproperlyConfigured where a setting is wrong."""
    try:
        Portal(arguments).execute()
    except KeyboardInterrupt:  # before a command of ours had begun
        sys.stderr.write("已中断，没有改动。\n")
        sys.exit(INTERRUPTED)
