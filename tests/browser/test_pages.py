"""Every applicant page in each of its states: axe finds nothing, nothing scrolls sideways, the console is silent."""

from collections.abc import Callable

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.places import PLACES, Place

pytestmark = pytest.mark.browser

WIDTHS = (1440, 768, 320)
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("name", PLACES)
def test_everybody_can_use(name: str, visitor: Callable[..., Page]) -> None:
    here = Place(lambda user: visitor(user, viewport={"width": WIDTHS[0], "height": 900}))
    PLACES[name](here)
    page = here.page
    assert page
    expect(page).to_have_title(re.compile(".+ · 职业技能竞赛网上报名系统"))
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        judged = Axe().run(page)
        found[width] = (judged.violations_count and judged.generate_report(), page.evaluate(OVERFLOW))
    assert found == {width: (0, 0) for width in WIDTHS}
