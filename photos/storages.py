"""Where private files are kept: a folder of this machine; photos/object_store.py is the same for an object store.

Whichever it is, a file is there whole or not at all, problems are OSError, and none has a public address.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible

PART = ".part"  # how the name of a file ends that is still being written; the sweep finds what stayed


@dataclass(frozen=True)
class StoredFile:
    """What a storage says about a file without opening it; `modified` is aware."""

    name: str
    modified: datetime


class PrivateStorage(Protocol):
    """What the photos ask of a storage beyond what Django does."""

    def walk(self, folder: str) -> Iterator[StoredFile]:
        """Every file below a folder, however many there are: no list of them is made. Raises OSError."""
        ...


@deconstructible(path="photos.storages.PrivateFolder")
class PrivateFolder(FileSystemStorage):
    """A local folder. A full disk, a kill or a power cut leaves no torso under a name that somebody may read."""

    def __init__(self, location: Any) -> None:
        # Group-readable for a proxy that delivers (PHOTO_DELIVERY=accel), and nobody else's.
        super().__init__(location, base_url=None, file_permissions_mode=0o640, directory_permissions_mode=0o750)

    def _save(self, name: str, content: Any) -> str:
        """Write under another name, make sure that it is on the disk, take the name, and put the file there in one step."""
        part = f"{name}.{uuid4().hex}{PART}"
        taken = ""
        try:
            super()._save(part, content)  # type: ignore[misc]  # what Django asks its storages to have
            synchronise(self.path(part))
            # A name that somebody took meanwhile becomes another one.
            taken = super()._save(name, ContentFile(b""))  # type: ignore[misc]
            os.replace(self.path(part), self.path(taken))
            synchronise(os.path.dirname(self.path(taken)))
        except BaseException:
            for left in filter(None, (part, taken)):
                with suppress(OSError):
                    self.delete(left)
            raise
        return taken

    def walk(self, folder: str) -> Iterator[StoredFile]:
        with suppress(FileNotFoundError), os.scandir(self.path(folder)) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    yield from self.walk(name)
                    continue
                with suppress(FileNotFoundError):  # gone since it was listed
                    yield StoredFile(name, datetime.fromtimestamp(entry.stat().st_mtime, UTC))


def synchronise(path: str) -> None:
    """On the disk, not only on its way there: a row that is committed must not outlive its file."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
