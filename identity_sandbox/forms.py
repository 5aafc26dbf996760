"""The platform's two forms: signing in, and registering with or without one's identity."""

import re

from django import forms
from django.contrib.auth import authenticate

from identity_sandbox import documents
from identity_sandbox.models import Account

PLAIN_TYPING = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}


def text_input(**attributes: str) -> forms.TextInput:
    return forms.TextInput({"class": "form-control", **attributes})


def password_input(autocomplete: str) -> forms.PasswordInput:
    return forms.PasswordInput({"class": "form-control", "autocomplete": autocomplete})


class PlatformForm(forms.Form):
    def wrong_fields(self) -> list[forms.BoundField]:
        """For the summary on top, in the form's order."""
        return [field for field in self if field.errors]


class SignInForm(PlatformForm):
    """After is_valid() `account` is who it is."""

    username = forms.CharField(
        label="用户名",
        max_length=150,
        widget=text_input(autocomplete="username", **PLAIN_TYPING),
        error_messages={"required": "请输入用户名。"},
    )
    password = forms.CharField(
        label="密码",
        max_length=128,
        strip=False,
        widget=password_input("current-password"),
        error_messages={"required": "请输入密码。"},
    )
    account: Account | None = None

    def clean(self) -> None:
        if self.errors:
            return
        username, password = self.cleaned_data["username"].lower(), self.cleaned_data["password"]
        self.account = authenticate(username=username, password=password)
        if self.account is None:
            self.add_error("password", "用户名或密码不正确，请核对后重新输入密码；还没有账号请先注册。")


class RegistrationForm(PlatformForm):
    username = forms.CharField(
        label="用户名",
        max_length=30,
        help_text="4 至 30 位小写字母、数字或下划线，以字母开头。",
        widget=text_input(autocomplete="username", **PLAIN_TYPING),
        error_messages={"required": "请填写用户名。"},
    )
    password = forms.CharField(
        label="密码",
        max_length=128,
        strip=False,
        help_text="至少 8 位，不能全是数字。",
        widget=password_input("new-password"),
        error_messages={"required": "请填写密码。"},
    )
    repeated = forms.CharField(
        label="再次输入密码",
        max_length=128,
        strip=False,
        widget=password_input("new-password"),
        error_messages={"required": "请再输入一次密码。"},
    )
    name = forms.CharField(
        label="姓名",
        max_length=50,
        required=False,
        help_text="与证件上的姓名一致。",
        widget=text_input(autocomplete="name"),
    )
    id_type = forms.ChoiceField(
        label="证件类型",
        required=False,
        choices=[("", "请选择"), *documents.KINDS.items()],
        widget=forms.Select({"class": "form-select"}),
        error_messages={"invalid_choice": "请从列表中选择证件类型。"},
    )
    id_number = forms.CharField(
        label="证件号码",
        max_length=18,
        required=False,
        widget=text_input(autocomplete="off", **PLAIN_TYPING),
    )
    phone_number = forms.CharField(
        label="手机号码",
        max_length=11,
        required=False,
        widget=text_input(autocomplete="tel", inputmode="tel"),
    )
    VERIFICATION = {
        "name": "请填写姓名。",
        "id_type": "请选择证件类型。",
        "id_number": "请填写证件号码。",
        "phone_number": "请填写手机号码。",
    }

    def clean_username(self) -> str:
        username = self.cleaned_data["username"].lower()
        if not re.fullmatch(r"[a-z][a-z0-9_]{3,29}", username, re.ASCII):
            raise forms.ValidationError("用户名应为 4 至 30 位小写字母、数字或下划线，以字母开头，请修改。")
        if Account.objects.filter(username=username).exists():
            raise forms.ValidationError("这个用户名已经有人使用，请换一个；如果是您自己的账号，请返回登录。")
        return username

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        if len(password) < 8 or password.isdigit():
            raise forms.ValidationError("密码至少 8 位，而且不能全是数字，请换一个。")
        return password

    def clean_repeated(self) -> str:
        if "password" in self.cleaned_data and self.cleaned_data["repeated"] != self.cleaned_data["password"]:
            raise forms.ValidationError("两次输入的密码不一致，请重新输入。")
        return self.cleaned_data["repeated"]

    def clean_id_number(self) -> str:
        return self.cleaned_data["id_number"].upper()

    def clean_phone_number(self) -> str:
        number = self.cleaned_data["phone_number"]
        if number and not re.fullmatch(r"1[3-9]\d{9}", number, re.ASCII):
            raise forms.ValidationError("手机号码应为以 1 开头的 11 位数字，请核对。")
        return number

    def clean(self) -> None:
        """Somebody is verified as a whole or not at all."""
        if not any(self.data.get(field, "").strip() for field in self.VERIFICATION):
            return
        for field, sentence in self.VERIFICATION.items():
            if field not in self.errors and not self.cleaned_data.get(field):
                self.add_error(field, f"{sentence}实名认证的四项要一起填写，也可以都不填。")
        kind, number = self.cleaned_data.get("id_type"), self.cleaned_data.get("id_number")
        if kind and number and (sentence := documents.problem(kind, number)):
            self.add_error("id_number", sentence)

    def save(self) -> Account:
        account = Account(**{field: self.cleaned_data[field] for field in ("username", *self.VERIFICATION)})
        account.set_password(self.cleaned_data["password"])
        account.save()
        return account
