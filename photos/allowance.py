"""How much one person may send in a day: counted from what was kept, so that all replicas agree without a cache.

Two requests at the same moment may each be let in by the last place; the limit of ten minutes (accounts/limits.py)
is exact and bounds that. What was removed meanwhile takes no room and does not count.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.limits import LimitReached, come_back

DAY = timedelta(days=1)
MEGABYTE = 1024 * 1024


class DayIsUp(LimitReached):
    """Too much in 24 hours. `str()` is the sentence for the person at the screen, `until` when to come back."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        Exception.__init__(
            self,
            f"24 小时内最多上传 {settings.PHOTO_DAILY_UPLOADS} 张、共 {settings.PHOTO_DAILY_MEGABYTES} MB 照片，已经用完了。"
            f"请在 {come_back(until):%m 月 %d 日 %H:%M} 以后再上传；已上传的照片和您填写的内容不受影响。",
        )


def check(uploads: Any, size: int) -> None:
    """Whether a file of `size` bytes may join these rows of one person's uploads. Raises DayIsUp."""
    now = timezone.now()
    room = settings.PHOTO_DAILY_MEGABYTES * MEGABYTE - size
    places = settings.PHOTO_DAILY_UPLOADS - 1
    recent = uploads.filter(created_at__gt=now - DAY).order_by("-created_at")
    for created_at, received in recent.values_list("created_at", "received_bytes"):
        room, places = room - received, places - 1
        if room < 0 or places < 0:  # this one and all before it must be a day old
            raise DayIsUp(created_at + DAY)
