"""Settings that would hurt in production, each with its cure (`manage.py check --deploy`)."""

import base64
from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address
from itertools import combinations, pairwise
from math import log2
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning

ADDRESSES = (
    "OIDC_OP_ISSUER",
    "OIDC_OP_AUTHORIZATION_ENDPOINT",
    "OIDC_OP_TOKEN_ENDPOINT",
    "OIDC_OP_USER_ENDPOINT",
    "OIDC_OP_JWKS_ENDPOINT",
    "OIDC_OP_LOGOUT_ENDPOINT",
)
LONGEST_SESSIONS = {"SESSION_IDLE_SECONDS": 1800, "SESSION_IDLE_STAFF_SECONDS": 900, "SESSION_MAX_SECONDS": 43200}
NEW_KEY = "请用 openssl rand -base64 32 为每一项单独生成，再重新启动。"


def check_debug(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [
        Error(
            "DEBUG 是打开的，出错页面会泄露个人信息和密钥。", "请去掉环境变量 DEBUG，或设为 false。", id="accounts.E001"
        )
    ]


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


def check_platform_addresses(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Over plain http, anybody on the way can sign in as anybody.

    An address that is empty is found by discovery, which leaves no https issuer for plain http (accounts/platform.py).
    """
    return [
        Error(
            f"{name} 不是 https 地址，登录信息会以明文传送。",
            "请改为平台的 https:// 地址；平台没有 https 时，请先让平台开通。",
            id="accounts.E004",
        )
        for name in ADDRESSES
        if (address := getattr(settings, name, "")) and urlsplit(address).scheme != "https"
    ]


def check_https(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.USE_HTTPS:
        return []
    return [
        Error(
            "USE_HTTPS 是关闭的，会话和证件号码会以明文传送。",
            "请把环境变量 USE_HTTPS 设为 true；前面有反向代理时，同时把 TRUSTED_PROXIES 设为反向代理的层数。",
            id="accounts.E005",
        )
    ]


def check_weak_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A key that somebody typed or made up can be guessed; one that was drawn at random cannot."""
    return [
        Error(f"{name} 太容易猜到：{reason}。", NEW_KEY, id="accounts.E012")
        for name, key in keys().items()
        if (reason := weakness(key))
    ]


def check_sandbox(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The demo's platform lets in whoever asks: its password is published."""
    signs = ["identity_sandbox 在 INSTALLED_APPS 里"] if "identity_sandbox" in settings.INSTALLED_APPS else []
    signs += [f"{name} 指向本机" for name in ADDRESSES if is_loopback(getattr(settings, name, ""))]
    return [
        Error(
            f"{sign}，像是演示用的统一身份认证平台，任何人都能用它登录成任何人。",
            "请改为正式平台的地址，并去掉 identity_sandbox。",
            id="accounts.E013",
        )
        for sign in signs
    ]


def check_hosts(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A request under a name that is not ours must not be answered: the name ends up in links and redirects."""
    return [
        Error(
            f"ALLOWED_HOSTS 里的 {host} 等于不限制域名，别人可以用自己的域名冒充本系统。",
            "请只写本系统自己的域名，例如 jnjs.example.cn。",
            id="accounts.E014",
        )
        for host in settings.ALLOWED_HOSTS
        if host == "*" or (host.startswith(".") and host.count(".") < 2)
    ]


def check_origins(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"CSRF_TRUSTED_ORIGINS 里的 {origin} 不是确定的 https 来源，别的网站可以替用户提交表单。",
            "请只写带 https:// 的完整来源；没有别的来源就留空。",
            id="accounts.E015",
        )
        for origin in settings.CSRF_TRUSTED_ORIGINS
        if "*" in origin or not origin.startswith("https://")
    ]


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


def check_proxies(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The image serves plain http, so https is a proxy's: unknown to us, each request is sent to https once more."""
    if not settings.USE_HTTPS or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "USE_HTTPS 是打开的，TRUSTED_PROXIES 却是 0：如果 HTTPS 由前面的反向代理处理，每个页面都会不停跳转，"
            "限制次数也会把所有人算成同一个地址。",
            "请把 TRUSTED_PROXIES 设为自己的反向代理的层数，例如 1；应用服务器自己处理 HTTPS 时，可以忽略这一条。",
            id="accounts.W001",
        )
    ]


def check_issuer(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """OpenID Connect Discovery 1.0, 3: an issuer has neither query nor fragment, and all addresses follow from it."""
    if not {"?", "#"} & set(settings.OIDC_OP_ISSUER):
        return []
    return [
        Error(
            "OIDC_OP_ISSUER 里有 ? 或 #，不是 issuer：平台的地址查不到，登录结果也不能通过核对。",
            "请照平台 /.well-known/openid-configuration 里的 issuer 填写，一个字符都不要差。",
            id="accounts.E020",
        )
    ]


def check_sessions(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A machine that somebody left is somebody else's until the session ends: no longer than is promised to people."""
    return [
        Warning(
            f"{name} 是 {getattr(settings, name)} 秒，比承诺的 {most} 秒长：离开的人迟迟不会自动退出。",
            f"请去掉环境变量 {name}，或改成不大于 {most} 的数。",
            id="accounts.W002",
        )
        for name, most in LONGEST_SESSIONS.items()
        if getattr(settings, name) > most
    ]


def check_emergency_login(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Information, not a warning: an operator who opened it meant to."""
    if not settings.EMERGENCY_LOGIN:
        return []
    return [
        Info(
            "EMERGENCY_LOGIN 是打开的，应急账户可以用密码在 /accounts/emergency/ 登录。",
            "平台恢复后，请去掉环境变量 EMERGENCY_LOGIN 并重新启动；用密码登录的会话随即失效。",
            id="accounts.I001",
        )
    ]


CHECKS = (
    check_debug,
    check_development_key,
    check_derived_keys,
    check_equal_keys,
    check_platform_addresses,
    check_https,
    check_weak_keys,
    check_sandbox,
    check_hosts,
    check_origins,
    check_replicas,
    check_photo_folder,
    check_object_store,
    check_cache,
    check_proxies,
    check_issuer,
    check_sessions,
    check_emergency_login,
)

# Of 32 random bytes, fewer than 20 different ones come once in 10^10 keys, none outside of ASCII's visible characters
# once in 10^13; of 50 random letters and digits the estimate below is over 200 bits.
FEWEST_DIFFERENT_BYTES = 20
FEWEST_BITS = 128


def weakness(key: str | bytes) -> str:
    """Why a key cannot have been drawn at random, or "". It says nothing of the key itself."""
    if any(key == key[:length] * (len(key) // length) for length in range(1, len(key) // 2 + 1)):
        return "是同一段内容重复而成的"
    if isinstance(key, str):
        # The steps as well: a run of one character, or an alphabet, has many characters and hardly any steps.
        steps = [ord(later) - ord(earlier) for earlier, later in pairwise(key)]
        weak = min(information(key), information(steps)) < FEWEST_BITS
        return "太短，或用到的字符太少、太有规律" if weak else ""
    if len({(later - earlier) % 256 for earlier, later in pairwise(key)}) == 1:
        return "是按顺序排列的"
    if len(set(key)) < FEWEST_DIFFERENT_BYTES:
        return "用到的字节太少"
    return "是一段可以读的文字，不是随机数" if key.isascii() and key.decode().isprintable() else ""


def information(symbols: Sequence[Any]) -> float:
    """Bits, if each symbol came as often as it does here (Shannon)."""
    return sum(count * log2(len(symbols) / count) for count in Counter(symbols).values())


def is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def keys() -> dict[str, str | bytes]:
    """Every key, by the name that an operator knows it under."""
    ring = {f"FIELD_ENCRYPTION_KEYS 中的 {key_id}": key for key_id, key in settings.FIELD_ENCRYPTION_KEYS.items()}
    ring |= {f"BACKUP_KEYS 中的 {key_id}": key for key_id, key in settings.BACKUP_KEYS.items()}
    return {"SECRET_KEY": settings.SECRET_KEY, "BLIND_INDEX_KEY": settings.BLIND_INDEX_KEY, **ring}


def readings(key: str | bytes) -> set[bytes]:
    """The bytes of a key, and those that its text means: a 32 byte key copied into SECRET_KEY is still that key."""
    if isinstance(key, bytes):
        return {key}
    found = {key.encode()}
    for decode in (bytes.fromhex, lambda text: base64.b64decode(text, validate=True)):
        try:
            found.add(decode(key))
        except ValueError:
            continue
    return found
