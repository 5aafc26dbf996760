"""Check the counts on the committee's pages against the registrations, and mend them."""

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.commands import PortalCommand
from plans.management.commands.add_committee_member import find_plan
from plans.models import Plan
from registrations.recount import Difference, differences
from registrations.workflow import Status

logger = logging.getLogger(__name__)


class Command(PortalCommand):
    help = "核对审核队列上的份数（按职业和状态）与实际报名是否一致，不一致的列出并改正。系统运行时可以执行，每个竞赛计划只锁很短的时间。"
    exit_codes = {0: "一致，或已经改正", 1: "用 --dry-run 发现不一致，或没有做"}
    rehearsal = "只列出不一致的，不改正"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", nargs="?", metavar="PLAN_CODE", help="计划编号；不写则核对全部竞赛计划")

    def handle(self, *args: Any, **options: Any) -> None:
        plans = [find_plan(options["plan"])] if options["plan"] else list(Plan.objects.order_by("code"))
        wrong = sum(self.compare(plan, mend=not options["dry_run"]) for plan in plans)
        if wrong and options["dry_run"]:
            raise CommandError(
                f"核对了 {len(plans)} 个竞赛计划，{wrong} 处不一致，没有改动。去掉 --dry-run 再执行即可改正。"
            )
        self.stdout.write(f"核对了 {len(plans)} 个竞赛计划，{f'改正了 {wrong} 处' if wrong else '全部一致'}。")

    def compare(self, plan: Plan, *, mend: bool) -> int:
        names = {occupation.pk: str(occupation) for occupation in plan.occupations.all()}
        found = differences(plan, mend=mend)
        for difference in found:
            self.stdout.write(f"{plan.code} {line(difference, names)}")
        if found and mend:
            logger.warning("tallies of plan %s were wrong in %s places and are mended", plan.pk, len(found))
        return len(found)


def line(difference: Difference, names: dict[int, str]) -> str:
    kind = difference.kind
    occupation = names[kind.occupation] if kind.occupation else "未选职业（工种）"
    status = Status(kind.status).label
    return f"{occupation} {status}：记的是 {difference.kept}，实际 {difference.counted}"
