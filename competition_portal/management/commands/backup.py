"""Write everything that people have given the portal into one sealed file."""

import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import CommandError
from django.db import Error, connection

from accounts.audit import record
from accounts.commands import PortalCommand
from accounts.new_files import new_file
from accounts.verbs import Verb
from competition_portal import dependencies
from competition_portal.backups.files import Names, columns
from competition_portal.backups.making import NAMED, Made, make
from competition_portal.backups.problems import BackupProblem
from competition_portal.backups.snapshot import snapshot

ACTOR = "command:backup"
STANDARD = "-"
INCOMPLETE = 3  # the exit code of a backup that is there, but without files that the storage has lost
NO_KEY = "没有设 BACKUP_KEYS，不能做备份，也不能恢复。请用 openssl rand -base64 32 生成一把，设为 BACKUP_KEYS=b1:密钥，并另行保存。"
# An attachment has no mark that would end the alarm; a committee can do without it or bring it again.
UNMARKED = "附件（attachments/）放不回的，请在工作台的竞赛计划里更换或删去，否则每次备份都会再列出。"
AWAY = "数据库出错或连不上（{}），{}。请用 python manage.py doctor 检查，恢复后再执行一次。"


class Command(PortalCommand):
    help = (
        "把数据库、照片和附件做成一个加密的备份文件（密钥是 BACKUP_KEYS 的第一把）。系统不用停：数据库是同一时刻的样子，照片随后读取。"
        "登录会话、限制次数、后台工作进程的报告、满一天就删的导出文件不在其中。写完才改成正式的文件名。"
    )
    rehearsal = "只检查和计数，不写文件"
    exit_codes = {0: "完整", 1: "没有做成", INCOMPLETE: "做成了，但有记录的文件在存储里找不到，已列出"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--output",
            required=True,
            metavar="FILE",
            help="写到哪个文件，已有的不覆盖；- 表示标准输出（进度写在标准错误）",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BACKUP_KEYS:
            raise CommandError(NO_KEY)
        output = options["output"]
        with sentences("没有做成备份"), interruptible():
            # A connection that is away is told in the same words as one that breaks.
            dependencies.ask_database()
            if output != STANDARD and Path(output).exists():
                raise BackupProblem(f"文件 {output} 已经存在，没有做备份。请换一个文件名，或先移走它。")
            if options["dry_run"]:
                self.rehearse()
                return
            made = self.to_standard_output() if output == STANDARD else self.to_file(Path(output))
        self.conclude(made, "标准输出" if output == STANDARD else output, quiet=output == STANDARD)

    def say(self, line: str) -> None:
        self.stderr.write(line)

    def rehearse(self) -> None:
        with snapshot() as moment:
            rows = {
                table.name: sum(segment.count(b"\n") for segment in moment.segments(table)) for table in moment.tables()
            }
            names = Names(moment)
            names.close()
        for table, number in rows.items():
            self.stdout.write(f"数据表 {table}：{number} 行")
        self.stdout.write(
            f"没有写文件。将备份 {len(rows)} 张表、{sum(rows.values())} 行、{names.number} 个文件（{len(columns())} 种），"
            f"用密钥 {next(iter(settings.BACKUP_KEYS))} 加密。"
        )

    def to_standard_output(self) -> Made:
        if sys.stdout.isatty():
            raise BackupProblem("标准输出是终端，没有写。请用 > 写到文件，或用 | 交给上传的程序。")
        with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
            made = make(out, settings.BACKUP_KEYS, self.say)
        self.remember(made)
        return made

    def to_file(self, output: Path) -> Made:
        with new_file(output, ".backup-", ".part") as out:
            made = make(out, settings.BACKUP_KEYS, self.say)
            self.remember(made)
        return made

    def remember(self, made: Made) -> None:
        """Everybody's data has left the portal's hands: that is a line in the record, before anybody has it."""
        connection.close()  # nothing was asked of it for minutes or hours, and whatever stands between may have hung up
        detail = f"rows {sum(made.rows.values())}, files {made.files}, bytes {made.bytes}"
        record(ACTOR, Verb.BACKUP_MADE, next(iter(settings.BACKUP_KEYS)), detail=detail)

    def conclude(self, made: Made, where: str, *, quiet: bool) -> None:
        out = self.stderr if quiet else self.stdout
        told = f"已备份 {len(made.rows)} 张表、{sum(made.rows.values())} 行、{made.files} 个文件，共 {made.bytes} 字节，写在{where}。"
        out.write(told if quiet else told.replace("写在", "写在 "))
        if known := made.missing["known"]:
            out.write(f"另有 {known} 个文件早已知道丢失（sweep_photos），不在备份里。")
        if removed := made.missing["removed"]:
            out.write(f"另有 {removed} 个文件在备份进行时随记录一起删除了，不在备份里。")
        if lost := made.missing["lost"]:
            for name in made.lost:
                self.stderr.write(f"  文件丢失：{name}")
            more = f"（只列出 {NAMED} 个）" if lost > NAMED else ""
            unmarked = UNMARKED if any(name.startswith("attachments/") for name in made.lost) else ""
            raise CommandError(
                f"备份已写成，可以用，但有 {lost} 个文件在存储里找不到{more}。请执行 python manage.py sweep_photos，从更早的备份放回。{unmarked}",
                returncode=INCOMPLETE,
            )


@contextmanager
def sentences(not_done: str) -> Iterator[None]:
    """What can go wrong outside, told in a sentence."""
    try:
        yield
    except BackupProblem as problem:
        raise CommandError(told(str(problem), problem)) from problem
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        said = f"{not_done}：读写时出错（{reason}）。请检查磁盘空间、权限和存储，再执行一次。"
        raise CommandError(told(said, problem)) from problem
    except Error as problem:
        raise CommandError(told(AWAY.format(type(problem).__name__, not_done), problem)) from problem
    except KeyboardInterrupt as problem:
        raise CommandError(told(f"{not_done}：被中断了。再执行一次即可。", problem)) from problem


def told(sentence: str, problem: BaseException) -> str:
    return "".join([sentence, *(f"{note}，请再执行一次 sweep_photos。" for note in getattr(problem, "__notes__", []))])


def stop(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM is an end like Ctrl+C: with everything cleared up."""
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
