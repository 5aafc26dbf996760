"""The first visit stops at the confirmation page; what is personal is kept by no cache."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode


def before_confirmation[View: Callable[..., HttpResponse]](view: View) -> View:
    """Mark a view that somebody may see who has not confirmed an identity yet."""
    view.before_confirmation = True  # type: ignore[attr-defined]
    return view


class IdentityConfirmationMiddleware:
    """Send a signed-in person without a confirmed identity to 个人身份信息确认, and on from there afterwards."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if getattr(view, "before_confirmation", False) or not request.user.is_authenticated:
            return None
        if request.user.confirmed_identity:
            return None
        # A form that was sent cannot be repeated after the detour: go on at the front door of where it came from.
        onward = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("plans:list")
        return redirect(f"{reverse('accounts:identity')}?{urlencode({'next': onward})}")


class PrivateCacheMiddleware:
    """Whatever a signed-in person is shown may be personal: `private, no-store` unless the view said otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        return response
