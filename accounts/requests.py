"""The request of somebody who is signed in, for views and for what the admin calls."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

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
