"""Every applicant page in each of its states: axe finds nothing, nothing scrolls sideways, is cut off
or too low for a thumb, the console is silent."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.places import PLACES, Place

pytestmark = pytest.mark.browser

WIDTHS = (1440, 768, 320)
CUT_OFF = """[...document.querySelectorAll("*")].filter(each => getComputedStyle(each).textOverflow === "ellipsis"
  && each.scrollWidth > each.clientWidth && each.checkVisibility()).map(each => each.textContent.trim())"""
# Links in running text and boxes within a label are as high as their line (WCAG 2.2, 2.5.8 lets them).
TOO_LOW = """[...document.querySelectorAll("button, .btn, .button, select, textarea, summary, input:not([type=checkbox], [type=radio], [type=hidden])")]
  .filter(each => each.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !each.closest(".visually-hidden, [tabindex='-1']"))
  .filter(each => each.getBoundingClientRect().height > 0 && each.getBoundingClientRect().height < 43.5)
  .map(each => `${each.innerText || each.name}: ${each.getBoundingClientRect().height}`)"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("name", PLACES)
def test_everybody_can_use(name: str, visitor: Callable[..., Page]) -> None:
    here = Place(lambda user: visitor(user, viewport={"width": WIDTHS[0], "height": 900}))
    PLACES[name](here)
    page = here.page
    assert page
    site = "[|] 职业技能竞赛组委会工作台" if name.startswith("desk: ") else "· 职业技能竞赛网上报名系统"
    expect(page).to_have_title(re.compile(f".+ {site}"))
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        judged = Axe().run(page)
        found[width] = (
            judged.violations_count and judged.generate_report(),
            page.evaluate(OVERFLOW),
            page.evaluate(CUT_OFF),
            width < 768 and page.evaluate(TOO_LOW),
        )
    assert found == {width: (0, 0, [], width < 768 and []) for width in WIDTHS}


def test_printed_is_what_a_file_needs(visitor: Callable[..., Page]) -> None:
    """Name, number, facts and portrait; nothing to press."""
    here = Place(visitor)
    PLACES["detail, approved"](here)
    page = here.page
    assert page
    page.emulate_media(media="print")
    for gone in (page.get_by_role("banner"), page.get_by_role("navigation"), page.get_by_role("button")):
        expect(gone).to_have_count(0)
    for kept in (page.get_by_role("heading", level=1), page.locator("img.portrait"), page.get_by_text("证书编号")):
        expect(kept).to_be_visible()
