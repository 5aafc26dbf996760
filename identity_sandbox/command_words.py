"""What the sandbox's commands say in Chinese: the page of --help, and one sentence for each wrong use.

The portal has words of its own for its commands; the sandbox knows nothing of it.
"""

import re
import sys
from argparse import SUPPRESS
from collections.abc import Iterable
from typing import Any, NoReturn

from django.core.management.base import CommandError, CommandParser, DjangoHelpFormatter

WRONG_USE = 2  # the exit code, as argparse has it
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
# What argparse says about a wrong use of the options above, as it stands in its source, and what we say.
SAID = [
    (r"unrecognized arguments: (.+)", r"没有这样的选项或参数：\1。执行时加 --help，可以看到全部选项。"),
    (r"ambiguous option: (\S+) could match (.+)", r"选项 \1 可以是 \2，请写全。"),
    (r"argument (.+?): expected one argument", r"选项 \1 后面要写一个值。"),
    (r"argument (.+?): ignored explicit argument .*", r"选项 \1 后面不写值。"),
    (r"argument (.+?): not allowed with argument (.+)", r"\1 和 \2 不能同时使用。"),
    (r"argument (.+?): invalid (?:choice|int value): '?(.*?)'?(?: \(choose from .+\))?", r"\1 不能写 \2。"),
]


def sentence(message: str) -> str:
    for pattern, ours in SAID:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return found.expand(ours)
    return f"写法不对（{message}）。"


class ChineseHelpFormatter(DjangoHelpFormatter):
    def add_usage(self, usage: Any, actions: Iterable[Any], groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "用法：" if prefix is None else prefix)


class ChineseParser(CommandParser):
    def error(self, message: str) -> NoReturn:
        if not self.called_from_command_line:
            raise CommandError(sentence(message), returncode=WRONG_USE)
        self.print_usage(sys.stderr)
        self.exit(WRONG_USE, f"{sentence(message)}\n")


def in_chinese(parser: CommandParser) -> CommandParser:
    """The parser that Django has made for a command, speaking Chinese."""
    parser.__class__ = ChineseParser
    parser.formatter_class = ChineseHelpFormatter
    parser._positionals.title, parser._optionals.title = "参数", "选项"
    # Django refuses the two of them together in English, after the options are read.
    colours = parser.add_mutually_exclusive_group()
    colours._group_actions += [each for each in parser._actions if each.dest in {"no_color", "force_color"}]
    for action in parser._actions:
        for name in HELP.keys() & set(action.option_strings):
            action.help = HELP[name]
    return parser
