"""The applicant's answer to a proposal of another occupation."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.requests import SignedInRequest
from registrations import moves
from registrations.views import own
from registrations.workflow import Action, StepRefused

ANSWERS = {"agree": Action.MOVE, "decline": Action.DECLINE}
SAID = {Action.MOVE: "已同意，您的职业（工种）已经调整。", Action.DECLINE: "已答复不同意，您的报名不变。"}


@require_POST
def answer(request: SignedInRequest, reference: str) -> HttpResponse:
    """同意 or 不同意 to the proposal that was on the page; pressed twice, it says the same."""
    registration = own(request.user, reference)
    action, number = ANSWERS.get(request.POST.get("answer", "")), request.POST.get("proposal", "")
    if action is None:
        messages.error(request, "没有答复：请按“同意”或“不同意”。")
        return redirect(registration)
    try:
        moves.answer(registration, action, number, request.user)
    except StepRefused as refusal:
        if not moves.answered(registration, action, number):
            messages.error(request, str(refusal))
            return redirect(registration)
    messages.success(request, SAID[action])
    return redirect(registration)
