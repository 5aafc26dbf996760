"""The whole set of headers on every answer: each address, each role, each way of failing."""

import re

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError, transaction
from django.http import Http404, HttpResponse
from django.test import Client, override_settings

from accounts import limits
from plans import views as plan_views
from tests import scenes
from tests.test_access_matrix import ADDRESSES, METHODS, ROLES, Scene
from tests.test_errors import Inline

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self' http://127.0.0.1:1; report-uri /csp-report/; "
    "report-to csp"
)
OFF = (
    "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), "
    "geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), "
    "publickey-credentials-get=(), screen-wake-lock=(), sync-xhr=(), usb=(), xr-spatial-tracking=()"
)
WHOLE = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": OFF,
    "Referrer-Policy": "same-origin",
    "Reporting-Endpoints": 'csp="/csp-report/"',
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NO_STORE = {"no-store", "private"}


def assert_headers(response: HttpResponse, where: str = "") -> None:
    assert {name: response.headers.get(name) for name in WHOLE} == WHOLE, where
    kept = set(re.split(r",\s*", response.headers["Cache-Control"]))
    may_be_shared = is_strangers_page(response) and {"public", "max-age=10"} == kept  # plans/shared_pages.py
    assert may_be_shared or kept >= NO_STORE, where
    assert re.fullmatch(r"[bcdfghjkmnpqrstvwxyz]{14}", response.headers["X-Request-ID"]), where
    assert "Access-Control-Allow-Origin" not in response.headers, where
    if response.headers.get("Content-Type", "").startswith("text/html"):
        assert response.headers["Content-Type"] == "text/html; charset=utf-8", where
        assert Inline(b"".join(response).decode()).found == [], where


def is_strangers_page(response: HttpResponse) -> bool:
    """One of the three that are the same for everybody, asked for without a cookie and answered without one."""
    request = response.wsgi_request
    name = request.resolver_match.view_name if request.resolver_match else ""
    return name in {"front", "plans:list", "plans:detail"} and not request.COOKIES and not response.cookies


@pytest.mark.parametrize("role", ROLES)
def test_every_address(db, role):
    scene = Scene()
    for name, route in ADDRESSES.items():
        for method in (*METHODS, "options", "put", "trace"):
            with transaction.atomic():  # each on the same state of the database
                response = getattr(scene.client(role), method)(scene.address(route))
                assert_headers(response, f"{method} {name}")
                list(response)  # a file that is delivered is closed at its end
                transaction.set_rollback(True)


def test_trace_is_no_method_here(db):
    assert {Client().trace(path).status_code for path in ("/", "/plans/", "/accounts/login/", "/csp-report/")} == {405}


@pytest.fixture
def front_door(monkeypatch):
    """`front_door(problem)` is the answer of the front door that raises it."""

    def answer(problem, **how):
        def raise_it(*args, **kwargs):
            raise problem

        monkeypatch.setattr(plan_views.Plan.objects, "open_at", raise_it)
        return Client(raise_request_exception=False).get("/", **how)

    return answer


PROBLEMS = [
    (SuspiciousOperation("x"), 400),
    (PermissionDenied("x"), 403),
    (Http404("x"), 404),
    (limits.LimitReached("登录", scenes.timezone.now()), 429),
    (RuntimeError("x"), 500),
    (OperationalError("x"), 503),
]


@pytest.mark.parametrize(("problem", "status"), PROBLEMS)
def test_every_failure_of_a_view(db, front_door, problem, status):
    response = front_door(problem)
    assert response.status_code == status
    assert_headers(response)


def test_failures_before_the_view(db, applicant, sign_in, monkeypatch):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(applicant, backend="accounts.oidc.PlatformBackend")
    client = sign_in(applicant)
    answers = {
        "csrf": (strict.post("/profile/", {}), 403),
        "method": (client.post("/plans/"), 405),
        "host": (client.get("/", headers={"host": "evil.example"}), 400),
        "nowhere": (client.get("/nothing/"), 404),
        "nul": (client.get("/plans/?q=%00"), 400),
        "body": (client.post("/profile/", {"address": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)}), 413),
        "fields": (
            client.post("/profile/", dict.fromkeys(map(str, range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)), "")),
            400,
        ),
    }
    for name, (response, status) in answers.items():
        assert response.status_code == status, name
        assert_headers(response, name)
    client.raise_request_exception = False
    monkeypatch.setattr("accounts.oidc.PlatformBackend.get_user", away)
    response = client.get("/profile/")
    assert response.status_code == 503
    assert_headers(response)


def away(*args, **kwargs):
    raise OperationalError("away")


def test_a_session_that_cannot_be_read(applicant, sign_in, monkeypatch):
    """Most of the middleware is on the way out of it, the view is not."""
    client = sign_in(applicant)
    client.raise_request_exception = False
    monkeypatch.setattr("accounts.session_store.SessionStore._get_session_from_db", away)
    response = client.get("/profile/")
    assert response.status_code == 503
    assert_headers(response)


# In production ------------------------------------------------------------------------------------------------------

PRODUCTION = {
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 365 * 24 * 3600,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_HSTS_PRELOAD": True,
    "TRUSTED_PROXIES": 1,
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
}


@override_settings(**PRODUCTION)
def test_strict_transport_security_in_production(db):
    statuses = {"/": 200, "/nothing/": 404, "/profile/": 302, "/accounts/callback/": 400, "/?q=%00": 400}
    for address, status in statuses.items():
        response = Client().get(address, headers={"x-forwarded-proto": "https"})
        assert response.status_code == status
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
        assert_headers(response)


@override_settings(**PRODUCTION)
def test_plain_http_is_sent_on_in_production(db):
    response = Client().get("/plans/?q=x")
    assert (response.status_code, response.headers["Location"]) == (301, "https://testserver/plans/?q=x")
    assert_headers(response)
    refused = Client().get("/", headers={"host": "evil.example"})
    assert refused.status_code == 400
    assert "<h1>请求无法处理</h1>" in refused.content.decode()
    assert_headers(refused)


# Who may say which host and which protocol --------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "a b", "测试"])
def test_a_host_that_is_not_ours_gets_a_readable_page(db, host):
    response = Client().get("/", headers={"host": host})
    page = response.content.decode()
    assert response.status_code == 400
    assert "<h1>请求无法处理</h1>" in page
    assert "evil" not in page


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_a_forwarded_host_is_never_believed(db, proxies):
    with override_settings(TRUSTED_PROXIES=proxies):
        response = Client().get("/profile/", headers={"x-forwarded-host": "evil.example", "x-forwarded-port": "99"})
        login = Client().get("/accounts/login/", headers={"x-forwarded-host": "evil.example"})
    assert response.headers["Location"] == "/accounts/login/?next=%2Fprofile%2F"
    assert "evil.example" not in login.headers["Location"]
    assert "redirect_uri=http%3A%2F%2Ftestserver%2Faccounts%2Fcallback%2F" in login.headers["Location"]


@override_settings(SECURE_SSL_REDIRECT=True)
def test_without_a_proxy_of_ours_nobody_says_that_it_was_https(db):
    assert settings.SECURE_PROXY_SSL_HEADER is None
    assert Client().get("/", headers={"x-forwarded-proto": "https"}).status_code == 301
