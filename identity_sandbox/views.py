"""Signing in by password, registering, coming and going: what the platform shows beside the protocol."""

from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from identity_sandbox.forms import RegistrationForm, SignInForm
from identity_sandbox.people import PASSWORD, PEOPLE


def way_back(request: HttpRequest) -> str:
    """Where to go on once signed in: a page of this site, the front page if none or a foreign one was asked for."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return reverse("front")


def places(request: HttpRequest) -> dict[str, str]:
    """For the templates: where to go on, and how to give up a sign-in that the portal has asked for."""
    target = urlsplit(way_back(request))
    asked = target.path == reverse("oauth2_provider:authorize") and target.query
    return {
        "next": target.geturl(),
        "cancel": f"{reverse('cancel')}?{target.query}" if asked else "",
        "portal": settings.PORTAL_ORIGIN,
    }


@never_cache
@require_GET
def front(request: HttpRequest) -> HttpResponse:
    return render(request, "sandbox/front.html", {"people": PEOPLE, "password": PASSWORD})


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    form = SignInForm(request.POST or None)
    if form.is_valid():
        auth.login(request, form.account)
        return redirect(way_back(request))
    return render(request, "sandbox/sign_in.html", {"form": form})


@sensitive_post_parameters("password", "repeated", "id_number")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    form = RegistrationForm(request.POST or None)
    if form.is_valid():
        auth.login(request, form.save())
        return redirect(way_back(request))
    return render(request, "sandbox/register.html", {"form": form})


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect("front")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The usual cause is a page that lay open for long or was opened again after signing in elsewhere."""
    return render(request, "sandbox/csrf_failure.html", status=HTTPStatus.FORBIDDEN)
