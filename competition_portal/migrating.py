"""How `migrate` behaves on a PostgreSQL that is being used: alone, and never long in anybody's way.

All of it belongs to the session, as does the advisory lock: behind a pooler that shares sessions it would be nobody's.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from psycopg import errors

LOCK = 5_836_914_027  # any number that nobody else in this database takes
PATIENCE = 15 * 60.0  # seconds for another `migrate` to end
ATTEMPTS = 5
Say = Callable[[str], Any]

POOLED = (
    "migrate 要直接连接 PostgreSQL，现在中间隔着连接池（如 PgBouncer）：锁和等待时间会落到别人的连接上。"
    "请在执行 migrate 时把 DATABASE_URL 换成数据库自己的地址和端口。没有改动。"
)
# Whoever has had a transaction open for longest is mostly the one who is waited for.
LONGEST = """
SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::int, coalesce(nullif(application_name, ''), usename)
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
ORDER BY xact_start LIMIT 3
"""


def ask(connection: BaseDatabaseWrapper, question: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchall()


def refuse_a_pooler(connection: BaseDatabaseWrapper) -> None:
    """A pooler makes up the process number that a client is told when it connects; the server knows its own."""
    connection.ensure_connection()
    told = connection.connection.info.backend_pid
    if ask(connection, "SELECT pg_backend_pid()") != [(told,)]:
        raise CommandError(POOLED)


@contextmanager
def alone(connection: BaseDatabaseWrapper, say: Say, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock that one `migrate` has at a time; wait for it if need be. Raises CommandError when that takes long.

    It is asked for again and again. Waiting for it in the database would be a transaction, and an index that the other
    one builds concurrently waits for every transaction: for ever, for both.
    """
    until = time.monotonic() + patience
    waiting = False
    while ask(connection, "SELECT pg_try_advisory_lock(%s)", LOCK) != [(True,)]:
        if time.monotonic() > until:
            raise CommandError(
                f"另一个 migrate 已经执行了 {patience:.0f} 秒还没有结束，没有改动。请看它的输出，等它结束后再执行一次。"
            )
        if not waiting:
            say("另一个 migrate 正在执行，等它结束……")
            waiting = True
        time.sleep(0.2)
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed:
            ask(connection, "SELECT pg_advisory_unlock(%s)", LOCK)


def bound(connection: BaseDatabaseWrapper, lock_timeout: int, statement_timeout: int) -> None:
    """For this session, in seconds; 0 is without end."""
    settings = {"lock_timeout": lock_timeout, "statement_timeout": statement_timeout}
    for name, seconds in settings.items():
        ask(connection, "SELECT set_config(%s, %s, false)", name, f"{seconds}s")


def bound_for(connection: BaseDatabaseWrapper, migration: Migration, lock_timeout: int, statement_timeout: int) -> None:
    """A migration in one transaction keeps its locks to its end, so it must be short. Others may take their time:
    they build indexes beside, validate, or change rows in batches, and stop nobody."""
    bound(connection, lock_timeout, statement_timeout if migration.atomic else 0)


def free(connection: BaseDatabaseWrapper) -> None:
    """As it was: the connection may be a pool's, and serve somebody else."""
    if connection.connection is not None and not connection.connection.closed:
        names = ["lock_timeout", "statement_timeout"]
        ask(connection, "SELECT set_config(name, reset_val, false) FROM pg_settings WHERE name = ANY(%s)", names)


def who_is_in_the_way(connection: BaseDatabaseWrapper) -> str:
    lines = [f"进程 {pid}（{who}）的事务已经开了 {age} 秒" for pid, age, who in ask(connection, LONGEST)]
    return f"现在{'；'.join(lines)}。" if lines else ""


def with_patience(connection: BaseDatabaseWrapper, work: Callable[[], None], say: Say, seconds: int) -> None:
    """`work`, again after a while when it could not get a lock in time. Raises CommandError in the end.

    What has been done stays done and is not repeated; the migration that was stopped has been rolled back.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return work()
        except OperationalError as problem:
            if isinstance(problem.__cause__, errors.LockNotAvailable | errors.DeadlockDetected):
                reason = f"{seconds} 秒内没有拿到表的锁，有别的事务正占着它"
                cure = (
                    f"{who_is_in_the_way(connection)}请等它结束，或在数据库里执行 SELECT pg_terminate_backend(进程号)"
                )
            elif isinstance(problem.__cause__, errors.QueryCanceled):
                raise CommandError(
                    "迁移的一步超过了 MIGRATION_STATEMENT_TIMEOUT，已经撤销。请在使用的人少的时候，把它调大后再执行一次 migrate。"
                ) from None
            else:
                raise
        if attempt == ATTEMPTS:
            raise CommandError(
                f"迁移{reason}，试了 {ATTEMPTS} 次。这一项没有改动，系统照常使用。{cure}，然后再执行一次 migrate。"
            )
        say(f"{reason}，已放手让别人先用，{2**attempt} 秒后再试（第 {attempt} 次，共 {ATTEMPTS} 次）……")
        time.sleep(2**attempt)
    return None
