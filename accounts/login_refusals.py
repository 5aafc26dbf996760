"""A login that failed after the platform was asked leaves an audit line: bounded, for anybody can make logins fail."""

from datetime import timedelta

from django.utils import timezone

from accounts import origin
from accounts.audit import ANONYMOUS, record
from accounts.models import AuditEntry, User
from accounts.verbs import Verb

AN_HOUR = timedelta(hours=1)
LINES_AN_HOUR = 20  # of refusals of nobody we know, from one address; the log has every one


def record_login_refused(reason: str, user: User | None = None) -> None:
    """One line with the reason's word. For somebody we know always; for others the 21st says that it is enough."""
    if user is not None:
        record(user, Verb.LOGIN_REFUSED, user, detail=reason[:200])
        return
    written = lines_of_this_hour()
    if written < LINES_AN_HOUR:
        record(ANONYMOUS, Verb.LOGIN_REFUSED, detail=reason[:200])
    elif written == LINES_AN_HOUR:
        record(ANONYMOUS, Verb.LIMIT_REACHED, detail=Verb.LOGIN_REFUSED.value)


def lines_of_this_hour() -> int:
    lines = AuditEntry.objects.filter(
        actor=ANONYMOUS,
        verb__in=[Verb.LOGIN_REFUSED, Verb.LIMIT_REACHED],
        address=origin.current().address,
        at__gt=timezone.now() - AN_HOUR,
    )
    return lines.order_by()[: LINES_AN_HOUR + 1].count()
