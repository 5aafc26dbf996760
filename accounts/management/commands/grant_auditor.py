"""Let an account read the record of who did what, or take that away again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.audit import record
from accounts.commands import PortalCommand
from accounts.management.commands.grant_staff import ACCOUNT, LIFT, find_account
from accounts.verbs import Verb


class Command(PortalCommand):
    help = "让一个账户成为审计人员（可以在工作台查看操作记录，别的都不能做），或收回这个权限。"
    rehearsal = "只检查，不改动"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT", help=ACCOUNT)
        parser.add_argument("--revoke", action="store_true", help="收回审计人员权限")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        user = find_account(options["account"])
        wanted = not options["revoke"]
        if wanted and not user.is_active:
            raise CommandError(f"账户 {user.username} 已被停用，不能成为审计人员。{LIFT.format(user.username)}")
        if user.is_auditor == wanted:
            self.stdout.write(f"账户 {user.username} 本来就{'是' if wanted else '不是'}审计人员，没有需要改动的。")
            return
        user.is_auditor = wanted
        user.save(update_fields=["is_auditor"])
        record("command:grant_auditor", Verb.AUDITOR_GRANTED if wanted else Verb.AUDITOR_REVOKED, user)
        sentence = f"账户 {user.username} 现在{'是审计人员' if wanted else '不再是审计人员'}。"
        if options["dry_run"]:
            transaction.set_rollback(True)
            sentence = f"检查通过，没有改动。实际执行时：{sentence}"
        self.stdout.write(sentence)
