"""Run a worker, which does what need not be done before the answer."""

from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django_tasks_db.models import DBTaskResult

from accounts.commands import PortalCommand, WrongUse
from competition_portal import worker_metrics
from competition_portal.worker import GONE_AFTER, PortalWorker


def seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.05 <= number <= 3600:
        raise ArgumentTypeError("请写 0.05 到 3600 之间的秒数")
    return number


class Command(PortalCommand):
    help = (
        "运行后台工作进程：发送邮件和短信、批量处理、定时提醒、公布审核结果后逐一通知。可以同时运行多个，缺了它，消息只在系统内显示，批量处理不会开始。"
        "收到 SIGTERM 或 Ctrl+C 后做完手头的任务再退出；被强行终止时，没有做完的任务由别的（或重新启动的）工作进程接着做。"
    )

    rehearsal = "只数一数有多少任务在等，不做"
    exit_codes = {0: "按要求退出；用 --once 时：现有的任务做完了"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--queues", default="*", metavar="QUEUES", help="只做这些队列的任务，用英文逗号隔开；不写则全部"
        )
        parser.add_argument(
            "--interval", type=seconds, default=1.0, metavar="SECONDS", help="没有任务时，隔几秒再看一次，默认 1"
        )
        parser.add_argument(
            "--gone-after",
            type=seconds,
            default=GONE_AFTER,
            metavar="SECONDS",
            help="别的工作进程几秒没有报告就算已停止，默认 60",
        )
        parser.add_argument("--once", action="store_true", help="做完现有的任务就退出")

    def handle(self, *args: Any, **options: Any) -> None:
        queues = self.read_queues(options["queues"])
        if options["dry_run"]:
            self.rehearse(queues)
            return
        worker = PortalWorker(queues, options["interval"], options["gone_after"], options["once"])
        with ExitStack() as stack:
            self.serve_metrics(stack)
            worker.configure_signals()
            stack.callback(worker.reset_signals)
            worker.work()

    def serve_metrics(self, stack: ExitStack) -> None:
        port = settings.WORKER_METRICS_PORT
        try:
            stack.enter_context(worker_metrics.served(port))
        except OSError as problem:
            raise CommandError(f"端口 {port} 用不了（{problem.strerror}）。请换一个 WORKER_METRICS_PORT。") from None

    def rehearse(self, queues: list[str]) -> None:
        waiting = DBTaskResult.objects.ready()
        waiting = waiting if "*" in queues else waiting.filter(queue_name__in=queues)
        counted = Counter(waiting.values_list("queue_name", flat=True))
        for queue in sorted(counted):
            self.stdout.write(f"{queue}：{counted[queue]} 个任务在等")
        self.stdout.write(f"没有做任何任务。共 {counted.total()} 个在等。")

    def read_queues(self, text: str) -> list[str]:
        known = settings.TASKS["default"]["QUEUES"]
        queues = [word.strip() for word in text.split(",") if word.strip()]
        if unknown := [queue for queue in queues if queue not in {"*", *known}]:
            raise WrongUse(f"没有队列 {'、'.join(unknown)}。现有：{'、'.join(known)}。")
        return queues or ["*"]
