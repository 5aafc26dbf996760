"""Correct a confirmed identity: the only way there is, and it leaves a line."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import identity
from accounts.audit import record
from accounts.commands import PortalCommand, WrongUse
from accounts.forms import clean_person_name
from accounts.management.commands.grant_staff import ACCOUNT, find_account
from accounts.models import Identity
from accounts.redaction import redact
from accounts.verbs import Verb

TAKEN = "这个证件已经由另一个账户确认过，没有改动。"


class Command(PortalCommand):
    help = "更正一个账户已确认的姓名和证件。新内容在提示后输入，不写在命令行里，以免留在历史记录中。"
    rehearsal = "只检查，不改动"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT", help=ACCOUNT)
        parser.add_argument("--reason", required=True, help="更正原因，写入操作记录；请不要写姓名和证件号码")

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_account(options["account"])
        held = user.confirmed_identity
        if held is None:
            raise CommandError("这个账户还没有确认过身份信息，让本人登录后确认即可。")
        self.stdout.write(f"现在是：{held.legal_name}，{held.get_document_type_display()} {held.masked_number}")
        before = held.legal_name
        self.ask(held)
        refuse_personal(options["reason"], before, held.legal_name)
        if options["dry_run"]:
            self.stdout.write(f"检查通过，没有改动。将更正 1 个账户（{user.username}）。")
            return
        self.save(held, user, options["reason"])
        self.stdout.write(f"已更正账户 {user.username}。已提交的报名保持提交时的内容。")

    def ask(self, held: Identity) -> None:
        kinds = "、".join(f"{kind.value}（{kind.label}）" for kind in identity.DocumentType)
        try:
            held.legal_name = clean_person_name(input("姓名："))
            kind = input(f"证件类型，{kinds}：").strip()
            if kind not in identity.DocumentType.values:
                raise WrongUse(f"没有证件类型 {kind}。可用：{kinds}。")
            held.hold_document(identity.parse(kind, input("证件号码："), today=timezone.localdate()))
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from problem
        except EOFError as problem:
            raise CommandError("没有输入完，没有改动。请重新执行，依次输入姓名、证件类型和证件号码。") from problem
        self.judge(held)

    def judge(self, held: Identity) -> None:
        longest = Identity._meta.get_field("legal_name").max_length or 0
        if not 0 < len(held.legal_name) <= longest:
            raise CommandError(f"姓名应为 1 至 {longest} 个字。")
        others = Identity.objects.exclude(pk=held.pk).exclude(confirmed_at=None)
        if others.filter(document_index=held.document_index).exists():
            raise CommandError(TAKEN)

    def save(self, held: Identity, user: Any, reason: str) -> None:
        try:
            with transaction.atomic():
                held.save(force_update=True)  # an account that was erased while somebody typed gets nothing back
                record("command:correct_identity", Verb.IDENTITY_CORRECTED, user, detail=reason[:200])
        except IntegrityError as problem:
            raise CommandError(TAKEN) from problem
        except Identity.NotUpdated as problem:
            raise CommandError(f"账户 {user.username} 刚才注销了，没有改动。不用再更正。") from problem


def refuse_personal(reason: str, *names: str) -> None:
    """The record keeps no name and no number, and its lines are never corrected."""
    if redact(reason) != reason or any(name in reason for name in names):
        raise CommandError(
            "更正原因里有姓名、证件号码或手机号码，操作记录写下后不能修改，没有改动。请换一种写法，例如“证件换发”。"
        )
