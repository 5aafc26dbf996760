"""Uploads and portraits: rows and files come and stay together, and a portrait is never changed."""

import hashlib

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError

from photos.findings import Doubt
from photos.models import Portrait, PortraitUnchangeable, StorageUnavailable, Upload
from photos.pipeline import Box, PhotoRefused
from photos.spec import PhotoSpec
from tests.photos.pictures import encoded, opened, quarters, seen

UNAVAILABLE = "照片暂时无法保存，您填写的内容没有受影响。请过几分钟再试；如果仍然不行，请联系组委会。"


def test_an_upload_is_kept_as_its_working_copy_under_a_random_name(person, files):
    upload = Upload.objects.receive(person, encoded(quarters(3000, 4000)))
    stored = Upload.objects.get()
    assert (stored, stored.owner, stored.width, stored.height, files()) == (
        upload,
        person,
        1500,
        2000,
        {"uploads": 1, "portraits": 0},
    )
    assert opened(stored.read()).size == (1500, 2000)
    assert [len(part) for part in stored.file.name.split("/")] == [len("uploads"), 4, 36 + len(".jpg")]


def test_a_portrait_knows_its_frame_its_upload_and_its_bytes(person, files):
    upload = Upload.objects.receive(person, encoded(quarters(1000, 1400)))
    portrait = upload.crop(Box(0, 0, 500, 0), PhotoSpec(), confirmed=list(Doubt))
    stored = Portrait.objects.get()
    with default_storage.open(stored.file.name) as file:
        data = file.read()
    assert (stored, stored.owner, stored.upload, stored.box, stored.width, stored.height, stored.sha256) == (
        portrait,
        person,
        upload,
        Box(0, 0, 500, 700),
        295,
        413,
        hashlib.sha256(data).hexdigest(),
    )
    assert (seen(data), files()) == (["red"] * 4, {"uploads": 1, "portraits": 1})


def test_a_refused_photo_or_frame_leaves_nothing(person, files):
    with pytest.raises(PhotoRefused):
        Upload.objects.receive(person, b"%PDF-1.7")
    assert (Upload.objects.count(), files()) == (0, {"uploads": 0, "portraits": 0})
    upload = Upload.objects.receive(person, encoded(quarters()))
    with pytest.raises(PhotoRefused):
        upload.crop(Box(0, 0, 5000, 0))
    assert (Portrait.objects.count(), files()) == (0, {"uploads": 1, "portraits": 0})


def test_a_row_that_fails_takes_its_file_along(person, files, monkeypatch):
    def fail(*arguments, **options):
        raise DatabaseError("the database is away")

    monkeypatch.setattr(Upload, "save", fail)
    with pytest.raises(DatabaseError):
        Upload.objects.receive(person, encoded(quarters()))
    assert (Upload.objects.count(), files()) == (0, {"uploads": 0, "portraits": 0})


def test_a_storage_that_fills_leaves_no_torso(person, files, monkeypatch):
    save = FileSystemStorage._save

    def torn(storage, name, content):
        content.truncate(100)
        save(storage, name, content)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", torn)
    with pytest.raises(StorageUnavailable) as refused:
        Upload.objects.receive(person, encoded(quarters()))
    assert (str(refused.value), Upload.objects.count(), files()) == (UNAVAILABLE, 0, {"uploads": 0, "portraits": 0})


def test_a_working_copy_that_is_gone_is_a_sentence(person, files):
    upload = Upload.objects.receive(person, encoded(quarters()))
    default_storage.delete(upload.file.name)
    with pytest.raises(StorageUnavailable) as refused:
        upload.crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    assert str(refused.value) == UNAVAILABLE


def test_a_portrait_is_never_changed(person, storage):
    portrait = Upload.objects.receive(person, encoded(quarters())).crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    portrait.sha256 = "0" * 64
    changes = [
        portrait.save,
        lambda: Portrait.objects.get().save(update_fields=["sha256"]),
        lambda: Portrait.objects.update(sha256="0" * 64),
        lambda: Portrait.objects.filter(pk=portrait.pk).bulk_update([portrait], ["sha256"]),
    ]
    for change in changes:
        with pytest.raises(PortraitUnchangeable):
            change()
    assert Portrait.objects.get().sha256 != "0" * 64


def test_a_portrait_outlives_its_upload(person, storage):
    upload = Upload.objects.receive(person, encoded(quarters()))
    portrait = upload.crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    upload.delete()
    assert Portrait.objects.get(pk=portrait.pk).upload is None


def test_a_discarded_portrait_takes_its_file_along(person, files, django_capture_on_commit_callbacks):
    portrait = Upload.objects.receive(person, encoded(quarters())).crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    with django_capture_on_commit_callbacks(execute=True):
        portrait.discard()
    assert (Portrait.objects.count(), files()) == (0, {"uploads": 1, "portraits": 0})
