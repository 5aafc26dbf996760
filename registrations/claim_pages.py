"""Claiming a registration, taking it over, and letting it go: one address, by POST, for the script and for buttons."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import User
from accounts.requests import signed_in
from registrations import claims
from registrations.claims import Claim
from registrations.models import Registration
from registrations.workflow import Actor, Status


def answer(request: HttpRequest, registration: Registration, back: str) -> HttpResponse:
    """`do` is claim, take_over, release or end. The script gets what holds now, a button the page again."""
    user = signed_in(request)
    actors = registration.actors(user)
    if Actor.COMMITTEE not in actors:
        raise PermissionDenied
    do = request.POST.get("do", "")
    if do in {"claim", "take_over"} and registration.status == Status.SUBMITTED:
        claims.claim(registration, user, take_over=do == "take_over")
    elif do == "release":
        claims.release(registration, user, moment(request.POST.get("until", "")))
    elif do == "end" and Actor.MANAGER in actors:
        claims.end(registration)
    if request.POST.get("scripted"):
        return JsonResponse(told(claims.current(registration), user))
    return redirect(back)


def moment(text: str) -> datetime | None:
    """When the meant claim ends, as `told` has said it; None for anything else."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and timezone.is_aware(found) else None


def told(claim: Claim | None, user: User) -> dict[str, object]:
    if claim is None:
        return {"mine": False, "until": "", "sentence": ""}
    return {"mine": claim.by_id == user.pk, "until": claim.until.isoformat(), "sentence": sentence(claim, user)}


def sentence(claim: Claim, user: User) -> str:
    who = "您" if claim.by_id == user.pk else claim.by
    return f"{who}正在审核，到 {timezone.localtime(claim.until):%H:%M} 为止。"
