"""Wherever the storage goes wrong: a sentence, no row without its whole file, and after the sweep no file without a row."""

import hashlib
import html
import io
from datetime import timedelta

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import erasure
from photos.models import Portrait, Upload
from profiles.models import Profile
from tests import scenes
from tests.photos import faults
from tests.photos.faults import KINDS, Killed, Plan
from tests.photos.pictures import encoded, opened, quarters
from tests.photos.test_models import UNAVAILABLE

PAGE = "/profile/photo/"
LATER = timedelta(days=2)
READABLE = ["存放文件的地方读不了，没有做完，原因见日志。请恢复后再执行一次，会接着做。"]
READABLE += ["照片存储读不了，没有核对完，原因见日志。请恢复后再执行一次，会接着做。"]


@pytest.fixture(autouse=True)
def faulty(settings, tmp_path):
    folder = {"BACKEND": "tests.photos.faults.FaultyFolder", "OPTIONS": {"location": tmp_path / "faulty"}}
    settings.STORAGES = {**settings.STORAGES, "default": folder}
    faults.PLAN = Plan()
    yield
    faults.PLAN = Plan()


@pytest.fixture
def at_every_question(django_capture_on_commit_callbacks):
    """`at_every_question(kind, prepare, act)` prepares and acts with the first question going wrong, then with the
    second, until none does any more; gives what came of it each time, "killed" for a process that was."""

    def walk(kind, prepare, act):
        came, number = [], 0
        while True:
            number += 1
            faults.PLAN = Plan()
            prepared = prepare()
            faults.PLAN = plan = Plan(kind, number)
            try:
                with django_capture_on_commit_callbacks(execute=True):
                    came.append(act(prepared))
            except Killed:
                came.append("killed")
            faults.PLAN = Plan()
            no_row_without_its_file()
            sweep()
            no_file_without_its_row()
            if not plan.came_true:
                return came

    return walk


def no_row_without_its_file():
    for portrait in Portrait.objects.all():
        with portrait.file.open() as file:
            assert hashlib.sha256(file.read()).hexdigest() == portrait.sha256
    for upload in Upload.objects.all():
        with upload.preview.open() as file:
            assert opened(upload.read()).size == (upload.width, upload.height) and opened(file.read())
    for profile in Profile.objects.exclude(portrait=None):
        assert Portrait.objects.filter(pk=profile.portrait_id).exists()


def sweep():
    with time_machine.travel(timezone.now() + LATER, tick=False):
        call_command("sweep_photos", stdout=io.StringIO())


def no_file_without_its_row():
    rows = [*Portrait.objects.values_list("file", flat=True), *Upload.objects.values_list("file", flat=True)]
    rows += Upload.objects.values_list("preview", flat=True)
    stored = [file.name for folder in ("uploads", "previews", "portraits") for file in default_storage.walk(folder)]
    assert sorted(stored) == sorted(rows)


def seen(answer):
    """The address to which the page leads on, or the sentence of the refusal."""
    text = html.unescape(answer.content.decode())
    refusal = UNAVAILABLE if UNAVAILABLE in text else text
    return (answer.status_code, answer.get("Location", "").split("/crop/")[0] or refusal)


def posted():
    return {"photo": SimpleUploadedFile("me.jpg", encoded(quarters()), "image/jpeg")}


def outcomes(came, good, refusal=(503, UNAVAILABLE)):
    """The last time nothing went wrong; before, each was refused, or killed, or not touched by what went wrong."""
    assert (came[-1], set(came) - {good, refusal, "killed"}) == (good, set())
    assert len(came) > 1
    return came


FRAME = {"left": "0", "top": "0", "width": "400"}


@pytest.mark.parametrize("kind", KINDS)
def test_uploading(applicant, sign_in, at_every_question, kind):
    client = sign_in(applicant)
    came = at_every_question(kind, lambda: None, lambda _: seen(client.post(PAGE, posted())))
    outcomes(came, (302, "/profile/photo"))
    # Two files, each asked for and stored; each time that something went wrong, nothing was kept.
    assert (len(came), Upload.objects.count()) == (5, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", [False, True], ids=["the first portrait", "another portrait"])
def test_cropping(applicant, sign_in, at_every_question, kind, before):
    client = sign_in(applicant)
    if before:
        Profile.of(applicant).set_portrait(scenes.portrait_of(applicant))
    used = []

    def crop(upload):
        answer = seen(client.post(f"{PAGE}crop/{upload.pk}/", FRAME))
        used.append(Profile.of(applicant).portrait_id)
        return answer

    upload = Upload.objects.receive(applicant, encoded(quarters()))
    first = Profile.of(applicant).portrait_id
    came = outcomes(at_every_question(kind, lambda: upload, crop), (302, "/profile/"))
    # Opened, asked for, stored: a portrait that could not be kept leaves the former one in use.
    assert (len(came), set(used[:-1]) <= {first}, Portrait.objects.count()) == (4, True, 1 + before)


@pytest.mark.parametrize("kind", KINDS)
def test_discarding(applicant, at_every_question, kind):
    came = at_every_question(kind, lambda: scenes.portrait_of(applicant), lambda portrait: portrait.discard())
    outcomes(came, None)
    assert Portrait.objects.count() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_erasing_a_person(db, at_every_question, kind):
    def prepare():
        person = scenes.person(f"王{timezone.now().microsecond}")
        Profile.of(person).set_portrait(scenes.portrait_of(person))
        scenes.portrait_of(person, "#dddddd")
        return person

    def act(person):
        removed = erasure.erase(person, "command:erase_person")
        return removed["证件照"], removed["照片原件"]

    outcomes(at_every_question(kind, prepare, act), (2, 2))
    assert (Portrait.objects.count(), Upload.objects.count()) == (0, 0)


def command(name):
    try:
        with time_machine.travel(timezone.now() + timedelta(days=40), tick=False):
            call_command(name, stdout=io.StringIO())
    except CommandError as failure:
        return str(failure)
    return "done"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["purge_expired", "sweep_photos"])
def test_clearing_up(applicant, at_every_question, kind, name):
    Profile.of(applicant).set_portrait(scenes.portrait_of(applicant))

    def prepare():
        command("purge_expired")  # what was left the last time
        scenes.portrait_of(applicant, "#dddddd")
        default_storage.save("uploads/orphan.jpg", io.BytesIO(b"..."))

    came = at_every_question(kind, prepare, lambda _: command(name))
    left = {"还有没能删除的：没有记录的照片文件。原因见日志；再执行一次会接着做。"}
    left |= {f"有 {number} 个文件没能删除，原因见日志，再执行一次会接着做。" for number in (1, 2)}
    assert (came[-1], set(came) - {"done", "killed", *left, *READABLE}, len(came) > 5) == ("done", set(), True)
