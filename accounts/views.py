"""Coming and going: to the platform and back, 登录成功, 个人身份信息确认, signing out."""

import logging
from http import HTTPStatus

from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from accounts.audit import record
from accounts.forms import IdentityForm
from accounts.middleware import before_confirmation
from accounts.models import AlreadyConfirmed, DocumentTaken
from accounts.oidc import EXPIRED, UNREACHABLE, LoginRefused, sign_out_url
from accounts.requests import SignedInRequest

logger = logging.getLogger(__name__)

WAIT_SECONDS = 3
# What the platform may answer instead of a code (OpenID Connect Core 1.0, 3.1.2.6 and RFC 6749, 4.1.2.1).
REFUSALS = {
    "access_denied": "您在统一身份认证平台取消了登录，或没有同意提供信息。需要时请重新登录。",
    "temporarily_unavailable": UNREACHABLE,
    "server_error": UNREACHABLE,
}


def onward(request: HttpRequest) -> str:
    """Where `next` leads, if that is ourselves; the plan list otherwise."""
    target = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return reverse("plans:list")


def login_failed(request: HttpRequest, refusal: LoginRefused) -> HttpResponse:
    logger.warning("login refused: %s", refusal.reason)
    unreachable = str(refusal) == UNREACHABLE
    status = HTTPStatus.SERVICE_UNAVAILABLE if unreachable else HTTPStatus.BAD_REQUEST
    return render(request, "accounts/login_failed.html", {"sentence": str(refusal)}, status=status)


@method_decorator([login_not_required, before_confirmation, never_cache], name="dispatch")
class LoginView(OIDCAuthenticationRequestView):
    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect(onward(request)) if request.user.is_authenticated else super().get(request)


@method_decorator([login_not_required, before_confirmation, never_cache], name="dispatch")
class CallbackView(OIDCAuthenticationCallbackView):
    def get(self, request: HttpRequest) -> HttpResponse:
        """Back from the platform. Whatever fails leaves a session that is signed in as it was."""
        try:
            self.check_state(request)
            response = super().get(request)
        except LoginRefused as refusal:
            return login_failed(request, refusal)
        return response

    def check_state(self, request: HttpRequest) -> None:
        """Only an answer to a question that this browser asked is looked at, an error included."""
        states = request.session.get("oidc_states", {})
        state = request.GET.get("state")
        if state not in states:
            raise LoginRefused("unknown state", EXPIRED)
        error = request.GET.get("error")
        if error or not request.GET.get("code"):
            del states[state]
            request.session["oidc_states"] = states
            request.session.save()  # the middleware saves no session where the answer is a 503
            known = error if error in REFUSALS else "other"
            raise LoginRefused(
                f"platform answered {known}", REFUSALS.get(known, "统一身份认证平台没有完成登录，请重新登录。")
            )

    def login_success(self) -> HttpResponse:
        target = self.success_url
        super().login_success()
        self.request.session["id_token"] = self.user.sealed_id_token
        self.request.session.pop("oidc_login_next", None)
        return redirect(f"{reverse('accounts:welcome')}?{urlencode({'next': target})}")

    def login_failure(self) -> HttpResponse:
        return login_failed(self.request, LoginRefused("no account", EXPIRED))


@require_safe
@before_confirmation
def welcome(request: HttpRequest) -> HttpResponse:
    """登录成功, which goes on by itself: by header, so that it needs no JavaScript."""
    target = onward(request)
    response = render(request, "accounts/welcome.html", {"target": target, "seconds": WAIT_SECONDS})
    response["Refresh"] = f"{WAIT_SECONDS}; url={iri_to_uri(target)}"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@before_confirmation
def confirm_identity(request: SignedInRequest) -> HttpResponse:
    """个人身份信息确认. Once it is done this page only shows what was confirmed."""
    if request.user.confirmed_identity:
        return render(request, "accounts/identity_confirmed.html", {"identity": request.user.confirmed_identity})
    vouched = request.user.identity
    form = IdentityForm(vouched, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            form.confirm()
        except AlreadyConfirmed:
            return redirect(onward(request))
        except DocumentTaken:
            record(request.user, "identity.refused", request.user, detail="document taken")
            form.add_error(None, vouched.taken_sentence)
        else:
            record(request.user, "identity.confirmed", request.user)
            return redirect(onward(request))
    return render(request, "accounts/identity.html", {"form": form, "vouched": vouched})


def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out here, then at the platform, and end on our page."""
    target = sign_out_url(request, request.session.get("id_token", ""))
    if request.user.is_authenticated:
        record(request.user, "logout", request.user)
    auth.logout(request)
    return redirect(target)


@require_POST
@login_not_required
@before_confirmation
def logout(request: HttpRequest) -> HttpResponse:
    return sign_out(request)


@require_safe
@login_not_required
@before_confirmation
def signed_out(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/signed_out.html")
