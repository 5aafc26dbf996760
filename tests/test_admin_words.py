"""The admin's scripts speak Chinese: what Django has not translated yet is translated here."""

import json
import re
from pathlib import Path

import django.contrib.admin
import pytest

from competition_portal.admin_words import PLURALS, WORDS

SCRIPTS = Path(django.contrib.admin.__file__).parent / "static/admin/js"


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
