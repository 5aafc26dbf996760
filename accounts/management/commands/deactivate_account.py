"""Keep an account out, everywhere and at once, until that is lifted; what it has stays as it is."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.audit import record
from accounts.commands import PortalCommand
from accounts.holdings import end_sessions
from accounts.management.commands.grant_staff import ACCOUNT, find_account
from accounts.models import Identity, User
from accounts.verbs import Verb

ACTOR = "command:deactivate_account"


class Command(PortalCommand):
    help = "停用一个账户：全部登录立即结束，以后不能登录；报名、数据和权限都留着。用 --lift 恢复。"
    rehearsal = "只检查，不改动"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT", help=ACCOUNT)
        parser.add_argument("--lift", action="store_true", help="恢复：本人可以重新登录")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        user = find_account(options["account"])
        wanted = options["lift"]
        if wanted and is_erased(user):
            raise CommandError(f"账户 {user.username} 已经注销，不能恢复。本人重新登录一次，就有新的账户。")
        if user.is_active == wanted:
            self.stdout.write(f"账户 {user.username} 本来就{'没有' if wanted else '已经'}停用，没有需要改动的。")
            return
        user.is_active = wanted
        user.save(update_fields=["is_active"])
        ended = 0 if wanted else end_sessions(user)
        record(ACTOR, Verb.ACCOUNT_ACTIVATED if wanted else Verb.ACCOUNT_DEACTIVATED, user)
        told = "已恢复，可以重新登录。" if wanted else f"已停用，{ended} 个登录已结束。"
        sentence = f"账户 {user.username} {told}"
        if options["dry_run"]:
            transaction.set_rollback(True)
            sentence = f"检查通过，没有改动。实际执行时：{sentence}"
        self.stdout.write(sentence)


def is_erased(user: User) -> bool:
    """A tombstone (accounts/holdings.py). An emergency account has no subject either, but an identity."""
    return user.subject is None and not Identity.objects.filter(user=user).exists()
