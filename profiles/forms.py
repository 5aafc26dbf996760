"""The form of personal details, for a profile and for a registration: what may be typed, and how it is laid out."""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.identity import DocumentNumber
from accounts.models import Identity
from profiles.models import PersonalDetails, Profile

EARLIEST_YEAR = 1900
MOBILE = re.compile(r"1[3-9][0-9]{9}|\+[0-9]{6,18}")
TELEPHONE = re.compile(r"1[3-9][0-9]{9}|\+[0-9]{6,18}|(0[0-9]{2,3}-?)?[0-9]{7,8}(-[0-9]{1,6})?")
# Letters, marks, numbers, punctuation, spaces and the symbols of sums and money; not emoji, controls, private use.
ALLOWED_CATEGORIES = {"L", "M", "N", "P", "Z"}
ALLOWED_SYMBOLS = {"Sm", "Sc", "Sk"}
MOST_CHARACTERS_NAMED = 5

SECTIONS = [
    ("基本情况", ["sex", "birth_date", "ethnicity", "political_status"]),
    ("教育", ["education", "school", "major"]),
    ("工作", ["employer", "employer_type", "position", "years_of_service", "skill_level", "certificate_number"]),
    ("联系方式", ["phone", "email", "address", "postcode"]),
    ("紧急联系", ["emergency_contact", "emergency_phone"]),
]


def plain_text(text: str) -> None:
    """Raise ValidationError for characters that no form on paper could take: emoji, controls, angle brackets.

    It names each of them: whoever is told of one alone comes back for the next.
    """
    shown: dict[str, None] = {}
    for character in text:
        category = unicodedata.category(character)
        if character in "<>" or (category[0] not in ALLOWED_CATEGORIES and category not in ALLOWED_SYMBOLS):
            shown[f"“{character}”" if category[0] != "C" else "“不可见字符”"] = None
    if shown:
        which = "".join(list(shown)[:MOST_CHARACTERS_NAMED]) + ("等" if len(shown) > MOST_CHARACTERS_NAMED else "")
        raise ValidationError(f"含有不能使用的字符{which}，请删去{'它' if len(shown) == 1 else '它们'}再保存。")


def half_width(text: str) -> str:
    """Telephone numbers and codes as they are dialled: half-width, without spaces."""
    return "".join(unicodedata.normalize("NFKC", text).split())


class VersionField(forms.IntegerField):
    """The state of the row that the person saw, hidden in the form. One that cannot be read is taken for an old one."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> int:
        try:
            return int(super().clean(value))
        except ValidationError:
            return -1


def at_version(data: Any, version: int) -> Any:
    """What was posted (a QueryDict), as if it had been typed on a page that showed this version of the row."""
    moved = data.copy()
    moved["version"] = version
    return moved


class PersonalDetailsForm(forms.ModelForm):
    """Half-filled is fine; what is filled must be right. `version` is the state of the row that the person saw."""

    version = VersionField()
    birth_date = forms.DateField(
        label="出生日期",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "field-medium"}),
        error_messages={"invalid": "出生日期不是真实的日期，请按 1990-03-07 的样子填写。"},
    )
    email = forms.EmailField(
        label="邮箱",
        required=False,
        max_length=120,
        error_messages={"invalid": "邮箱格式不对，请按 name@example.cn 的样子填写。"},
    )
    years_of_service = forms.IntegerField(
        label="从业年限",
        required=False,
        min_value=0,
        max_value=70,
        help_text="从事本职业的年数。",
        error_messages={
            "invalid": "从业年限请填写整数，例如 5。",
            "min_value": "从业年限不能小于 0。",
            "max_value": "从业年限不能大于 70，请核对。",
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "field-short"}),
    )

    class Meta:
        model = Profile
        fields = [name for _, names in SECTIONS for name in names]
        widgets = {
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "class": "field-medium"}),
            "emergency_phone": forms.TextInput(attrs={"type": "tel", "class": "field-medium"}),
            "emergency_contact": forms.TextInput(attrs={"class": "field-medium"}),
            "postcode": forms.TextInput(attrs={"inputmode": "numeric", "class": "field-short"}),
            "certificate_number": forms.TextInput(attrs={"class": "field-medium"}),
        }

    def __init__(self, held: Identity, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = held
        self.initial["version"] = self.instance.version
        self.lock_what_the_document_says(held.document())
        for field in self.fields.values():
            field.widget.attrs.pop("maxlength", None)  # a browser would cut a pasted text short without a word
            if isinstance(field, forms.CharField) and not isinstance(field, forms.EmailField):
                field.validators.append(plain_text)
            if limit := getattr(field, "max_length", None):
                field.error_messages["max_length"] = (
                    f"{field.label}最多 {limit} 个字，您填写了 %(show_value)d 个，请缩短后再保存。"
                )
            if isinstance(field, forms.TypedChoiceField):
                field.error_messages["invalid_choice"] = f"请从列表中选择{field.label}。"
                field.choices = [("", "请选择"), *[choice for choice in list(field.choices) if choice[0]]]  # type: ignore

    def lock_what_the_document_says(self, document: DocumentNumber) -> None:
        known = {"sex": document.sex, "birth_date": document.birth_date}
        for name, value in known.items():
            if value:
                self.initial[name] = value
                self.fields[name].disabled = True
                self.fields[name].help_text = "由证件号码得出，不能修改。"

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in SECTIONS]

    def clean_birth_date(self) -> Any:
        birth_date = self.cleaned_data["birth_date"]
        if birth_date and birth_date > timezone.localdate():
            raise ValidationError("出生日期不能晚于今天，请核对年份。")
        if birth_date and birth_date.year < EARLIEST_YEAR:
            raise ValidationError(f"出生日期不能早于 {EARLIEST_YEAR} 年，请核对年份。")
        return birth_date

    def clean_phone(self) -> str:
        phone = half_width(self.cleaned_data["phone"]).replace("-", "")
        if phone and not MOBILE.fullmatch(phone):
            raise ValidationError("手机号码应为 11 位数字；境外号码请以 + 和国家（地区）代码开头。")
        return phone

    def clean_emergency_phone(self) -> str:
        phone = half_width(self.cleaned_data["emergency_phone"])
        if phone and not TELEPHONE.fullmatch(phone):
            raise ValidationError("电话号码应为 11 位手机号码，或带区号的固定电话，例如 010-12345678。")
        return phone

    def clean_postcode(self) -> str:
        postcode = half_width(self.cleaned_data["postcode"])
        if postcode and not (len(postcode) == 6 and postcode.isascii() and postcode.isdigit()):
            raise ValidationError("邮编应为 6 位数字，例如 100010。")
        return postcode

    def clean_certificate_number(self) -> str:
        number = half_width(self.cleaned_data["certificate_number"])
        plain_text(number)  # once more: what was full-width may have become an angle bracket
        return number

    def values(self) -> dict[str, Any]:
        """What is to be written: the details alone."""
        return {name: self.cleaned_data[name] for name in self._meta.fields or []}

    def says_what_stands(self, current: PersonalDetails) -> bool:
        """Whether saving would change nothing: most likely the same form was sent twice."""
        return all(getattr(current, name) == value for name, value in self.values().items())

    def tell_of_other_tab(self, current: PersonalDetails) -> None:
        """Somebody saved in between: say what is there now, keep what was typed, let the next saving decide."""
        differing = [
            f"{self.fields[name].label}（现为“{current.shown(name) or '空'}”）"
            for name, value in self.values().items()
            if getattr(current, name) != value
        ]
        self.add_error(
            None,
            "您在另一个窗口里刚刚保存过这份内容，所以这次没有保存。下面仍是您刚才填写的内容，核对后再次保存即可。"
            + (f"与已保存的不同：{'、'.join(differing)}。" if differing else ""),
        )
        self.data = at_version(self.data, current.version)
