"""Pages that strangers are shown may be shared for some seconds; nobody else's ever, and none beyond what it says."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from plans.shared_pages import SECONDS
from registrations.workflow import Status
from tests import scenes

PRIVATE = "private, no-store"


def pages_of(plan):
    return ["/", "/plans/", f"/plans/?q={plan.code}", plan.get_absolute_url()]


def said(client, pages):
    return {client.get(page)["Cache-Control"] for page in pages}


def test_a_stranger_without_a_cookie_gets_what_may_be_shared(db):
    plan = scenes.occupation(scenes.open_plan()).plan
    for page in pages_of(plan):
        answer = Client().get(page)
        held = (answer.status_code, answer["Cache-Control"], answer["Vary"], dict(answer.cookies))
        assert held == (200, f"public, max-age={SECONDS}", "Cookie", {})
        assert "csrfmiddlewaretoken" not in answer.content.decode()


def test_who_is_signed_in_neither_gets_nor_fills_it(sign_in, applicant, occupation, manager):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    pages, visitor = pages_of(occupation.plan), sign_in(applicant)
    assert said(visitor, pages) == {PRIVATE}
    assert registration.reference in visitor.get("/plans/").content.decode()
    # A shared cache tells the two apart by the cookie, and the stranger's page has nothing of the person.
    for page in pages:
        mine, strangers = visitor.get(page), Client().get(page)
        assert ("Cookie" in mine["Vary"], "Cookie" in strangers["Vary"]) == (True, True)
        for word in (registration.reference, applicant.legal_name):
            assert word not in strangers.content.decode()


@pytest.mark.parametrize("name", ["portal_session", "portal_csrf", "anything"])
def test_whoever_brings_a_cookie_has_a_page_of_their_own(db, name):
    client = Client()
    client.cookies[name] = "x"
    assert said(client, ["/", "/plans/"]) == {PRIVATE}


def test_what_is_not_there_is_not_shared(db):
    answer = Client().get("/plans/none/")
    held = answer["Cache-Control"]
    assert (answer.status_code, "public" in held, "no-store" in held) == (404, False, True)


@pytest.mark.parametrize("moment", ["registration_opens_at", "registration_closes_at", "published_at"])
@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (60, "public, max-age=10"),
        (5.5, "public, max-age=4"),
        (2.5, "public, max-age=1"),
        (1.5, PRIVATE),
        (0.5, PRIVATE),
    ],
)
def test_it_never_outlives_what_it_says(db, time_machine, moment, ahead, expected):
    time_machine.move_to("2026-11-26 12:00:00+08:00", tick=False)
    now = timezone.now()
    day = timedelta(days=1)
    values = {"published_at": now - day, "registration_opens_at": now - day, "registration_closes_at": now + day}
    if moment == "published_at":
        values |= {"registration_opens_at": now + 2 * day, "registration_closes_at": now + 3 * day}
    plan = scenes.open_plan(**values | {moment: now + timedelta(seconds=ahead)})
    assert said(Client(), ["/", "/plans/"]) == {expected}
    if moment != "published_at":
        assert said(Client(), [plan.get_absolute_url()]) == {expected}


def test_at_the_deadline_itself_it_says_closed(db, time_machine):
    time_machine.move_to("2026-11-26 12:00:00+08:00", tick=False)
    plan = scenes.open_plan(registration_closes_at=timezone.now() + timedelta(seconds=8))
    before = Client().get(plan.get_absolute_url())
    assert "登录后报名" in before.content.decode()
    kept = int(before["Cache-Control"].rpartition("=")[2])
    time_machine.shift(timedelta(seconds=kept + 0.9))  # almost a second on the way, then kept as long as may be
    assert "登录后报名" in Client().get(plan.get_absolute_url()).content.decode()
    time_machine.move_to(plan.registration_closes_at, tick=False)
    assert "登录后报名" not in Client().get(plan.get_absolute_url()).content.decode()
