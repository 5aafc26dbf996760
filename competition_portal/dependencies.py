"""What the portal depends on, each asked in the shortest way whether it is there."""

from functools import cache as once_a_process
from itertools import islice

from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from accounts import clock
from competition_portal.pulse import living
from competition_portal.worker import GONE_AFTER


def ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


@once_a_process
def migrations_of_this_version() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.nodes)


def pending_migrations() -> list[str]:
    """As `registrations.0007_messages`. What a newer version has done beyond ours is no fault: it is being rolled out."""
    applied = MigrationRecorder(connection).applied_migrations()
    return [f"{app}.{name}" for app, name in sorted(migrations_of_this_version() - set(applied))]


MOST_DRIFT = 2.0  # seconds between two clocks that nobody notices


def clock_is_right() -> bool:
    """Verdicts follow the database's clock (accounts/clock.py); what a machine writes into its logs follows its own."""
    return abs(clock.drift()) <= MOST_DRIFT


def ask_cache() -> None:
    cache.get("portal-is-the-cache-there")


def ask_storage() -> None:
    """Raises OSError. Nothing is written: `doctor` does that."""
    list(islice(default_storage.walk("portal-is-the-storage-there"), 1))  # type: ignore[attr-defined]


def living_workers() -> int:
    return len(living(GONE_AFTER))
