"""Run a command of the sandbox, for example: python -m identity_sandbox prepare."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility, get_commands
from django.core.management.base import BaseCommand

from identity_sandbox.command_words import WRONG_USE

USAGE = "用法：python -m identity_sandbox prepare，{}；后面加 --help，可以看到全部选项。"


class Sandbox(ManagementUtility):
    """Of Django's many commands it names none: whoever needs one knows it."""

    def main_help_text(self, commands_only: bool = False) -> str:
        from identity_sandbox.management.commands.prepare import Command  # its models need the settings

        return USAGE.format(Command.help.rstrip("。"))

    def fetch_command(self, subcommand: str) -> BaseCommand:
        # Where settings are wrong, Django says so itself, and main() in Chinese.
        if self.settings_exception is None and subcommand not in get_commands():
            sys.stderr.write(f"没有命令 {subcommand}。{self.main_help_text()}\n")
            sys.exit(WRONG_USE)
        return super().fetch_command(subcommand)


def main() -> None:
    # set, not setdefault: the variable may already name the portal's settings
    os.environ["DJANGO_SETTINGS_MODULE"] = "identity_sandbox.settings"
    try:
        Sandbox(["python -m identity_sandbox", *sys.argv[1:]]).execute()
    except ImproperlyConfigured as problem:
        sys.exit(f"演示用身份认证平台的设置有误，没有启动：{problem}")


if __name__ == "__main__":
    main()
