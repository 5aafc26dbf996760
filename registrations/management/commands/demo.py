"""Fill an empty database with the demonstration; run again, it only keeps the dates fresh."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from accounts.commands import PortalCommand
from plans.models import Plan
from registrations.demonstration.make import DemonstrationRefused, counts, prepare
from registrations.models import STATUS_CHOICES


class Command(PortalCommand):
    help = "在空的数据库里建立演示数据（虚构的竞赛计划、人员和报名）；可以重复执行，之后只更新竞赛计划的日期。"
    rehearsal = "只检查能不能写入，不改动"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--yes-demonstration",
            action="store_true",
            help="USE_HTTPS 为 true（正式环境）时也写入演示数据，其中有一个超级管理员",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.USE_HTTPS and not options["yes_demonstration"]:
            raise CommandError(
                "本系统是按正式环境配置的（USE_HTTPS 为 true），没有写入演示数据。"
                "如果这确实是一套只用于演示的系统，请加上 --yes-demonstration 再执行。"
            )
        try:
            refreshed = prepare(rehearsing=options["dry_run"])
        except DemonstrationRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["dry_run"]:
            what = "建立演示数据" if refreshed is None else f"更新 {refreshed} 个竞赛计划的日期"
            self.stdout.write(f"检查通过，没有改动。实际执行时：{what}。")
        elif refreshed is None:
            found = "、".join(f"{label} {number}" for label, number in counts(STATUS_CHOICES))
            self.stdout.write(f"演示数据已建立：{Plan.objects.count()} 个竞赛计划；报名：{found}。")
        elif refreshed:
            self.stdout.write(f"演示数据已在，更新了 {refreshed} 个竞赛计划的日期。")
        else:
            self.stdout.write("演示数据已在，没有改动。")
