"""What replicas share: one database, one cache, one place for photos."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning


def check_replicas(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A file is of one machine: two replicas would have two truths, or one file under two kernels' locks."""
    if settings.REPLICAS == 1 or not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return []
    return [
        Error(
            f"REPLICAS 是 {settings.REPLICAS}，数据库却是 SQLite：多个副本不能共用一个 SQLite 文件。",
            "请把 DATABASE_URL 设为 PostgreSQL，或只运行一个副本并把 REPLICAS 设为 1。",
            id="accounts.E016",
        )
    ]


def check_photo_folder(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """What one replica keeps on its own disk, the others cannot show."""
    if settings.REPLICAS == 1 or settings.S3_ENDPOINT_URL or settings.PRIVATE_FOLDER_SHARED:
        return []
    return [
        Warning(
            f"REPLICAS 是 {settings.REPLICAS}，照片和附件却放在本机目录里：别的副本看不到。",
            "请设 S3_ENDPOINT_URL 改用对象存储；各副本的 private 目录确实是同一个网络目录时，把 PRIVATE_FOLDER_SHARED 设为 true。",
            id="accounts.W004",
        )
    ]


def check_object_store(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if urlsplit(settings.S3_ENDPOINT_URL).scheme != "http":
        return []
    if settings.PHOTO_DELIVERY == "signed" and settings.USE_HTTPS:
        return [
            Error(
                "PHOTO_DELIVERY 是 signed，S3_ENDPOINT_URL 却不是 https 地址：浏览器不会在 https 的页面里显示 http 的照片。",
                "请改为对象存储的 https:// 地址，或把 PHOTO_DELIVERY 设为 app。",
                id="accounts.E021",
            )
        ]
    return [
        Warning(
            "S3_ENDPOINT_URL 不是 https 地址，照片会以明文传送。",
            "请改为对象存储的 https:// 地址；对象存储就在本机、不经过网络时，可以忽略这一条。",
            id="accounts.W003",
        )
    ]


def check_cache(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Even one replica has several workers, each with a memory of its own."""
    backend = settings.CACHES["default"]["BACKEND"]
    if backend.rsplit(".", 1)[-1] in {"DatabaseCache", "RedisCache"}:
        return []
    return [
        Error(
            "缓存不是各个进程共用的，限制次数会各算各的。",
            "请把 CACHE_URL 设为 Redis 的地址，或留空以使用数据库里的表。",
            id="accounts.E017",
        )
    ]


CHECKS = (check_replicas, check_photo_folder, check_object_store, check_cache)
