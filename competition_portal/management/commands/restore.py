"""Put a backup into an empty place, or only look whether it could be."""

import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from competition_portal import dependencies
from competition_portal.backups.examining import Contents, examine
from competition_portal.backups.problems import BackupProblem
from competition_portal.backups.restoring import Terms, check_place, restore
from competition_portal.management.commands.backup import INCOMPLETE, NO_KEY, STANDARD, interruptible, sentences


class Command(BaseCommand):
    help = (
        "把备份恢复到空的数据库和空的存储里；数据库没有表的，先建好。先把整个备份核对一遍（密钥、完整、校验和、迁移、证件号码能否读出），再写；"
        "照片和附件都写好，数据库才一次提交，中途出错则什么都不留下，可以再执行一次。请先停止系统的全部副本和后台工作进程。"
        "退出码：0 完整；1 没有恢复；2 恢复了，但备份里本来就缺一些文件。"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("input", metavar="FILE", help="备份文件；- 表示标准输入（先原样存到临时目录，仍是加密的）")
        parser.add_argument("--verify", action="store_true", help="只核对备份本身，不碰数据库和存储")
        parser.add_argument("--dry-run", action="store_true", help="核对备份，也检查能否恢复到这里，不写")
        parser.add_argument("--replace-database", action="store_true", help="数据库不是空的也恢复：现有内容全部丢弃")
        parser.add_argument(
            "--keep-files", action="store_true", help="存储不是空的也恢复：同名且内容相同的文件留用，不同的拒绝"
        )
        parser.add_argument(
            "--without-field-keys", action="store_true", help="证件号码读不出来（密钥没有了）也恢复，其余内容照常可用"
        )
        parser.add_argument("--spool", metavar="DIR", help="标准输入先存到这个目录，默认是系统的临时目录")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BACKUP_KEYS:
            raise CommandError(NO_KEY)
        terms = Terms(options["replace_database"], options["keep_files"])
        with sentences("没有恢复"), interruptible(), local(options["input"], options["spool"]) as path:
            with open_backup(path) as source:
                contents = examine(source, settings.BACKUP_KEYS, self.say)
            self.describe(contents)
            self.mind_keys(contents, options["without_field_keys"])
            if not options["verify"]:
                dependencies.ask_database()
                check_place(contents, terms)
            if options["verify"] or options["dry_run"]:
                self.stdout.write("没有改动。备份可以用。" if options["verify"] else "没有改动。可以恢复到这里。")
                return
            restored = restore(lambda: open_backup(path), settings.BACKUP_KEYS, contents, terms, self.say)
        self.stdout.write(
            f"已恢复 {contents.rows} 行、{contents.summary['files']} 个文件"
            f"（写入 {restored.written} 个，原有 {restored.kept} 个）。"
        )
        self.conclude(contents)

    def say(self, line: str) -> None:
        self.stderr.write(line)

    def describe(self, contents: Contents) -> None:
        head = contents.head
        self.stdout.write(
            f"备份做于 {head['made_at']}，{head['database']}，系统 {head['portal']} 版，{len(head['migrations'])} 项迁移，"
            f"{contents.rows} 行，{contents.summary['files']} 个文件，缺 {contents.missing} 个文件。"
        )

    def mind_keys(self, contents: Contents, go_on: bool) -> None:
        if contents.unreadable and not go_on:
            raise BackupProblem(f"{contents.unreadable}密钥已经没有了、仍要恢复其余内容的，加 --without-field-keys。")
        self.stdout.write(contents.unreadable or "抽查的证件号码都能读出。")

    def conclude(self, contents: Contents) -> None:
        if waiting := dependencies.pending_migrations():
            self.stdout.write(f"现在的版本还有 {len(waiting)} 项迁移没有执行，请执行 python manage.py migrate。")
        self.stdout.write(
            "请接着执行 recount、doctor，并把备份之后注销的账户再删一次（见 docs/operations/backup.md）。"
        )
        if contents.summary["missing"].get("lost") or contents.summary["missing"].get("removed"):
            raise CommandError(
                f"恢复了，但备份里缺 {contents.missing} 个文件。请执行 python manage.py sweep_photos，它会列出是哪些，并做上标记。",
                returncode=INCOMPLETE,
            )


def open_backup(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as problem:
        raise BackupProblem(f"备份文件 {path} 打不开：{problem.strerror}。请检查文件名和权限。") from problem


@contextmanager
def local(name: str, spool: str | None) -> Iterator[Path]:
    """The backup as a file that can be read twice: standard input is kept, still sealed, until the end."""
    if name != STANDARD:
        yield Path(name)
        return
    with tempfile.NamedTemporaryFile(prefix="portal-restore-", suffix=".part", dir=spool) as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.flush()
        yield Path(kept.name)
