"""What every command of the portal has in common: --help in Chinese, exit codes that mean something, a decent end."""

import logging
import sys
import time
from typing import Any, NoReturn

from django.core import checks
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, InterfaceError, OperationalError

from accounts.command_words import WRONG_USE, ChineseParser

logger = logging.getLogger(__name__)

REFUSED = 1
INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it
QUIET_SECONDS = 30.0  # between two lines of progress where there is no terminal
RENEW_SECONDS = 0.2  # between two states of the line on a terminal
# SQLSTATE of PostgreSQL for a table or a column that is not there.
NO_SUCH_TABLE = {"42P01", "42703"}


class WrongUse(CommandError):
    """A command that was written wrongly, whatever is in the database: exit code 2. `str()` says what is possible."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, returncode=WRONG_USE)


class PortalCommand(BaseCommand):
    """A command of ours. `exit_codes` says what 0 and 1 mean where it is more than done and not done.

    `rehearsal`, where it is not empty, is what --dry-run does instead; a command that changes anything has it.
    """

    _called_from_command_line: bool  # Django's own; its types do not know it
    rehearsal = ""
    exit_codes: dict[int, str] = {}
    usual_exit_codes = {0: "做完了", 1: "没有做，或没有做完，原因在屏幕上", 2: "写法不对", 130: "被 Ctrl+C 中断"}

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> ChineseParser:
        """As Django's, with a parser that speaks Chinese; a test compares the options with Django's own."""
        parser = ChineseParser(
            prog=f"{prog_name.rpartition('/')[2]} {subcommand}",
            description=self.help,
            epilog=f"退出码：{self.exit_codes_in_words}。",
            called_from_command_line=self._called_from_command_line,
            **options,
        )
        parser.add_argument("--version", action="version", version=self.get_version())
        parser.add_argument("-v", "--verbosity", default=1, type=int, choices=[0, 1, 2, 3])
        parser.add_argument("--settings")
        parser.add_argument("--pythonpath")
        parser.add_argument("--traceback", action="store_true")
        colours = parser.add_mutually_exclusive_group()
        colours.add_argument("--no-color", action="store_true")
        colours.add_argument("--force-color", action="store_true")
        if self.requires_system_checks:
            parser.add_argument("--skip-checks", action="store_true")
        self.add_arguments(parser)
        if self.rehearsal:
            parser.add_argument("--dry-run", action="store_true", help=self.rehearsal)
        parser.name_in_chinese()
        return parser

    @property
    def exit_codes_in_words(self) -> str:
        return "；".join(
            f"{code} {meaning}" for code, meaning in sorted((self.usual_exit_codes | self.exit_codes).items())
        )

    def run_from_argv(self, argv: list[str]) -> None:
        """As Django's, but an end from outside is one sentence and an exit code, never a traceback."""
        try:
            super().run_from_argv(argv)
        except KeyboardInterrupt:
            self.end("已中断。做了一半的那一步没有写进数据库；需要时再执行一次。", INTERRUPTED)
        except CommandError:
            raise  # --traceback was asked for
        except Error as problem:
            if "--traceback" in argv or not (sentence := database_problem(problem)):
                raise
            self.end(sentence, REFUSED)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Django says what is refused with an English word before it; here it is the sentence alone."""
        try:
            return super().execute(*args, **options)
        except CommandError as refusal:
            if not self._called_from_command_line or options["traceback"]:
                raise
            self.end(str(refusal), refusal.returncode)

    def check(self, *args: Any, **options: Any) -> None:
        """Before a command: what is wrong with the settings, in the sentences of the checks. Warnings are `check`'s."""
        found = checks.run_checks(tags=options.get("tags"))
        wrong = [message for message in found if message.is_serious(checks.ERROR) and not message.is_silenced()]
        if wrong:
            told = [f"{message.msg}{message.hint or ''}（{message.id}）" for message in wrong]
            raise CommandError("\n".join(["设置有误，没有执行：", *told]))

    def end(self, sentence: str, code: int) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(code)

    def progress(self) -> "Progress":
        return Progress(self.stderr)


def database_problem(problem: Error) -> str:
    """The sentence for what is no fault of the command's; "" for what is. Never what the server said: it has names in it."""
    if getattr(problem.__cause__, "sqlstate", None) in NO_SUCH_TABLE or str(problem).startswith(
        ("no such table", "no such column")
    ):
        return "数据库里没有需要的表或列，没有执行。请先执行 python manage.py migrate。"
    if isinstance(problem, OperationalError | InterfaceError):
        return (
            f"数据库连不上，或中途断开了（{type(problem).__name__}）。没有写完的那一步已经撤销。"
            "请执行 python manage.py doctor 查看原因，恢复后再执行一次。"
        )
    return ""


class Progress:
    """How far a long command is, on `err`: one line that renews itself on a terminal, now and then a line elsewhere.

    What ends soon says nothing: a crontab mails whatever is said.
    """

    def __init__(self, err: Any) -> None:
        self.err = err
        self.terminal = err.isatty()
        self.last = time.monotonic()

    def tell(self, text: str) -> None:
        now = time.monotonic()
        if now - self.last < (RENEW_SECONDS if self.terminal else QUIET_SECONDS):
            return
        self.last = now
        self.err.write(f"\r\x1b[K{text}" if self.terminal else text, ending="" if self.terminal else "\n")
        self.err.flush()

    def end(self) -> None:
        if self.terminal:
            self.err.write("\r\x1b[K", ending="")
            self.err.flush()
