"""Coming and going: to the platform and back, 登录成功, 个人身份信息确认, signing out."""

import logging
import time
from http import HTTPStatus
from urllib.parse import parse_qsl

from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.contrib.sessions.backends.base import UpdateError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from accounts import kept_forms, limits, metrics, origin, sessions
from accounts.audit import record
from accounts.forms import IdentityForm
from accounts.login_refusals import record_login_refused
from accounts.middleware import before_confirmation
from accounts.models import AlreadyConfirmed, Consent, DocumentTaken, User
from accounts.oidc import EXPIRED, UNREACHABLE, LoginRefused, authorization_endpoint, sign_out_url
from accounts.requests import SignedInRequest
from accounts.verbs import Verb

logger = logging.getLogger(__name__)

WAIT_SECONDS = 3
STATE_SECONDS = 3600  # from leaving for the platform to coming back; somebody may register there first
# What the platform may answer instead of a code (OpenID Connect Core 1.0, 3.1.2.6 and RFC 6749, 4.1.2.1).
REFUSALS = {
    "access_denied": "您在统一身份认证平台取消了登录，或没有同意提供信息。需要时请重新登录。",
    "temporarily_unavailable": UNREACHABLE,
    "server_error": UNREACHABLE,
}


def onward(request: HttpRequest) -> str:
    """Where `next` leads, if that is ourselves; the plan list otherwise."""
    target = request.GET.get("next", "")
    # A path: redirect() would take a single word for the name of a view, and fail where there is none of that name.
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if ours and target.startswith("/") else reverse("plans:list")


def login_failed(request: HttpRequest, refusal: LoginRefused) -> HttpResponse:
    logger.warning("login refused: %s", refusal.reason)
    metrics.count_login(refusal.reason)
    unreachable = str(refusal) == UNREACHABLE
    status = HTTPStatus.SERVICE_UNAVAILABLE if unreachable else HTTPStatus.BAD_REQUEST
    return render(request, "accounts/login_failed.html", {"sentence": str(refusal)}, status=status)


@method_decorator([login_not_required, before_confirmation, never_cache], name="dispatch")
class LoginView(OIDCAuthenticationRequestView):
    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(onward(request))
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            # Somebody else's page must not sign anybody in (ASVS 5.0, 7.6.2): the platform may not ask once more.
            return render(request, "accounts/login_asked.html", {"again": request.get_full_path()})
        limits.LOGIN.claim(origin.current().address)
        try:
            # What the address has of a query stays (RFC 6749, 3.1), but is not written before a second question mark.
            self.OIDC_OP_AUTH_ENDPOINT, _, self.own_query = authorization_endpoint().partition("?")
        except LoginRefused as refusal:
            return login_failed(request, refusal)
        return super().get(request)

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        """After a session that ended by itself the platform must not let in whoever sits there now without asking."""
        again = {"prompt": "login"} if sessions.ended(request) else {}
        own = dict(parse_qsl(self.own_query, keep_blank_values=True))
        return {**own, **super().get_extra_params(request), **again}


@method_decorator([login_not_required, before_confirmation, never_cache], name="dispatch")
class CallbackView(OIDCAuthenticationCallbackView):
    def get(self, request: HttpRequest) -> HttpResponse:
        """Back from the platform. Whatever fails leaves a session that is signed in as it was."""
        try:
            self.check_state(request)
            return self.exchanged(request)
        except LoginRefused as refusal:
            return login_failed(request, refusal)
        except UpdateError:
            # Signed out in another tab at this moment: with the session the question is gone that this answers.
            auth.logout(request)
            return login_failed(request, LoginRefused("session ended", EXPIRED))

    def exchanged(self, request: HttpRequest) -> HttpResponse:
        """The code has become a login, or LoginRefused and a line in the record."""
        try:
            return super().get(request)
        except LoginRefused as refusal:
            record_login_refused(refusal.reason, refusal.user)
            raise

    def check_state(self, request: HttpRequest) -> None:
        """Only an answer to a question that this browser asked is looked at, an error included."""
        states = request.session.get("oidc_states", {})
        state = request.GET.get("state")
        if state not in states:
            raise LoginRefused("unknown state", EXPIRED)
        error = request.GET.get("error")
        old = time.time() - states[state]["added_on"] > STATE_SECONDS
        if old or error or not request.GET.get("code"):
            del states[state]
            request.session["oidc_states"] = states
            request.session.save()  # the middleware saves no session where the answer is a 503
            if old:
                raise LoginRefused("expired state", EXPIRED)
            known = error if error in REFUSALS else "other"
            raise LoginRefused(
                f"platform answered {known}", REFUSALS.get(known, "统一身份认证平台没有完成登录，请重新登录。")
            )

    def login_success(self) -> HttpResponse:
        target = self.success_url
        super().login_success()
        metrics.count_login("success")
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


@kept_forms.form_page
@require_http_methods(["GET", "HEAD", "POST"])
@before_confirmation
def confirm_identity(request: SignedInRequest) -> HttpResponse:
    """个人身份信息确认. Once it is done this page only shows what was confirmed."""
    if request.user.confirmed_identity:
        return render(request, "accounts/identity_confirmed.html", {"identity": request.user.confirmed_identity})
    vouched = request.user.identity
    form = IdentityForm(vouched, request.POST if request.method == "POST" else None)
    refusal = None
    if form.is_bound:
        try:
            if judged(request, form):
                return redirect(onward(request))
        except limits.LimitReached as reached:
            refusal = reached
            form.refuse(str(reached))
    kept_forms.restore(request, form)
    response = render(request, "accounts/identity.html", {"form": form, "vouched": vouched})
    if refusal:
        response.status_code, response["Retry-After"] = HTTPStatus.TOO_MANY_REQUESTS, str(refusal.retry_after)
    return response


def judged(request: SignedInRequest, form: IdentityForm) -> bool:
    """Whether the form has confirmed the identity; otherwise it says why not. Raises LimitReached.

    A time is claimed before the document is looked at, so that no two tries share one, and given back unless the
    document was wrong.
    """
    claim = limits.CONFIRM.claim(request.user)
    if not form.is_valid():
        if form.document_is_malformed:
            form.warn(limits.CONFIRM.warning(claim))
        else:
            claim.give_back()
        return False
    try:
        confirm(request.user, form)
    except AlreadyConfirmed:
        pass
    except DocumentTaken:
        record(request.user, Verb.IDENTITY_REFUSED, request.user, detail="document taken")
        form.add_error(None, form.vouched.taken_sentence)
        form.warn(limits.CONFIRM.warning(claim))
        return False
    claim.give_back()
    return True


@transaction.atomic
def confirm(user: User, form: IdentityForm) -> None:
    """The identity, the consent to its use, and a line for each: all of them or none. Raises AccountEnded, too."""
    User.objects.hold(user.pk)
    form.confirm()
    record(user, Verb.IDENTITY_CONFIRMED, user)
    consent = Consent.give(user)
    record(user, Verb.CONSENT_GIVEN, user, detail=consent.notice)


def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out here, then at the platform, and end on our page."""
    id_token = request.session.get("id_token", "")
    if request.user.is_authenticated:
        record(request.user, Verb.LOGOUT, request.user)
    auth.logout(request)
    response = redirect(sign_out_url(request, id_token))
    # What "no-store" forbids to keep a browser may still hold for its way back. Not "cookies" or "storage": the CSRF
    # token of a page that lies open in another tab would go with them.
    response["Clear-Site-Data"] = '"cache"'
    return response


@require_POST
@login_not_required
@before_confirmation
def logout(request: HttpRequest) -> HttpResponse:
    return sign_out(request)


@require_safe
@login_not_required
@before_confirmation
def signed_out(request: HttpRequest) -> HttpResponse:
    away = request.GET.get("platform") == "away"
    return render(request, "accounts/signed_out.html", {"platform_away": away})
