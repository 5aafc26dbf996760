"""Make or change a whole plan from a file, or show what that would do."""

import logging
import sys
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import IntegrityError, transaction

from accounts.audit import record
from accounts.commands import PortalCommand, WrongUse
from accounts.verbs import Verb
from plans import attachment_files, attachment_import, plan_example, plan_import, plan_workbook, plan_yaml
from plans.attachment_import import Offer
from plans.models import Plan
from plans.plan_file import Mistake, PlanFile, PlanFileRefused
from registrations import reason_import, return_reasons
from registrations.return_reasons import ReturnReason

logger = logging.getLogger(__name__)

ACTOR = "command:import_plan"
MOST_BYTES = 4 * 1024 * 1024  # of any kind; the readers have limits of their own
KINDS = (".yaml", ".yml", ".xlsx")


class Command(PortalCommand):
    help = (
        "从一份文件（YAML 或 xlsx）新建或修改整个竞赛计划：各项内容、日期、证件照要求、职业（工种）、附件、退回原因。"
        "按计划编号认：没有的新建，已有的只改不同的，已发布的也只能改页面上能改的。有一处不对就什么都不做，全部错误逐处列出。"
        "不会删除任何内容，也不会发布。同一份文件再执行一次，不会有改动。"
    )
    rehearsal = "只列出将新建和改动什么，不改动"
    exit_codes = {0: "做完了，或没有需要改动的", 1: "文件有错，或没有做完；什么都没有改"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", metavar="FILE", help="文件；附件的路径从它所在的目录找起")
        parser.add_argument("--example", choices=["yaml", "xlsx"], help="输出一份样本，请用 > 存成文件；不读文件")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["file"]) == bool(options["example"]):
            raise WrongUse("请写明要导入的文件，或用 --example yaml（或 xlsx）得到一份样本；不能两样都写。")
        if options["example"]:
            self.show_example(options["example"])
            return
        path = Path(options["file"])
        try:
            self.bring_in(read(path), path.parent, options["dry_run"])
        except OSError as problem:
            logger.error("import_plan: %s", type(problem).__name__)
            raise CommandError(
                "照片和附件的存储读不了或写不了，没有导入。请执行 doctor 查看，恢复后再执行。"
            ) from problem

    def show_example(self, kind: str) -> None:
        if kind == "yaml":
            self.stdout.write(plan_example.as_yaml(), ending="")
        elif self.stdout.isatty():
            raise WrongUse("xlsx 不能显示在屏幕上，请存成文件：import_plan --example xlsx > 计划.xlsx")
        else:
            getattr(self.stdout, "buffer", sys.stdout.buffer).write(plan_example.as_workbook())

    def bring_in(self, file: PlanFile, folder: Path, rehearsing: bool) -> None:
        outcome = plan_import.look(file)
        offers, wrong = attachment_import.look(outcome.plan, file.attachments or [], folder)
        reasons, doubtful = reasons_of(outcome.plan, file)
        self.refuse([*outcome.mistakes, *wrong, *doubtful])
        lines = [*outcome.in_words, *(offer.in_words for offer in offers)]
        lines += [f"更换退回原因：共 {len(reasons)} 条"] if reasons else []
        code = file.cells["code"].text
        if outcome.plan and not lines:
            self.stdout.write(f"竞赛计划 {code} 与文件一致，没有需要改动的。")
            return
        self.stdout.write(f"{'将' if rehearsing else ''}{'修改' if outcome.plan else '新建'}竞赛计划 {code}：")
        for line in lines:
            self.stdout.write(f"  {line}")
        if rehearsing:
            self.stdout.write("检查通过，没有改动。")
            return
        with attachment_files.stored(attachment_import.sources(offers)) as names:
            plan, told = write(file, outcome.plan, (offers, names), reasons)
        self.conclude(plan, made=outcome.plan is None, told=told)

    def refuse(self, mistakes: list[Mistake]) -> None:
        if mistakes:
            lines = dict.fromkeys(str(mistake) for mistake in sorted(mistakes, key=lambda mistake: mistake.line))
            raise CommandError(
                "\n".join([*lines, f"文件里有 {len(lines)} 处不对，什么都没有导入。请改好后再执行一次。"])
            )

    def conclude(self, plan: Plan, *, made: bool, told: list[str]) -> None:
        for sentence in told:
            self.stdout.write(sentence)
        self.stdout.write("已导入。" if not made else "已导入，还没有发布。")
        if made:
            self.stdout.write(
                f"下一步：python manage.py add_committee_member {plan.code} u-… manager，再由管理成员核对和发布。"
            )


def read(path: Path) -> PlanFile:
    """Raises CommandError."""
    if path.suffix.lower() not in KINDS:
        raise WrongUse(f"只读 {'、'.join(KINDS)} 文件，不读 {path.name}。")
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise CommandError(f"{path.name} 超过 {MOST_BYTES // 1024 // 1024} MB，没有读取。")
        with path.open("rb") as content:
            if path.suffix.lower() == ".xlsx":
                return plan_workbook.read(content, size)
            return plan_yaml.read(content.read(MOST_BYTES))
    except PlanFileRefused as refusal:
        raise CommandError(f"{path.name}：{refusal}") from refusal
    except OSError as problem:
        raise CommandError(f"{path} 读不了：{problem.strerror}。") from problem


def reasons_of(plan: Plan | None, file: PlanFile) -> tuple[list[ReturnReason] | None, list[Mistake]]:
    return reason_import.look(plan, file.reasons) if file.reasons is not None else (None, [])


@transaction.atomic
def write_whole(
    file: PlanFile, seen: Plan | None, attachments: tuple[list[Offer], list[str]], reasons: list[ReturnReason] | None
) -> tuple[Plan, list[str]]:
    """Looked at once more with the row held: seats are taken and deadlines pass meanwhile."""
    if seen:
        Plan.objects.select_for_update().get(pk=seen.pk)
    outcome = plan_import.look(file)
    if outcome.mistakes or (outcome.plan is None) != (seen is None):
        raise CommandError("刚才有人改动了这个竞赛计划，没有导入。请再执行一次。")
    plan, told = plan_import.apply(outcome, ACTOR)
    for name in attachment_import.apply(plan, *attachments, ACTOR):
        transaction.on_commit(partial(attachment_files.remove, name))
    if reasons:
        return_reasons.replace(plan, reasons)
        record(ACTOR, Verb.PLAN_CHANGED, plan, detail="return reasons")
    return plan, told


def write(
    file: PlanFile, seen: Plan | None, attachments: tuple[list[Offer], list[str]], reasons: list[ReturnReason] | None
) -> tuple[Plan, list[str]]:
    try:
        return write_whole(file, seen, attachments, reasons)
    except IntegrityError as problem:
        raise CommandError("刚才有人改动了这个竞赛计划，没有导入。请再执行一次。") from problem
