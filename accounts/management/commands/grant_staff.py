"""Let an account into the desk as an operator, or take that away again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.audit import record
from accounts.commands import PortalCommand
from accounts.models import User
from accounts.verbs import Verb

LIFT = "查清以后，可以用 deactivate_account {} --lift 恢复。"
ACCOUNT = "账户代号（u-…），或统一身份认证平台的用户标识（sub）"


class Command(PortalCommand):
    help = "让一个账户成为运营人员（可以进入工作台、新建竞赛计划），或收回这个权限。"
    rehearsal = "只检查，不改动"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT", help=ACCOUNT)
        parser.add_argument("--superuser", action="store_true", help="同时成为超级管理员，可以看到全部竞赛计划")
        parser.add_argument("--revoke", action="store_true", help="收回运营人员和超级管理员权限")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        user = find_account(options["account"])
        if not options["revoke"] and not user.is_active:
            raise CommandError(f"账户 {user.username} 已被停用，不能成为运营人员。{LIFT.format(user.username)}")
        user.is_staff = not options["revoke"]
        user.is_superuser = options["superuser"] and not options["revoke"]
        user.save(update_fields=["is_staff", "is_superuser"])
        verb = Verb.STAFF_REVOKED if options["revoke"] else Verb.STAFF_GRANTED
        record("command:grant_staff", verb, user, detail="superuser" if user.is_superuser else "")
        sentence = f"账户 {user.username} 现在{'不再是运营人员' if options['revoke'] else '是运营人员'}。"
        if options["dry_run"]:
            transaction.set_rollback(True)
            sentence = f"检查通过，没有改动。实际执行时：{sentence}"
        self.stdout.write(sentence)


def find_account(text: str) -> User:
    """The account with this pseudonym or platform subject, or CommandError that says what to do."""
    found = User.objects.filter(username=text) or User.objects.filter(subject=text)
    if len(found) != 1:
        raise CommandError(f"没有账户 {text}。请让对方先登录一次，再用平台的用户标识（sub）或账户代号（u-…）执行。")
    return found[0]
