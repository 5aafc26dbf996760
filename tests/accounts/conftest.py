"""A fake platform that the portal is told to trust."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.accounts.provider import Provider, running_provider


@pytest.fixture
def provider(db: None, settings: Any) -> Iterator[Provider]:
    with running_provider() as provider:
        for name, value in provider.settings().items():
            setattr(settings, name, value)
        settings.PLATFORM_ORIGIN = provider.origin
        yield provider
