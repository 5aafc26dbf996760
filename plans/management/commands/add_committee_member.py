"""Take an account into the committee of one plan, change its role there, or take it out again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.audit import record
from accounts.commands import PortalCommand, WrongUse
from accounts.management.commands.grant_staff import ACCOUNT, find_account
from accounts.models import User
from accounts.verbs import Verb
from plans.models import CommitteeMember, Plan, Role

ACTOR = "command:add_committee_member"
ROLES = "、".join(f"{role.value}（{role.label}）" for role in Role)


class Command(PortalCommand):
    help = "让一个账户加入某个竞赛计划的组委会、更改角色，或用 --remove 移出。"
    rehearsal = "只检查，不改动"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", metavar="PLAN_CODE", help="计划编号，例如 BJ2026-07")
        parser.add_argument("account", metavar="ACCOUNT", help=ACCOUNT)
        parser.add_argument("role", metavar="ROLE", nargs="?", help=f"角色：{ROLES}；移出时不写")
        parser.add_argument("--remove", action="store_true", help="移出组委会")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        plan = find_plan(options["plan"])
        user = find_account(options["account"])
        held = plan.members.filter(user=user).first()
        if options["remove"]:
            sentence = self.remove(plan, user, held)
        else:
            sentence = self.appoint(plan, user, held, find_role(options["role"]))
        if options["dry_run"]:
            transaction.set_rollback(True)
            sentence = f"检查通过，没有改动。实际执行时：{sentence}"
        self.stdout.write(sentence)

    def appoint(self, plan: Plan, user: User, held: CommitteeMember | None, role: Role) -> str:
        if not user.is_active:
            raise CommandError(f"账户 {user.username} 已被停用，不能加入组委会。")
        if held and held.role == role:
            return f"账户 {user.username} 已经是“{plan}”组委会的{role.label}成员，没有需要改动的。"
        CommitteeMember.objects.update_or_create(plan=plan, user=user, defaults={"role": role})
        record(ACTOR, Verb.MEMBER_CHANGED if held else Verb.MEMBER_ADDED, user, detail=f"{plan.code} {role.value}")
        done = "角色改为" if held else "已加入，角色是"
        return f"账户 {user.username} 在“{plan}”组委会{done}{role.label}。"

    def remove(self, plan: Plan, user: User, held: CommitteeMember | None) -> str:
        if held is None:
            raise CommandError(f"账户 {user.username} 不在“{plan}”的组委会里。现有成员：{members(plan)}。")
        held.delete()
        record(ACTOR, Verb.MEMBER_REMOVED, user, detail=f"{plan.code} {held.role}")
        return f"账户 {user.username} 已移出“{plan}”组委会（原角色：{held.get_role_display()}）。"


def find_plan(code: str) -> Plan:
    found = Plan.objects.filter(code=code).first()
    if found is None:
        known = "、".join(Plan.objects.order_by("code").values_list("code", flat=True)[:50])
        raise CommandError(f"没有竞赛计划 {code}。现有：{known or '一个也没有，请先在工作台新建'}。")
    return found


def find_role(text: str | None) -> Role:
    if text not in Role.values:
        raise WrongUse(f"没有角色 {text}。可用：{ROLES}。" if text else f"请写明角色。可用：{ROLES}。")
    return Role(text)


def members(plan: Plan) -> str:
    """In pseudonyms: what a command prints lands in terminals and logs."""
    listed = [
        f"{member.user.username}（{member.get_role_display()}）" for member in plan.members.select_related("user")
    ]
    return "、".join(listed) or "一个也没有"
