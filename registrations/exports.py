"""What of a plan's list is taken away, by which filter, and the line that is left of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from accounts.redaction import redact
from plans.models import Division, Plan
from registrations.columns import Column, clean
from registrations.models import Registration, RegistrationQuerySet
from registrations.workflow import Status

CHUNK = 2000
AT_ONCE = 2000  # rows; more are written in the background
MOST = 200_000
REASON_LENGTH = 120  # what of the audit line's 200 characters is left beside plan, count and kind
ALL = "全部"
TOO_MANY = f"一次最多导出 {MOST} 份报名。请先按状态、职业（工种）或参赛组别筛选，分几次导出。"


@dataclass(frozen=True)
class Narrowing:
    """Which registrations of a plan are wanted, as a form or a job says it. Nothing in it is personal."""

    status: str = ""
    occupation: str = ""  # primary key
    division: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Narrowing":
        return cls(**{name: str(values.get(name) or "") for name in ("status", "occupation", "division")})

    def kept(self) -> dict[str, str]:
        return asdict(self)

    def apply(self, registrations: RegistrationQuerySet) -> RegistrationQuerySet:
        asked = self.kept()
        asked["occupation__division"] = asked.pop("division")
        return registrations.filter(**{name: value for name, value in asked.items() if value})

    def words(self, plan: Plan) -> str:
        """The filter in words."""
        occupation = plan.occupations.filter(pk=self.occupation).first() if self.occupation else None
        gone = "已删除的职业（工种）" if self.occupation else ALL
        said = {
            "状态": Status(self.status).label if self.status else ALL,
            "职业（工种）": str(occupation) if occupation else gone,
            "参赛组别": Division(self.division).label if self.division else ALL,
        }
        return "；".join(f"{name}：{word}" for name, word in said.items())


def reason_problem(reason: str) -> str:
    """Why this reason for full numbers cannot stand in the record, as a sentence; empty when it can."""
    if not reason.strip():
        return "请写明为什么需要完整的证件号码。"
    if len(reason) > REASON_LENGTH:
        return f"理由最多 {REASON_LENGTH} 个字，请缩短。"
    if redact(reason) != reason:
        return "理由里有证件号码或手机号码，操作记录写下后不能修改。请换一种写法，例如“上报市级组委会”。"
    return ""


def listed(plan: Plan) -> RegistrationQuerySet:
    """What of a plan can be taken away: never a draft."""
    return Registration.objects.filter(plan=plan).exclude(status=Status.DRAFT)


def rows_of(registrations: RegistrationQuerySet, columns: Sequence[Column]) -> Iterator[list[str]]:
    """A row for each, read in chunks: what has been written is forgotten."""
    ordered = registrations.select_related("occupation").order_by("submitted_at", "pk")
    for registration in ordered.iterator(chunk_size=CHUNK):
        yield [clean(column.value(registration)) for column in columns]


def audit_detail(plan: Plan, written: int, kind: str, reason: str) -> str:
    """Plan, count, kind of columns, and the reason where numbers were full."""
    numbers = f"full: {reason}" if reason else "masked"
    return f"{plan.code} {kind} {written} {numbers}"[:200]
