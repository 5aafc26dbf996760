"""Write the list of a plan's registrations into a file, by the code that the committee's page uses."""

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts.audit import record
from accounts.commands import PortalCommand, Progress, WrongUse
from accounts.new_files import new_file
from accounts.verbs import Verb
from plans.management.commands.add_committee_member import find_plan
from plans.models import Plan
from registrations import exports, writers
from registrations.columns import COLUMNS, Column, columns_for
from registrations.models import RegistrationQuerySet
from registrations.workflow import Status

ACTOR = "command:export_registrations"
STATUSES = "、".join(f"{status.value}（{status.label}）" for status in Status if status != Status.DRAFT)


class Command(PortalCommand):
    help = "把一个竞赛计划的报名名单写成文件。证件号码只写头尾，除非用 --full-numbers 并写明理由。"
    rehearsal = "只检查和计数，不写文件"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", metavar="PLAN_CODE", help="计划编号，例如 BJ2026-07")
        parser.add_argument("--format", choices=list(writers.WRITERS), default="xlsx", help="文件格式，默认 xlsx")
        parser.add_argument("--output", required=True, metavar="FILE", help="写到哪个文件；已有的文件不覆盖")
        parser.add_argument("--status", metavar="STATUS", help=f"只要这个状态的：{STATUSES}")
        parser.add_argument("--columns", metavar="COLUMNS", help="要哪些列、按什么次序，用逗号隔开；不写则全部")
        parser.add_argument("--full-numbers", action="store_true", help="写完整的证件号码")
        parser.add_argument("--reason", default="", metavar="REASON", help="为什么需要完整的证件号码，写入操作记录")

    def handle(self, *args: Any, **options: Any) -> None:
        plan, output = find_plan(options["plan"]), Path(options["output"])
        columns = find_columns(options["columns"], options["full_numbers"])
        if options["full_numbers"] and (problem := exports.reason_problem(options["reason"])):
            raise CommandError(f"没有导出。{problem}")
        if output.exists():
            raise CommandError(f"文件 {output} 已经存在，没有导出。请换一个文件名，或先移走它。")
        found = find_registrations(plan, options["status"])
        if options["dry_run"]:
            self.stdout.write(f"没有写文件。将导出 {found.count()} 份报名，{len(columns)} 列。")
            return
        written = write(plan, found, columns, output, options, self.progress())
        self.stdout.write(f"已导出 {written} 份报名，{len(columns)} 列，写在 {output}。")


def find_columns(text: str | None, full_numbers: bool) -> list[Column]:
    keys = [key.strip() for key in text.split(",")] if text else list(COLUMNS)
    if unknown := [key for key in keys if key not in COLUMNS]:
        known = "、".join(f"{key}（{column.heading}）" for key, column in COLUMNS.items())
        raise WrongUse(f"没有这样的列：{'、'.join(unknown)}。可用：{known}。")
    return columns_for(keys, full_numbers)


def find_registrations(plan: Plan, status: str | None) -> RegistrationQuerySet:
    if not status:
        return exports.listed(plan)
    if status not in Status or status == Status.DRAFT:
        raise WrongUse(f"没有状态 {status}。可用：{STATUSES}。")
    return exports.listed(plan).filter(status=status)


def write(
    plan: Plan,
    found: RegistrationQuerySet,
    columns: list[Column],
    output: Path,
    options: dict[str, Any],
    progress: Progress,
) -> int:
    """The line in the record, then the file under its name."""
    kind, reason = options["format"], options["reason"].strip() if options["full_numbers"] else ""
    narrowed = f"状态：{Status(options['status']).label if options['status'] else '全部'}"
    about = writers.About(str(plan), narrowed, ACTOR, "完整" if reason else "只显示头尾")
    try:
        with new_file(output, ".export-") as out:
            written = writers.WRITERS[kind](out, columns, told(exports.rows_of(found, columns), progress), about)
            record(ACTOR, Verb.LIST_EXPORTED, plan, detail=exports.audit_detail(plan, written, kind, reason))
    except OSError as problem:
        raise CommandError(f"文件没有写成：{problem.strerror}。请检查磁盘空间和权限，再执行一次。") from problem
    return written


def told(rows: Iterable[Any], progress: Progress) -> Iterator[Any]:
    for number, row in enumerate(rows, start=1):
        yield row
        progress.tell(f"已写 {number} 行……")
    progress.end()
