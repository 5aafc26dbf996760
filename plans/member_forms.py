"""What is typed on the page of a plan's committee: a person by name and document or by account code, and a role."""

from typing import Any

from django import forms

from accounts.identity import HALF_WIDTH, as_documents_have_it
from accounts.models import User
from plans import members
from plans.models import Role

# The same for nobody and for several: the answer says nothing about who has an account here.
NOBODY = "没有找到唯一相符的人。请向本人核对姓名和证件号码的最后四位；对方要先登录本系统、确认过身份。"
NOT_ONE = f"{NOBODY}也可以改用邀请链接。"


class OneWidth(forms.CharField):
    """What a Chinese keyboard types at full width is the same letters and digits."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").translate(HALF_WIDTH).strip()


class LastCharacters(OneWidth, forms.RegexField):
    """Judged by the pattern at one width."""


class RoleForm(forms.Form):
    role = forms.ChoiceField(
        label="角色",
        choices=Role,
        initial=Role.REVIEWER,
        error_messages={"required": "请选择角色。", "invalid_choice": "没有这个角色，请重新选择。"},
    )


class NamedPersonForm(forms.Form):
    """Somebody who is named well enough to be meant: `found()` says who, and never who else there is."""

    legal_name = forms.CharField(
        label="姓名", max_length=64, error_messages={"required": "请填写姓名，与证件上的一样。"}
    )
    last = LastCharacters(
        r"^[0-9A-Za-z]{4}$",
        label="证件号码最后四位",
        max_length=4,
        help_text="最后一位是字母 X 的，照样填写 X。",
        error_messages={
            "required": "请填写证件号码的最后四位。",
            "invalid": "请填写证件号码的最后四位，只有数字和字母，例如 012X。",
            "max_length": "只填证件号码的最后四位，不要填写整个号码。",
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 6}),
    )

    def found(self) -> User | None:
        return members.find(as_documents_have_it(self.cleaned_data["legal_name"]), self.cleaned_data["last"])

    @property
    def not_found(self) -> str:
        return NOBODY


class PersonForm(NamedPersonForm, RoleForm):
    """Who is named, and the role that is given."""

    field_order = ["legal_name", "last", "role"]

    @property
    def not_found(self) -> str:
        return NOT_ONE


class AccountForm(RoleForm):
    """By the code that is on the person's own page 身份信息."""

    account = OneWidth(
        label="账户代号",
        max_length=64,
        help_text="由本人在“身份信息”页面上查到，形如 u-0123456789abcdef。",
        error_messages={"required": "请填写账户代号。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ["account", "role"]

    def found(self) -> User | None:
        known = User.objects.filter(username=self.cleaned_data["account"], is_active=True).select_related("identity")
        return known.first()

    @property
    def not_found(self) -> str:
        return "没有这个账户代号，请向本人核对。"


WAYS: dict[str, type[PersonForm] | type[AccountForm]] = {"person": PersonForm, "account": AccountForm}


def blank(**bound: Any) -> dict[str, Any]:
    """Every form of the page under its name, empty but for the one that was sent."""
    forms_of_page: dict[str, Any] = {name: form(auto_id=f"{name}_%s") for name, form in WAYS.items()}
    return forms_of_page | {"invite": RoleForm(auto_id="invite_%s")} | bound
