"""What is kept of a photo: the private working copy and the portraits cropped from it, each with its file."""

import hashlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.utils import timezone

from photos import pipeline
from photos.pipeline import DEFAULT_SPEC, Box, PhotoSpec

logger = logging.getLogger(__name__)


class StorageUnavailable(Exception):
    """The photo storage is full, away or refuses. `str()` is the sentence for the person at the screen."""

    def __init__(self) -> None:
        super().__init__("照片暂时无法保存，您填写的内容没有受影响。请过几分钟再试；如果仍然不行，请联系组委会。")


class PhotoClosed(Exception):
    """A subject's photo may no longer be changed. `str()` is the sentence for the person at the screen."""


def _keep[Row: models.Model](folder: str, data: bytes, create: Callable[[str], Row]) -> Row:
    """Store the file under a random name, then `create(name)` the row; when either fails, neither remains.

    What the file was called on the person's own machine is not kept.
    Raises StorageUnavailable, or whatever `create` raises.
    """
    name = f"{folder}/{timezone.localdate():%Y}/{uuid4()}.jpg"
    try:
        stored = default_storage.save(name, ContentFile(data))
    except Exception as problem:
        logger.exception("The photo storage did not take a file of %d bytes.", len(data))
        remove_file(name)  # a disk that fills leaves a torso
        raise StorageUnavailable from problem
    try:
        with transaction.atomic():
            return create(stored)
    except BaseException:
        remove_file(stored)
        raise


def remove_file(name: str) -> bool:
    """Whether the file is gone. One that cannot be deleted is in the log; `manage.py purge_expired` tries again."""
    try:
        default_storage.delete(name)
    except Exception:
        logger.exception("The file %s could not be removed from the photo storage.", name)
        return False
    return True


class UploadQuerySet(models.QuerySet["Upload"]):
    def owned_by(self, user: Any) -> "UploadQuerySet":
        return self.filter(owner=user)

    def receive(self, owner: Any, data: bytes, spec: PhotoSpec = DEFAULT_SPEC) -> "Upload":
        """Make and keep the working copy of an uploaded file.

        Raises PhotoRefused when the file cannot become a portrait, StorageUnavailable when it cannot be kept.
        """
        copy = pipeline.read(data, spec)
        return _keep(
            "uploads",
            copy.data,
            lambda name: self.create(owner=owner, file=name, width=copy.width, height=copy.height),
        )


class Upload(models.Model):
    """The upright working copy of an uploaded photo: private, at most 2,000 pixels a side, without metadata."""

    id = models.UUIDField("编号", primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="所有人", on_delete=models.PROTECT, related_name="uploads"
    )
    file = models.FileField("文件", max_length=200, editable=False)
    width = models.PositiveIntegerField("宽（像素）", editable=False)
    height = models.PositiveIntegerField("高（像素）", editable=False)
    created_at = models.DateTimeField("上传时间", default=timezone.now, editable=False)

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "照片原件"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"照片原件 {self.width}×{self.height}"

    def crop(self, box: Box, spec: PhotoSpec = DEFAULT_SPEC) -> "Portrait":
        """Cut a portrait out of the working copy and keep it.

        Raises PhotoRefused when the frame does not fit, StorageUnavailable when the storage cannot be read or written.
        """
        box = pipeline.fit_box(box, self.width, self.height, spec)
        data = pipeline.crop(self.read(), box, spec)
        return _keep(
            "portraits",
            data,
            lambda name: Portrait.objects.create(
                owner_id=self.owner_id,
                upload=self,
                file=name,
                sha256=hashlib.sha256(data).hexdigest(),
                width=spec.width,
                height=spec.height,
                box_left=box.left,
                box_top=box.top,
                box_width=box.width,
                box_height=box.height,
            ),
        )

    def read(self) -> bytes:
        """The bytes of the working copy, or StorageUnavailable."""
        try:
            with self.file.open("rb") as file:
                return file.read()
        except Exception as problem:
            logger.exception("The working copy of upload %s could not be read.", self.pk)
            raise StorageUnavailable from problem


class PortraitUnchangeable(TypeError):
    """A portrait is never changed: what was submitted, reviewed and approved must stay the same picture."""


class PortraitQuerySet(models.QuerySet["Portrait"]):
    def update(self, **values: Any) -> int:
        raise PortraitUnchangeable("A portrait cannot be changed; crop a new one.")

    def bulk_update(self, *arguments: Any, **options: Any) -> int:
        raise PortraitUnchangeable("Portraits cannot be changed; crop new ones.")


class Portrait(models.Model):
    """One cropped portrait, immutable: the file, its SHA-256, and the frame in the working copy it was cut from."""

    id = models.UUIDField("编号", primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="所有人", on_delete=models.PROTECT, related_name="portraits"
    )
    upload = models.ForeignKey(
        Upload, verbose_name="照片原件", on_delete=models.SET_NULL, null=True, related_name="portraits"
    )
    file = models.FileField("文件", max_length=200, editable=False)
    sha256 = models.CharField("SHA-256", max_length=64, editable=False)
    width = models.PositiveIntegerField("宽（像素）", editable=False)
    height = models.PositiveIntegerField("高（像素）", editable=False)
    box_left = models.PositiveIntegerField("裁切框左", editable=False)
    box_top = models.PositiveIntegerField("裁切框上", editable=False)
    box_width = models.PositiveIntegerField("裁切框宽", editable=False)
    box_height = models.PositiveIntegerField("裁切框高", editable=False)
    created_at = models.DateTimeField("裁切时间", default=timezone.now, editable=False)

    objects = PortraitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "证件照"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"证件照 {self.width}×{self.height}"

    def save(self, *arguments: Any, **options: Any) -> None:
        if not self._state.adding:
            raise PortraitUnchangeable("A portrait cannot be changed; crop a new one.")
        super().save(*arguments, **options)

    @property
    def box(self) -> Box:
        return Box(self.box_left, self.box_top, self.box_width, self.box_height)

    def discard(self) -> None:
        """Remove the row, then its file: for a portrait that nothing came to use."""
        name = str(self.file.name)
        self.delete()
        transaction.on_commit(partial(remove_file, name))
