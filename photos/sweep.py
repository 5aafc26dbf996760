"""Compare the photo storage with the rows, both ways, a batch at a time: files that no row names, rows whose file is gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone

from photos.models import Portrait, Upload
from photos.storages import StoredFile

BATCH = 500
GRACE = timedelta(days=1)  # a file is stored before its row: one that is younger may be about to get it


@dataclass(frozen=True)
class Place:
    """A folder of the storage, and the rows that name its files."""

    label: str
    folder: str
    model: type[models.Model]
    field: str

    @property
    def replaceable(self) -> bool:
        """A preview is only a smaller copy: without it the page shows the working copy."""
        return self.field == "preview"

    @property
    def rows(self) -> models.QuerySet[Any]:
        return self.model._default_manager.exclude(**{self.field: ""})

    def files(self) -> Iterator[StoredFile]:
        storage: Any = default_storage  # a PrivateStorage
        yield from storage.walk(self.folder)

    def orphans(self) -> Iterator[tuple[int, list[str]]]:
        """Batch by batch: how many files, and the names of those that no row names and that are older than the grace.

        Raises OSError.
        """
        young = timezone.now() - GRACE
        for batch in batched(self.files(), BATCH):
            known = set(self._named([file.name for file in batch]).values_list(self.field, flat=True))
            yield len(batch), [file.name for file in batch if file.name not in known and file.modified < young]

    def _named(self, names: list[str]) -> models.QuerySet[Any]:
        return self.model._default_manager.filter(**{f"{self.field}__in": names})

    def check(self) -> Iterator[tuple[int, list[Any], list[Any]]]:
        """Batch by batch: how many rows, the primary keys of those whose file is gone, and of those who have it again.

        One question for each row: the names need not be held in memory, and a store's order need not be the database's.
        Raises OSError.
        """
        rows = self.rows.order_by("pk").values_list("pk", self.field, "lost_at")
        batch = list(rows[:BATCH])
        while batch:
            gone = [pk for pk, name, _ in batch if not default_storage.exists(name)]
            again = [pk for pk, _, lost_at in batch if lost_at and pk not in gone]
            # What was removed since it was listed has lost nothing.
            yield len(batch), list(self.rows.filter(pk__in=gone).values_list("pk", flat=True)), again
            batch = list(rows.filter(pk__gt=batch[-1][0])[:BATCH])

    def mark(self, keys: list[Any], lost_at: datetime | None) -> None:
        """Say in the rows themselves since when their file is known to be lost; None when it is there again."""
        if self.replaceable:
            Upload.objects.filter(pk__in=keys if lost_at else []).update(preview="")
        elif keys:
            self.rows.filter(pk__in=keys, lost_at__isnull=bool(lost_at)).mark(lost_at)  # type: ignore[attr-defined]


PLACES = (
    Place("照片原件", "uploads", Upload, "file"),
    Place("预览图", "previews", Upload, "preview"),
    Place("证件照", "portraits", Portrait, "file"),
)
