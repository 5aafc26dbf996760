"""A plan from a file: what would be made or changed, judged by the desk's own form, and the change, whole or not at all."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from accounts.verbs import Verb
from photos.requirements import NAMES as PHOTO_COLUMNS
from plans import occupation_import, publication
from plans.models import Plan
from plans.occupation_sheet import Sheet
from plans.plan_file import FIELDS, Mistake, PlanFile, named
from plans.signals import photo_requirements_changed

WORDS = {"是": True, "否": False, "true": True, "false": False, "yes": True, "no": False, "": False}
MOMENT = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[ T]+(\d{1,2}:\d{2}(?::\d{2})?)")
DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?: 00:00:00)?")
SHOWN = 40  # characters of a text in the list of changes


@dataclass
class Outcome:
    """What the file would do to the plan. Where there are mistakes it does nothing."""

    plan: Plan | None  # None where it would be made
    values: dict[str, Any] = field(default_factory=dict)  # of a new plan all that the file says, else what differs
    occupations: occupation_import.Outcome | None = None
    mistakes: list[Mistake] = field(default_factory=list)

    @property
    def does_something(self) -> bool:
        offers = self.occupations
        return self.plan is None or bool(self.values) or bool(offers and (offers.added or offers.changed))

    @property
    def in_words(self) -> list[str]:
        """A line for each difference."""
        lines = [f"{FIELDS[name]}：{self.change_of(name, value)}" for name, value in self.values.items()]
        offers = self.occupations
        for change in [*offers.added, *offers.changed] if offers else []:
            done = "修改" if change.before else "新增"
            lines.append(f"{done}职业（工种）{change.occupation}：{'，'.join(change.in_words)}")
        return lines

    def change_of(self, name: str, value: Any) -> str:
        if self.plan is None:
            return said(name, value)
        return f"{said(name, getattr(self.plan, name))} → {said(name, value)}"


def said(name: str, value: Any) -> str:
    """As people read it."""
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "是" if value else "否"
    choices = dict(Plan._meta.get_field(name).flatchoices)  # type: ignore[union-attr]
    text = str(choices.get(value, "" if value is None else value)).replace("\n", " ")
    return f"{text[:SHOWN]}……（{len(text)} 个字）" if len(text) > SHOWN else text or "（空）"


def look(file: PlanFile) -> Outcome:
    """What this file would do to the plans as they are now."""
    code = file.cells["code"].text if "code" in file.cells else ""
    outcome = Outcome(Plan.objects.filter(code=code).first())
    outcome.mistakes += file.mistakes
    judge_plan(file, outcome)
    if file.occupations:
        judge_occupations(file, file.occupations, outcome)
    return outcome


def judge_plan(file: PlanFile, outcome: Outcome) -> None:
    # The form writes what it has understood into the row that it is given: not into the one that we compare with.
    row = Plan.objects.get(pk=outcome.plan.pk) if outcome.plan else None
    form = filled(file, row, outcome.mistakes)
    known = {str(mistake.place) for mistake in outcome.mistakes}
    for name, sentences in form.errors.items():
        place = file.place_of(name) if name in form.fields else "竞赛计划"
        # A text that is already told to be wrong was left out of the form: it would only be called missing.
        outcome.mistakes += [Mistake(place, str(text)) for text in sentences if place not in known]
    for name in file.cells:
        value = form.cleaned_data.get(name)
        if name in form.cleaned_data and (outcome.plan is None or getattr(outcome.plan, name) != value):
            outcome.values[name] = value


def desk_form(plan: Plan | None) -> type[forms.ModelForm]:
    """The form with which an operator edits this plan at the desk: what it refuses no file brings in."""
    request = HttpRequest()
    request.user = User(is_superuser=True, is_staff=True)
    return admin.site.get_model_admin(Plan).get_form(request, plan, change=plan is not None)


def filled(file: PlanFile, plan: Plan | None, mistakes: list[Mistake]) -> forms.ModelForm:
    """The desk's form as somebody would send it who typed what the file says and left everything else alone."""
    form_class = desk_form(plan)
    blank = form_class(instance=plan)
    data: dict[str, Any] = {}
    for name, asked in blank.fields.items():
        if name in file.cells:
            try:
                data |= typed(name, asked, file.cells[name].text)
                continue
            except ValueError as problem:
                mistakes.append(Mistake(file.place_of(name), str(problem)))
        data |= standing(name, asked, asked.prepare_value(blank.get_initial_for_field(asked, name)))
    return form_class(data, instance=plan)


def typed(name: str, asked: forms.Field, text: str) -> dict[str, Any]:
    """The text of the file as the form's own data. ValueError with a sentence for what the form has no place for."""
    if isinstance(asked, forms.SplitDateTimeField):
        return moment(name, text)
    if isinstance(asked, forms.DateField):
        found = DAY.fullmatch(text)
        return {name: "-".join(found.groups()) if found else text}
    if isinstance(asked, forms.BooleanField):
        if text.lower() not in WORDS:
            raise ValueError(f"请写“是”或“否”，不能写“{text[:20]}”。")
        return {name: "on"} if WORDS[text.lower()] else {}
    if isinstance(asked, forms.ChoiceField):
        return {name: chosen(name, asked, text)}
    return {name: text}


def moment(name: str, text: str) -> dict[str, Any]:
    if not text:
        return {f"{name}_0": "", f"{name}_1": ""}
    found = MOMENT.fullmatch(text)
    if not found:
        raise ValueError(f"请按 2026-09-01 09:00 的样子写日期和时间（北京时间），不能写“{text[:20]}”。")
    year, month, day, time = found.groups()
    return {f"{name}_0": f"{year}-{month}-{day}", f"{name}_1": time}


def chosen(name: str, asked: forms.ChoiceField, text: str) -> str:
    """The value of a choice that is named by its label or by its value."""
    choices = {str(value): str(words) for value, words in asked.choices if value}  # type: ignore[union-attr, misc]
    value = text if text in choices else named(text, choices) if text else ""
    if value is None:
        raise ValueError(f"不能写“{text[:20]}”。可用：{'、'.join(choices.values())}。")
    return value


def standing(name: str, asked: forms.Field, value: Any) -> dict[str, Any]:
    """What the form shows for a field that the file does not name, as it would come back."""
    if isinstance(asked.widget, forms.MultiWidget):
        parts = asked.widget.decompress(value) or []
        return {f"{name}_{place}": part for place, part in enumerate(parts) if part is not None}
    return {} if value is None or value is False else {name: "on" if value is True else value}


def judge_occupations(file: PlanFile, sheet: Sheet, outcome: Outcome) -> None:
    known = outcome.plan.occupations.all() if outcome.plan else []
    outcome.occupations = found = occupation_import.compare(known, sheet)
    place = file.occupation_place
    outcome.mistakes += [Mistake(place.format(number), sentence) for number, sentence in found.errors]


def apply(outcome: Outcome, by: str) -> tuple[Plan, list[str]]:
    """Do it, in the caller's transaction; the sentences of whoever must tell others. IntegrityError where somebody was faster."""
    made = outcome.plan is None
    plan = Plan.objects.create(**outcome.values) if made else Plan.objects.get(pk=outcome.plan.pk)  # type: ignore[union-attr]
    before, corrections_before = plan.registration_closes_at, plan.corrections_end_at
    if not made and outcome.values:
        for name, value in outcome.values.items():
            setattr(plan, name, value)
        plan.save(update_fields=list(outcome.values))
    if made or outcome.values:
        record(by, Verb.PLAN_CREATED if made else Verb.PLAN_CHANGED, plan, detail="from a file")
    offers = outcome.occupations
    if offers and (offers.added or offers.changed):
        occupation_import.apply(plan, offers, by)
    if made:
        return plan, []
    # As the desk does after its form: applicants hear of another deadline, the committee of photos that no longer fit.
    return plan, publication.moved(plan, before, corrections_before) + other_photos(plan, set(outcome.values))


def other_photos(plan: Plan, changed: set[str]) -> list[str]:
    if not set(PHOTO_COLUMNS.values()) & changed:
        return []
    return [sentence for _, sentence in photo_requirements_changed.send(Plan, plan=plan) if sentence]
