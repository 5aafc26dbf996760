"""The object store against a real peer, rclone: what is kept, read, listed and removed, and what a refusal leaves."""

import os
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import time_machine
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.utils import timezone

from photos import object_store
from photos.delivery import SIGNED_SECONDS
from photos.findings import Doubt
from photos.models import Portrait, StorageUnavailable, Upload
from photos.object_store import ObjectStore
from photos.pipeline import Box
from tests.photos import object_stores
from tests.photos.object_stores import BUCKET, hanging, options, rclone
from tests.photos.pictures import encoded, opened, quarters
from tests.photos.test_models import UNAVAILABLE


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """The peer's address, and the folder in which it keeps the bucket."""
    folder = tmp_path_factory.mktemp("peer")
    with rclone(folder) as address:
        yield address, folder / BUCKET


@pytest.fixture
def use(settings):
    """`use(address, …)` makes a store there the default storage."""

    def choose(address, **other):
        settings.STORAGES = {**settings.STORAGES, "default": options(address, **other)}
        return default_storage

    return choose


@pytest.fixture
def store(peer, use):
    yield use(peer[0])
    for name in everything(peer[1]):
        default_storage.delete(name)


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def photo():
    return encoded(quarters())


# --- What is kept ---------------------------------------------------------------------------------------------------


def test_an_upload_and_its_portrait_are_kept_read_and_removed(peer, store, person, django_capture_on_commit_callbacks):
    upload = Upload.objects.receive(person, photo())
    portrait = upload.crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    kept = [upload.file.name, upload.preview.name, portrait.file.name]
    assert everything(peer[1]) == sorted(kept)
    with portrait.file.open() as file:
        assert opened(file.read()).size == (295, 413)
    with django_capture_on_commit_callbacks(execute=True):
        portrait.discard()
    assert everything(peer[1]) == sorted(kept[:2])


def test_what_a_storage_says_of_its_files(store):
    before = timezone.now() - timedelta(seconds=2)
    name = store.save("uploads/2026/a.jpg", ContentFile(b"four"))
    other = store.save("uploads/2026/a.jpg", ContentFile(b"another"))
    assert (name, other != name, store.exists(name), store.size(name)) == ("uploads/2026/a.jpg", True, True, 4)
    assert before <= store.get_modified_time(name) <= timezone.now() + timedelta(seconds=2)
    store.save("uploads/b.jpg", ContentFile(b""))
    assert store.listdir("uploads") == (["2026"], ["b.jpg"])
    assert sorted(file.name for file in store.walk("uploads")) == sorted([name, other, "uploads/b.jpg"])
    store.delete(name)
    store.delete(name)  # what is gone is gone
    assert (store.exists(name), list(store.walk("portraits"))) == (False, [])
    for ask in (store.open, store.size, store.get_modified_time):
        with pytest.raises(FileNotFoundError):
            ask(name)


def test_what_is_large_goes_and_comes_without_being_held(store, monkeypatch, tmp_path):
    monkeypatch.setattr(object_store, "IN_MEMORY", 10)
    (tmp_path / "large").write_bytes(b"0123456789" * 5)
    with (tmp_path / "large").open("rb") as file:
        name = store.save("exports/2026/large", File(file))
    with store.open(name) as opened:
        assert (opened.read(), isinstance(opened, ContentFile)) == (b"0123456789" * 5, False)
    store.delete(name)


def test_more_files_than_one_listing_has(store, monkeypatch):
    monkeypatch.setattr("photos.object_store.PAGE", 2)
    names = {store.save(f"previews/2026/{number}.jpg", ContentFile(b"x")) for number in range(5)}
    assert {file.name for file in store.walk("previews")} == names


# --- Private --------------------------------------------------------------------------------------------------------


def test_nothing_has_a_public_address(peer, store):
    name = store.save("portraits/2026/x.jpg", ContentFile(b"private"))
    assert store.url(name) == f"/{name}"  # of the portal, which does not answer there
    with pytest.raises(OSError, match="HTTP Error 40[03]"):
        urlopen(f"{peer[0]}/{BUCKET}/{name}")


def test_a_signed_address_is_for_one_file_and_a_minute(peer, store):
    name = store.save("portraits/2026/x.jpg", ContentFile(b"private"))
    address = store.signed_url(name, 60, ResponseContentType="image/jpeg")
    assert f"{peer[0]}/{BUCKET}/{name}?" in address and "X-Amz-Expires=60&" in address
    assert "only-for-tests" not in address
    with urlopen(address) as answer:
        assert answer.read() == b"private"
    with pytest.raises(OSError, match="HTTP Error 403"):
        urlopen(address.replace("x.jpg", "y.jpg"))


def test_a_signed_address_ends(peer, store):
    """The store's clock is the real one: the addresses are made earlier."""
    name = store.save("portraits/2026/x.jpg", ContentFile(b"private"))
    with time_machine.travel(datetime.now(UTC) - timedelta(seconds=SIGNED_SECONDS + 1), tick=True):
        ended, longer = store.signed_url(name, SIGNED_SECONDS), store.signed_url(name, 10 * SIGNED_SECONDS)
    with urlopen(longer) as answer:
        assert answer.read() == b"private"
    with pytest.raises(HTTPError, match="HTTP Error 40[03]") as refused:
        urlopen(ended)
    refused.value.close()


def test_what_is_asked_of_the_store_is_no_public_right(store, monkeypatch):
    asked = []
    store.client.meta.events.register("before-send.s3.PutObject", lambda request, **about: asked.append(request))
    store.save("portraits/2026/x.jpg", ContentFile(b"private"))
    headers = {name.lower(): value for name, value in asked[0].headers.items()}
    assert (headers["content-type"], [name for name in headers if "acl" in name or "grant" in name]) == (
        b"image/jpeg",
        [],
    )


def test_keys_come_from_the_settings_alone(peer, use, monkeypatch, tmp_path):
    """Neither what lies in the home directory nor what an environment for other programs says is looked at."""
    strange = tmp_path / "config"
    strange.write_text("[default]\nregion = nowhere\ns3 =\n  addressing_style = virtual\naws_access_key_id = other\n")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(strange))
    monkeypatch.setenv("AWS_PROFILE", "of-somebody-else")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "other")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    store = use(peer[0])
    assert store.open(store.save("uploads/own.jpg", ContentFile(b"ours"))).read() == b"ours"
    store.delete("uploads/own.jpg")
    credentials = store.client._request_signer._credentials
    assert (credentials.access_key, credentials.method) == ("portal", "explicit")
    assert store.client.meta.region_name == "us-east-1"


# --- Refused, away, slow --------------------------------------------------------------------------------------------


def half_done(peer):
    return Upload.objects.count(), Portrait.objects.count(), everything(peer[1])


def test_a_wrong_secret_is_a_sentence_and_a_line_in_the_log(peer, use, person, caplog):
    use(peer[0], secret_key="wrong")
    with pytest.raises(StorageUnavailable) as refused:
        Upload.objects.receive(person, photo())
    assert (str(refused.value), half_done(peer)) == (UNAVAILABLE, (0, 0, []))
    assert "The photo storage did not take a file of" in caplog.text
    assert "the object store refused: " in caplog.text
    assert [word for word in (object_stores.SECRET_KEY, "wrong") if word in caplog.text] == []


def test_a_bucket_that_is_not_there(peer, use, person, caplog):
    use(peer[0], bucket="nowhere")
    with pytest.raises(StorageUnavailable):
        Upload.objects.receive(person, photo())
    assert half_done(peer) == (0, 0, [])


def test_a_store_that_is_down(peer, use, person, caplog):
    use("http://127.0.0.1:1")
    with pytest.raises(StorageUnavailable) as refused:
        Upload.objects.receive(person, photo())
    assert (str(refused.value), half_done(peer)) == (UNAVAILABLE, (0, 0, []))
    assert "the object store is away: EndpointConnectionError" in caplog.text


def test_a_store_that_does_not_answer_is_not_waited_for_again_and_again(use, person, monkeypatch, caplog):
    monkeypatch.setattr("photos.object_store.READ_SECONDS", 0.2)
    monkeypatch.setattr("photos.models.PATIENCE", 0)
    with hanging() as address:
        use(address)
        asked = []
        default_storage.client.meta.events.register(
            "before-send.s3", lambda request, **about: asked.append(request.method)
        )
        with pytest.raises(StorageUnavailable) as refused:
            Upload.objects.receive(person, photo())
    assert (str(refused.value), Upload.objects.count()) == (UNAVAILABLE, 0)
    assert asked == ["HEAD", "DELETE"]  # each waits for the time limit once
    assert "the object store is away: ReadTimeoutError" in caplog.text


def test_how_long_a_person_waits_for_a_store_that_does_not_answer():
    client = ObjectStore(**options("http://127.0.0.1:1")["OPTIONS"]).client
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (3, 5, 1)


def test_a_connection_that_broke_is_tried_once_more(store, monkeypatch):
    from botocore.exceptions import ConnectionClosedError

    name = store.save("uploads/2026/x.jpg", ContentFile(b"kept"))
    breaks = [ConnectionClosedError(endpoint_url="http://store")]
    asked = []

    def once(request, **about):
        asked.append(request.method)
        if breaks:
            raise breaks.pop()

    store.client.meta.events.register("before-send.s3.GetObject", once)
    assert (store.open(name).read(), asked) == (b"kept", ["GET", "GET"])
    breaks += [ConnectionClosedError(endpoint_url="http://store")] * 2
    with pytest.raises(OSError, match="the object store is away: ConnectionClosedError"):
        store.open(name)
    assert os.environ.get("AWS_PROFILE") is None
