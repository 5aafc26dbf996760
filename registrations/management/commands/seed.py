"""Fill a database with many invented registrations, for load tests and drills."""

import os
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, connection

from registrations.models import STATUS_CHOICES, Registration
from registrations.seeding import make
from registrations.seeding.plans import CODE
from registrations.seeding.writing import on_postgres

MANY = 50_000  # registrations from which on several processes are quicker


class Command(BaseCommand):
    help = (
        "写入大量虚构的报名（默认 10,000 份），用来测试系统的容量：人员、身份信息（证件号码照常加密）、个人基本信息、证件照的记录、"
        f"各种状态的报名、审核记录、消息，分布在编号为 {CODE.format(1)} 等的竞赛计划里，名额和审核队列的份数同时记好。"
        "PostgreSQL 用 COPY 写入。每批是一个事务：中断以后已经写入的各批是完整的，再次执行会接着增加。"
        "成功时退出码为 0；被拒绝或没有写完时退出码为 1。"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "registrations", nargs="?", type=number, default=10_000, metavar="份数", help="增加多少份报名，默认 10000"
        )
        parser.add_argument(
            "--plans", type=number, default=make.PLANS, metavar="个数", help="分布在几个竞赛计划里，默认 %(default)s"
        )
        parser.add_argument(
            "--photos",
            type=int,
            default=200,
            metavar="人数",
            help="为前多少人在照片存储里写入照片文件，默认 %(default)s；其余的人只有记录，页面上显示照片文件丢失",
        )
        parser.add_argument(
            "--processes",
            type=number,
            metavar="个数",
            help="用几个进程写入；不写则 PostgreSQL 上份数多时与处理器核数相同，否则为 1",
        )
        parser.add_argument("--dry-run", action="store_true", help="只说明将要写入什么，不写入")
        parser.add_argument(
            "--yes-seed",
            action="store_true",
            help="DEBUG 为 false 时也写入：确认这个数据库是用来测试的，里面的报名都可以不要",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wanted, database = options["registrations"], connection.settings_dict["NAME"]
        refuse_foreign_database(str(database), sure=options["yes_seed"])
        if options["dry_run"]:
            self.stdout.write(
                f"将向数据库 {database} 增加 {wanted:,} 份虚构的报名，分布在 {options['plans']} 个竞赛计划里，"
                f"其中 {options['photos']:,} 人有照片文件，{'用 COPY ' if on_postgres() else '分批'}写入。没有写入任何内容。"
            )
            return
        began = time.monotonic()

        def progress(made: int) -> None:
            took = time.monotonic() - began
            self.stderr.write(
                f"  {made:,} / {wanted:,}，用时 {took:.0f} 秒，还需约 {took / made * (wanted - made):.0f} 秒"
            )

        try:
            made = make.seed(
                wanted,
                plans=options["plans"],
                photos=options["photos"],
                processes=options["processes"] or processes_for(wanted),
                progress=progress,
            )
        except IntegrityError as problem:
            raise CommandError(
                "写入时与别人同时写入的内容冲突，最后一批没有写入，之前的各批是完整的。请确认没有另一个 seed 在运行，再执行一次。"
            ) from problem
        found = "、".join(f"{label} {made[status]:,}" for status, label in STATUS_CHOICES)
        self.stdout.write(f"已增加 {made.total():,} 份报名（{found}），用时 {time.monotonic() - began:.1f} 秒。")


def processes_for(wanted: int) -> int:
    """SQLite has one writer; and a process takes its time to start."""
    return os.cpu_count() or 1 if on_postgres() and wanted >= MANY else 1


def number(text: str) -> int:
    try:
        found = int(text.replace(",", "").replace("_", ""))
    except ValueError:
        found = 0
    if found < 1:
        raise ArgumentTypeError(f"“{text}”不是正整数，例如写 10000")
    return found


def refuse_foreign_database(name: str, *, sure: bool) -> None:
    """Raises CommandError where what is written could end up beside what is real."""
    if not (settings.DEBUG or sure):
        raise CommandError(
            f"本系统是按正式环境配置的（DEBUG 为 false），没有向数据库 {name} 写入任何内容。"
            "如果这个数据库确实只用来测试，请加上 --yes-seed 再执行。"
        )
    invented = Registration.objects.exclude(applicant__username__startswith="seed-")
    real = invented.exclude(applicant__subject__startswith="demo-").count()
    if real:
        raise CommandError(
            f"数据库 {name} 里已经有 {real:,} 份不是测试数据的报名，没有写入任何内容。请换一个空的数据库（DATA_DIR 或 DATABASE_URL）再执行。"
        )
