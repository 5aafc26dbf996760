"""The form of a committee's decision: what is said, item by item, and which version and portrait it is about."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError

from photos.reasons import Reason
from profiles.models import PersonalDetails
from registrations import return_reasons
from registrations.models import Registration
from registrations.return_reasons import SENTENCE_LENGTH, ReturnReason
from registrations.snapshots import label_of
from registrations.workflow import TABLE, Action

SALT = "registrations.decisions.seen"
# What a committee may ask to have fixed: all that the applicant's form has, as it calls it.
FIXABLE = {
    "portrait": "证件照",
    "occupation": "职业（工种）",
    **{name: label_of(Registration(), name) for name in PersonalDetails.detail_names()},
}
FROM_DOCUMENT = ("sex", "birth_date")  # nobody types them where the document number carries them
NOTE_LENGTH = 500
NOTE_OF_APPROVAL = "可以不写。写了的，报名人员会看到；不要写证件号码。"
NOTE_OF_OTHERS = "报名人员会看到。请写清哪里不符合、该怎么做；不要写证件号码。"


@dataclass(frozen=True)
class Seen:
    """What of a registration was on the reviewer's screen: its version, and the SHA-256 of the portrait ("" without)."""

    version: int
    portrait: str

    @classmethod
    def of(cls, registration: Registration) -> "Seen":
        return cls(registration.version, registration.portrait_sha256)


def items_of(
    said: Mapping[str, str], reasons: Iterable[Reason] = (), codes: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """What is to be fixed, for the trail: the field, how the form calls it, the code of the reason, and the sentence.

    `said` are sentences by field, `codes` what they were picked by ("" for one's own words). The portrait's begins with
    the sentences of `reasons`, whose codes stand beside it: one that is reworded later does not change what was said.
    """
    found = []
    for name, label in FIXABLE.items():
        drawn = list(reasons) if name == "portrait" else []
        sentence = "".join(reason.sentence for reason in drawn) + said.get(name, "")
        if sentence:
            code = {"code": (codes or {}).get(name, "")}
            more = {"codes": [reason.value for reason in drawn]} if name == "portrait" else code
            found.append({"field": name, "label": label, **more, "sentence": sentence})
    return found


def fixable(registrations: Collection[Registration]) -> dict[str, str]:
    """What can be fixed in each of these; nothing is known of none."""
    told = [registration.document() for registration in registrations]
    known = {name for name in FROM_DOCUMENT if not told or any(getattr(document, name) for document in told)}
    return {name: label for name, label in FIXABLE.items() if name not in known}


class ReasonSelect(forms.Select):
    """Each reason with its sentence, for static/js/return_reasons.js."""

    def __init__(self, reasons: Mapping[str, ReturnReason]) -> None:
        super().__init__(attrs={"data-fills": ""})
        self.reasons = reasons

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if reason := self.reasons.get(str(value)):
            option["attrs"]["data-sentence"] = reason.sentence
        return option


class DecisionForm(forms.Form):
    """`versions` is a signed {primary key: Seen} of what was on the reviewer's screen."""

    versions = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        action: Action,
        *args: Any,
        registrations: Collection[Registration] = (),
        to_fix: dict[str, str] | None = None,
        reasons: Sequence[ReturnReason] | None = None,
        **kwargs: Any,
    ) -> None:
        """`to_fix`, as fixable() says it, and `reasons` where the page knows them already."""
        super().__init__(*args, **kwargs)
        self.action, self.fixable = action, fixable(registrations) if to_fix is None else to_fix
        plans = {registration.plan for registration in registrations}
        self.plan, self.reasons = plans.pop() if len(plans) == 1 else None, reasons
        if action == Action.RETURN:
            self.add_what_to_fix()
        self.fields["note"] = forms.CharField(
            label="总的意见" if action == Action.RETURN else "意见",
            required=False,
            max_length=NOTE_LENGTH,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=NOTE_OF_APPROVAL if action == Action.APPROVE else NOTE_OF_OTHERS,
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
        self.offered: dict[str, dict[str, ReturnReason]] = {name: {} for name in self.fixable}
        for reason in return_reasons.offered(self.plan) if self.reasons is None else self.reasons:
            self.offered.get(reason.field, {})[reason.code] = reason
        for name, label in self.fixable.items():
            if name != "portrait":
                self.fields[f"code_{name}"] = self.reason_field(name, label)
            self.fields[f"fix_{name}"] = forms.CharField(
                label="补充说明" if name == "portrait" else f"{label}：写给报名人员的话",
                required=False,
                max_length=SENTENCE_LENGTH,
                strip=True,
                error_messages={"max_length": f"每一项最多 {SENTENCE_LENGTH} 个字，请缩短；说不完的写在总的意见里。"},
            )

        self.fields["whole"] = forms.BooleanField(
            label="整份报名表都可以修改",
            required=False,
            help_text="不勾选时，报名人员只能修改上面指出的项目；一项也没有指出的，整份都可以修改。",
        )

    def reason_field(self, name: str, label: str) -> forms.ChoiceField:
        reasons = self.offered[name]
        return forms.ChoiceField(
            label=label,
            required=False,
            choices=[("", "选择原因"), *[(code, reason.label) for code, reason in reasons.items()]],
            widget=ReasonSelect(reasons),
            error_messages={"invalid_choice": f"{label}的退回原因不在列表里，可能刚刚被改过，请重新选择。"},
        )

    @property
    def reason_boxes(self) -> list[tuple[Any, Reason]]:
        """Each check box with its reason."""
        return list(zip(self["reasons"], Reason, strict=True))

    @property
    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The reason and the words, of each field but the portrait."""
        return [(self[f"code_{name}"], self[f"fix_{name}"]) for name in self.fixable if name != "portrait"]

    @property
    def last(self) -> list[forms.BoundField]:
        """What is said of all of it."""
        return [self["whole"], self["note"]]

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
        codes = {name: self.cleaned_data.get(f"code_{name}", "") for name in self.fixable}
        said = {name: self.cleaned_data.get(f"fix_{name}", "") or self.sentence(name, codes[name]) for name in codes}
        return items_of(said, self.cleaned_data.get("reasons", []), codes)

    def sentence(self, name: str, code: str) -> str:
        """What a picked reason says where nothing was written: without JavaScript the words do not fill themselves in."""
        return self.offered[name][code].sentence if code else ""

    @property
    def whole(self) -> bool:
        return bool(self.cleaned_data.get("whole"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self.cleaned_data = cleaned
        if self.errors:
            return cleaned  # what was said is there, only not as it can be taken
        if TABLE[self.action].needs_note and not cleaned.get("note") and not self.items():
            raise ValidationError(f"请写明{self.action.label}的原因，让报名人员知道该怎么做。")
        return cleaned
