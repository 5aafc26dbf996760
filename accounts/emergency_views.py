"""应急登录: the page for emergency accounts, which is there only while EMERGENCY_LOGIN is on."""

import logging
import math
from datetime import datetime
from http import HTTPStatus

from django import forms
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import emergency
from accounts.audit import ANONYMOUS, record
from accounts.middleware import before_confirmation
from accounts.verbs import Verb

logger = logging.getLogger(__name__)

WRONG = "账户代号或密码不正确，您没有登录。请核对后重新输入；15 分钟内最多可以试 5 次。"


class EmergencyForm(forms.Form):
    account = forms.CharField(
        label="账户代号",
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={
            "required": "请填写账户代号。",
            "max_length": "账户代号最多 64 个字，请核对是否多输了字符。",
            "null_characters_not_allowed": "账户代号里有不能使用的字符，请重新输入。",
        },
    )
    password = forms.CharField(
        label="密码",
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={
            "required": "请填写密码。",
            "max_length": "密码太长，请核对是否多输了字符。",
            "null_characters_not_allowed": "密码里有不能使用的字符，请重新输入。",
        },
    )


@sensitive_variables("password")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
@before_confirmation
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Off: there is no such page. On: a way in for whom `set_emergency_password` gave a password."""
    if not settings.EMERGENCY_LOGIN:
        raise Http404
    if request.user.is_authenticated:
        return redirect("admin:index")
    form = EmergencyForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return page(request, form, HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK)
    account, password = form.cleaned_data["account"], form.cleaned_data["password"]
    again_at = emergency.too_often(account)
    if again_at:
        return wait(request, account, again_at)
    user = auth.authenticate(request, account=account, password=password)
    if user is None:
        # What was typed is in no line: it may be a password in the wrong field.
        logger.warning("emergency login refused")
        record(ANONYMOUS, Verb.EMERGENCY_LOGIN_REFUSED, emergency.named(account) or "", detail="wrong password")
        form.add_error(None, WRONG)
        return page(request, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    auth.login(request, user, backend=emergency.BACKEND)
    record(user, Verb.EMERGENCY_LOGIN, user)
    return redirect(reverse("admin:index"))


def page(request: HttpRequest, form: EmergencyForm, status: HTTPStatus) -> HttpResponse:
    return render(request, "accounts/emergency.html", {"form": form}, status=status)


def wait(request: HttpRequest, account: str, again_at: datetime) -> HttpResponse:
    """No password is compared any more: the page says from when on one is."""
    logger.warning("emergency login: too many attempts")
    if emergency.first_time_too_often(account):
        target = emergency.named(account) or ""
        record(ANONYMOUS, Verb.EMERGENCY_LOGIN_REFUSED, target, detail="too many attempts")
    seconds = math.ceil((again_at - timezone.now()).total_seconds())
    response = render(
        request,
        "accounts/emergency_wait.html",
        {"again_at": again_at, "minutes": -(-seconds // 60)},
        status=HTTPStatus.TOO_MANY_REQUESTS,
    )
    response["Retry-After"] = str(seconds)
    return response
