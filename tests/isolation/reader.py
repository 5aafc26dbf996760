"""A page as a visitor's tools see it: where its links lead, and what its forms would send."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)


class PageReader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.within: Form | None = None
        self.select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.links += [attributes[name] for name in ("href", "src", "data-url") if attributes.get(name)]
        if tag == "form":
            self.within = Form(attributes.get("action", ""), attributes.get("method", "get").lower())
            self.forms.append(self.within)
        elif self.within is not None:
            self.control(tag, attributes, self.within)

    def control(self, tag: str, attributes: dict[str, str], form: Form) -> None:
        name = attributes.get("name", "")
        if tag == "option" and self.select:
            form.options[self.select].append(attributes.get("value", ""))
            if "selected" in attributes:
                form.values[self.select] = attributes.get("value", "")
        elif tag == "select" and name:
            self.select = name
            form.options[name], form.values[name] = [], ""
        elif tag == "button" and name:
            form.options.setdefault(name, []).append(attributes.get("value", ""))
        elif tag in {"input", "textarea"} and name and "__prefix__" not in name:
            form.values.setdefault(name, attributes.get("value", ""))
            if tag == "textarea" or attributes.get("type", "text") in {"text", "search", "email", "tel", "url"}:
                form.typed.add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.within = None
        elif tag == "select":
            self.select = ""
