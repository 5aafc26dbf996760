"""People with badges, and a storage of their own."""

import pytest
from django.core.files.storage import default_storage

from tests import scenes
from tests.photos.subjects import BADGES, Badge


@pytest.fixture
def storage(settings, tmp_path):
    """The default storage, in a folder that this test alone writes to."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "photos.storages.PrivateFolder",
            "OPTIONS": {"location": tmp_path},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return default_storage


@pytest.fixture
def files(storage, tmp_path):
    """Call it to see how many files each folder of the storage holds."""

    def count() -> dict[str, int]:
        return {
            folder: sum(1 for file in (tmp_path / folder).rglob("*") if file.is_file())
            for folder in ("uploads", "portraits")
        }

    return count


@pytest.fixture
def person(db):
    return scenes.person("王晓明")


@pytest.fixture
def stranger(db):
    return scenes.person("李芳")


@pytest.fixture
def badge(person, stranger, storage):
    BADGES.update(mine=Badge("mine", person), theirs=Badge("theirs", stranger))
    yield BADGES["mine"]
    BADGES.clear()
