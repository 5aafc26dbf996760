"""One sandbox for this folder's tests, and a browser that comes to it from a portal."""

from pathlib import Path

import pytest

from tests.identity_sandbox.portal import PORTAL, Browser
from tests.sandbox import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory):
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="session")
def sandbox(data_dir: Path):
    with running_sandbox(PORTAL, data_dir) as running:
        yield running


@pytest.fixture
def browser(sandbox: Sandbox):
    with Browser(sandbox) as somebody:
        yield somebody
