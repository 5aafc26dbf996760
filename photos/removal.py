"""Remove pictures that nothing uses, rows first, files after the commit; and files that no row names."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import models, transaction
from django.db.models import Exists, OuterRef

from accounts.retention import Part, Rows
from photos.models import Portrait, Upload, remove_file, remove_files
from photos.sweep import PLACES, Place

logger = logging.getLogger(__name__)

FILES = {Upload: ("file", "preview"), Portrait: ("file",)}


def unused(portraits: models.QuerySet[Portrait]) -> models.QuerySet[Portrait]:
    """Those to which nothing points, whichever rooms above have photos: asked of the models, not named here."""
    for relation in Portrait._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel):
            users = relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
            portraits = portraits.exclude(Exists(users))
    return portraits


def remove(pictures: models.QuerySet[Any]) -> int:
    """Remove these rows, and after the commit their files. A file that stays is found again by OrphanFiles."""
    found = list(pictures.values_list("pk", *FILES[pictures.model]))
    removed = pictures.model._base_manager.filter(pk__in=[pk for pk, *_ in found]).delete()
    names = [name for _, *names in found for name in names if name]
    transaction.on_commit(partial(remove_files, names), robust=True)
    return removed[1].get(pictures.model._meta.label, 0)


def remove_if_unused(portraits: Iterable[Any]) -> None:
    """After what used them is gone: these portraits (primary keys), where nothing else uses them, and what they were cut from."""
    gone = unused(Portrait.objects.filter(pk__in=list(portraits)))
    uploads = list(gone.exclude(upload=None).values_list("upload_id", flat=True))
    remove(gone)
    remove(Upload.objects.filter(pk__in=uploads, portraits=None))


@dataclass(frozen=True)
class OrphanFiles:
    """Files in the photo storage that no row names: what could not be deleted, or was stored as the machine fell."""

    kind: str = "uploads"
    label: str = "没有记录的照片文件"
    last: bool = True
    places: tuple[Place, ...] = PLACES

    def names(self) -> Iterator[str]:
        for place in self.places:
            for _, names in place.orphans():
                yield from names

    def count(self, before: datetime) -> int:
        return sum(1 for _ in self.names())

    def purge(self, before: datetime) -> Iterator[int]:
        for name in self.names():
            yield int(remove_file(name))


PARTS: tuple[Part, ...] = (
    Rows(
        "uploads",
        "没有用到的证件照",
        lambda before: unused(Portrait.objects.filter(created_at__lt=before)),
        remove,
    ),
    Rows(
        "uploads",
        "没有用到的照片原件",
        lambda before: Upload.objects.filter(created_at__lt=before, portraits=None),
        remove,
    ),
    OrphanFiles(),
)
