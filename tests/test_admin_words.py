"""The admin speaks Chinese as the portal does: what Django has not translated yet, and what it says otherwise."""

import json
import re
from gettext import GNUTranslations
from pathlib import Path

import django.contrib.admin
import pytest
from django.conf import settings
from django.utils.translation import gettext

from competition_portal.admin_words import PLURALS, WORDS

ADMIN = Path(django.contrib.admin.__file__).parent
SCRIPTS = ADMIN / "static/admin/js"
MESSAGES = "locale/zh_Hans/LC_MESSAGES/django"
OURS = settings.BASE_DIR / "competition_portal" / MESSAGES
# Whoever signs in does so at the platform, and nothing is deleted on a page of Django's own.
PAGES_THAT_ARE_NOT_THERE = (
    "password|credentials|forgotten|log in|email|account|user|[Dd]eleting|sure you want to delete"
)


def entries(path: Path) -> dict[str, str]:
    """What a .po file says in Chinese, by its English; plurals and what has a context are none of ours."""
    found = re.findall(r'^msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)', path.read_text(), re.MULTILINE)
    joined = [["".join(re.findall(r'"(.*)"', part)).replace('\\"', '"') for part in pair] for pair in found]
    return {english: chinese for english, chinese in joined if english}


def said() -> set[str]:
    """What the scripts ask to be translated, singular forms alone; long sentences are put together of parts."""
    found = set()
    for script in SCRIPTS.rglob("*.js"):
        if "vendor" not in script.parts:
            for parts in re.findall(r'(?<!p)n?gettext(?:_noop)?\(\s*((?:"[^"]*"\s*\+?\s*)+)', script.read_text()):
                found.add("".join(re.findall(r'"([^"]*)"', parts)))
    return found


@pytest.mark.django_db
def test_everything_that_the_scripts_say_is_chinese(sign_in, manager):
    page = sign_in(manager).get("/admin/jsi18n/").content.decode()
    catalog = json.loads(re.search(r"const newcatalog = (\{.*?\});", page, re.DOTALL).group(1))
    assert {sentence for sentence in said() if not re.search("[\u4e00-\u9fff]", str(catalog.get(sentence)))} == set()
    assert {english: catalog[english] for english in PLURALS} == {
        english: [words] for english, words in PLURALS.items()
    }
    assert PLURALS.keys() | WORDS.keys() <= said()  # one that Django no longer says can go


def test_people_are_addressed_as_everywhere_in_the_portal():
    """In Django's own sentences, too: 您, never 你."""
    familiar = {english for english, chinese in entries(ADMIN / f"{MESSAGES}.po").items() if "你" in chinese}
    shown = {english for english in familiar if not re.search(PAGES_THAT_ARE_NOT_THERE, english)}
    assert len(shown) >= 4
    assert {english: gettext(english) for english in shown if "你" in gettext(english)} == {}


def test_what_stands_in_the_catalog_is_what_is_said():
    """It is compiled, and each sentence is one that Django asks for."""
    written = entries(OURS.with_suffix(".po"))
    with OURS.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    djangos = {
        english for room in ("contrib/admin", "conf") for english in entries(ADMIN.parents[1] / room / f"{MESSAGES}.po")
    }
    assert len(written) >= 18
    assert {english: compiled.gettext(english) for english in written} == written
    assert {english: gettext(english) for english in written} == written
    assert written.keys() <= djangos
