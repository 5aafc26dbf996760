"""What was done to a plan in the desk, each line with the name of whoever did it."""

from collections import Counter
from collections.abc import Mapping

from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet

from accounts.models import User


def names(lines: QuerySet[LogEntry]) -> Mapping[int, str]:
    """Everybody in these lines by primary key, as the rest of the desk calls them; of two with one name each with the
    account's code. An account without a confirmed identity has only its code."""
    found = User.objects.filter(pk__in=lines.order_by().values("user"))
    people = found.select_related("identity").only("username", "identity__legal_name", "identity__confirmed_at")
    called = {person.pk: (str(person), person.username) for person in people}
    often = Counter(name for name, _ in called.values())
    return {pk: f"{name}（{code}）" if often[name] > 1 else name for pk, (name, code) in called.items()}
