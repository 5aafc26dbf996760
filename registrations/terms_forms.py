"""What a manager types about one person: until when and why, another occupation and why, who is meant."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from plans.models import Occupation
from plans.plan_forms import moment
from registrations import extensions, moves
from registrations.extensions import Extension
from registrations.models import Registration


def reason(longest: int, help_text: str) -> forms.CharField:
    return forms.CharField(
        label="原因",
        max_length=longest,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": "请写明原因，报名人员会看到。",
            "max_length": f"原因最多 {longest} 个字，请缩短。",
        },
    )


class ExtensionForm(forms.Form):
    """`seen` is what stood on the page, so that of two managers at once the second is told."""

    until = moment("新的截止时间", "北京时间。到这一刻为止，这一刻本身已不能提交。只对这一个人有效。", required=False)
    reason = reason(extensions.REASON_LENGTH, "报名人员会看到，审核记录里也会留下。请不要写证件号码。")
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, held: Extension | None) -> None:
        initial = {"seen": held.until.isoformat() if held else "", "until": held.until if held else None}
        super().__init__(data, initial=initial)

    @property
    def ends(self) -> bool:
        return "end" in self.data

    def clean_seen(self) -> datetime | None:
        try:
            found = parse_datetime(self.cleaned_data["seen"])
        except ValueError:
            found = None
        return found if found and timezone.is_aware(found) else None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.ends:
            cleaned["until"] = None
            self.errors.pop("until", None)
        elif not cleaned.get("until") and "until" not in self.errors:
            self.add_error("until", "请填写日期和时间。")
        return cleaned


class ProposalForm(forms.Form):
    occupation = forms.ModelChoiceField(
        Occupation.objects.none(),
        label="调整为",
        empty_label="请选择",
        error_messages={
            "required": "请选择职业（工种）。",
            "invalid_choice": "请选择这个竞赛计划里的另一个职业（工种）。",
        },
    )
    reason = reason(moves.REASON_LENGTH, "报名人员会看到，审核记录里也会留下。请不要写证件号码。")

    def __init__(self, registration: Registration, data: Any = None) -> None:
        super().__init__(data)
        offered = registration.plan.occupations.exclude(pk=registration.occupation_id or 0)
        field: Any = self.fields["occupation"]
        field.queryset = offered
        field.label_from_instance = with_seats


def with_seats(occupation: Occupation) -> str:
    left = occupation.seats_left
    return f"{occupation}，{'名额不限' if left is None else f'还有 {left} 个名额' if left else '名额已满'}"
