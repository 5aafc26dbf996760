"""Remind people who have not submitted."""

from collections import Counter
from typing import Any

from django.utils import timezone

from accounts.commands import PortalCommand
from registrations import reminders


class Command(PortalCommand):
    help = (
        "提醒还没有提交的人：草稿在报名截止前 72 小时和 24 小时，退回修改的在修改截止前 72 小时和 24 小时，各提醒一次。"
        "run_worker 每五分钟自动做一次；没有运行它时，请每小时定时执行。重复执行不会重复提醒。"
    )
    rehearsal = "只计数，不提醒"

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if options["dry_run"]:
            counted = Counter(reminder.kind for reminder in reminders.due(now))
            self.say(counted, "将提醒")
            self.stdout.write("没有提醒任何人。")
        else:
            self.say(reminders.send(now), "已提醒")

    def say(self, numbers: Any, verb: str) -> None:
        for kind, label in reminders.LABELS.items():
            self.stdout.write(f"{label}：{verb} {numbers[kind]} 人")
