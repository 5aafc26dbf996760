"""The three ways in which a picture reaches its reader, each as private as the others."""

import pytest
from django.core.files.storage import default_storage

from photos.delivery import deliver, deliver_preview, deliver_upload, delivered
from photos.models import Upload
from photos.pipeline import Box
from tests.photos.object_stores import options
from tests.photos.pictures import drawn_portrait, encoded

PRIVATE = {
    "Cache-Control": "private, no-store",
    "Content-Disposition": "inline",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@pytest.fixture
def portrait(person, storage):
    return Upload.objects.receive(person, encoded(drawn_portrait())).crop(Box(0, 0, 900, 0))


def test_by_the_portal(portrait):
    answer = deliver(portrait)
    with portrait.file.open() as file:
        assert (answer.status_code, answer.content) == (200, file.read())
    assert dict(answer.headers) == {**PRIVATE, "Content-Type": "image/jpeg"}


def test_by_the_proxy(portrait, settings):
    settings.PHOTO_DELIVERY, settings.PHOTO_ACCEL_PREFIX = "accel", "/inside/"
    answers = [deliver(portrait), deliver_upload(portrait.upload), deliver_preview(portrait.upload)]
    names = [portrait.file.name, portrait.upload.file.name, portrait.upload.preview.name]
    assert [(answer.status_code, answer.content, dict(answer.headers)) for answer in answers] == [
        (200, b"", {**PRIVATE, "Content-Type": "image/jpeg", "X-Accel-Redirect": f"/inside/{name}"}) for name in names
    ]
    default_storage.delete(portrait.file.name)
    gone = deliver(portrait)
    assert (gone.status_code, gone.content.decode()) == (404, "找不到这张照片的文件，请联系组委会。")
    assert (delivered(answers[0]), delivered(gone), "X-Accel-Redirect" in gone) == (True, False, False)


def test_by_the_store(portrait, settings):
    portrait.upload.preview.storage  # noqa: B018  (the rows were made in the folder; the store is asked nothing)
    settings.PHOTO_DELIVERY = "signed"
    settings.STORAGES = {**settings.STORAGES, "default": options("https://s3.example.cn")}
    answer = deliver(portrait)
    address, _, question = answer["Location"].partition("?")
    assert (answer.status_code, delivered(answer)) == (302, True)
    assert address == f"https://s3.example.cn/photos/{portrait.file.name}"
    said = dict(pair.split("=") for pair in question.split("&"))
    assert {name: said[name] for name in said if name.startswith("response") or name == "X-Amz-Expires"} == {
        "response-cache-control": "private%2C%20no-store",
        "response-content-disposition": "inline",
        "response-content-type": "image%2Fjpeg",
        "X-Amz-Expires": "60",
    }
    assert {name: answer[name] for name in PRIVATE} == PRIVATE


def test_what_the_crop_page_draws_on_never_comes_from_another_origin(portrait, settings):
    settings.PHOTO_DELIVERY = "signed"
    answer = deliver_preview(portrait.upload)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")


def test_no_file_is_served_from_a_path(portrait, client, person):
    client.force_login(person)
    name = portrait.file.name
    # Not below /static/: that is the folder of this test's storage, and of no portal's.
    paths = [portrait.file.url, f"/{name}", f"/media/{name}", f"/protected/{name}", f"/private/{name}"]
    assert [client.get(path).status_code for path in paths] == [404] * len(paths)
    assert client.get(f"/photos/portraits/{portrait.pk}/").status_code == 200
