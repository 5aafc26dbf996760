"""The portal under a real server, the identity sandbox beside it, and visitors with browsers of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from django.utils.csp import CSP
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from tests.browser.pictures import drawn_photo
from tests.sandbox import Sandbox, running_sandbox

PATIENCE = 20_000  # milliseconds, on a machine that does other things too
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def sandbox(live_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(live_server.url, tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(autouse=True)
def portal(sandbox: Sandbox, live_server: Any, settings: Any) -> str:
    """The portal's origin; it knows the sandbox as its platform."""
    for name, value in sandbox.portal_settings().items():
        setattr(settings, name, value)
    settings.SECURE_CSP = {**settings.SECURE_CSP, "form-action": [CSP.SELF, sandbox.origin]}
    return str(live_server.url)


@pytest.fixture(autouse=True)
def complaints() -> Iterator[list[str]]:
    """What a browser complained of in its console: a script that failed, a policy that was broken, a missing file."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def visitor(new_context: Any, portal: str, complaints: list[str]) -> Callable[..., Page]:
    """`visitor(user, **options)` is a page of a browser of its own, signed in as that user, if one is given."""

    def visitor(user: User | None = None, **options: Any) -> Page:
        context = new_context(base_url=portal, reduced_motion="reduce", **options)
        context.set_default_timeout(PATIENCE)
        watch(context, complaints)
        if user:
            context.add_cookies([{"name": configured.SESSION_COOKIE_NAME, "value": session_of(user), "url": portal}])
        page: Page = context.new_page()
        return page

    return visitor


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user, backend="accounts.oidc.PlatformBackend")
    return client.cookies[configured.SESSION_COOKIE_NAME].value


def watch(context: BrowserContext, complaints: list[str]) -> None:
    def console(message: Any) -> None:
        # A page that answers 404 or 422 is what some walks look for; a file that does is a complaint, below.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            complaints.append(f"{message.page and message.page.url}: {message.text}")

    def response(answer: Any) -> None:
        refused = (
            answer.request.resource_type in {"xhr", "fetch"} and answer.status == 422
        )  # a photo; the page says why
        if answer.status >= 400 and not refused and not answer.request.is_navigation_request():
            complaints.append(f"{answer.url}: {answer.status}")

    context.on("console", console)
    context.on("response", response)
    context.on("weberror", lambda problem: complaints.append(str(problem.error)))


@pytest.fixture
def photo_file(tmp_path: Path) -> Path:
    """A photo as a phone takes it, of a person who is drawn."""
    path = tmp_path / "自拍.jpg"
    path.write_bytes(drawn_photo())
    return path
