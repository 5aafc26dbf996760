"""The page behind an invitation's link: who invites into what, and 接受. Each way in which it no longer holds has its words."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.refused_access import note_refused_access
from accounts.requests import SignedInRequest
from plans import members
from plans.models import Invitation


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: SignedInRequest, token: str) -> HttpResponse:
    """Whoever is not signed in goes to the platform first and comes back here. Only 接受 uses the link up."""
    found = Invitation.objects.of_token(token)
    if found is None:
        return render(request, "plans/invitation_over.html", {"why": "unknown"}, status=HTTPStatus.NOT_FOUND)
    held = found.plan.members.filter(user=request.user).first()
    if held:
        return render(request, "plans/invitation_held.html", {"invitation": found, "member": held})
    why = found.standing.value if found.standing != "open" else "" if members.vouched_for(found) else "withdrawn"
    if why:
        note_refused_access(request, f"invitation {why}")
        context = {"why": why, "invitation": found}
        return render(request, "plans/invitation_over.html", context, status=HTTPStatus.GONE)
    if request.method != "POST":
        return render(request, "plans/invitation.html", {"invitation": found})
    try:
        members.accept(found, request.user)
    except members.MemberRefused as refusal:
        messages.error(request, str(refusal))
        return redirect(request.path)
    messages.success(request, f"您已加入“{found.plan}”的组委会，角色是“{found.get_role_display()}”。")
    return redirect("admin:index")
