"""Erase a person for good, as 注销账户 does: for somebody who asks the operator."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.commands import PortalCommand
from accounts.erasure import ErasureRefused, counts, erase, reasons_against
from accounts.management.commands.grant_staff import ACCOUNT, find_account

ACTOR = "command:erase_person"


class Command(PortalCommand):
    help = "注销一个账户并删除这个人的全部个人信息，只在操作记录和同意记录里留下账户代号。不能恢复。"
    exit_codes = {0: "已注销；用 --dry-run 时：可以注销", 1: "没有删除：现在不能注销，或没有加 --yes"}
    rehearsal = "只计数，不删除"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT", help=ACCOUNT)
        parser.add_argument("--yes", action="store_true", help="确认删除；没有它就不删除")

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_account(options["account"])
        if options["dry_run"] or not options["yes"]:
            self.rehearse(user, options["dry_run"])
            return
        try:
            removed = erase(user, ACTOR)
        except ErasureRefused as refusal:
            raise CommandError(f"没有删除。{refusal}") from refusal
        self.show(removed)
        self.stdout.write(
            f"已注销账户 {user.username}，个人信息已删除。照片文件如有没删掉的，日志里有，purge_expired 会再删。"
        )

    def rehearse(self, user: Any, asked: bool) -> None:
        self.show(counts(user))
        if reasons := reasons_against(user):
            raise CommandError(f"没有改动。现在不能注销：{' '.join(reasons)}")
        if not asked:
            raise CommandError(f"没有改动。删除后不能恢复；确实要删除账户 {user.username}，请加上 --yes 再执行。")
        self.stdout.write(f"没有改动。将注销账户 {user.username}。")

    def show(self, counted: dict[str, int]) -> None:
        for name, number in counted.items():
            self.stdout.write(f"{name}：{number}")
