"""One person in two windows at the same instant: both hold the account first, so that neither waits for the other."""

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from django.db import connection

from photos.findings import Doubt
from photos.models import Upload
from profiles.models import Profile, profile_changed
from registrations import intake
from tests import scenes
from tests.pages import form_of
from tests.registrations.test_races import deadlocks
from tests.registrations.threads import at_once, waited_for
from tests.waiting import until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]


def text_of(window: Any, upload: Upload) -> tuple[str, dict[str, Any]]:
    return "/profile/", {**form_of(window.get("/profile/")), "employer": "北京精工机械有限公司"}


def photo_of(window: Any, upload: Upload) -> tuple[str, dict[str, Any]]:
    return f"/profile/photo/crop/{upload.pk}/", {"left": 0, "top": 0, "width": 590, "confirmed": ",".join(Doubt)}


# The text finds that the other window has filled the profile, and says so.
WRITES = [(text_of, 200, "在另一个窗口里刚刚保存过"), (photo_of, 302, "")]


@pytest.mark.parametrize(("write", "status", "sentence"), WRITES)
def test_a_registration_in_one_window_and_the_profile_in_the_other(
    write: Callable[..., Any], status: int, sentence: str, sign_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registration's row is written and the profile's is not yet when the other window comes with its profile."""
    person = scenes.person()
    Profile.of(person).save_details(0, {"employer": "首钢集团"})
    draft = intake.start(person, scenes.open_plan())
    one, other = sign_in(person), sign_in(person)
    one.raise_request_exception = other.raise_request_exception = False
    upload = Upload.objects.receive(person, scenes.jpeg())
    address = f"/registrations/{draft.reference}/edit/"
    typed, (place, form) = {**form_of(one.get(address)), "address": "北京市朝阳区幸福路 1 号"}, write(other, upload)
    written, crossed = Event(), Event()
    fill_profile, send = intake.fill_profile, profile_changed.send

    def fill(*arguments: Any) -> None:
        written.set()
        until(lambda: crossed.is_set() or waited_for(), 20)
        fill_profile(*arguments)

    def tell(*arguments: Any, **options: Any) -> Any:
        crossed.set()
        return send(*arguments, **options)

    def second() -> Any:
        assert written.wait(20)
        return other.post(place, form)

    monkeypatch.setattr(intake, "fill_profile", fill)
    monkeypatch.setattr(profile_changed, "send", tell)
    before = deadlocks()
    answers = at_once(lambda: one.post(address, typed), second)
    assert [answer.status_code for answer in answers] == [302, status]
    assert sentence in answers[1].content.decode()
    assert deadlocks() == before
    profile = Profile.objects.get(user=person)
    assert (profile.address, scenes.fresh(draft).address) == ("北京市朝阳区幸福路 1 号",) * 2
