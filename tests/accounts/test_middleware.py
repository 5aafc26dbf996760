"""What stands in front of every page: signing in, the confirmation, and that no cache keeps what is personal."""

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.middleware import IdentityConfirmationMiddleware, PrivateCacheMiddleware
from accounts.models import User
from tests import scenes

PRIVATE = "private, no-store"
# never_cache of Django says more than we need; what matters is in it.
NEVER = "max-age=0, no-cache, no-store, must-revalidate, private"


def addresses(user, occupation):
    draft = scenes.draft(user, occupation)
    pages = ["edit", "occupation", "check", "delete", "detail", "photo:upload", "photo:portrait"]
    own = {reverse(f"registrations:{page}", args=[draft.reference]): PRIVATE for page in pages}
    return own | {
        "/": PRIVATE,
        "/plans/": PRIVATE,
        occupation.plan.get_absolute_url(): PRIVATE,
        "/profile/": PRIVATE,
        "/profile/photo/": PRIVATE,
        "/registrations/": PRIVATE,
        "/accounts/identity/": PRIVATE,
        "/accounts/welcome/": PRIVATE,
        "/accounts/signed-out/": PRIVATE,
        "/no/such/page": NEVER,
        "/registrations/2026-XXXXXX/": NEVER,
        "/accounts/callback/": NEVER,
        "/accounts/logout/": PRIVATE,
        "/admin/": NEVER,
    }


def test_no_cache_keeps_what_a_signed_in_person_sees(applicant, occupation, sign_in):
    client = sign_in(applicant)
    expected = addresses(applicant, occupation)
    assert {address: client.get(address).headers.get("Cache-Control") for address in expected} == expected


def test_the_desk_is_kept_by_no_cache_either(manager, applicant, occupation, sign_in):
    registration = scenes.registration_at(scenes.Status.SUBMITTED, applicant, occupation, manager)
    client = sign_in(manager)
    names = {
        "admin:index": [],
        "admin:plans_plan_changelist": [],
        "admin:plans_plan_change": [occupation.plan_id],
        "admin:registrations_registration_queue": [occupation.plan.code],
        "admin:registrations_registration_change": [registration.pk],
        "admin:registrations_registration_portrait": [registration.pk],
    }
    said = {name: client.get(reverse(name, args=args)).headers["Cache-Control"] for name, args in names.items()}
    assert {name: "no-store" in value and "private" in value for name, value in said.items()} == dict.fromkeys(
        names, True
    )


def test_what_a_view_says_about_caches_stands():
    def view(request):
        return HttpResponse(headers={"Cache-Control": "public, max-age=60"})

    request = RequestFactory().get("/")
    assert PrivateCacheMiddleware(view)(request).headers["Cache-Control"] == "public, max-age=60"
    assert PrivateCacheMiddleware(lambda _: HttpResponse())(request).headers["Cache-Control"] == PRIVATE


@pytest.mark.parametrize(
    ("method", "address", "referer", "onward"),
    [
        ("get", "/profile/?a=b&c=d", "", "/profile/?a=b&c=d"),
        ("head", "/registrations/", "", "/registrations/"),
        ("post", "/profile/", "http://testserver/profile/", "/profile/"),
        ("post", "/profile/", "http://testserver", "/"),
        ("post", "/registrations/start/X/", "", "/plans/"),
        ("post", "/profile/", "https://evil.example/profile/", "/plans/"),
        ("post", "/profile/", "javascript:alert(1)", "/plans/"),
    ],
)
@pytest.mark.parametrize("who", ["anonymous", "unconfirmed"])
def test_the_detour_comes_back(db, sign_in, who, method, address, referer, onward):
    client = Client() if who == "anonymous" else sign_in(scenes.account())
    stop = "accounts:login" if who == "anonymous" else "accounts:identity"
    response = getattr(client, method)(address, headers={"referer": referer})
    assert (response.status_code, response.headers["Location"]) == (302, reverse(stop, query={"next": onward}))


def test_who_is_confirmed_is_not_stopped(applicant):
    request = RequestFactory().get("/profile/")
    request.user = applicant
    middleware = IdentityConfirmationMiddleware(lambda _: HttpResponse())
    assert middleware.process_view(request, lambda _: HttpResponse(), (), {}) is None


def test_an_emergency_account_is_asked_as_well(db, sign_in):
    """An operator's, that was never at the platform."""
    client = sign_in(User.objects.create_superuser("emergency"))
    assert client.get("/admin/").headers["Location"] == "/accounts/identity/?next=%2Fadmin%2F"
    assert "<h1>个人身份信息确认</h1>" in client.get("/accounts/identity/").content.decode()
