"""The form in which a committee edits its plan: whoever saves it is told what another one has changed meanwhile."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from plans import staleness
from plans.models import Attachment, Occupation, Plan
from plans.staleness import Part, Standing, Words

WORDS = Words(
    added="别人添加的会保留。",
    without_files="attachments-",
    files="其中附件的文件已经随之删除：要保留的请重新选择文件，不要的请清空名称。",
)


class PlanForm(forms.ModelForm):
    """Its `seen` is for the whole page: the plan, its occupations and attachments."""

    seen = staleness.SeenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.standing = standing_of(self.instance) if self.instance.pk else {}
        self.initial["seen"] = staleness.seen_of(self.standing)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        staleness.compare(self, self.standing, WORDS)
        return cleaned


def standing_of(plan: Plan) -> Standing:
    """The plan and its rows, each by the name that the page's form has for it."""
    rows: list[Occupation | Attachment] = [*plan.occupations.all(), *plan.attachments.all()]
    return {"plan": Part.of(plan)} | {key_of(row): Part.of(row, f"{row._meta.verbose_name}“{row}”") for row in rows}


def key_of(row: Occupation | Attachment) -> str:
    return f"{row._meta.get_field('plan').remote_field.get_accessor_name()}-{row.pk}"


class RowsFormSet(forms.BaseInlineFormSet):
    """The plan's rows of one kind. One that was on the screen and that somebody has deleted meanwhile becomes a new one:
    what was typed in it is shown again, and saved by whoever saves once more."""

    def __init__(self, data: Any = None, files: Any = None, **kwargs: Any) -> None:
        super().__init__(data, files, **kwargs)
        if self.is_bound and ((gone := self.gone()) or not self.is_in_order()):
            self.data, self.files = as_new(gone, self.data, self.files, self.prefix)

    def gone(self) -> set[int]:
        """The numbers of these rows. Of a page that cannot be compared all that are not there: nothing of it is saved."""
        stored = {number: f"{self.prefix}-{pk}" for number, pk in stored_rows(self.data, self.prefix).items()}
        shown = staleness.read(self.data.get("seen", ""))
        was = set(stored.values() if shown is None else shown)
        missing = was - {key_of(row) for row in self.get_queryset()}
        return {number for number, key in stored.items() if key in missing}

    def is_in_order(self) -> bool:
        """Whether the stored rows come first, as Django counts them. In a form that was kept over a login they may not."""
        counted = self.data.get(f"{self.prefix}-INITIAL_FORMS", "")
        numbers = sorted(stored_rows(self.data, self.prefix))
        return not re.fullmatch(r"\d{1,4}", counted) or numbers == [*range(int(counted))]


def stored_rows(data: Mapping[str, Any], prefix: str | None) -> dict[int, str]:
    """By the number of a row the key of what it edits, as it was sent."""
    named = ((re.fullmatch(rf"{prefix}-(\d{{1,4}})-id", name), pk) for name, pk in data.items())
    return {int(found[1]): str(pk) for found, pk in named if found and pk}


def as_new(gone: set[int], data: Any, files: Any, prefix: str | None) -> tuple[Any, Any]:
    """What was sent, with these rows behind the stored ones, as new. One that was to be deleted is no more."""
    row = re.compile(rf"{prefix}-(\d{{1,4}})-(\w+)")
    sent = sorted({int(found[1]) for name in data if (found := row.fullmatch(name))})
    stored = [number for number in sorted(stored_rows(data, prefix)) if number not in gone]
    new = [number for number in sent if number in gone and not data.get(f"{prefix}-{number}-DELETE")]
    new += [number for number in sent if number not in {*stored, *gone}]
    places = {number: place for place, number in enumerate([*stored, *new])}

    def renumbered(values: MultiValueDict) -> MultiValueDict:
        moved: Any = MultiValueDict()
        for name, found in values.lists() if values else []:
            parts = row.fullmatch(name)
            number = int(parts[1]) if parts else -1
            if parts is None:
                moved.setlist(name, found)
            elif number in places:
                moved.setlist(
                    f"{prefix}-{places[number]}-{parts[2]}", [""] if parts[2] == "id" and number in gone else found
                )
        return moved

    counted = renumbered(data)
    counted[f"{prefix}-INITIAL_FORMS"], counted[f"{prefix}-TOTAL_FORMS"] = str(len(stored)), str(len(places))
    return counted, renumbered(files)
