"""A key for backups, and a way to another, empty storage."""

from pathlib import Path
from typing import Any

import pytest

from tests.backups.portal import KEYS


@pytest.fixture(autouse=True)
def backup_keys(settings: Any) -> None:
    settings.BACKUP_KEYS = KEYS


@pytest.fixture
def new_storage(settings: Any, tmp_path: Path) -> Any:
    """`new_storage("name")` goes on with an empty folder, or with one of before."""

    def change(name: str) -> Path:
        folder = tmp_path / name
        default = {"BACKEND": "photos.storages.PrivateFolder", "OPTIONS": {"location": folder}}
        settings.STORAGES = {**settings.STORAGES, "default": default}
        return folder

    return change
