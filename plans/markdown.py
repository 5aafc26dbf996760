"""Markdown in, safe HTML out."""

from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "blockquote", "code", "pre", "hr", "a"} | {
    *("h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


@lru_cache(256)
def render(text: str) -> SafeString:
    """HTML without script, style, image or foreign markup. Headings begin at h3: the page has its own h1 and h2.

    Kept by its text: a description is shown a thousand times as often as it is written.
    """
    tokens = MARKDOWN.parse(text)
    above: list[str] = []
    for token in tokens:
        if token.type == "heading_open":
            # However deep the writer began, no level is skipped: readers of the page by ear go by them.
            above = [*(tag for tag in above if tag < token.tag), token.tag]
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(len(above) + 2, 6)}"
    html = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)  # noqa: S308  (this is where it is made safe)
