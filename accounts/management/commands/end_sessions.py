"""End every session of one person: a lost phone, a shared computer, an account that must be out at once."""

from argparse import ArgumentParser
from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.commands import PortalCommand
from accounts.holdings import end_sessions, sessions_of
from accounts.management.commands.grant_staff import ACCOUNT, find_account
from accounts.verbs import Verb

ACTOR = "command:end_sessions"


class Command(PortalCommand):
    help = "结束一个账户的全部登录：所有设备上的下一次操作都要重新登录。账户本身不停用。"
    rehearsal = "只计数，不结束"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT", help=ACCOUNT)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        user = find_account(options["account"])
        if options["dry_run"]:
            number = sum(1 for _ in sessions_of(user))
            self.stdout.write(f"没有改动。账户 {user.username} 有 {number} 个登录，将全部结束。")
            return
        number = end_sessions(user)
        record(ACTOR, Verb.SESSIONS_ENDED, user, detail=f"{number}")
        self.stdout.write(f"账户 {user.username} 的 {number} 个登录已全部结束，下一次操作要重新登录。")
