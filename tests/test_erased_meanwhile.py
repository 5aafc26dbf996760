"""注销账户 in one window while a request of the same person is under way in another: nothing is made for a tombstone."""

from collections import Counter
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from accounts import erasure
from accounts.middleware import NoticeConsentMiddleware
from accounts.models import Consent, User
from photos import bounded
from photos.findings import Doubt
from photos.models import Upload
from plans.models import Plan
from profiles.models import Profile
from registrations import intake
from tests import scenes
from tests.registrations.test_personal_data import files, related
from tests.registrations.threads import at_once, waited_for
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

LOGIN = "/accounts/login/?next=%2Fplans%2F"
DETAILS = {"version": 0, "employer": "北京精工机械有限公司"}
# Where the other window is faster: signed in and let in by everybody, but the view has not begun; or deep inside.
AT_THE_DOOR = (NoticeConsentMiddleware, "process_view")


def picture() -> SimpleUploadedFile:
    return SimpleUploadedFile("a.jpg", scenes.jpeg(), "image/jpeg")


def draft_of(user: User) -> str:
    return f"/registrations/{intake.start(user, Plan.objects.get()).reference}"


def crop_of(user: User) -> str:
    return f"crop/{Upload.objects.receive(user, scenes.jpeg()).pk}/"


FRAME = {"left": 0, "top": 0, "width": 590, "confirmed": ",".join(Doubt)}
TYPED = {"page": "/profile/", "typed": "employer=%E5%8C%97%E4%BA%AC"}
# Everything that an applicant can bring into being: what is sent where, and when the account goes.
MADE: dict[str, tuple[Callable[[User], str], dict[str, Any], tuple[Any, str]]] = {
    "a profile": (lambda user: "/profile/", DETAILS, AT_THE_DOOR),
    "a working copy": (lambda user: "/profile/photo/", {"photo": picture}, AT_THE_DOOR),
    "a working copy, decoded": (lambda user: "/profile/photo/", {"photo": picture}, (bounded, "read")),
    "a working copy for a registration": (
        lambda user: f"{draft_of(user)}/photo/", {"photo": picture}, (bounded, "read"),
    ),
    "a portrait": (lambda user: f"/profile/photo/{crop_of(user)}", FRAME, (bounded, "crop")),
    "a portrait for a registration": (
        lambda user: f"{draft_of(user)}/photo/{crop_of(user)}", FRAME, (bounded, "crop"),
    ),
    "a profile for a portrait": (lambda user: f"/profile/photo/{crop_of(user)}", FRAME, (Profile, "set_portrait")),
    "a draft": (lambda user: f"/registrations/start/{Plan.objects.get().code}/", {}, AT_THE_DOOR),
    "a profile from a registration": (lambda user: f"{draft_of(user)}/edit/", DETAILS, (intake, "save")),
    "an occupation": (lambda user: f"{draft_of(user)}/occupation/", {"version": 0}, (intake, "save")),
    "a choice of channels": (lambda user: "/messages/channels/", {}, AT_THE_DOOR),
    "a consent": (lambda user: "/accounts/consent/", {"consented": "on"}, AT_THE_DOOR),
}  # fmt: skip


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[User, tuple[Any, str]], None]:
    """`meanwhile(user, (owner, name))`: before owner.name() is called for the first time, the account is erased."""

    def lay(user: User, moment: tuple[Any, str]) -> None:
        owner, name = moment
        real, waiting = getattr(owner, name), [user.pk]

        def late(*arguments: Any, **options: Any) -> Any:
            if waiting:
                erasure.erase(User.objects.get(pk=waiting.pop()), "system")
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, late)

    return lay


def left_of(user: User) -> Counter[str]:
    """The rows that point to the account, by model."""
    return Counter({
        label: number
        for label, fields in related().items()
        if (number := sum(each.model._base_manager.filter(**{each.name: user.pk}).count() for each in fields))
    })  # fmt: skip


def sent(client: Client, address: str, form: dict[str, Any]) -> Any:
    return client.post(address, {name: value() if callable(value) else value for name, value in form.items()})


def assert_over(client: Client, user: User, answer: Any) -> None:
    """As for a session that has ended: to the login, signed out; no row, no file."""
    assert (answer.status_code, answer.headers.get("Location")) == (302, LOGIN)
    assert "_auth_user_id" not in client.session
    assert (left_of(user), files()) == ({"accounts.Consent": 1}, [])
    assert not User.objects.get(pk=user.pk).is_active


@pytest.mark.parametrize("what", MADE)
def test_nothing_is_made_for_who_has_gone(what: str, sign_in: Any, meanwhile: Any, monkeypatch: Any) -> None:
    place, form, moment = MADE[what]
    user = scenes.person()
    scenes.occupation(scenes.open_plan())
    client, address = sign_in(user), place(user)
    if what == "an occupation":
        form = {**form, "occupation": Plan.objects.get().occupations.get().pk}
    if what == "a consent":
        monkeypatch.setattr("accounts.rights.Consent.is_given_by", lambda user: False)
    meanwhile(user, moment)
    assert_over(client, user, sent(client, address, form))


def test_an_identity_is_not_confirmed_for_who_has_gone(sign_in: Any, meanwhile: Any) -> None:
    user = scenes.account()
    client = sign_in(user)
    meanwhile(user, AT_THE_DOOR)
    document = {"document_type": "passport", "document_number": "E00000009"}
    form = {"legal_name": "王晓明", **document, "agreed": "on", "consented": "on"}
    assert sent(client, "/accounts/identity/", form).headers["Location"] == LOGIN
    assert (left_of(user), Consent.objects.count()) == ({}, 0)


def test_what_was_typed_is_not_kept_for_who_has_gone(sign_in: Any, meanwhile: Any) -> None:
    user = scenes.person()
    client = sign_in(user)
    meanwhile(user, AT_THE_DOOR)
    assert sent(client, "/accounts/session/keep/", TYPED).json() == {"kept": False}
    assert left_of(user) == {"accounts.Consent": 1}


@pytest.mark.parametrize("what", ["a profile", "a working copy", "a draft", "a choice of channels"])
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_who_comes_while_it_is_being_erased_waits_and_finds_nobody(what: str, sign_in: Any, monkeypatch: Any) -> None:
    place, form, _ = MADE[what]
    user = scenes.person()
    scenes.occupation(scenes.open_plan())
    client, address, nearly = sign_in(user), place(user), Event()
    record = erasure.record

    def last(*arguments: Any, **options: Any) -> None:
        nearly.set()
        until(waited_for, 20)
        record(*arguments, **options)

    def send() -> Any:
        # Signed in and let in before the other one commits: what the session says is still so.
        assert nearly.wait(20)
        return sent(client, address, form)

    monkeypatch.setattr(erasure, "record", last)
    _, answer = at_once(lambda: erasure.erase(User.objects.get(pk=user.pk), "system"), send)
    assert_over(client, user, answer)
