"""Signing in by scanning: the page that shows the code, and the page that plays the city's app on the phone."""

import segno
from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from identity_sandbox.forms import SignInForm
from identity_sandbox.models import ScanTicket
from identity_sandbox.views import way_back


def own_ticket(request: HttpRequest) -> ScanTicket | None:
    """The ticket that this browser session shows: no other session can use it up."""
    return ScanTicket.objects.filter(token=request.session.get("scan_ticket", "")).first()


def code(address: str) -> str:
    """The QR code of the address as an SVG element, without inline style."""
    qr = segno.make_qr(address, error="m")
    return qr.svg_inline(omitsize=True, light="#fff", svgclass="code", lineclass=None)


def waiting_page(request: HttpRequest, notice: str = "") -> HttpResponse:
    ticket = own_ticket(request)
    state = ticket.state if ticket else "over"
    context = {"state": state, "notice": notice, "ticket": ticket}
    if ticket and state == "waiting":
        context["address"] = settings.SANDBOX_ORIGIN + reverse("phone", args=[ticket.token])
        context["code"] = code(context["address"])
    return render(request, "sandbox/scan.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def scan(request: HttpRequest) -> HttpResponse:
    """GET shows the session's code; POST makes a new one."""
    if request.method == "POST":
        request.session["scan_ticket"] = ScanTicket.objects.create().token
        return HttpResponseRedirect(f"{reverse('scan')}?{urlencode({'next': way_back(request)})}")
    return waiting_page(request)


@never_cache
@require_GET
def state(request: HttpRequest) -> HttpResponse:
    """What the waiting page's script asks for."""
    ticket = own_ticket(request)
    return JsonResponse({"state": ticket.state if ticket else "over"})


@never_cache
@require_POST
def finish(request: HttpRequest) -> HttpResponse:
    """Sign in whom the phone has named: once."""
    ticket = own_ticket(request)
    account = ticket.redeem() if ticket else None
    if account is None:
        return waiting_page(request, notice="手机上还没有确认登录。请用手机扫码并按“确认登录”，然后再继续。")
    del request.session["scan_ticket"]
    auth.login(request, account)
    return redirect(way_back(request))


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest, token: str) -> HttpResponse:
    """The city's app: says who it is; the phone's own browser is not signed in by it."""
    ticket = ScanTicket.objects.filter(token=token).first()
    if ticket is None or ticket.state != "waiting":
        return render(request, "sandbox/phone_over.html", {"ticket": ticket}, status=410)
    form = SignInForm(request.POST or None)
    if form.is_valid():
        if not ticket.confirm(form.account):
            return render(request, "sandbox/phone_over.html", {"ticket": ticket}, status=410)
        return render(request, "sandbox/phone_confirmed.html", {"account": form.account})
    return render(request, "sandbox/phone.html", {"form": form})
