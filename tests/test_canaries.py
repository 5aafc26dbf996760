"""Planted numbers walk the whole way through the portal; afterwards every place where something stays is searched."""

import base64
import io
import logging
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.views.debug import get_exception_reporter_class
from PIL import Image
from prometheus_client import generate_latest

from accounts import sessions
from accounts.identity import Sex
from accounts.metrics import REGISTRY
from accounts.models import AuditEntry, Identity
from accounts.session_store import SessionStore
from competition_portal import state_metrics
from registrations import deliveries
from registrations.messages import Channel
from registrations.models import Registration
from registrations.notifications import SETTLED_AFTER
from tests import scenes
from tests.accounts.provider import running_provider
from tests.accounts.test_redaction import forms_of
from tests.log_watch import LogWatch, planted_in
from tests.people import passport_number, resident_number
from tests.photos.pictures import drawn_portrait
from tests.registrations.reading import filled_in

VOUCHED = resident_number(401, sex=Sex.MALE)  # the platform says it
TYPED = resident_number(402, sex=Sex.FEMALE, region="440305")  # a person types it
PASSPORT = passport_number(77_401_833)
MISTYPED = TYPED[:17] + ("1" if TYPED[17] != "1" else "2")
GPS = "39.904211N-CANARY"
IDENTITY, DESK = "/accounts/identity/", "/admin/registrations/registration/"
BOXES = {"agreed": "on", "consented": "on"}


def encodings(text: str) -> set[str]:
    """The part of its base64 that does not depend on what stands before and after it, at each of three positions."""
    return {base64.b64encode(b"\0" * shift + text.encode()).decode()[4 if shift else 0 : -4] for shift in range(3)}


CANARIES = {
    GPS,
    *(form for number in (VOUCHED, TYPED, MISTYPED) for form in forms_of(number) | encodings(number)),
    *(PASSPORT, PASSPORT.lower(), *encodings(PASSPORT)),
}


def canaries_in(text: str) -> set[str]:
    return {canary for canary in CANARIES if canary in text} | planted_in(text)


class Places:
    """What was written where, by the name of the place."""

    def __init__(self) -> None:
        self.texts: dict[str, dict[str, None]] = defaultdict(dict)  # each text once, in the order of their coming

    def note(self, place: str, *things: object) -> None:
        self.texts[place].update(dict.fromkeys(map(str, things)))

    def note_files(self, place: str, folder: Path) -> None:
        for path in folder.rglob("*"):
            self.note(place, path.relative_to(folder))
            if path.is_file():
                self.note(place, path.read_bytes().decode("latin-1"))

    def note_database(self) -> None:
        """Every column of every table as the database has it, and what the sessions hold, decoded."""
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                columns = [column[0] for column in cursor.description]
                self.note("database", table, *columns)
                for row in cursor.fetchall():
                    self.note("database", f"a row of {table}", *map(readable, row))
                    if "session_data" in columns:
                        self.note("sessions", SessionStore().decode(row[columns.index("session_data")]))

    def found(self) -> dict[str, set[str]]:
        return {place: found for place, texts in self.texts.items() if (found := canaries_in("\n".join(texts)))}


def readable(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, (bytes, memoryview)) else str(value)


class Visitor:
    """A browser after each of whose requests the database is looked at."""

    def __init__(self, places: Places, client: Client) -> None:
        self.places, self.client = places, client
        client.raise_request_exception = False

    def ask(self, method: str, address: str, data: Any = None) -> Any:
        answer = self.client.generic(method, address) if data is None else self.client.post(address, data)
        self.places.note("addresses", address, answer.headers.get("Location", ""), answer.headers.get("Refresh", ""))
        self.places.note("headers and cookies", dict(answer.headers), self.client.cookies)
        self.places.note_database()
        return answer

    def get(self, address: str) -> Any:
        return self.ask("GET", address)

    def post(self, address: str, data: Any) -> Any:
        return self.ask("POST", address, data)


# --- Listening -------------------------------------------------------------------------------------------------


@contextmanager
def application_log(places: Places) -> Iterator[None]:
    """What the portal's own handlers write at the most talkative level, through their filters."""
    out, loggers = io.StringIO(), [logging.getLogger(name) for name in ("", "django", "django.server")]
    handlers = {handler for logger in loggers for handler in logger.handlers if type(handler) is logging.StreamHandler}
    streams, levels = {each: each.setStream(out) for each in handlers}, {each: each.level for each in loggers}
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger in loggers:
            logger.setLevel(levels[logger])
        for handler, stream in streams.items():
            handler.setStream(stream)
        places.note("application log", out.getvalue())


@contextmanager
def statements(places: Places) -> Iterator[None]:
    """All that is sent to the database: with log_statement = all and parameters, what its own log would say."""

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        places.note("statements", sql, params)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        yield


@contextmanager
def server_log(places: Places) -> Iterator[None]:
    """PostgreSQL's own log lines, which it says to the client as well when asked; SQLite has none."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        for setting in ("log_statement = 'all'", "log_parameter_max_length = -1", "client_min_messages = 'log'"):
            cursor.execute(f"SET LOCAL {setting}")

    def listen(diagnosis: Any) -> None:
        parts = (diagnosis.message_primary, diagnosis.message_detail, diagnosis.message_hint, diagnosis.context)
        places.note("server log", diagnosis.severity, *parts)

    server = connection.connection
    server.add_notice_handler(listen)
    try:
        yield
    finally:
        server.remove_notice_handler(listen)


@contextmanager
def error_reports(places: Places) -> Iterator[None]:
    def listen(sender: Any, request: Any = None, **values: Any) -> None:
        reporter = get_exception_reporter_class(request)(request, *sys.exc_info())
        places.note("error reports", reporter.get_traceback_text(), reporter.get_traceback_html())

    got_request_exception.connect(listen)
    try:
        yield
    finally:
        got_request_exception.disconnect(listen)


@pytest.fixture
def places(db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Places:
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1024  # so that a photo goes by way of a temporary file
    return Places()


# --- The journey -----------------------------------------------------------------------------------------------


def photo() -> SimpleUploadedFile:
    """A photo that says where it was taken, and of whom."""
    exif = Image.Exif()
    exif[0x010E], exif[0x013B] = VOUCHED, TYPED
    exif.get_ifd(0x8825)[1] = GPS
    out = io.BytesIO()
    drawn_portrait().save(out, "JPEG", exif=exif, comment=PASSPORT.encode())
    assert out.getvalue().count(GPS.encode()) == 1
    return SimpleUploadedFile(f"{TYPED}.jpg", out.getvalue(), "image/jpeg")


def come_from_the_platform(visitor: Visitor, settings: Any) -> None:
    """Sign in at a platform that vouches for name and document; confirm what it says."""
    with running_provider() as provider:
        for name, value in provider.settings().items():
            setattr(settings, name, value)
        provider.claims = {
            "name": "韩梅",
            "id_type": "resident_id",
            "id_number": VOUCHED,
            "phone_number": "13812342671",
        }
        left = visitor.get("/accounts/login/?next=/profile/")
        state = provider.authorise(left.headers["Location"])
        back = visitor.get(f"/accounts/callback/?code=a-code&state={state}")
        assert back.headers["Location"] == "/accounts/welcome/?next=%2Fprofile%2F"
    shown = visitor.get(IDENTITY).content.decode()
    assert (VOUCHED in shown, "1101**********" in shown) == (False, True)
    visitor.post(IDENTITY, BOXES)
    assert Identity.objects.get(legal_name="韩梅").confirmed_at


def confirm_by_hand(visitor: Visitor) -> None:
    """Mistype it, send it spaced and in full width, take another's, and get it right."""
    right = {"legal_name": "李雷", "document_type": "resident_id", "document_number": TYPED} | BOXES
    spaced = f"{TYPED[:6]} {TYPED[6:14]} {TYPED[14:]}".lower()
    for wrong in (
        {"document_number": MISTYPED},
        {"document_number": VOUCHED},  # another account's
        {"document_number": spaced, "agreed": ""},
        {"document_number": TYPED.translate({ord("0") + n: 0xFF10 + n for n in range(10)}), "legal_name": "<李>"},
        {"document_type": "passport"},
        {"document_type": "", "document_number": f"{TYPED}\0"},
    ):
        assert visitor.post(IDENTITY, right | wrong).status_code == 200
    assert visitor.post(f"{IDENTITY}?next=/profile/", right).headers["Location"] == "/profile/"


def type_until_the_session_ends(visitor: Visitor, user: Any) -> None:
    """What was typed is kept when the session is over, and stands in the form again after the next login."""
    session = visitor.client.session
    session[sessions.SEEN] -= 3600
    session.save()
    typed = {"legal_name": "李雷", "document_type": "resident_id", "document_number": TYPED} | BOXES
    over = visitor.post(IDENTITY, typed).headers["Location"]
    assert over == "/accounts/session/over/?next=%2Faccounts%2Fidentity%2F"
    visitor.get(over)
    visitor.client.force_login(user)
    assert f'value="{TYPED}"' in visitor.get(IDENTITY).content.decode()
    kept = {"page": IDENTITY, "typed": f"document_number={MISTYPED}&legal_name=x"}
    assert visitor.post("/accounts/session/keep/", kept).json() == {"kept": True}


def take_along(visitor: Visitor, number: str) -> None:
    """Everything that is held, number included, to the person and to nowhere else."""
    assert number not in visitor.get("/accounts/my-data/").content.decode()
    taken = visitor.post("/accounts/my-data/download/", {})
    assert number in b"".join(taken.streaming_content).decode()


def fill_in_and_submit(visitor: Visitor, registration_plan: Any, occupation: Any) -> Registration:
    """The profile with its photo, the registration with its own, a form that is wrong, and the submission."""
    visitor.get("/profile/")
    visitor.post("/profile/", {**scenes.COMPLETE, "version": 1, "birth_date": "", "then": "photo"})
    visitor.get(f"/registrations/start/{registration_plan.code}/")
    start = visitor.post(f"/registrations/start/{registration_plan.code}/", {})
    place = start.headers["Location"].removesuffix("edit/")
    draft = Registration.objects.get(reference=place.strip("/").split("/")[-1])
    visitor.post(f"{place}edit/", filled_in(draft, phone="12", occupation=occupation.pk))
    sent = visitor.post(f"{place}edit/", filled_in(draft, occupation=occupation.pk, then="photo"))
    assert sent.status_code == 302
    uploaded = visitor.post(f"{place}photo/", {"photo": photo()})
    visitor.get(uploaded.headers["Location"])
    visitor.post(uploaded.headers["Location"], {"left": 0, "top": 0, "width": 500})
    visitor.get(f"{place}check/")
    visitor.post(f"{place}submit/", {"version": scenes.fresh(draft).version})
    assert scenes.fresh(draft).status == "submitted"
    return scenes.fresh(draft)


def decide(desk: Visitor, registration: Registration) -> None:
    """See it on the desk, show its number in full, and send it back."""
    page = f"{DESK}{registration.pk}/"
    queue = desk.get(DESK).headers["Location"]
    desk.get(queue)
    found = desk.post(queue, {"looked_for": registration.document_number.lower()}).content.decode()
    assert (registration.reference in found, canaries_in(found)) == (True, set())
    assert registration.document_number not in desk.get(f"{page}change/").content.decode()
    assert registration.document_number in desk.post(f"{page}number/", {}).content.decode()
    asked = desk.get(f"{page}return/?version={registration.version}").content.decode()
    versions = re.search(r'name="versions" value="([^"]*)"', asked)
    assert versions
    desk.post(f"{page}return/", {"versions": versions[1], "note": "照片不清楚，请重新上传。"})
    assert scenes.fresh(registration).status == "returned"


def go_wrong(visitor: Visitor, broken: pytest.MonkeyPatch, log_watch: LogWatch) -> None:
    """A view that fails with the number in its sentence, in its variables and in what was posted."""

    def fail(request: Any, *arguments: Any, **values: Any) -> None:
        typed = request.POST["document_number"]
        raise RuntimeError(f"no place for {typed}, nor for {request.POST['passport']}")

    assert log_watch.found == []
    with broken.context() as patch:
        patch.setattr("accounts.views.render", fail)
        answer = visitor.post(IDENTITY, {"document_number": TYPED, "passport": PASSPORT, "legal_name": "李雷"})
    assert (answer.status_code, "<h1>系统出现故障</h1>" in answer.content.decode()) == (500, True)
    # The watch reads what comes in; the log that goes out is searched with everything else.
    assert [line.partition(":")[0] for line in log_watch.found] == ["django.request"]
    log_watch.found.clear()


def test_nothing_of_a_planted_number_stays_anywhere(
    places: Places,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    log_watch: LogWatch,
    plan: Any,
    occupation: Any,
    manager: Any,
    sign_in: Any,
    tmp_path: Path,
) -> None:
    settings.MAIL_FROM = "noreply@example.cn"
    with ExitStack() as listening:
        for listener in (application_log, statements, server_log, error_reports):
            listening.enter_context(listener(places))
        by_platform = Visitor(places, Client())
        come_from_the_platform(by_platform, settings)
        first, second = fill_in_and_submit(by_platform, plan, occupation), None
        by_hand = Visitor(places, sign_in(whose := scenes.account()))
        type_until_the_session_ends(by_hand, whose)
        confirm_by_hand(by_hand)
        take_along(by_hand, TYPED)
        second = fill_in_and_submit(by_hand, plan, occupation)
        assert (first.document_number, second.document_number) == (VOUCHED, TYPED)
        traveller = Visitor(places, sign_in(scenes.account()))
        traveller.post(
            IDENTITY,
            {"legal_name": "Ann Lee", "document_type": "passport", "document_number": PASSPORT} | BOXES,
        )
        desk = Visitor(places, sign_in(manager))
        decide(desk, first)
        decide(desk, second)
        for address in ("/nothing/", f"/registrations/{first.reference}/", f"{DESK}999999/change/"):
            assert by_hand.get(address).status_code in {302, 403, 404}
        by_hand.get("/messages/")
        with time_machine.travel(timezone.now() + SETTLED_AFTER):  # when decisions cannot be taken back any more
            assert deliveries.send_due(Channel.MAIL) == 4
        go_wrong(by_hand, monkeypatch, log_watch)
        settings.FIELD_ENCRYPTION_KEYS = {"next": b"n" * 32, **settings.FIELD_ENCRYPTION_KEYS}
        call_command("rotate_keys", stdout=(said := io.StringIO()), stderr=said)
        places.note("what the command said", said.getvalue())
        for visitor in (by_platform, by_hand, desk):
            visitor.post("/accounts/logout/", {})
        places.note("metrics", generate_latest(REGISTRY).decode(), *map(str, state_metrics.ask()))
    for message in mail.outbox:
        places.note("mail", message.message(), message.body, *(part.content for part in message.alternatives))
    places.note_files("photo storage", tmp_path / "private")
    places.note_files("temporary files", tmp_path / "temp")
    assert_the_search_would_find(places)
    assert places.found() == {}


# What holds something of a journey for a while or for ever, apart from its own tables.
STORES = ("accounts_auditentry", "accounts_keptform", "django_session", "shared_cache")
KEEPERS = tuple(f"a row of {table}" for table in STORES)


def assert_the_search_would_find(places: Places) -> None:
    """Each place was listened to: it holds what must be there."""
    must_be_there = {
        "database": ("accounts_identity", "django_admin_log", "v1:test:", "v1:next:", "number.shown", "u-", *KEEPERS),
        "sessions": ("_auth_user_id",),
        "statements": ("INSERT INTO", "v1:test:", "李雷", Identity.objects.get(legal_name="李雷").document_index),
        "application log": ("no place for [证件号码], nor for", "Internal Server Error: /accounts/identity/"),
        "error reports": ("no place for [证件号码], nor for", "in fail"),
        "addresses": ("/accounts/callback/?code=a-code", DESK),
        "headers and cookies": ("Content-Security-Policy", "portal_session"),
        "what the command said": ("重新加密了",),
        "photo storage": ("JFIF",),
        "metrics": (
            'portal_requests_total{method="POST",status="3xx",view="registrations:submit"}',
            "portal_seats_taken",
            Registration.objects.first().plan.code,
        ),
        "mail": ("Message-ID", "照片不清楚，请重新上传。", "查看和办理"),
    }
    if connection.vendor == "postgresql":
        must_be_there["server log"] = ("INSERT INTO", "v1:test:", "李雷")
    missing = {
        place: [word for word in words if word not in "\n".join(places.texts[place])]
        for place, words in must_be_there.items()
    }
    assert {place: words for place, words in missing.items() if words} == {}
    assert AuditEntry.objects.filter(verb="number.shown").count() == 2


@pytest.mark.parametrize("number", [VOUCHED, TYPED, PASSPORT])
def test_the_search_knows_a_number_in_each_of_its_forms(number: str, places: Places) -> None:
    forms = {number, number.lower(), *(base64.b64encode(f"{before}{number}!".encode()) for before in ("", "a", "ab"))}
    for form in (*map(readable, forms), *(forms_of(number) if len(number) == 18 else ())):
        assert canaries_in(f"before {form} after"), form
