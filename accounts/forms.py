"""个人身份信息确认: the three things that are asked once, less what the platform vouches for."""

import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.utils import timezone

from accounts import identity
from accounts.models import Identity

NAME_MARKS = set(" ·.'-’")


def clean_person_name(text: str) -> str:
    """A name as documents have it. Raises ValidationError for what is none."""
    name = identity.as_documents_have_it(text)
    kinds = ["mark" if character in NAME_MARKS else unicodedata.category(character)[0] for character in name]
    if not {"mark", "L", "M"}.issuperset(kinds) or (kinds and "L" not in kinds):
        raise ValidationError("姓名只能包含汉字、字母、间隔号（·）和空格，请与证件上的姓名一致。")
    return name


class ConsentField(forms.BooleanField):
    """The separate consent to the use of sensitive personal data."""

    def __init__(self) -> None:
        super().__init__(
            label="我已阅读《隐私告知》，单独同意处理我的敏感个人信息：身份证件和证件照",
            error_messages={
                "required": "没有您的单独同意，不能处理身份证件和证件照，也就无法报名。请阅读《隐私告知》，同意的话勾选这一项。"
            },
        )


class ConsentForm(forms.Form):
    """The same, asked again by itself when the notice has changed."""

    consented = ConsentField()


class IdentityForm(forms.Form):
    legal_name = forms.CharField(
        label="姓名",
        max_length=64,
        help_text="与证件上的姓名完全一致。",
        error_messages={
            "required": "请填写姓名。",
            "max_length": "姓名最多 %(limit_value)d 个字，您填写了 %(show_value)d 个，请核对是否多输了字符。",
        },
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    document_type = forms.ChoiceField(
        label="证件类型",
        choices=[("", "请选择"), *identity.DocumentType.choices],
        error_messages={"required": "请选择证件类型。", "invalid_choice": "请选择证件类型。"},
    )
    document_number = forms.CharField(
        label="证件号码",
        max_length=40,
        help_text="空格和大小写不影响；最后一位是 X 的照样填写。",
        error_messages={"required": "请填写证件号码。", "max_length": "证件号码太长，请核对是否多输了字符。"},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    agreed = forms.BooleanField(
        label="我已核对，以上信息与证件一致，并知道确认后不能自行修改",
        error_messages={"required": "请先核对信息，再勾选这一项。"},
    )
    # Of its own, beside the other box, and never ticked beforehand (PIPL, articles 14 and 29).
    consented = ConsentField()

    document_is_malformed = False  # known once the form is validated: a number was given and is none

    def __init__(self, vouched: Identity, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.vouched = vouched
        for field in self.fields.values():
            field.widget.attrs.pop("maxlength", None)  # a browser would cut a pasted text short without a word
        if vouched.name_vouched:
            del self.fields["legal_name"]
        if vouched.document_vouched:
            del self.fields["document_type"]
            del self.fields["document_number"]

    def clean_legal_name(self) -> str:
        return clean_person_name(self.cleaned_data["legal_name"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.vouched.document_vouched:
            cleaned["document"] = self.vouched.document()
        elif {"document_type", "document_number"} <= cleaned.keys():
            try:
                cleaned["document"] = identity.parse(
                    cleaned["document_type"], cleaned["document_number"], today=timezone.localdate()
                )
            except ValidationError as problem:
                self.document_is_malformed = True
                self.add_error("document_number", problem)
        return cleaned

    def warn(self, sentence: str) -> None:
        """Beside what is wrong with the document: how many tries are left, if there is something to say of it."""
        if sentence:
            self.add_error("document_number" if self.document_is_malformed else None, sentence)

    def refuse(self, sentence: str) -> None:
        """Show what was typed again with this sentence alone: the document is not judged, nor is anything else."""
        self._errors = ErrorDict()
        self.cleaned_data: dict[str, Any] = {}
        self.add_error(None, sentence)

    def confirm(self) -> None:
        """Confirm what was entered and vouched for. Raises AlreadyConfirmed or DocumentTaken."""
        name = self.vouched.legal_name if self.vouched.name_vouched else self.cleaned_data["legal_name"]
        self.vouched.confirm(legal_name=name, document=self.cleaned_data["document"])
