"""Static files: Bootstrap's own, all that templates name, collected under names that carry their hash."""

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command

TEMPLATES = (settings.BASE_DIR / "templates").rglob("*.html")
NAMED = sorted({name for path in TEMPLATES for name in re.findall(r"""{% static ["'](.+?)["']""", path.read_text())})
OURS = sorted((settings.BASE_DIR / "static").rglob("*.*"))
# Where a page of ours may reach out to: namespaces of XML, which nobody fetches.
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_bootstrap_is_the_one_that_was_looked_at():
    found = finders.find("bootstrap/css/bootstrap.min.css")
    assert hashlib.sha256(Path(found).read_bytes()).hexdigest().startswith("d85327d9")


@pytest.mark.parametrize("name", NAMED)
def test_what_a_template_names_is_there(name):
    assert finders.find(name) is not None


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere(path):
    addresses = set(re.findall(r"""https?://[^\s"')]+""", path.read_text()))
    assert addresses - NAMESPACES == set()


SCRIPTS = [path for path in OURS if path.suffix == ".js"]
UNSAFE = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage|sessionStorage|indexedDB|postMessage"


def test_no_script_makes_markup_of_text_or_keeps_anything():
    assert len(SCRIPTS) >= 4
    assert {path.name: found for path in SCRIPTS if (found := re.findall(UNSAFE, path.read_text()))} == {}


@pytest.fixture
def manifest_storage(settings, tmp_path):
    """The storage of production, into a folder of the test's own."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    return settings.STATIC_ROOT


def test_collected_under_hashed_names(manifest_storage):
    call_command("collectstatic", interactive=False, verbosity=0)
    assert NAMED != []
    for name in NAMED:
        address = staticfiles_storage.url(name)
        stem, suffix = name.rsplit(".", 1)
        assert re.fullmatch(rf"/static/{re.escape(stem)}\.[0-9a-f]{{12}}\.{suffix}", address)
        assert (manifest_storage / address.removeprefix("/static/")).is_file()
    style = staticfiles_storage.url("css/portal.css").removeprefix("/static/")
    assert (manifest_storage / f"{style}.gz").is_file()


def test_in_production_it_is_that_storage():
    source = (settings.BASE_DIR / "competition_portal" / "settings.py").read_text()
    assert '"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}' in source
