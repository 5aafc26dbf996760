"""Tell the decisions whose publication has come."""

from typing import Any

from django.core.management.base import CommandError

from accounts import clock
from accounts.commands import PortalCommand
from registrations import publishing
from registrations.models import Registration


class Command(PortalCommand):
    help = (
        "把已到公布时间的审核结果逐一通知报名人员（消息、邮件、短信），并放出不通过的名额。到了公布时间，结果在页面上已经看得到，"
        "与这个命令无关。run_worker 每半分钟自动做一次；没有运行它时，请每分钟定时执行。重复执行、中断后再执行都不会重复通知。"
    )
    exit_codes = {0: "全部通知完了，或没有要通知的", 1: "有没能通知的，原因见日志，请再执行一次"}
    rehearsal = "只计数，不通知"

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self.stdout.write(f"要通知 {self.left()} 人。没有通知任何人。")
            return
        told, before, progress = 0, -1, self.progress()
        while told > before:
            before = told
            for number in publishing.tell_all():
                told += number
                progress.tell(f"已通知 {told} 人……")
        progress.end()
        self.stdout.write(f"已通知 {told} 人。")
        if left := self.left():
            raise CommandError(f"还有 {left} 人没能通知，原因见日志。请再执行一次。")

    def left(self) -> int:
        return Registration.objects.to_be_told(clock.now()).count()
