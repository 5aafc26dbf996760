"""One decision from the desk: bound to what was seen, taken once however often it is sent, refused with a name."""

from django.utils import timezone

from accounts.models import User
from registrations.decisions import DecisionForm, Seen
from registrations.models import Registration
from registrations.trail import ReviewEvent
from registrations.workflow import DECISIONS, Action, Status, StepRefused


def decide(registration: Registration, form: DecisionForm, by: User) -> ReviewEvent:
    """The line of the decision, or of the same one that this person has sent before; StepRefused with the reason.

    `registration` is as the database has it now, `form` is valid and says which version and portrait were seen.
    """
    seen = form.cleaned_data["versions"].get(registration.pk) or Seen(-1, registration.portrait_sha256)
    if before := sent_before(registration, form.action, seen, by):
        return before
    registration.version = seen.version
    try:
        return registration.take(
            form.action,
            by=by,
            note=form.cleaned_data["note"],
            items=form.items(),
            whole=form.whole,
            seen_portrait=seen.portrait,
        )
    except StepRefused as refusal:
        # Of a button that was pressed twice, the second may have waited for the first.
        if before := sent_before(registration, form.action, seen, by):
            return before
        raise StepRefused(who_was_faster(registration, by) or str(refusal)) from refusal


def sent_before(registration: Registration, action: Action, seen: Seen, by: User) -> ReviewEvent | None:
    """The last line, if it is this very decision about what this person saw: the button was pressed twice."""
    last = registration.events.first()
    same = last and (last.action, last.by_id, last.version, last.portrait_sha256) == (
        action,
        by.pk,
        seen.version,
        seen.portrait,
    )
    return last if same else None


def who_was_faster(registration: Registration, by: User) -> str:
    """Who has decided it meanwhile, how and when; empty where it is something else that stands in the way."""
    last = registration.events.moving().select_related("by__identity").first()
    waits = Registration.objects.filter(pk=registration.pk, status=Status.SUBMITTED).exists()
    if waits or last is None or last.action not in DECISIONS:
        return ""
    name = "您自己" if last.by_id == by.pk else last.by
    return f"已被{name}处理：{last.get_action_display()}（{timezone.localtime(last.at):%H:%M}）。这次的决定没有记下。"
