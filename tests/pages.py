"""Forms as a browser would send them: every field of a page with the value that stands in it."""

import re
from html.parser import HTMLParser

from django.http import HttpResponse


class FormReader(HTMLParser):
    """The successful controls (HTML Standard, 4.10.22.4) of all forms of a page that are sent by POST."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.posting = False
        self.select = self.textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        name = attributes.get("name", "")
        if tag == "form":
            self.posting = attributes.get("method", "get") == "post"
        elif not self.posting or "disabled" in attributes:
            return
        elif tag == "input" and name and attributes.get("type") not in {"submit", "button", "file", "image"}:
            if attributes.get("type") not in {"checkbox", "radio"} or "checked" in attributes:
                self.values[name] = attributes.get("value", "on" if "checked" in attributes else "")
        elif tag == "select":
            self.select = name
            self.values[name] = ""
        elif tag == "option" and self.select and "selected" in attributes:
            self.values[self.select] = attributes.get("value", "")
        elif tag == "textarea":
            self.textarea = name
            self.values[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.values[self.textarea] = self.values[self.textarea].removeprefix("\r\n").removeprefix("\n")
            self.textarea = ""
        elif tag == "select":
            self.select = ""
        elif tag == "form":
            self.posting = False

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.values[self.textarea] += data


def form_of(response: HttpResponse) -> dict[str, str]:
    reader = FormReader()
    reader.feed(response.content.decode())
    return {name: value for name, value in reader.values.items() if "__prefix__" not in name}


def field_errors(response: HttpResponse) -> dict[str, str]:
    """The sentences that stand at the fields, by the field whose aria-describedby names them."""
    page = response.content.decode()
    found = re.findall(r'<div id="id_(\w+)_error" class="invalid-feedback"><p><strong>(.*?)</strong>', page)
    described = set(" ".join(re.findall(r'aria-describedby="([^"]*)"', page)).split())
    return {name: sentence for name, sentence in found if f"id_{name}_error" in described}
