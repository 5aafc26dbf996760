"""The portraits of a seeded database: a dozen drawn ones, cropped as every upload is, and a row for each person."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from photos import bounded
from photos.models import Portrait
from photos.pipeline import suggest_box
from photos.spec import PhotoSpec
from registrations.demonstration.portraits import MEN, WOMEN, Look, draw


@dataclass(frozen=True)
class Sample:
    """A cropped picture, and what its rows say of it."""

    data: bytes
    facts: dict[str, Any]
    sha256: str

    def row(self, owner_id: int, name: str, at: datetime, lost_at: datetime | None) -> Portrait:
        """`at` and `lost_at` are aware; None where the file is there."""
        facts = {**self.facts, "created_at": at, "lost_at": lost_at}
        return Portrait(pk=uuid4(), owner_id=owner_id, file=name, sha256=self.sha256, **facts)


@cache
def samples(spec: PhotoSpec) -> list[Sample]:
    """Women's at odd places, as the people's numbers are (registrations/seeding/people.py)."""
    return [sample(look, spec) for pair in zip(MEN, WOMEN, strict=True) for look in pair]


def sample(look: Look, spec: PhotoSpec) -> Sample:
    copy = bounded.read(draw(look), spec)
    box = suggest_box(copy.width, copy.height, spec)
    cropped = bounded.crop(copy.data, box, spec, 0)
    facts = {
        "width": spec.width,
        "height": spec.height,
        "box_left": box.left,
        "box_top": box.top,
        "box_width": box.width,
        "box_height": box.height,
        "spec": spec.as_dict(),
        "measured": {**cropped.measured, "bytes": len(cropped.data)},
        "findings": [finding.as_dict() for finding in cropped.findings],
    }
    return Sample(cropped.data, facts, hashlib.sha256(cropped.data).hexdigest())


def file_name() -> str:
    return f"portraits/{timezone.localdate():%Y}/{uuid4()}.jpg"


def keep(sample: Sample) -> str:
    """The name of a file of its own in the photo storage."""
    return default_storage.save(file_name(), ContentFile(sample.data))
