"""Django's DATABASES and CACHES: each wait bounded, and everything shared by all who serve."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from competition_portal import bounded
from competition_portal.variables.parsers import folder


def database_of(address: dict[str, Any], pool_size: int, pooler: bool) -> dict[str, Any]:
    """For DATABASE_URL as it was parsed, DATABASE_POOL_SIZE and DATABASE_POOLER. Raises ImproperlyConfigured."""
    if address["ENGINE"] == "django.db.backends.sqlite3":
        return sqlite(address)
    return postgresql(address, pool_size, pooler)


def sqlite(address: dict[str, Any]) -> dict[str, Any]:
    """The file's folder is made if it is not there."""
    try:
        folder(Path(address["NAME"]).parent)
    except OSError:
        raise ImproperlyConfigured(
            "SQLite 数据库所在的目录不能写入。请把 DATA_DIR 或 DATABASE_URL 换成可写的路径。"
        ) from None
    # secure_delete: what was deleted is overwritten, not only given up; an erasure is one in the file as well.
    # IMMEDIATE: a transaction that will write waits at its start instead of failing in its middle.
    options = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON;",
    }
    return address | {"OPTIONS": address.get("OPTIONS", {}) | options}


def postgresql(address: dict[str, Any], pool_size: int, pooler: bool) -> dict[str, Any]:
    options = {
        # How long a request waits for a connection, and for a database that says nothing: competition_portal/bounded.py.
        "pool": bounded.pool(pool_size),
        "connect_timeout": bounded.CONNECT_SECONDS,
        # A server that vanished without a goodbye is noticed in seconds, instead of after the quarter of an hour of TCP.
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }
    given = address.get("OPTIONS", {})
    if not pooler:  # it refuses them, and its sessions are not ours
        options["options"] = bounded.session(given.get("options", ""))
    return address | {
        "OPTIONS": given | options,
        # Behind a pooler the next statement may meet another connection, which knows no cursor of the one before.
        "DISABLE_SERVER_SIDE_CURSORS": pooler,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
    }


def cache_of(url: str) -> dict[str, Any]:
    """For CACHE_URL: a Redis, or a table of the database where there is none."""
    if url:
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": url,
            "KEY_PREFIX": "portal",
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
    return {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "shared_cache",  # made by `migrate` (accounts/apps.py)
        # Beyond this many rows the expired ones go; a count that is alive must not.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
