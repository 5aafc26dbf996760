"""The form of a committee's decision: what is said, field by field, and which version it is about."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError

from registrations.models import Registration
from registrations.workflow import TABLE, Action

SALT = "registrations.decisions.versions"
# What a committee may ask to have fixed, as the applicant's form calls it.
FIXABLE = {
    "portrait": "证件照",
    "occupation": "职业（工种）",
    "education": "文化程度",
    "school": "毕业（就读）院校",
    "employer": "工作单位",
    "skill_level": "现职业资格或技能等级",
    "certificate_number": "证书编号",
    "phone": "手机",
}
NOTE_LENGTH = 500


class DecisionForm(forms.Form):
    """`versions` is a signed {primary key: version} of what was on the reviewer's screen."""

    versions = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, action: Action, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action
        if action == Action.RETURN:
            for name, label in FIXABLE.items():
                self.fields[f"fix_{name}"] = forms.CharField(label=label, required=False, max_length=200, strip=True)
        self.fields["note"] = forms.CharField(
            label="总的意见" if action == Action.RETURN else "意见",
            required=False,
            max_length=NOTE_LENGTH,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="报名人员会看到。请写清哪里不符合、该怎么做；不要写证件号码。",
            error_messages={"max_length": f"意见最多 {NOTE_LENGTH} 个字，请缩短。"},
        )

    @staticmethod
    def seal(registrations: Iterable[Registration]) -> str:
        return signing.dumps({str(found.pk): found.version for found in registrations}, salt=SALT)

    def clean_versions(self) -> dict[int, int]:
        try:
            sealed = signing.loads(self.cleaned_data["versions"], salt=SALT, max_age=12 * 3600)
        except signing.BadSignature:
            self.add_error(None, "页面已过期，请返回列表重新操作。")  # a hidden field has no place for a sentence
            return {}
        return {int(pk): version for pk, version in sealed.items()}

    def items(self) -> list[dict[str, str]]:
        """What is to be fixed: the field, how the form calls it, and the sentence."""
        if self.action != Action.RETURN:
            return []
        said = {name: self.cleaned_data.get(f"fix_{name}", "") for name in FIXABLE}
        return [{"field": name, "label": FIXABLE[name], "sentence": text} for name, text in said.items() if text]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.cleaned_data = cleaned
        if TABLE[self.action].needs_note and not cleaned.get("note") and not self.items():
            raise ValidationError(f"请写明{self.action.label}的原因，让报名人员知道该怎么做。")
        return cleaned
