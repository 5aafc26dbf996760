"""How a field of a form is drawn: the classes of its control, by what one does in it, and the options of a choice."""

from html import escape
from typing import Any

from django import forms, template
from django.forms.utils import flatatt
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# The first that fits.
CLASSES = ((forms.CheckboxInput, "form-check-input"), (forms.Select, "form-select"), (forms.Widget, "form-control"))


@register.filter
def control(field: forms.BoundField) -> SafeString:
    """What one types or chooses in, marked where what it holds was refused."""
    widget = field.field.widget
    own = widget.attrs.get("class", "")
    look = next(look for kind, look in CLASSES if isinstance(widget, kind))
    refused = "is-invalid" if field.errors else ""
    return field.as_widget(attrs={"class": " ".join(filter(None, (own, look, refused)))})


@register.filter
def options(groups: list[tuple[str | None, list[dict[str, Any]], int]]) -> SafeString:
    """The options of a select as its widget describes them (ChoiceWidget.optgroups): what is in no group is one alone."""
    lines: list[str] = []
    for name, described, _ in groups:
        if name is not None:
            lines.append(format_html('\n  <optgroup label="{}">', name))
        lines += [option(each["value"], each["attrs"], each["label"]) for each in described]
        if name is not None:
            lines.append("\n  </optgroup>")
    return mark_safe("".join(lines))  # noqa: S308  (each line is escaped)


def option(value: Any, attributes: dict[str, Any], label: Any) -> str:
    """By hand, and not with format_html: there are hundreds on a page."""
    named = flatatt(attributes) if attributes else ""
    return f'\n  <option value="{escape(str(value))}"{named}>{conditional_escape(label)}</option>'
