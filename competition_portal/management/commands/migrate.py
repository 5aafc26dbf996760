"""Django's `migrate`, made safe on a PostgreSQL that is being used: one at a time, and never long in anybody's way."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from competition_portal import migrating


class Command(migrate.Command):
    help = (
        "执行数据库迁移，系统不用停。在 PostgreSQL 上：两个同时执行时后一个等前一个；等表的锁最多 MIGRATION_LOCK_TIMEOUT 秒，"
        "拿不到就放手、稍后再试几次。要直接连接数据库，不要经过 PgBouncer。"
    )
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
