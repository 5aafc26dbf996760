"""What every test shares: storage of its own, plain static files, a browser that is found."""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import clock, platform, signing_keys
from tests import scenes
from tests.log_watch import LogWatch

CHROMIUM_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@pytest.fixture(autouse=True)
def own_storage(tmp_path: Path, settings: Any) -> None:
    """Photos of one test are not there in the next; pages link static files without a manifest."""
    storages = {name: dict(backend) for name, backend in settings.STORAGES.items()}
    storages["default"] = {"BACKEND": "photos.storages.PrivateFolder", "OPTIONS": {"location": tmp_path / "private"}}
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = storages
    settings.STATIC_ROOT = tmp_path  # whitenoise asks for a folder that exists


@pytest.fixture(autouse=True)
def nothing_remembered(request: pytest.FixtureRequest) -> None:
    """Neither what another test's platform said nor how often somebody tried.

    What was counted in the database's cache goes with the test's transaction; a test without one clears it.
    """
    marker = request.node.get_closest_marker("django_db")
    if (marker and marker.kwargs.get("transaction")) or {"transactional_db", "live_server"} & set(request.fixturenames):
        request.getfixturevalue("transactional_db")
        cache.clear()
    platform.discovery.cache_clear()
    signing_keys.published_keys.cache_clear()


@pytest.fixture(autouse=True)
def database_travels_along(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test travels in time, the database's clock goes with it; pages ask for it at no moment of their own, so
    that queries can be counted. tests/test_clock.py looks at the clocks themselves."""
    if request.node.get_closest_marker("own_clocks"):
        return
    asked = clock.now

    def now() -> datetime:
        return timezone.now() if time_machine.escape_hatch.is_travelling() else asked()

    monkeypatch.setattr(clock, "now", now)
    monkeypatch.setattr(clock, "near", timezone.now)


@pytest.fixture(scope="session")
def installed_log_watch() -> Iterator[LogWatch]:
    with LogWatch().installed() as watch:
        yield watch


@pytest.fixture(autouse=True)
def log_watch(installed_log_watch: LogWatch) -> Iterator[LogWatch]:
    """Fails the test in which a document number of the tests' people reached a log, masked afterwards or not."""
    installed_log_watch.found.clear()
    yield installed_log_watch
    assert installed_log_watch.found == [], "a planted person appears in the log"
    assert installed_log_watch.hang() == [], "logging was configured anew, and nobody watched what came after"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> None:
    """A database in a file: threads of the browser tests share it, which SQLite in memory cannot. One per worker."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(Path(settings.DATA_DIR) / "test.sqlite3")
    request.getfixturevalue("django_db_modify_db_settings_parallel_suffix")


@pytest.fixture
def sign_in() -> Any:
    """`sign_in(user)` is a client in whose session that user is signed in."""

    def client_of(user: Any) -> Client:
        client = Client()
        client.force_login(user, backend="accounts.oidc.PlatformBackend")
        return client

    return client_of


@pytest.fixture
def applicant(db: None) -> Any:
    return scenes.person("王晓明")


@pytest.fixture
def stranger(db: None) -> Any:
    return scenes.person("李芳")


@pytest.fixture
def plan(db: None) -> Any:
    return scenes.open_plan()


@pytest.fixture
def occupation(plan: Any) -> Any:
    return scenes.occupation(plan)


@pytest.fixture
def manager(plan: Any) -> Any:
    return scenes.member(plan, "manager")


@pytest.fixture
def reviewer(plan: Any) -> Any:
    return scenes.member(plan, "reviewer")


@pytest.fixture
def viewer(plan: Any) -> Any:
    return scenes.member(plan, "viewer")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    return {"args": CHROMIUM_ARGUMENTS, **({"executable_path": found} if found else {})}


@pytest.fixture(scope="session")
def browser_context_args() -> Iterator[dict[str, Any]]:
    yield {"locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
