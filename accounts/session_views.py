"""What a page asks about its session: how long it has left, to go on, to keep what was typed; and the page at the end."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from accounts import kept_forms, sessions
from accounts.middleware import before_confirmation
from accounts.models import User
from accounts.views import onward

OVER = {"left": 0, "warning": 0, "final": True}


def clock(request: HttpRequest) -> JsonResponse:
    """The times; whose session it is now, as a mark that says nothing else; and a token that is good in it.

    Signing in again in another tab changes the token. A page of the same person goes on with the new one; a page of
    somebody else must not, and covers itself.
    """
    if not isinstance(request.user, User):
        return JsonResponse(OVER)
    whose = {"whose": sessions.mark_of(request.user), "token": get_token(request)}
    return JsonResponse(sessions.left(request, request.user) | whose)


@require_safe
@login_not_required
@before_confirmation
@sessions.in_background
def remaining(request: HttpRequest) -> HttpResponse:
    """How long the session has left. Asking is no sign of a person, so it puts nothing off."""
    return clock(request)


@require_POST
@login_not_required
@before_confirmation
def stay(request: HttpRequest) -> HttpResponse:
    """继续: somebody is there."""
    if isinstance(request.user, User):
        sessions.note_seen(request, at_once=True)
    return clock(request)


@require_POST
@login_not_required
@before_confirmation
@sessions.in_background
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the form of the page `page`, whose fields are urlencoded in `typed`, for whose session it is or just was."""
    ended = sessions.ended(request)
    owner: int | None = request.user.pk or (ended.user if ended else None)
    path, typed = request.POST.get("page", ""), request.POST.get("typed", "")
    if owner is None or not kept_forms.leads_to_form_page(path):
        return JsonResponse({"kept": False})
    return JsonResponse({"kept": kept_forms.keep_text(owner, path, typed)})


@require_safe
@login_not_required
@before_confirmation
def session_over(request: HttpRequest) -> HttpResponse:
    """会话已结束: why, what became of what was typed, and the way back in."""
    target = onward(request)
    ended = sessions.ended(request)
    context = {
        "ended": ended,
        "target": target,
        "next": urlencode({"next": target}),
        "kept": ended is not None and kept_forms.is_kept(ended.user, target.partition("?")[0]),
        "undone": "undone" in request.GET,
    }
    return render(request, "accounts/session_over.html", context)
