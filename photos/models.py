"""What is kept of a photo: the private working copy and the portraits cropped from it, each with its file."""

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import astuple
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.models import User
from photos import allowance, bounded, pipeline
from photos.findings import Finding, PhotoDoubtful
from photos.pipeline import DEFAULT_SPEC, Box, PhotoRefused
from photos.spec import PhotoSpec

logger = logging.getLogger(__name__)

LOST = "这张照片的原件已经找不到了，不能再裁切。请重新上传照片。"


class StorageUnavailable(Exception):
    """The photo storage is full, away or refuses. `str()` is the sentence for the person at the screen."""

    def __init__(self) -> None:
        super().__init__("照片暂时无法保存，您填写的内容没有受影响。请过几分钟再试；如果仍然不行，请联系组委会。")


class PhotoClosed(Exception):
    """A subject's photo may no longer be changed. `str()` is the sentence for the person at the screen."""


def _keep[Row: models.Model](owner_id: int, pieces: Mapping[str, bytes], create: Callable[..., Row]) -> Row:
    """Store each piece in its folder under a random name, then `create(*names)` the row; when anything fails, nothing remains.

    Files before their row, so that no row is ever without one (docs/adr/0013). What the file was called on the
    person's own machine is not kept. Raises StorageUnavailable, AccountEnded, or whatever `create` raises.

    A connection that breaks over the commit leaves unknown whether there is a row: then the files stay, and one that
    no row names is the sweep's.
    """
    names: list[str] = []
    created = False
    try:
        for folder, data in pieces.items():
            names.append(f"{folder}/{timezone.localdate():%Y}/{uuid4()}.jpg")
            names[-1] = _store(names[-1], data)
        with transaction.atomic():
            User.objects.hold(owner_id)
            row = create(*names)
            created = True
        return row
    except BaseException as problem:
        if not created or isinstance(problem, IntegrityError):
            remove_files(names)  # the last one as well: an answer that was lost may have been a yes
        raise


def _store(name: str, data: bytes) -> str:
    try:
        return default_storage.save(name, ContentFile(data))
    except Exception as problem:
        logger.exception("The photo storage did not take a file of %d bytes.", len(data))
        raise StorageUnavailable from problem


PATIENCE = 4  # seconds


def remove_files(names: Iterable[str]) -> int:
    """How many are gone. A storage that keeps somebody waiting is not asked again; `manage.py sweep_photos` does it."""
    until, gone = monotonic() + PATIENCE, 0
    for name in names:
        removed = remove_file(name)
        gone += removed
        if not removed and monotonic() > until:
            logger.error("The photo storage is too slow; files that no row names stay for the sweep.")
            break
    return gone


def remove_file(name: str) -> bool:
    """Whether the file is gone. One that cannot be deleted is in the log; `manage.py sweep_photos` tries again."""
    try:
        default_storage.delete(name)
    except Exception:
        logger.exception("The file %s could not be removed from the photo storage.", name)
        return False
    return True


class FileRows(models.QuerySet[Any]):
    """Rows that have a file each."""

    def mark(self, lost_at: datetime | None) -> int:
        """Since when the file is known to be lost (aware), or None. The picture itself does not change by it."""
        return models.QuerySet.update(self, lost_at=lost_at)


class UploadQuerySet(FileRows):
    def owned_by(self, user: Any) -> "UploadQuerySet":
        return self.filter(owner=user)

    def arrived(self, owner: Any, number: UUID | None) -> "Upload | None":
        """What was kept under the number that its sender gave it, when the answer to that was lost on its way."""
        return self.owned_by(owner).filter(pk=number).first() if number else None

    def receive(self, owner: Any, data: bytes, spec: PhotoSpec = DEFAULT_SPEC, number: UUID | None = None) -> "Upload":
        """Make and keep the working copy of an uploaded file, under the number that its sender gave it, if any.

        Raises PhotoRefused when the file cannot become a portrait, StorageUnavailable when it cannot be kept,
        DayIsUp when the person has sent enough for a day.
        """
        allowance.check(self.owned_by(owner), len(data))
        copy = bounded.read(data, spec)
        facts: dict[str, Any] = {"width": copy.width, "height": copy.height, "received_bytes": len(data)}
        facts["face"] = list(astuple(copy.face)) if copy.face else None
        # Another person's number is no secret and no matter of ours: it becomes another one.
        facts["pk"] = uuid4() if number is None or self.filter(pk=number).exists() else number
        try:
            return _keep(
                owner.pk,
                {"uploads": copy.data, "previews": copy.preview},
                lambda file, preview: self.create(owner=owner, file=file, preview=preview, **facts),
            )
        except IntegrityError:
            # The same was sent twice, and the other one was faster.
            if (first := self.arrived(owner, number)) is None:
                raise
            return first


class Upload(models.Model):
    """The upright working copy of an uploaded photo: private, about 2,000 pixels a side at most, without metadata."""

    id = models.UUIDField("编号", primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="所有人", on_delete=models.PROTECT, related_name="uploads"
    )
    file = models.FileField("文件", max_length=200, editable=False)
    width = models.PositiveIntegerField("宽（像素）", editable=False)
    height = models.PositiveIntegerField("高（像素）", editable=False)
    preview = models.FileField("预览图", max_length=200, default="", editable=False)  # "" before there were previews
    received_bytes = models.PositiveIntegerField("收到的字节数", default=0, editable=False)
    face = models.JSONField("人脸的位置", null=True, editable=False)  # [left, top, width, height], pixels of the copy
    created_at = models.DateTimeField("上传时间", default=timezone.now, editable=False)
    lost_at = models.DateTimeField("发现文件丢失的时间", null=True, editable=False)  # manage.py sweep_photos

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "照片原件"
        ordering = ("-created_at",)
        constraints = [
            # One file is one row's: the sweep and a removal go by the name. They are found by it, too.
            models.UniqueConstraint(fields=["file"], name="photos_one_upload_for_each_file"),
            models.UniqueConstraint(
                fields=["preview"], condition=~models.Q(preview=""), name="photos_one_upload_for_each_preview"
            ),
        ]

    def __str__(self) -> str:
        return f"照片原件 {self.width}×{self.height}"

    def crop(
        self, box: Box, spec: PhotoSpec = DEFAULT_SPEC, turns: int = 0, confirmed: Collection[str] = ()
    ) -> "Portrait":
        """Cut a portrait out of the working copy, turned by quarter turns clockwise, and keep it.

        `confirmed` are the codes of findings that the person has read and stands by.
        Raises PhotoRefused when the frame does not fit, PhotoDoubtful for warnings that are not confirmed,
        StorageUnavailable when the storage cannot be read or written.
        """
        box = pipeline.fit_box(box, *pipeline.turned_size(self.width, self.height, turns), spec)
        cropped = bounded.crop(self.read(), box, spec, turns)
        if doubts := [finding for finding in cropped.findings if finding.blocking or finding.code not in confirmed]:
            raise PhotoDoubtful(doubts)
        return _keep(
            self.owner_id,
            {"portraits": cropped.data},
            lambda name: Portrait.objects.create(
                owner_id=self.owner_id,
                upload=self,
                file=name,
                sha256=hashlib.sha256(cropped.data).hexdigest(),
                spec=spec.as_dict(),
                turns=turns,
                measured={**cropped.measured, "bytes": len(cropped.data)},
                findings=[finding.as_dict() for finding in cropped.findings],
                width=spec.width,
                height=spec.height,
                box_left=box.left,
                box_top=box.top,
                box_width=box.width,
                box_height=box.height,
            ),
        )

    def refuse_if_lost(self) -> None:
        """Raises PhotoRefused where the file is known to be lost; nobody looks for it."""
        if self.lost_at:
            raise PhotoRefused(LOST)

    def read(self) -> bytes:
        """The bytes of the working copy. Raises PhotoRefused when they are lost, StorageUnavailable."""
        try:
            with self.file.open("rb") as file:
                return file.read()
        except FileNotFoundError as problem:
            logger.error("The working copy of upload %s is missing from the photo storage.", self.pk)
            raise PhotoRefused(LOST) from problem
        except Exception as problem:
            logger.exception("The working copy of upload %s could not be read.", self.pk)
            raise StorageUnavailable from problem


class PortraitUnchangeable(TypeError):
    """A portrait is never changed: what was submitted, reviewed and approved must stay the same picture."""


class PortraitQuerySet(FileRows):
    def update(self, **values: Any) -> int:
        if values != {"upload": None}:  # what on_delete does when the working copy goes
            raise PortraitUnchangeable("A portrait cannot be changed; crop a new one.")
        return super().update(**values)

    def bulk_update(self, *arguments: Any, **options: Any) -> int:
        raise PortraitUnchangeable("Portraits cannot be changed; crop new ones.")

    def bulk_create(self, objs: Any, *arguments: Any, **options: Any) -> Any:
        if options.get("update_conflicts") or len(arguments) > 2 and arguments[2]:
            raise PortraitUnchangeable("Portraits cannot be changed; crop new ones.")
        return super().bulk_create(objs, *arguments, **options)


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
    turns = models.PositiveSmallIntegerField("向右转了几个直角", default=0, editable=False)
    spec = models.JSONField("照片要求", default=dict, editable=False)  # PhotoSpec.as_dict()
    measured = models.JSONField("测量结果", default=dict, editable=False)  # {name: number}, photos/quality.py
    findings = models.JSONField("提示", default=list, editable=False)  # what the person was told and confirmed
    created_at = models.DateTimeField("裁切时间", default=timezone.now, editable=False)
    lost_at = models.DateTimeField("发现文件丢失的时间", null=True, editable=False)  # manage.py sweep_photos

    objects = PortraitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "证件照"
        ordering = ("-created_at",)
        base_manager_name = "objects"  # its guards hold for what Django itself does with rows, too
        constraints = [models.UniqueConstraint(fields=["file"], name="photos_one_portrait_for_each_file")]

    def __str__(self) -> str:
        return f"证件照 {self.width}×{self.height}"

    def save(self, *arguments: Any, **options: Any) -> None:
        if not self._state.adding:
            raise PortraitUnchangeable("A portrait cannot be changed; crop a new one.")
        super().save(*arguments, **options)

    @property
    def box(self) -> Box:
        return Box(self.box_left, self.box_top, self.box_width, self.box_height)

    @property
    def made_for(self) -> PhotoSpec:
        """The spec that it was made for; portraits of the first days were all made for the default."""
        return PhotoSpec.from_dict(self.spec)

    @property
    def doubts(self) -> list[Finding]:
        return [Finding.from_dict(found) for found in self.findings]

    def discard(self) -> None:
        """Remove the row, then its file: for a portrait that nothing came to use."""
        name = str(self.file.name)
        self.delete()
        transaction.on_commit(partial(remove_file, name))
