"""Uploads and portraits: rows and files come and stay together, and a portrait is never changed."""

import hashlib
from uuid import uuid4

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from photos.findings import Doubt
from photos.models import Portrait, PortraitUnchangeable, StorageUnavailable, Upload
from photos.pipeline import Box, PhotoRefused
from photos.spec import PhotoSpec
from tests import scenes
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


@pytest.mark.django_db(transaction=True)
def test_a_commit_whose_answer_is_lost_loses_no_file(monkeypatch):
    """The person sends the photo again, under its number, and finds it."""
    person, number = scenes.person(), uuid4()
    commit = connection.commit

    def without_answer():
        commit()
        raise OperationalError("the connection broke")

    with monkeypatch.context() as broken, pytest.raises(OperationalError):
        broken.setattr(connection, "commit", without_answer)
        Upload.objects.receive(person, encoded(quarters()), number=number)
    assert opened(Upload.objects.arrived(person, number).read()).size == quarters().size


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
    with pytest.raises(PhotoRefused) as refused:
        upload.crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    assert str(refused.value) == "这张照片的原件已经找不到了，不能再裁切。请重新上传照片。"


def test_a_portrait_is_never_changed(person, storage):
    portrait = Upload.objects.receive(person, encoded(quarters())).crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    portrait.sha256 = "0" * 64
    changes = [
        portrait.save,
        lambda: Portrait.objects.get().save(update_fields=["sha256"]),
        lambda: Portrait.objects.update(sha256="0" * 64),
        lambda: Portrait._base_manager.update(upload=None, sha256="0" * 64),
        lambda: Portrait.objects.filter(pk=portrait.pk).bulk_update([portrait], ["sha256"]),
        lambda: Portrait.objects.bulk_create(
            [portrait], update_conflicts=True, unique_fields=["id"], update_fields=["sha256"]
        ),
        lambda: Portrait.objects.bulk_create([portrait], None, False, True, ["sha256"], ["id"]),
        lambda: person.portraits.update(sha256="0" * 64),
        lambda: Portrait.objects.update_or_create(pk=portrait.pk, defaults={"sha256": "0" * 64}),
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


@pytest.mark.parametrize("change", ["sha256 = 'x'", "spec = '{}'", "file = 'y'", "upload_id = id"])
def test_postgresql_itself_refuses_to_change_a_portrait(person, storage, change):
    if connection.vendor != "postgresql":
        pytest.skip("the trigger is PostgreSQL's")
    Upload.objects.receive(person, encoded(quarters())).crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    with pytest.raises(DatabaseError, match="a portrait is never changed"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE photos_portrait SET {change}")


def test_one_file_is_one_rows(person, storage):
    portrait = Upload.objects.receive(person, encoded(quarters())).crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    upload = portrait.upload
    doubles = [
        lambda: Upload.objects.create(owner=person, file=upload.file, width=1, height=1),
        lambda: Upload.objects.create(owner=person, file="x", preview=upload.preview, width=1, height=1),
        lambda: Portrait.objects.bulk_create([Portrait(owner=person, file=portrait.file, width=1, height=1)]),
    ]
    for create in doubles:
        with pytest.raises(IntegrityError), transaction.atomic():
            create()
    Upload.objects.create(owner=person, file="a", width=1, height=1)
    Upload.objects.create(owner=person, file="b", width=1, height=1)  # without a preview, as many as there are
