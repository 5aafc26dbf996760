"""Occupations from a sheet: what would change, what is wrong in which row, and the change itself, all of it or nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from accounts.verbs import Verb
from plans.models import Division, Occupation, Plan
from plans.occupation_sheet import Sheet, SheetRow

LONGEST = {"name": 60, "code": 32, "skill_level": 30, "requirements": 500}
MOST_SEATS = 1_000_000
DIVISIONS = {name: division for division in Division for name in (str(division.label), str(division.label)[:-1])}


@dataclass(frozen=True)
class Change:
    """What a row would do: `before` is None for a new occupation; `values` are what differs."""

    number: int
    occupation: str
    before: dict[str, Any] | None
    values: dict[str, Any]

    @property
    def in_words(self) -> list[str]:
        """Each difference as 名称：旧 → 新; the values alone where it is new."""
        lines = []
        for name, value in self.values.items():
            label = str(Occupation._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
            if self.before is None:
                lines.append(f"{label}：{said(name, value)}")
            else:
                lines.append(f"{label}：{said(name, self.before[name])} → {said(name, value)}")
        return lines


@dataclass(frozen=True)
class Outcome:
    """What an import would do. Where there are errors it does nothing."""

    added: list[Change]
    changed: list[Change]
    same: int
    errors: list[tuple[int, str]]  # row and sentence

    @property
    def does_something(self) -> bool:
        return bool(self.added or self.changed) and not self.errors


def said(name: str, value: Any) -> str:
    if name == "capacity":
        return "不限" if value is None else str(value)
    if name == "division":
        return str(Division(value).label)
    return str(value) or "（空）"


def preview(plan: Plan, sheet: Sheet) -> Outcome:
    """What this sheet would change in the plan as it is now. One query."""
    return compare(plan.occupations.all(), sheet)


def compare(occupations: Iterable[Occupation], sheet: Sheet) -> Outcome:
    """What this sheet would change in a plan that offers these."""
    known = {(found.name, found.division): found for found in occupations}
    outcome, seen = Outcome([], [], 0, []), dict[tuple[str, str], int]()
    same = 0
    for row in sheet.rows:
        values, problems = understood(row)
        key = (values.get("name", ""), values.get("division", ""))
        if not problems and key in seen:
            problems = [f"与第 {seen[key]} 行重复，请删去一行。"]
        seen.setdefault(key, row.number)
        found = known.get(key)
        if found and (problem := too_few(found, values)):
            problems.append(problem)
        if problems:
            outcome.errors.extend((row.number, problem) for problem in problems)
            continue
        same += not sort(outcome, row.number, values, found)
    return Outcome(outcome.added, outcome.changed, same, outcome.errors)


def sort(outcome: Outcome, number: int, values: dict[str, Any], found: Occupation | None) -> bool:
    """Put the row where it belongs; False where nothing would change."""
    name = f"{values['name']}（{Division(values['division']).label}）"
    if found is None:
        outcome.added.append(
            Change(number, name, None, {key: value for key, value in values.items() if value not in ("", None)})
        )
        return True
    differing = {key: value for key, value in values.items() if getattr(found, key) != value}
    if differing:
        before = {key: getattr(found, key) for key in differing}
        outcome.changed.append(Change(number, name, {"pk": found.pk, **before}, differing))
    return bool(differing)


def understood(row: SheetRow) -> tuple[dict[str, Any], list[str]]:
    """The values of a row, and what is wrong with it."""
    values: dict[str, Any] = dict(row.texts)
    problems = [
        f"“{Occupation._meta.get_field(name).verbose_name}”最多 {most} 个字。"  # type: ignore[union-attr]
        for name, most in LONGEST.items()
        if len(row.texts.get(name, "")) > most
    ]
    if not row.texts["name"]:
        problems.append("没有写职业（工种）。")
    division = DIVISIONS.get(row.texts.get("division", ""))
    if division is None:
        problems.append(
            f"参赛组别“{row.texts.get('division', '')}”不对，只能是{'、'.join(map(str, Division.labels))}。"
        )
    values["division"] = division.value if division else ""
    if "capacity" in row.texts:
        values["capacity"], problem = seats(row.texts["capacity"])
        problems.extend([problem] if problem else [])
    return values, problems


def seats(text: str) -> tuple[int | None, str]:
    if text in {"", "不限"}:
        return None, ""
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= MOST_SEATS or len(text) > 7:
        return None, f"名额“{text[:20]}”不对，请写 1 到 {MOST_SEATS} 的整数；不限名额请留空。"
    return int(text), ""


def too_few(found: Occupation, values: dict[str, Any]) -> str:
    capacity = values.get("capacity")
    if capacity is None or capacity >= found.seats_taken:
        return ""
    return f"已有 {found.seats_taken} 人占用名额，名额不能少于这个数。"


@transaction.atomic
def apply(plan: Plan, outcome: Outcome, by: User | str) -> None:
    """Do what the preview said. IntegrityError where somebody was faster: then nothing is done."""
    Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)  # who saves the plan's form waits, and is told
    for change in outcome.added:
        Occupation.objects.create(plan=plan, **change.values)
    for change in outcome.changed:
        assert change.before is not None  # noqa: S101  (for the type checker: sort() says so)
        Occupation.objects.filter(pk=change.before["pk"], plan=plan).update(**change.values)
    detail = f"occupations: {len(outcome.added)} added, {len(outcome.changed)} changed"
    record(by, Verb.PLAN_CHANGED, plan, detail=detail)
