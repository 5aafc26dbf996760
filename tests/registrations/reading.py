"""How these tests read a page and a registration: the sentences, what a form holds, everything a step may touch."""

import html
import re
from typing import Any

from django.apps import apps
from django.contrib.sessions.models import Session
from django.http import HttpResponse

from registrations.models import Registration
from registrations.snapshots import Change, names
from registrations.workflow import Action
from tests.scenes import COMPLETE


def text_of(markup: str) -> str:
    """Without tags and with single spaces, as a person reads it."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def heading(response: HttpResponse) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", response.content.decode(), re.DOTALL)
    return text_of(found[1]) if found else ""


def notices(response: HttpResponse) -> list[str]:
    """What the page says on top: messages of the step before, and the state of things."""
    return [text_of(found) for found in re.findall(r'<p class="notice[^>]*>(.*?)</p>', response.content.decode())]


def summary(response: HttpResponse) -> list[str]:
    """The lines of the error summary, each `字段：句子` or a sentence alone."""
    found = re.search(r'<section class="summary".*?</section>', response.content.decode(), re.DOTALL)
    return [text_of(line) for line in re.findall(r"<li>(.*?)</li>", found[0], re.DOTALL)] if found else []


def tasks(response: HttpResponse) -> list[str]:
    """The lines of what is still to be done."""
    found = re.search(r'<section class="task".*?</section>', response.content.decode(), re.DOTALL)
    return [text_of(line) for line in re.findall(r"<li>(.*?)</li>", found[0], re.DOTALL)] if found else []


def typed(response: HttpResponse, name: str) -> str:
    """What stands in a field of the page: of an input, or the chosen option of a list."""
    content = response.content.decode()
    if chosen := re.search(rf'<select name="{name}".*?</select>', content, re.DOTALL):
        option = re.search(r'<option value="([^"]*)" selected', chosen[0])
        return html.unescape(option[1]) if option else ""
    inputs = [tag for tag in re.findall(r"<input[^>]*>", content) if f'name="{name}"' in tag]
    if inputs and 'type="radio"' in inputs[0]:
        inputs = [tag for tag in inputs if " checked" in tag]
    value = re.search(r'value="([^"]*)"', inputs[0]) if inputs else None
    return html.unescape(value[1]) if value else ""


def filled_in(registration: Registration, **values: Any) -> dict[str, Any]:
    """What the browser sends for the form of this registration, complete but for what `values` say otherwise."""
    chosen = {"occupation": registration.occupation_id or "", "version": registration.version}
    return {**COMPLETE, **chosen, **values}


def situation(registration: Registration) -> dict[str, Any]:
    """All that a step may touch, as the database has it now."""
    row = Registration.objects.select_related("seat").get(pk=registration.pk)
    columns = ("status", "occupation_id", "seat_id", "submitted_at", "unseen", "version", "portrait_id")
    return {
        **{name: getattr(row, name) for name in columns},
        "seats": list(row.plan.occupations.values_list("pk", "seats_taken")),
        "trail": list(row.events.values_list("pk", "action", "before", "after", "by", "note")),
    }


def every_row() -> dict[str, list[dict[str, Any]]]:
    """The whole database, to prove that nothing was written; but for sessions, where a sentence waits for its page."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table != Session._meta.db_table
    }


def changes_since_return(registration: Registration) -> list[Change]:
    """What differs from what stood here when it was last returned, in the order of the pages. One query."""
    returns = registration.events.standing().filter(action=Action.RETURN)
    kept = getattr(returns.select_related("snapshot").first(), "snapshot", None)
    return [kept.change(registration, name) for name in names() if kept.differs(registration, name)] if kept else []
