"""argparse and Django's own options in Chinese: the page of --help, and one sentence for each wrong use."""

import re
import sys
import unicodedata
from argparse import Action
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, NoReturn

from django.core.management.base import CommandError, CommandParser, DjangoHelpFormatter

WRONG_USE = 2  # the exit code, as argparse and POSIX's own utilities have it

# What every command of Django's accepts beside its own.
HELP = {
    "--help": "显示这份说明",
    "--version": "显示 Django 的版本",
    "--verbosity": "说得多详细：0 最少，1 平常，2 较多，3 最多；本系统的命令不分",
    "--settings": "用哪个设置模块；不写则按环境变量 DJANGO_SETTINGS_MODULE",
    "--pythonpath": "另外从这个目录找 Python 模块",
    "--traceback": "出错时显示完整的调用栈（给开发人员看；里面可能有个人信息）",
    "--no-color": "不用颜色",
    "--force-color": "不是终端也用颜色",
    "--skip-checks": "执行前不检查设置和模型",
}
# What argparse says about a wrong use, as it stands in its source, and what we say.
SAID = [
    (r"the following arguments are required: (.+)", r"缺少：\1。"),
    (r"unrecognized arguments: (.+)", r"没有这样的选项或参数：\1。"),
    (r"ambiguous option: (\S+) could match (.+)", r"选项 \1 可以是 \2，请写全。"),
    (r"argument (.+?): expected one argument", r"选项 \1 后面要写一个值。"),
    (r"argument (.+?): expected at (?:least|most) one argument", r"选项 \1 后面的值的个数不对。"),
    (r"argument (.+?): invalid choice: '?(.*?)'? \(choose from (.+)\)", r"\1 不能写 \2。可用：\3。"),
    (r"argument (.+?): invalid int value: '?(.*?)'?", r"\1 要写整数，不能写 \2。"),
    (r"argument (.+?): not allowed with argument (.+)", r"\1 和 \2 不能同时使用。"),
    (r"argument (.+?): ignored explicit argument .*", r"选项 \1 后面不写值。"),
    (r"one of the arguments (.+) is required", r"请写明其中一项：\1。"),
    # What our own types raise (ArgumentTypeError) is a sentence already.
    (r"argument (.+?): (.*[\u4e00-\u9fff].*)", r"\1：\2。"),
]


def in_chinese(message: str) -> str:
    for pattern, sentence in SAID:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            # Names of choices come with quotes, differently in each version of Python.
            return re.sub(r"(?<=\w)'?, '?(?=[\w-])", "、", found.expand(sentence)).replace("'", "")
    return f"写法不对（{message}）。"


def wide(text: str) -> int:
    """How many columns of a terminal the text takes: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def pieces(text: str) -> Iterator[str]:
    """What a line may be broken between: words, and single Chinese characters with the punctuation that follows."""
    yield from re.findall(r"[\x21-\x7e]+[，。；：、）”]*\s?|.[，。；：、）”]*\s?", " ".join(text.split()))


def folded(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for piece in pieces(text):
        if line and wide(line) + wide(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()] if line.strip() else lines


class ChineseHelpFormatter(DjangoHelpFormatter):
    """Lines as long as they look: textwrap knows neither wide characters nor a language without spaces."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return folded(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for part in text.splitlines() for line in folded(part, width))

    def add_usage(self, usage: Any, actions: Iterable[Action], groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "用法：" if prefix is None else prefix)


class ChineseParser(CommandParser):
    """Django's parser, which ends in Chinese: wrong use is told in one sentence, with exit code 2."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": ChineseHelpFormatter, "add_help": False, **options})
        self._positionals.title, self._optionals.title = "参数", "选项"
        self.add_argument("-h", "--help", action="help")

    def error(self, message: str) -> NoReturn:
        sentence = in_chinese(message) + self.meant(message)
        if not self.called_from_command_line:
            raise CommandError(sentence, returncode=WRONG_USE)
        self.print_usage(sys.stderr)
        self.exit(WRONG_USE, f"{sentence}\n")

    def meant(self, message: str) -> str:
        """Of the options there are, those that look like the one that was typed."""
        if not message.startswith("unrecognized arguments:"):
            return ""
        ours = [name for action in self._actions for name in action.option_strings if name.startswith("--")]
        typed = [word.split("=")[0] for word in message.split() if word.startswith("-")]
        close = {name: None for word in typed for name in get_close_matches(word, ours)}
        return f"是不是要写 {'、'.join(close)}？" if close else "执行时加 --help，可以看到全部选项。"

    def name_in_chinese(self, own: Mapping[str, str] = MappingProxyType({})) -> None:
        """Put our words in the place of Django's; `own` are those for the options and places of one command."""
        words = {**HELP, **own}
        for action in self._actions:
            for name in words.keys() & {*action.option_strings, action.dest}:
                action.help = words[name]
