"""The form of a committee's decision: what is said, item by item, and which version and portrait it is about."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError

from photos.reasons import Reason
from registrations.models import Registration
from registrations.workflow import TABLE, Action

SALT = "registrations.decisions.seen"
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
FIX_LENGTH = 200


@dataclass(frozen=True)
class Seen:
    """What of a registration was on the reviewer's screen: its version, and the SHA-256 of the portrait ("" without)."""

    version: int
    portrait: str

    @classmethod
    def of(cls, registration: Registration) -> "Seen":
        return cls(registration.version, registration.portrait_sha256)


def items_of(said: Mapping[str, str], reasons: Iterable[Reason] = ()) -> list[dict[str, Any]]:
    """What is to be fixed, for the trail: the field, how the form calls it, and the sentence.

    `said` are sentences by field. The portrait's begins with those of `reasons`, whose codes stand beside it: a
    sentence that is reworded later does not change what was said.
    """
    found = []
    for name, label in FIXABLE.items():
        codes = list(reasons) if name == "portrait" else []
        sentence = "".join(reason.sentence for reason in codes) + said.get(name, "")
        if sentence:
            more = {"codes": [code.value for code in codes]} if name == "portrait" else {}
            found.append({"field": name, "label": label, **more, "sentence": sentence})
    return found


class DecisionForm(forms.Form):
    """`versions` is a signed {primary key: Seen} of what was on the reviewer's screen."""

    versions = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, action: Action, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action
        if action == Action.RETURN:
            self.add_what_to_fix()
        self.fields["note"] = forms.CharField(
            label="总的意见" if action == Action.RETURN else "意见",
            required=False,
            max_length=NOTE_LENGTH,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="报名人员会看到。请写清哪里不符合、该怎么做；不要写证件号码。",
            error_messages={"max_length": f"意见最多 {NOTE_LENGTH} 个字，请缩短。"},
        )

    def add_what_to_fix(self) -> None:
        self.fields["reasons"] = forms.TypedMultipleChoiceField(
            label="证件照",
            required=False,
            coerce=Reason,
            choices=[(reason.value, reason.label) for reason in Reason],
            widget=forms.CheckboxSelectMultiple,
            error_messages={
                "invalid_choice": "勾选的照片问题里有一项不在列表里，请重新勾选。",
                "invalid_list": "没有读到勾选的照片问题，请重新勾选。",
            },
        )
        for name, label in FIXABLE.items():
            self.fields[f"fix_{name}"] = forms.CharField(
                label="补充说明" if name == "portrait" else label,
                required=False,
                max_length=FIX_LENGTH,
                strip=True,
                error_messages={"max_length": f"每一项最多 {FIX_LENGTH} 个字，请缩短；说不完的写在总的意见里。"},
            )

    @property
    def reason_boxes(self) -> list[tuple[Any, Reason]]:
        """Each check box with its reason."""
        return list(zip(self["reasons"], Reason, strict=True))

    @property
    def rest(self) -> list[forms.BoundField]:
        """The fields below the portrait's."""
        return [field for field in self.visible_fields() if field.name not in {"reasons", "fix_portrait"}]

    @staticmethod
    def seal(registrations: Iterable[Registration]) -> str:
        return DecisionForm.seal_of({found.pk: Seen.of(found) for found in registrations})

    @staticmethod
    def seal_of(seen: Mapping[int, Seen]) -> str:
        return signing.dumps({str(pk): astuple(what) for pk, what in seen.items()}, salt=SALT)

    def clean_versions(self) -> dict[int, Seen]:
        try:
            sealed = signing.loads(self.cleaned_data["versions"], salt=SALT, max_age=12 * 3600)
        except signing.BadSignature:
            self.add_error(None, "页面已过期，请返回列表重新操作。")  # a hidden field has no place for a sentence
            return {}
        return {int(pk): Seen(*what) for pk, what in sealed.items()}

    def items(self) -> list[dict[str, Any]]:
        if self.action != Action.RETURN:
            return []
        said = {name: self.cleaned_data.get(f"fix_{name}", "") for name in FIXABLE}
        return items_of(said, self.cleaned_data.get("reasons", []))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self.cleaned_data = cleaned
        if self.errors:
            return cleaned  # what was said is there, only not as it can be taken
        if TABLE[self.action].needs_note and not cleaned.get("note") and not self.items():
            raise ValidationError(f"请写明{self.action.label}的原因，让报名人员知道该怎么做。")
        return cleaned
