"""How often something may be done: counted in the cache that all replicas share, never more than so often in any span."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv6Address, ip_address, ip_network

from django.core.cache import cache
from django.db import DatabaseError
from django.utils import timezone
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from accounts.audit import ANONYMOUS, record
from accounts.models import User
from accounts.verbs import Verb

logger = logging.getLogger(__name__)

# What a cache that is away or broken raises: Redis, the socket below it, the database's table.
AWAY = (RedisError, OSError, DatabaseError)
SECONDS_BETWEEN_COMPLAINTS = 60


@dataclass(frozen=True)
class Claim:
    """One of the times that a limit allows, or the aware moment from which on there will be one again.

    `left` is how many more there are after this one; None where nobody counts, because the cache is away.
    """

    until: datetime | None
    give_back: Callable[[], None] = lambda: None
    left: int | None = None


class LimitReached(Exception):
    """Too often. `str()` is the sentence for the person at the screen, `until` the aware moment when to come back."""

    def __init__(self, doing: str, until: datetime) -> None:
        self.until = until
        super().__init__(f"{doing}的次数太多了，请在 {come_back(until):%H:%M} 以后再试。您已填写和保存的内容不受影响。")

    @property
    def retry_after(self) -> int:
        """Whole seconds from now, for the header of that name (RFC 9110, 10.2.3)."""
        return max(1, math.ceil((self.until - timezone.now()).total_seconds()))


def come_back(until: datetime) -> datetime:
    """The first whole minute at which it is allowed, local time: who comes back then is let in."""
    local = timezone.localtime(until)
    return local if not (local.second or local.microsecond) else local.replace(second=0, microsecond=0) + MINUTE


MINUTE = timedelta(minutes=1)
FEW = 2  # so many are left when a page begins to warn


@dataclass(frozen=True)
class Limit:
    """At most `times` in any `seconds`; `doing` is what the sentence says was done too often."""

    name: str
    doing: str
    times: int
    seconds: int

    def claim(self, who: User | str) -> Claim:
        """One time, which may be given back. Raises LimitReached."""
        claim = take(self.name, who, times=self.times, seconds=self.seconds)
        if claim.until:
            raise LimitReached(self.doing, claim.until)
        return claim

    def warning(self, claim: Claim) -> str:
        """How many tries are left after this one and what comes then, once they are few; empty before."""
        if claim.left is None or claim.left > FEW:
            return ""
        most = f"最多要等 {self.seconds // 3600} 小时。"
        if claim.left == 0:
            return f"现在不能再试了，{most}"
        return f"还可以再试 {claim.left} 次；超过后{most}"


# By address, so generous: a school's computer room, or all of a works' phones, come from one address at the same minute.
LOGIN = Limit("login", "登录", times=100, seconds=5 * 60)
# By account from here on. A document counts when its number is malformed and when another account holds it.
CONFIRM = Limit("confirm", "填错证件", times=5, seconds=60 * 60)
UPLOAD = Limit("upload", "上传照片", times=30, seconds=10 * 60)
# Also one that is found doubtful and asked about counts: it has cost as much.
CROP = Limit("crop", "裁切照片", times=60, seconds=60 * 60)
SUBMIT = Limit("submit", "提交审核", times=20, seconds=10 * 60)
BULK = Limit("bulk", "批量处理", times=60, seconds=60 * 60)
# Whoever goes through thousands may look for hundreds; guessing documents one by one takes more.
SEARCH = Limit("search", "查找报名", times=60, seconds=5 * 60)
EXPORT = Limit("export", "导出名单", times=20, seconds=60 * 60)
# Every try counts, found or not: nobody looks through people by their names.
MEMBER = Limit("member", "查找成员", times=20, seconds=60 * 60)


def spend(name: str, who: User | str, *, times: int, seconds: int, audited: bool = True) -> datetime | None:
    """Count one doing of `name` by `who`, an account or an address: None when it is allowed, otherwise the aware
    moment from which on it is allowed again. Never more than `times` in any `seconds`, whoever else counts with us.
    """
    return take(name, who, times=times, seconds=seconds, audited=audited).until


def take(name: str, who: User | str, *, times: int, seconds: int, audited: bool = True) -> Claim:
    """As spend(), but what was counted can be given back.

    A place is a key that only one can add; it is free again `seconds` after it was taken. Keys are of a period, so
    that none is ever used again and an expired one need not be replaced, which not every cache does in one step.
    A cache that is away refuses nobody: a limit is not worth the portal (docs/adr/0011).
    """
    now = time.time()
    period = int(now // seconds)
    stem = f"limits:{name}:{fingerprint(who)}:{seconds}"
    before, places = ([f"{stem}:{number}:{place}" for place in range(times)] for number in (period - 1, period))
    try:
        taken = cache.get_many([*before, *places])
        free = [
            place
            for old, place in zip(before, places, strict=True)
            if taken.get(old, 0) + seconds <= now and place not in taken
        ]
        for left, place in zip(reversed(range(len(free))), free, strict=True):
            if cache.add(place, now, 2 * seconds):
                return Claim(None, partial(give_back, place), left)
        moments = [moment for moment in cache.get_many([*before, *places]).values() if moment + seconds > now]
        if not moments:
            raise OSError("the cache keeps nothing")
        first = audited and cache.add(f"{stem}:{period}:told", 1, 2 * seconds)
    except AWAY as problem:
        complain(problem)
        return Claim(None)
    if first:
        record(who if isinstance(who, User) else ANONYMOUS, Verb.LIMIT_REACHED, f"limit:{name}")
    return Claim(datetime.fromtimestamp(min(moments) + seconds, UTC))


def give_back(place: str) -> None:
    try:
        cache.delete(place)
    except AWAY as problem:
        complain(problem)


def fingerprint(who: User | str) -> str:
    """Who counts, without saying it to whoever reads the cache. An IPv6 network counts as one: it is one customer's."""
    if isinstance(who, User):
        name = who.username
    else:
        try:
            address = ip_address(who)
        except ValueError:
            name = who
        else:
            wide = isinstance(address, IPv6Address)
            name = str(ip_network(f"{address}/64", strict=False)) if wide else str(address)
    return salted_hmac("accounts.limits", name, algorithm="sha256").hexdigest()[:32]


class Complaints:
    """When the last line about a cache that is away was written by this process: one a minute, not one a request."""

    last = -math.inf


def complain(problem: Exception) -> None:
    now = time.monotonic()
    if now - Complaints.last >= SECONDS_BETWEEN_COMPLAINTS:
        Complaints.last = now
        logger.error("the shared cache is away, limits do not hold meanwhile: %s", type(problem).__name__)
