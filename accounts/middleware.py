"""Who is not signed in or not confirmed makes a detour and comes back; what is personal is kept by no cache."""

from collections.abc import Callable
from typing import Any

from django.contrib import auth
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts import kept_forms, sessions
from accounts.models import AccountEnded
from accounts.requests import place_to_return


def before_confirmation[View: Callable[..., HttpResponseBase]](view: View) -> View:
    """Mark a view that somebody may see who has not confirmed an identity yet."""
    view.before_confirmation = True  # type: ignore[attr-defined]
    return view


def before_consent[View: Callable[..., HttpResponseBase]](view: View) -> View:
    """Mark a view that somebody may see who has not agreed to the privacy notice that is in force."""
    view.before_consent = True  # type: ignore[attr-defined]
    return view


class SignInMiddleware(LoginRequiredMiddleware):
    """Closed by default: nobody who is not signed in sees a view that does not say so.

    Whose session has ended is told so first. A form that was sent then is kept for that person: CsrfViewMiddleware
    stands before this one, so it was sent from a page of ours, and the token outlives the session (docs/adr/0009).
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Callable) -> HttpResponseRedirect:
        ended = sessions.ended(request)
        if ended is None:
            return to_login(request)
        query = {"next": place_to_return(request)}
        if request.method == "POST":
            if kept_forms.is_form_page(view_func) and kept_forms.keep(ended.user, request.path, request.POST):
                query["next"] = request.get_full_path()  # its form will be there again
            else:
                query["undone"] = "1"
        return redirect(f"{reverse('accounts:session_over')}?{urlencode(query)}")

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        """The account went in another window while the view was at work: as if its session had ended before."""
        if not isinstance(problem, AccountEnded):
            return None
        auth.logout(request)
        return to_login(request)


def to_login(request: HttpRequest) -> HttpResponseRedirect:
    return redirect(f"{reverse('accounts:login')}?{urlencode({'next': place_to_return(request)})}")


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
        return redirect(f"{reverse('accounts:identity')}?{urlencode({'next': place_to_return(request)})}")


class NoticeConsentMiddleware:
    """Ask a confirmed person once more when the privacy notice has changed, and go on from there afterwards.

    Behind the confirmation, which asks everybody else. Who has agreed comes with the account, in the same query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if getattr(view, "before_confirmation", False) or getattr(view, "before_consent", False):
            return None
        if not request.user.is_authenticated or getattr(request.user, "has_consented", False):
            return None
        return redirect(f"{reverse('accounts:consent')}?{urlencode({'next': place_to_return(request)})}")


class PrivateCacheMiddleware:
    """Whatever a signed-in person is shown may be personal: `private, no-store` unless the view said otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        return response
