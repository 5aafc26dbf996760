"""Files of an export that wait to be fetched: in the private storage, for a day, for the one who asked."""

import logging
from datetime import timedelta
from typing import IO, Any
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, models, transaction
from django.db.models import UniqueConstraint
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from accounts.retention import Rows, remove_rows
from photos.models import remove_file
from photos.removal import OrphanFiles
from photos.sweep import Place
from registrations.jobs import Job

logger = logging.getLogger(__name__)

FOLDER = "exports"
LASTS = timedelta(hours=24)


class Role(models.TextChoices):
    RESULT = "result", "导出的文件"
    OWN_SHEET = "own", "上传的表格"


class CarriedFile(models.Model):
    """A file of a job: what comes out of it, or the sheet that it fills. The row goes, then the file."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="files")
    role = models.CharField(max_length=10, choices=Role, default=Role.RESULT)
    file = models.FileField(max_length=200)
    name = models.CharField("文件名", max_length=120)  # under which it is downloaded
    size = models.PositiveBigIntegerField("字节数", default=0)
    created_at = models.DateTimeField("生成时间", default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = "导出的文件"
        constraints = [
            UniqueConstraint(fields=["job", "role"], name="one_file_of_a_role_per_job"),
            UniqueConstraint(fields=["file"], name="one_row_for_each_carried_file"),
        ]
        indexes = [models.Index(fields=["created_at"], name="carried_files_by_age")]

    def __str__(self) -> str:
        return f"{self.job_id}:{self.role}"

    @property
    def expires_at(self) -> Any:
        return self.created_at + LASTS

    @property
    def is_there(self) -> bool:
        return timezone.now() < self.expires_at


def keep(job: Job, role: Role, name: str, content: IO[bytes], also: Any = None) -> bool:
    """Store it under a random name, then its row and what `also()` writes, in one transaction; else nothing remains.

    False where the job has such a file already: another worker was faster. Raises what the storage raises.
    """
    content.seek(0)
    stored = File(content)
    size, path = stored.size, f"{FOLDER}/{timezone.localdate():%Y}/{uuid4()}"
    try:
        path = default_storage.save(path, stored)
        with transaction.atomic():
            CarriedFile.objects.create(job=job, role=role, file=path, name=name, size=size)
            if also:
                also()
    except IntegrityError:
        remove_file(path)
        if not CarriedFile.objects.filter(job=job, role=role).exists():
            raise
        return False
    except BaseException:
        remove_file(path)  # also when the storage's answer was lost: it may have been a yes
        raise
    return True


@receiver(post_delete, sender=CarriedFile, dispatch_uid="registrations.carried.forget")
def forget(instance: CarriedFile, **about: Any) -> None:
    """Whatever removed the row, be it with its job or its plan. A file that stays is found by the purge."""
    name = str(instance.file.name)
    transaction.on_commit(lambda: remove_file(name), robust=True)


def expired() -> models.QuerySet[CarriedFile]:
    return CarriedFile.objects.filter(created_at__lte=timezone.now() - LASTS)


def current() -> models.QuerySet[CarriedFile]:
    """What may still be fetched."""
    return CarriedFile.objects.filter(created_at__gt=timezone.now() - LASTS)


def drop_expired() -> int:
    """Remove what nobody may fetch any more; the number of files."""
    return remove_rows(expired())


PARTS = (
    # Its day is no setting: the page promises it, and a job's results are kept for longer.
    Rows("jobs", "满 24 小时的导出文件", lambda before: expired(), remove_rows),
    OrphanFiles("jobs", "没有记录的导出文件", places=(Place("导出的文件", FOLDER, CarriedFile, "file"),)),
)
