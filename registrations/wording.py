"""What a message says, from templates: its title and text for page and mail, and the few characters of an SMS."""

import re
from typing import Any

from django.template import Context
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import get_template

from registrations.messages import Kind, Message
from registrations.sms import LONGEST

# Where a template leaves something out, it leaves its lines.
EMPTY_LINES = re.compile(r"\n\s*\n\s*\n")


def written(name: str, values: dict[str, Any]) -> str:
    """A template of plain text: nothing is escaped, because nothing of it is HTML."""
    template: Any = get_template(f"notifications/{name}.txt")
    return str(template.template.render(Context(values, autoescape=False))).strip()


def title_and_body(kind: Kind, values: dict[str, Any]) -> tuple[str, str]:
    """The first line and the rest. The title becomes the subject of a mail."""
    title, _, body = written(f"messages/{kind.value}", values).partition("\n")
    return title.strip()[:200], EMPTY_LINES.sub("\n\n", body.strip())


def sms_text(message: Message) -> str:
    """At most 70 characters, without a name and without the plan's title."""
    registration = message.registration
    values = {"registration": registration, "deadline": registration.deadline()}
    return written(f"sms/{message.kind}", values)[:LONGEST]


def has_sms(kind: str) -> bool:
    try:
        get_template(f"notifications/sms/{kind}.txt")
    except TemplateDoesNotExist:
        return False
    return True
