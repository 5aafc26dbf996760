"""Who has sent a request, for views and for what the admin calls; and where its person was."""

from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import Identity, User


class SignedInRequest(HttpRequest):
    """What a view gets behind SignInMiddleware: the user is a User, not anonymous."""

    user: User


def signed_in(request: HttpRequest) -> User:
    """Who is signed in. Raises PermissionDenied when nobody is, whatever stood in front of the caller."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def held_identity(user: User) -> Identity:
    """The confirmed identity. Raises PermissionDenied for an account that has none."""
    if user.confirmed_identity is None:
        raise PermissionDenied
    return user.confirmed_identity


def place_to_return(request: HttpRequest) -> str:
    """Where to go on after a detour: the page asked for or, where a form was sent, the page with the form.

    A form that was sent cannot be sent again by itself.
    """
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    page = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return urlsplit(page).path or "/"
    return reverse("plans:list")
