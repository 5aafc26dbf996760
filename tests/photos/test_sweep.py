"""sweep_photos: files without a row go, rows without a file are named and marked, and both are counted."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import AuditEntry
from photos import sweep
from photos.management.commands import sweep_photos
from photos.models import Portrait, Upload
from photos.pipeline import Box
from photos.sweep import GRACE
from tests.photos.pictures import drawn_portrait, encoded

SECOND = timedelta(seconds=1)
CLEAN = [
    "照片原件：1 个文件，其中没有记录的 0 个，已删除 0 个",
    "预览图：1 个文件，其中没有记录的 0 个，已删除 0 个",
    "证件照：1 个文件，其中没有记录的 0 个，已删除 0 个",
    "照片原件：1 条记录，其中文件丢失的 0 条",
    "预览图：1 条记录，其中文件丢失的 0 条",
    "证件照：1 条记录，其中文件丢失的 0 条",
]
LOST = "有 {} 条记录的文件丢失，请从备份恢复这些文件；没有备份的，请当事人重新上传照片。"


@pytest.fixture
def portrait(person, storage):
    return Upload.objects.receive(person, encoded(drawn_portrait())).crop(Box(0, 0, 900, 0))


def run(*arguments, at=None):
    """What the command says, line by line, and the sentence with which it fails."""
    said, failure = io.StringIO(), ""
    with time_machine.travel(at or timezone.now() + 2 * GRACE, tick=False):
        try:
            call_command("sweep_photos", *arguments, stdout=said)
        except CommandError as problem:
            failure = str(problem)
    return said.getvalue().splitlines(), failure


def stored(*names):
    return [default_storage.save(name, ContentFile(b"...")) for name in names]


def test_where_all_is_well_nothing_happens(portrait):
    assert run() == (CLEAN, "")
    assert AuditEntry.objects.get(verb="data.purged").detail == "files 0, lost 0"


def test_files_that_no_row_names_go(portrait):
    orphans = stored("uploads/2026/a.jpg", "uploads/2025/b.jpg", "previews/c.jpg.0.part", "portraits/2026/d.jpg")
    elsewhere = stored("attachments/2026/rules.pdf")
    rehearsed = run("--dry-run")
    assert rehearsed == (
        [
            "照片原件：3 个文件，其中没有记录的 2 个，将删除",
            "预览图：2 个文件，其中没有记录的 1 个，将删除",
            "证件照：2 个文件，其中没有记录的 1 个，将删除",
            *CLEAN[3:],
            "没有改动。",
        ],
        "",
    )
    assert [default_storage.exists(name) for name in orphans] == [True] * 4
    assert AuditEntry.objects.filter(verb="data.purged").count() == 0
    assert run() == (
        [
            "照片原件：3 个文件，其中没有记录的 2 个，已删除 2 个",
            "预览图：2 个文件，其中没有记录的 1 个，已删除 1 个",
            "证件照：2 个文件，其中没有记录的 1 个，已删除 1 个",
            *CLEAN[3:],
        ],
        "",
    )
    assert [default_storage.exists(name) for name in orphans + elsewhere] == [False] * 4 + [True]
    assert AuditEntry.objects.get(verb="data.purged").detail == "files 4, lost 0"


def test_a_file_that_is_about_to_get_its_row_stays(db, storage):
    (name,) = stored("uploads/2026/new.jpg")
    since = default_storage.get_modified_time(name)
    run(at=since + GRACE)
    assert default_storage.exists(name)
    run(at=since + GRACE + SECOND)
    assert not default_storage.exists(name)


def test_rows_whose_file_is_gone_are_named_and_marked_until_it_is_there_again(portrait):
    with portrait.file.open() as file:
        data = file.read()
    default_storage.delete(portrait.file.name)
    expected = (
        [
            *CLEAN[:2],
            "证件照：0 个文件，其中没有记录的 0 个，已删除 0 个",
            *CLEAN[3:5],
            f"  文件丢失：证件照 {portrait.pk}",
            "证件照：1 条记录，其中文件丢失的 1 条",
        ],
        LOST.format(1),
    )
    said, failure = run("--dry-run")
    assert (failure, Portrait.objects.get().lost_at) == (LOST.format(1), None)
    assert run() == expected
    lost_at = Portrait.objects.get().lost_at
    assert run(at=lost_at + GRACE) == expected
    assert Portrait.objects.get().lost_at == lost_at  # since when it is known
    default_storage.save(portrait.file.name, ContentFile(data))
    assert (run(), Portrait.objects.get().lost_at) == ((CLEAN, ""), None)


def test_a_lost_working_copy_is_marked_and_a_lost_preview_is_replaced(portrait):
    upload = portrait.upload
    default_storage.delete(upload.preview.name)
    said, failure = run()
    assert (said[-2], failure) == ("预览图：1 条记录，其中文件丢失的 1 条，改为显示原件", "")
    assert (Upload.objects.get().preview.name, Upload.objects.get().lost_at) == ("", None)
    default_storage.delete(upload.file.name)
    at = timezone.now() + 3 * GRACE
    assert run(at=at)[1] == LOST.format(1)
    assert Upload.objects.get().lost_at == at


def test_a_disk_that_is_not_mounted_is_no_loss(portrait):
    """Marked as lost, they would be missing in the next backup as well, which would call itself whole."""
    place = Path(default_storage.location)
    away = place.rename(place.with_name(f"{place.name}-away"))
    said, failure = run()
    assert failure == (
        "照片存储里一个文件也没有，记录里却有照片：多半是目录没有挂上，或桶写错了。没有做标记。"
        "请核对 DATA_DIR（用对象存储的，核对 S3_BUCKET），再执行一次；文件确实都没有了的，先从备份恢复。"
    )
    assert said == [
        f"{label}：0 个文件，其中没有记录的 0 个，已删除 0 个" for label in ("照片原件", "预览图", "证件照")
    ]
    assert (Upload.objects.get().lost_at, Upload.objects.get().preview.name != "") == (None, True)
    assert Portrait.objects.get().lost_at is None
    away.rename(place)
    assert run() == (CLEAN, "")


def test_many_are_compared_batch_by_batch_and_told_of(person, storage, monkeypatch):
    monkeypatch.setattr(sweep, "BATCH", 2)
    monkeypatch.setattr(sweep_photos, "NAMED", 1)
    uploads = [Upload.objects.receive(person, encoded(drawn_portrait())) for _ in range(3)]
    stored(*(f"uploads/2026/{number}.jpg" for number in range(2)))
    for upload in uploads[:2]:
        default_storage.delete(upload.file.name)
    said, failure = run()
    named = [line for line in said if line.startswith("  ")]
    assert named in [[f"  文件丢失：照片原件 {upload.pk}"] for upload in uploads[:2]]
    assert [line for line in said if line not in named] == [
        "照片原件：3 个文件，其中没有记录的 2 个，已删除 2 个",
        "预览图：3 个文件，其中没有记录的 0 个，已删除 0 个",
        "证件照：0 个文件，其中没有记录的 0 个，已删除 0 个",
        "照片原件：3 条记录，其中文件丢失的 2 条",
        "预览图：3 条记录，其中文件丢失的 0 条",
        "证件照：0 条记录，其中文件丢失的 0 条",
    ]
    assert (failure, Upload.objects.exclude(lost_at=None).count()) == (LOST.format(2), 2)


def test_what_cannot_be_removed_is_told_and_tried_again(portrait, monkeypatch):
    (name,) = stored("uploads/2026/a.jpg")

    def refuse(name):
        raise OSError("read only")

    with monkeypatch.context() as broken:
        broken.setattr("photos.storages.PrivateFolder.delete", lambda storage, name: refuse(name))
        said, failure = run()
    assert said[0] == "照片原件：2 个文件，其中没有记录的 1 个，已删除 0 个"
    assert failure == "有 1 个文件没能删除，原因见日志，再执行一次会接着做。"
    assert run()[1] == "" and not default_storage.exists(name)


def test_a_storage_that_cannot_be_read_is_a_sentence(portrait, monkeypatch, caplog):
    def away(storage, folder):
        raise OSError("the object store is away")
        yield

    monkeypatch.setattr("photos.storages.PrivateFolder.walk", away)
    assert run() == ([], "照片存储读不了，没有核对完，原因见日志。请恢复后再执行一次，会接着做。")
    assert "The photo storage could not be read to its end." in caplog.text
    assert AuditEntry.objects.get(verb="data.purged").detail == "files 0, lost 0, interrupted"


def test_what_was_removed_while_we_looked_is_not_lost(portrait, monkeypatch):
    def removed(storage, name):
        Portrait.objects.all().delete()
        return False

    monkeypatch.setattr("photos.storages.PrivateFolder.exists", removed)
    (place,) = [each for each in sweep.PLACES if each.model is Portrait]
    assert list(place.check()) == [(1, [], [])]
