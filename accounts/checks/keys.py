"""Keys: nobody else knows them, none serves two purposes, none is lost with another."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from accounts.checks.key_strength import readings, weakness

NEW_KEY = "请用 openssl rand -base64 32 为每一项单独生成，再重新启动。"


def check_development_key(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The development key stands in the source: it keeps nothing secret."""
    if not readings(settings.SECRET_KEY) & readings(settings.DEVELOPMENT_SECRET_KEY):
        return []
    return [Error("SECRET_KEY 用的是开发环境的密钥，任何人都知道。", NEW_KEY, id="accounts.E002")]


def check_derived_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A key that follows from SECRET_KEY is lost with it, and with it every document number."""
    return [
        Error(
            f"{name} 没有设置，现在是从 SECRET_KEY 推算的：一旦更换 SECRET_KEY，证件号码就再也读不出来。",
            NEW_KEY,
            id="accounts.E006",
        )
        for name, key in keys().items()
        if key in settings.DERIVED_KEYS.values()
    ]


def check_equal_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Each key has one purpose, so that the loss of one is not the loss of all."""
    return [
        Error(f"{first} 与 {second} 是同一个密钥，一个泄露就等于全部泄露。", NEW_KEY, id="accounts.E003")
        for (first, one), (second, other) in combinations(keys().items(), 2)
        if readings(one) & readings(other)
    ]


def check_weak_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A key that somebody typed or made up can be guessed; one that was drawn at random cannot."""
    return [
        Error(f"{name} 太容易猜到：{reason}。", NEW_KEY, id="accounts.E012")
        for name, key in keys().items()
        if (reason := weakness(key))
    ]


def keys() -> dict[str, str | bytes]:
    """Every key, by the name that an operator knows it under."""
    ring = {f"FIELD_ENCRYPTION_KEYS 中的 {key_id}": key for key_id, key in settings.FIELD_ENCRYPTION_KEYS.items()}
    ring |= {f"BACKUP_KEYS 中的 {key_id}": key for key_id, key in settings.BACKUP_KEYS.items()}
    return {"SECRET_KEY": settings.SECRET_KEY, "BLIND_INDEX_KEY": settings.BLIND_INDEX_KEY, **ring}


CHECKS = (check_development_key, check_derived_keys, check_equal_keys, check_weak_keys)
