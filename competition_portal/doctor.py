"""What `manage.py doctor` looks at: each thing that the portal depends on, used once as the portal uses it."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from accounts import clock
from accounts.exchange import EXCHANGE_SECONDS, Exchange
from accounts.oidc import LEEWAY_SECONDS, LoginRefused, refusing
from accounts.platform import endpoints
from competition_portal import dependencies
from competition_portal.in_time import within
from competition_portal.variables.parsers import folder
from registrations.carriers import Mail
from registrations.patience import NotSent

PLATFORM_DRIFT = 30.0  # its header has whole seconds, and a way to go; LEEWAY_SECONDS end every login
WORD = {True: "正常", False: "出错", None: "未查"}
NTP = "请在两边都打开时间同步（NTP 或 chrony）。"
START_WORKER = "请启动至少一个 python manage.py run_worker；没有它，邮件、短信和批量处理不会开始。"


class Wrong(Exception):
    """`str()` is the sentence: what is wrong, and what to do."""


@dataclass(frozen=True)
class Finding:
    """`well` is None for what was not looked at. `says` never repeats what a server said: it has names and keys in it."""

    name: str
    well: bool | None
    says: str

    def __str__(self) -> str:
        return f"{WORD[self.well]}  {self.name}：{self.says}"


@dataclass(frozen=True)
class Check:
    """`look` returns what it saw, or raises Wrong; for anything else that it raises, and for silence, there is `cure`."""

    name: str
    look: Callable[[], str]
    cure: str
    seconds: float = 8.0
    needs: str = ""

    def finding(self) -> Finding:
        try:
            return Finding(self.name, True, within(self.seconds, self.look))
        except Wrong as wrong:
            return Finding(self.name, False, str(wrong))
        except TimeoutError:
            return Finding(self.name, False, f"{self.seconds:g} 秒内没有回应。{self.cure}")
        except Exception as problem:
            return Finding(self.name, False, f"不能用（{type(problem).__name__}）。{self.cure}")


def examine() -> Iterator[Finding]:
    """One finding for each, as soon as it is there. What needs something that is away is not waited for."""
    ill: set[str] = set()
    yield from settings_findings()
    for check in CHECKS:
        finding = Finding(check.name, None, f"要先处理好“{check.needs}”。") if check.needs in ill else check.finding()
        if not finding.well:
            ill.add(check.name)
        yield finding


# Each in turn -------------------------------------------------------------------------------------------------------


def settings_findings() -> Iterator[Finding]:
    """A line for each thing that `check --deploy` finds; a warning is told there, and is no fault."""
    found = checks.run_checks(include_deployment_checks=True)
    wrong = [message for message in found if message.is_serious(checks.ERROR) and not message.is_silenced()]
    for message in sorted(wrong, key=lambda message: message.id or ""):
        yield Finding("设置", False, one_line(f"{message.msg}{message.hint or ''}（{message.id}）"))
    if not wrong:
        told = sum(message.is_serious(checks.WARNING) and not message.is_silenced() for message in found)
        yield Finding("设置", True, f"没有错误，{told} 处提醒（见 check --deploy）。" if told else "没有错误。")


def one_line(text: str) -> str:
    return " ".join(text.split())


def database() -> str:
    begun = time.monotonic()
    dependencies.ask_database()
    took = f"{connection.display_name}，{(time.monotonic() - begun) * 1000:.0f} 毫秒"
    if connection.vendor != "postgresql":
        return f"{took}。"
    drift = clock.drift()
    if abs(drift) > dependencies.MOST_DRIFT:
        raise Wrong(f"数据库的时钟比本机{ahead(drift)}，截止时间和后台任务会判断错。{NTP}")
    return f"{took}，时钟相差 {abs(drift):.1f} 秒。"


def ahead(seconds: float) -> str:
    return f"{'快' if seconds > 0 else '慢'} {abs(seconds):.0f} 秒"


def migrations() -> str:
    pending = dependencies.pending_migrations()
    if pending:
        raise Wrong(f"有 {len(pending)} 项没有执行，第一项是 {pending[0]}。请执行 python manage.py migrate。")
    return f"{len(dependencies.migrations_of_this_version())} 项都已执行。"


def storage() -> str:
    """Written where `sweep_photos` clears up, should we be ended in the middle."""
    content = secrets.token_bytes(32)
    name = default_storage.save(f"uploads/doctor-{secrets.token_hex(8)}.bin", ContentFile(content))
    try:
        with default_storage.open(name) as file:
            same = file.read() == content
    finally:
        default_storage.delete(name)
    if not same:
        raise Wrong("写进去的文件读出来不一样。请检查磁盘或对象存储，先不要让人上传照片。")
    return f"{'对象存储' if settings.S3_ENDPOINT_URL else '本机目录'}，能写、能读、能删除。"


def shared_cache() -> str:
    key, value = f"doctor-{secrets.token_hex(8)}", secrets.token_hex(8)
    cache.set(key, value, 60)
    same = cache.get(key) == value
    cache.delete(key)
    if not same:
        raise Wrong("写进去的读不出来，限制次数会失灵。请检查 Redis 的内存上限和淘汰策略。")
    return f"{'Redis' if settings.CACHE_URL else '数据库里的一张表'}，能写、能读。"


def platform() -> str:
    exchange = Exchange()
    try:
        with refusing():
            addresses = endpoints(exchange)
            keys = exchange.ask("GET", addresses.jwks).get("keys")
    except LoginRefused as refusal:
        what, _, why = refusal.reason.partition(": ")
        said = "平台连不上、太慢或出错" if what == "platform unreachable" else "平台的回答不合规范"
        raise Wrong(f"{said}（{why}），没有人能登录。{PLATFORM_CURE}") from None
    if not keys:
        raise Wrong("平台没有公布签名用的公钥，没有人能登录。请联系平台。")
    return f"地址和公钥都能读到，{compared_with(exchange.date)}"


def compared_with(date: str) -> str:
    """Of an HTTP date (RFC 9110, 6.6.1) as a header has it; "" where there was none."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return "平台没有告诉我们它的时间，时钟没有核对。"
    drift = (theirs - datetime.now(UTC)).total_seconds()
    if abs(drift) > PLATFORM_DRIFT:
        raise Wrong(f"平台的时钟比本机{ahead(drift)}，相差 {LEEWAY_SECONDS} 秒以上就没有人能登录。{NTP}")
    return f"时钟相差 {abs(drift):.0f} 秒。"


def mail() -> str:
    if not settings.MAIL_FROM:
        return "没有设 MAIL_FROM，不发邮件，消息只在系统内显示。"
    if settings.MAIL_FOLDER:
        folder(Path(settings.MAIL_FOLDER))
        return "写成文件，不发出去（MAIL_FOLDER）。"
    try:
        with Mail() as carrier:
            carrier.open()
    except NotSent as problem:
        raise Wrong(f"邮件服务器连不上或不让登录（{problem.code}）。{MAIL_CURE}") from None
    return "邮件服务器有回应，能登录。" if settings.MAIL_USER else "邮件服务器有回应。"


def worker() -> str:
    number = dependencies.living_workers()
    if not number:
        raise Wrong(f"没有一个在运行。{START_WORKER}")
    return f"{number} 个在运行。"


PLATFORM_CURE = "请检查 OIDC_OP_ISSUER、网络和平台的状态。"
MAIL_CURE = "请检查 MAIL_HOST、MAIL_PORT、MAIL_SECURITY、MAIL_USER、MAIL_PASSWORD，以及防火墙是否放行。"
CHECKS = [
    Check("数据库", database, "请检查 DATABASE_URL、数据库是否在运行、网络是否通。"),
    Check("迁移", migrations, "请执行 python manage.py migrate。", needs="数据库"),
    Check("照片和附件", storage, "请检查目录能不能写、磁盘满没满；用对象存储的，检查 S3_ 开头的设置。", 25.0),
    Check("缓存", shared_cache, "请检查 CACHE_URL 和 Redis。", needs="" if settings.CACHE_URL else "迁移"),
    Check("统一身份认证平台", platform, PLATFORM_CURE, EXCHANGE_SECONDS + 1),
    Check("邮件", mail, MAIL_CURE, 25.0),
    Check("后台工作进程", worker, START_WORKER, needs="迁移"),
]
