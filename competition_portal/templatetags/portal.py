"""How pages say times and telephone numbers."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone

register = template.Library()

DAY = timedelta(days=1)


@register.filter
def how_long(moment: datetime) -> str:
    """The time from now to a moment in two units, or an empty text when it is past: `6 天 20 小时`, `14 小时 32 分`."""
    left = moment - timezone.now()
    return "" if left <= timedelta(0) else in_two_units(left)


@register.filter
def how_long_since(moment: datetime) -> str:
    """The time from a moment until now, in the same words."""
    return in_two_units(max(timezone.now() - moment, timedelta(0)))


def in_two_units(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} 天 {hours} 小时" if hours else f"{days} 天"
    return f"{hours} 小时 {minutes} 分" if hours else f"{minutes} 分" if minutes else "不到 1 分"


@register.filter
def is_near(moment: datetime) -> bool:
    """Less than a day is left."""
    return timedelta(0) < moment - timezone.now() < DAY


@register.filter
def masked_phone(number: str) -> str:
    return f"{number[:3]}****{number[-4:]}" if len(number) > 7 else number


@register.filter
def starts(text: str, prefix: str) -> bool:
    return text.startswith(prefix)


@register.filter
def as_duration(seconds: int) -> str:
    """A length of time in its largest whole unit: `12 小时`, `30 分钟`, `90 秒`."""
    for size, unit in ((3600, "小时"), (60, "分钟")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} 秒"
