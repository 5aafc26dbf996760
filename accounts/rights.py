"""The rights of the person: the privacy notice, the consent, 我的数据 and 注销账户."""

import logging
import tempfile

from django import forms
from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import erasure, personal_data
from accounts.audit import record
from accounts.forms import ConsentForm
from accounts.holdings import end_sessions
from accounts.middleware import before_confirmation, before_consent
from accounts.models import Consent, User
from accounts.notice import NOTICE_VERSION
from accounts.requests import SignedInRequest
from accounts.verbs import Verb
from accounts.views import onward

logger = logging.getLogger(__name__)
AWAY = "照片暂时读不到，没有下载。请过几分钟再试；如果仍然不行，请联系运营人员。"


@require_safe
@login_not_required
@before_confirmation
def privacy(request: HttpRequest) -> HttpResponse:
    """The notice (PIPL, article 17), for everybody."""
    return render(request, "accounts/privacy.html", {"version": NOTICE_VERSION, "retention": settings.RETENTION})


@require_http_methods(["GET", "HEAD", "POST"])
@before_consent
def consent(request: SignedInRequest) -> HttpResponse:
    """Asked once more, when the notice has changed."""
    if Consent.is_given_by(request.user):
        return redirect(onward(request))
    form = ConsentForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with transaction.atomic():
            User.objects.hold(request.user.pk)
            given = Consent.give(request.user)
            record(request.user, Verb.CONSENT_GIVEN, request.user, detail=given.notice)
        return redirect(onward(request))
    return render(request, "accounts/consent.html", {"form": form, "version": NOTICE_VERSION})


@require_safe
@before_confirmation
def my_data(request: SignedInRequest) -> HttpResponse:
    """All that is stored about the person, why, and for how long (PIPL, articles 44 and 45)."""
    groups = [(holding, list(holding.tell(request.user))) for holding in personal_data.for_pages()]
    return render(request, "accounts/my_data.html", {"groups": groups})


@require_POST
@before_confirmation
def download(request: SignedInRequest) -> HttpResponseBase:
    """The same as one JSON file, with the document number in full: it is the person's own (PIPL, article 45).

    Complete and with its line in the record before the first byte leaves, or not at all.
    """
    head = {
        "说明": "职业技能竞赛网上报名系统保存的关于您的全部数据，含完整证件号码，请妥善保管。",
        "生成时间": personal_data.in_words(timezone.now()),
    }
    out = tempfile.TemporaryFile()  # noqa: SIM115  (without a name: gone with the answer, also when the process is killed)
    try:
        out.writelines(map(str.encode, personal_data.in_full(request.user, head)))
        record(request.user, Verb.DATA_DOWNLOADED, request.user)
    except OSError:
        out.close()
        logger.exception("the data of %s could not be written", request.user.username)
        messages.error(request, AWAY)
        return redirect("accounts:my_data")
    except BaseException:
        out.close()
        raise
    out.seek(0)
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    kind = "application/json; charset=utf-8"
    return FileResponse(out, as_attachment=True, filename="my-data.json", content_type=kind, headers=headers)


@require_POST
@before_confirmation
def end_other_sessions(request: SignedInRequest) -> HttpResponse:
    """Whoever left a computer somewhere ends what goes on there. The session of this browser stays."""
    with transaction.atomic():
        number = end_sessions(request.user, but=request.session.session_key or "")
        if number:
            record(request.user, Verb.SESSIONS_ENDED, request.user, detail=f"{number}")
    said = f"已结束其他 {number} 个登录，那里的下一次操作要重新登录。" if number else "没有其他登录，只有现在这一个。"
    messages.success(request, said)
    return redirect("accounts:my_data")


class CloseForm(forms.Form):
    understood = forms.BooleanField(
        label="我明白：注销后数据不能恢复",
        error_messages={"required": "确定要注销的话，请先勾选这一项。"},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@before_confirmation
def close(request: SignedInRequest) -> HttpResponse:
    """注销账户: what will go and what must stay, asked once, then done (PIPL, article 47)."""
    form = CloseForm(request.POST if request.method == "POST" else None)
    reasons = erasure.reasons_against(request.user)
    if form.is_valid() and not reasons:
        try:
            erasure.erase(request.user, request.user)
        except erasure.ErasureRefused as refusal:
            reasons = refusal.reasons
        else:
            auth.logout(request)
            return redirect("accounts:closed")
    context = {
        "form": form,
        "reasons": reasons,
        "warnings": erasure.what_will_happen(request.user),
        "retention": settings.RETENTION,
    }
    return render(request, "accounts/close.html", context)


@require_safe
@login_not_required
@before_confirmation
def closed(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/closed.html")
