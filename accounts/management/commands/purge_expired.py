"""Remove what was kept for as long as the retention table says."""

import logging
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from accounts import retention
from accounts.audit import record
from accounts.commands import PortalCommand
from accounts.verbs import Verb

logger = logging.getLogger(__name__)

ACTOR = "command:purge_expired"


class Command(PortalCommand):
    help = (
        "按保存期限表（RETENTION_DAYS）删除到期的数据：草稿、已结束竞赛的报名、没有用到的照片、会话、操作记录等。"
        "分批进行，系统运行时可以执行，中断后再执行会接着做。请每天定时执行一次。"
    )
    exit_codes = {0: "到期的都删除了", 1: "有没能删除的，原因见日志"}
    rehearsal = "只按种类计数，不删除"

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.rehearse() if options["dry_run"] else self.purge()
        except OSError as problem:
            logger.exception("A storage could not be read.")
            raise CommandError(
                "存放文件的地方读不了，没有做完，原因见日志。请恢复后再执行一次，会接着做。"
            ) from problem

    def rehearse(self) -> None:
        for part, before in retention.parts():
            self.say(part, part.count(before), "将删除")
        self.stdout.write("没有改动。")

    def purge(self) -> None:
        removed: Counter[str] = Counter()
        finished = False
        due = retention.parts()  # once: what comes due while this goes on is tomorrow's, and nothing that has failed
        try:
            for part, before in due:
                for number in part.purge(before):
                    removed[part.kind] += number
                    self.say(part, number, "已删除")
            finished = True
        finally:
            told = ", ".join(f"{kind} {number}" for kind, number in removed.items() if number) or "nothing"
            record(ACTOR, Verb.DATA_PURGED, detail=f"{told}{'' if finished else ', interrupted'}"[:200])
        left = [part.label for part, before in due if part.count(before)]
        self.stdout.write(f"共删除 {removed.total()} 项。")
        if left:
            raise CommandError(f"还有没能删除的：{'、'.join(left)}。原因见日志；再执行一次会接着做。")

    def say(self, part: retention.Part, number: int, verb: str) -> None:
        self.stdout.write(f"{part.label}（保存 {settings.RETENTION[part.kind]} 天）：{verb} {number} 项")
