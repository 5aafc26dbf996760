"""What Django's own options say on the page of --help, in Chinese; the portal has words of its own for its commands."""

from argparse import SUPPRESS
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandParser, DjangoHelpFormatter

HELP = {
    "--help": "显示这份说明",
    "--version": "显示 Django 的版本",
    "--verbosity": SUPPRESS,  # the commands here say one line, whatever is asked
    "--settings": SUPPRESS,  # __main__ has chosen them
    "--pythonpath": "另外从这个目录找 Python 模块",
    "--traceback": "出错时显示完整的调用栈",
    "--no-color": "不用颜色",
    "--force-color": "不是终端也用颜色",
    "--skip-checks": "执行前不检查设置和模型",
}


class ChineseHelpFormatter(DjangoHelpFormatter):
    def add_usage(self, usage: Any, actions: Iterable[Any], groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "用法：" if prefix is None else prefix)


def in_chinese(parser: CommandParser) -> CommandParser:
    parser.formatter_class = ChineseHelpFormatter
    parser._positionals.title, parser._optionals.title = "参数", "选项"
    for action in parser._actions:
        for name in HELP.keys() & set(action.option_strings):
            action.help = HELP[name]
    return parser
