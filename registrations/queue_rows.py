"""The lines of the queue: what is read of each registration, and the words that its line says."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from plans.models import Plan
from registrations.claims import holders
from registrations.workflow import Status

# Without the document number, which nobody reads here and which would be decrypted. The names of the occupations are
# on the page already.
READ = ["pk", "reference", "legal_name", "status", "held", "submitted_at", "occupation_id", "portrait_id"]
READ += ["portrait__findings"]
MINUTES_A_DAY = 24 * 60
CHANGE = "admin:registrations_registration_change"


def rows_of(plan: Plan) -> Any:
    """As named tuples: there are fifty on a page, and each would be three objects otherwise."""
    return plan.registrations.exclude(status=Status.DRAFT).values_list(*READ, named=True)


def lines(rows: Iterable[Any], plan: Plan, user: Any) -> list[dict[str, Any]]:
    """For the template, which finds a word in a dict sooner than anywhere else. One query: who else is looking."""
    rows = list(rows)
    elsewhere, is_holding = holders([row.pk for row in rows], user), plan.is_holding
    occupations = {found.pk: (found.name, found.get_division_display()) for found in plan.occupations.all()}
    before, _, after = reverse(CHANGE, args=[0]).rpartition("0")
    return [
        {
            "pk": str(row.pk),
            "reference": row.reference,
            "name": row.legal_name,
            "address": f"{before}{row.pk}{after}",
            **dict(zip(("occupation", "division"), occupations.get(row.occupation_id, ()), strict=False)),
            "status": row.status,
            "state": Status(row.status).label,
            "is_held": row.held and is_holding,
            "waited": waited(row.submitted_at) if row.status == Status.SUBMITTED else "",
            "holder": elsewhere.get(row.pk, ""),
            "photo": photo(row),
            **moment(row.submitted_at),
        }
        for row in rows
    ]


def photo(row: Any) -> str:
    """What there is to say of it; mostly nothing."""
    if row.portrait_id is None:
        return "没有照片"
    return f"照片有 {len(row.portrait__findings)} 处提示" if row.portrait__findings else ""


def moment(at: datetime) -> dict[str, str]:
    """An aware moment for the browser and for people."""
    local = timezone.localtime(at)
    return {"iso": local.isoformat(), "moment": f"{local.month}月{local.day}日 {local:%H:%M}"}


def waited(since: datetime) -> str:
    """For how long, in one unit: nobody in a queue of thousands reads two."""
    minutes = int((timezone.now() - since).total_seconds() // 60)
    if minutes >= MINUTES_A_DAY:
        return f"{minutes // MINUTES_A_DAY} 天"
    return f"{minutes // 60} 小时" if minutes >= 60 else f"{minutes} 分钟" if minutes > 0 else "不到 1 分钟"
