"""Give an operator's account a password for the emergency login, or take it away again."""

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction

from accounts.audit import record
from accounts.commands import PortalCommand, WrongUse
from accounts.management.commands.grant_staff import find_account
from accounts.models import User
from accounts.verbs import Verb

ACTOR = "command:set_emergency_password"


class Command(PortalCommand):
    help = "给运营人员的账户设置应急登录的密码；密码在终端里输入两次，或从标准输入读取一行，不写在命令行里。"
    rehearsal = "只检查账户，不问密码，不改动"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "account",
            metavar="ACCOUNT",
            help="账户代号（u-…）或平台的用户标识（sub）；与 --create 同用时是新账户的代号",
        )
        parser.add_argument("--create", action="store_true", help="新建一个不属于平台的超级管理员账户，专供应急")
        parser.add_argument("--remove", action="store_true", help="去掉密码：这个账户不能再应急登录")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["create"] and options["remove"]:
            raise WrongUse("--create 和 --remove 不能同时使用。")
        done = "去掉" if options["remove"] else "设置"
        with transaction.atomic():
            user = account(options)
            transaction.set_rollback(True)  # only looked at: nobody waits for what somebody is still typing
        if options["dry_run"]:
            new = "新建账户，再" if options["create"] else ""
            self.stdout.write(f"检查通过，没有改动。实际执行时：{new}{done}账户 {user.username} 的应急登录密码。")
            return
        password = None if options["remove"] else acceptable(read_password(), user)
        with transaction.atomic():
            user = account(options)
            user.set_password(password)  # None is a password that none opens
            user.save(update_fields=["password"])
            record(ACTOR, Verb.EMERGENCY_PASSWORD_SET, user, detail="removed" if options["remove"] else "")
        self.stdout.write(f"账户 {user.username} 的应急登录密码已{done}，它以前的会话全部失效。")


def account(options: dict[str, Any]) -> User:
    """The account that is asked for, made where that is asked for too; CommandError where it can have no password."""
    user = new_account(options["account"]) if options["create"] else find_account(options["account"])
    if not options["remove"] and not (user.is_active and (user.is_staff or user.is_superuser)):
        raise CommandError(f"账户 {user.username} 不是运营人员，或已被停用。请先执行 grant_staff {user.username}。")
    return user


def new_account(name: str) -> User:
    """A superuser without a password yet, or CommandError."""
    if User.objects.filter(username=name).exists():
        raise CommandError(f"账户 {name} 已经存在。要更换它的密码，请去掉 --create。")
    if not (name.isascii() and name.replace("-", "").isalnum() and len(name) <= 64) or name.startswith("u-"):
        raise CommandError("账户代号只能用英文字母、数字和 -，最多 64 个字符，不能以 u- 开头，例如 emergency-1。")
    return User.objects.create_superuser(name)


def read_password() -> str:
    """Typed twice where there is a terminal, else the one line of the standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass("密码：")
    if getpass("再输入一次：") != first:
        raise CommandError("两次输入的密码不一样，没有改动。请重新执行。")
    return first


def acceptable(password: str, user: User) -> str:
    """The password, or CommandError with every rule of AUTH_PASSWORD_VALIDATORS that it breaks."""
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise CommandError("密码不合要求，没有改动：" + "".join(problem.messages)) from None
    return password
