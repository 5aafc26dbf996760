"""A plan's reasons for sending back, from a file: judged by the form of their own page, compared, written."""

import secrets
from collections.abc import Sequence

from plans.models import Plan
from plans.plan_file import REASON, Mistake, Row, named
from registrations import return_reasons
from registrations.reason_pages import FIELDS, MOST_ROWS, ReasonForm
from registrations.return_reasons import ReturnReason


def look(plan: Plan | None, rows: Sequence[Row]) -> tuple[list[ReturnReason] | None, list[Mistake]]:
    """The whole list as the file has it, or None where the plan has just that; and what is wrong."""
    if len(rows) > MOST_ROWS:
        return None, [Mistake(rows[MOST_ROWS].place, f"退回原因最多 {MOST_ROWS} 条，请删去一些。")]
    if not rows:
        return None, [Mistake("退回原因", "请至少写一条；用系统提供的列表时，请去掉这一节。")]
    mistakes, judged = [], []
    for row in rows:
        form = ReasonForm({**{name: row.text(name) for name in REASON}, "field": field_of(row)})
        mistakes += [Mistake(row.place_of(name), str(text)) for name, texts in form.errors.items() for text in texts]
        judged.append(form.cleaned_data)
    if mistakes:
        return None, mistakes
    wanted = [(made["field"], made["label"], made["sentence"]) for made in judged]
    own = list(ReturnReason.objects.filter(plan=plan)) if plan else []
    if [(reason.field, reason.label, reason.sentence) for reason in own] == wanted:
        return None, []
    return coded(wanted, own), []


def field_of(row: Row) -> str:
    """By its name on the page, or by its name in the code; as it stands where it is neither: the form says so."""
    return named(row.text("field"), FIELDS) or row.text("field")


def coded(wanted: list[tuple[str, str, str]], own: list[ReturnReason]) -> list[ReturnReason]:
    """Each with the code of the reason that it was before (codes stand in the trail), or with a new one."""
    codes = {(reason.field, reason.label): reason.code for reason in [*return_reasons.defaults(), *own]}
    used: set[tuple[str, str]] = set()
    made = []
    for field, label, sentence in wanted:
        code = codes.get((field, label), "")
        if not code or (field, code) in used:
            code = f"own_{secrets.token_hex(4)}"
        used.add((field, code))
        made.append(ReturnReason(field=field, code=code, label=label, sentence=sentence))
    return made
