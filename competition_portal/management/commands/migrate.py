"""Django's `migrate`, made safe on a PostgreSQL that is being used: one at a time, and never long in anybody's way."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.commands import ChineseHelp
from competition_portal import migrating


class Command(ChineseHelp, migrate.Command):
    help = (
        "执行数据库迁移，系统不用停。在 PostgreSQL 上：两个同时执行时后一个等前一个；等表的锁最多 MIGRATION_LOCK_TIMEOUT 秒，"
        "拿不到就放手、稍后再试几次。要直接连接数据库，不要经过 PgBouncer。"
    )
    option_words = {
        "app_label": "只迁移这个应用；不写则迁移全部",
        "migration_name": "迁移到这一步为止，比它新的退回；写 zero 则全部退回（表和数据会删除）",
        "--noinput": "不提问，照默认的做",
        "--database": "迁移哪个数据库；不写则是默认的那个",
        "--fake": "只记为已执行，不真的执行。只在表已经由别的办法改好时用",
        "--fake-initial": "表已经有了的应用，第一步只记为已执行。用前请确认表和第一步一致：这里只看表名",
        "--plan": "只列出将执行的步骤，不执行",
        "--run-syncdb": "给没有迁移文件的应用建表",
        "--check": "只检查：有没执行的步骤时退出码为 1，不执行",
        "--prune": "从记录里删去已不存在的步骤，不动表",
    }
    connection: BaseDatabaseWrapper

    def handle(self, *args: Any, **options: Any) -> None:
        self.connection = connections[options["database"]]
        if self.connection.vendor != "postgresql" or options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        migrating.refuse_a_pooler(self.connection)
        say = self.stderr.write if options["verbosity"] else (lambda sentence: None)
        with migrating.alone(self.connection, say):
            try:
                migrating.with_patience(
                    self.connection, lambda: self.run(*args, **options), say, settings.MIGRATION_LOCK_TIMEOUT
                )
            finally:
                migrating.free(self.connection)

    def run(self, *args: Any, **options: Any) -> None:
        migrating.bound(self.connection, settings.MIGRATION_LOCK_TIMEOUT, settings.MIGRATION_STATEMENT_TIMEOUT)
        super().handle(*args, **options)

    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        if action == "apply_start" and self.connection.vendor == "postgresql":
            migrating.bound_for(
                self.connection, migration, settings.MIGRATION_LOCK_TIMEOUT, settings.MIGRATION_STATEMENT_TIMEOUT
            )
        super().migration_progress_callback(action, migration, fake)
