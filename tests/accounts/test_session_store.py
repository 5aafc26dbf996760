"""The table of sessions: each thing in one statement, and an ended session stays ended."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Session
from accounts.models.sessions import NOBODY
from accounts.session_store import SessionStore

pytestmark = pytest.mark.django_db(transaction=True)


def statements(queries):
    return [query["sql"].split()[0] for query in queries.captured_queries]


@pytest.fixture
def session():
    store = SessionStore()
    store["drawer"] = "first"
    store.save()
    return store


def test_a_change_is_one_statement_and_is_there(session):
    session["drawer"] = "second"
    with CaptureQueriesContext(connection) as queries:
        session.save()
    assert statements(queries) == ["UPDATE"]
    assert SessionStore(session.session_key)["drawer"] == "second"


def test_a_new_key_is_made_without_a_look_and_takes_along_what_was_there(session):
    before = session.session_key
    with CaptureQueriesContext(connection) as queries:
        session.cycle_key()
    assert [word for word in statements(queries) if word not in {"BEGIN", "COMMIT"}] == ["INSERT", "DELETE"]
    session.save()
    assert session.session_key != before
    assert SessionStore(session.session_key)["drawer"] == "first"
    assert SessionStore(before).load() == {}


def test_what_was_ended_in_another_window_does_not_come_back(session):
    same = SessionStore(session.session_key)
    same["drawer"] = "typed meanwhile"
    session.flush()
    with pytest.raises(UpdateError):
        same.save()
    assert not Session.objects.exists()


def test_a_key_that_is_taken_is_not_given_twice(session, monkeypatch):
    keys = iter([session.session_key, "another0key0another0key0another0"])
    monkeypatch.setattr(SessionStore, "_get_new_session_key", lambda self: next(keys))
    other = SessionStore()
    other["drawer"] = "mine"
    other.save()
    assert other.session_key == "another0key0another0key0another0"
    assert SessionStore(session.session_key)["drawer"] == "first"


def test_to_end_what_is_not_there_is_nothing(session):
    SessionStore().delete()
    SessionStore("nobody0has0this0key0nobody0has00").delete()
    session.delete()
    session.delete()
    assert not Session.objects.exists()


def accounts():
    return list(Session.objects.values_list("account", flat=True))


def test_the_row_says_whose_it_is_from_the_signing_in_to_the_end(applicant, sign_in):
    store = SessionStore()
    store.save()
    assert accounts() == [NOBODY]
    store.flush()
    client = sign_in(applicant)
    assert accounts() == [applicant.pk]
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        client.get("/profile/")
    assert set(client.session.keys()) == {"ended", "_session_expiry"}
    assert accounts() == [NOBODY]


def test_what_the_release_of_before_has_written_says_whose_it_is_as_soon_as_it_changes(applicant, sign_in):
    client = sign_in(applicant)
    Session.objects.update(account=None)
    client.get("/profile/")
    assert accounts() == [None]
    client.post("/profile/", {"version": 0, "school": "甲校"})
    assert accounts() == [applicant.pk]


def test_the_release_of_before_can_write_its_rows(applicant):
    """Its model is Django's own, without the column."""
    row = db.SessionStore().get_model_class()(session_key="k" * 32, session_data="", expire_date=timezone.now())
    row.save(force_insert=True)
    assert accounts() == [None]
