"""Decisions that a plan holds back: nobody but the committee learns of them before their publication, not even that there are any."""

import re
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.erasure import ErasureRefused, erase
from plans.models import Plan
from registrations import moves, publishing
from registrations.holding import DECIDED_MEANWHILE
from registrations.messages import Message
from registrations.models import Registration
from registrations.workflow import Action, Status, StepRefused
from tests import scenes
from tests.pages import form_of
from tests.registrations.reading import text_of
from tests.test_access_matrix import ADDRESSES

DAY = timedelta(days=1)
DECISIONS = [Action.APPROVE, Action.REJECT]


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def plan(plan):
    Plan.objects.filter(pk=plan.pk).update(holds_decisions=True)
    plan.refresh_from_db()
    return plan


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


def publish(plan, moment=None):
    Plan.objects.filter(pk=plan.pk).update(decisions_published_at=moment or timezone.now())


def decided(registration, action, by):
    return scenes.take(registration, action, by, "只有您一个人看得到的意见。")


def told(user):
    return [message.kind for message in user.messages.order_by("pk")]


# What an applicant can see ------------------------------------------------------------------------------------------

# What the browser is given anew each time: the form's token, the policy's nonce; and the number of a message, which a
# database does not give twice, also where a transaction is taken back.
FRESH = re.compile(r'(csrfmiddlewaretoken" value|form_key" value|nonce)="[^"]*"|(?<=/messages/)\d+')
APPLICANTS = ("registrations:", "messages:", "plans:", "profiles:", "accounts:", "photos:")
# They end the visit, lead to the platform, or tell of the session alone.
LEFT_OUT = ("accounts/logout", "accounts/login", "accounts/callback", "accounts/session/")


def routes() -> list[str]:
    found = [
        route for name, route in ADDRESSES.items() if name.startswith(APPLICANTS) and not route.startswith(LEFT_OUT)
    ]
    assert len(found) > 30
    return found


def address(route: str, registration: Registration) -> str:
    values = {
        "<slug:code>": registration.plan.code,
        "<slug:reference>": registration.reference,
        "<int:message>": str(registration.messages.first().pk),
        "<uuid:upload>": str(registration.portrait.upload_id),
        "<uuid:portrait>": str(registration.portrait_id),
        "attachments/<int:pk>": "attachments/1",
        "<str:token>": "nothing",
        "<slug:way>": "nothing",
    }
    for placeholder, value in values.items():
        route = route.replace(placeholder, value)
    assert not set("<>") & set(route), route
    return f"/{route}"


def answer(client: Client, method: str, where: str) -> tuple[Any, ...]:
    """All that there is to see, also of the page that follows."""
    response = client.generic(method, where, HTTP_ACCEPT_LANGUAGE="zh-hans")
    seen = [response.status_code, response.headers.get("Location", ""), body(response)]
    if 300 <= response.status_code < 400 and response.headers.get("Location", "").startswith("/"):
        seen.append(body(client.get(response.headers["Location"])))
    return tuple(seen)


def body(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return FRESH.sub("", content.decode("latin-1"))


def seen_by_the_applicant(registration: Registration, methods: Any = ("GET", "POST")) -> dict[Any, tuple[Any, ...]]:
    """Every address by every method, each from the same state: what a POST does is taken back."""
    found = {}
    client = Client()
    client.force_login(registration.applicant, backend="accounts.oidc.PlatformBackend")
    cookies = client.cookies.output()
    for route in routes():
        for method in methods:
            with transaction.atomic():
                client.cookies = SimpleCookie(cookies.replace("Set-Cookie: ", ""))
                found[method, route] = answer(client, method, address(route, registration))
                transaction.set_rollback(True)
    return found


def seen_after(registration: Registration, by: Any, *steps: Action, **also: Any) -> dict[Any, tuple[Any, ...]]:
    """In a world of its own, so that every number and name is the same in all of them."""
    with transaction.atomic():
        for step in steps:
            if step == Action.EXTEND:
                extended(registration, by)
            else:
                decided(registration, step, by)
        found = seen_by_the_applicant(scenes.fresh(registration), **also)
        transaction.set_rollback(True)
    return found


def extended(registration: Registration, by: Any) -> None:
    """A manager gives this person more time, on the page for it, which the desk offers."""
    desk = Client()
    desk.force_login(by, backend="accounts.oidc.PlatformBackend")
    page = f"/admin/registrations/registration/{registration.pk}/extend/"
    assert page in desk.get(f"/admin/registrations/registration/{registration.pk}/change/").content.decode()
    until = timezone.localtime(registration.plan.registration_closes_at + 2 * DAY)
    desk.post(page, {**form_of(desk.get(page)), "until": f"{until:%Y-%m-%dT%H:%M}", "reason": "因病住院"})
    assert registration.events.first().action == Action.EXTEND


def differing(one: dict[Any, Any], other: dict[Any, Any]) -> set[Any]:
    return {key for key in one if one[key] != other[key]}


def test_every_page_is_the_same_to_the_byte_whichever_way_it_was_decided(clock, submitted, manager):
    """Also after an opposite decision that was taken back."""
    approved = seen_after(submitted, manager, Action.APPROVE)
    assert differing(approved, seen_after(submitted, manager, Action.REJECT)) == set()
    for steps in ([Action.REJECT, Action.REOPEN, Action.APPROVE], [Action.APPROVE, Action.UNDO, Action.REJECT]):
        assert differing(seen_after(submitted, manager, *steps, methods=["GET"]), approved) == set()
    # Beside an undecided one, only what the applicant tries to do about it differs: it is refused.
    steps = "registrations/<slug:reference>/"
    undecided = seen_after(submitted, manager)
    assert differing(undecided, approved) == {("POST", f"{steps}recall/"), ("POST", f"{steps}withdraw/")}


def test_the_same_when_registration_is_over(clock, submitted, manager):
    """Then nobody withdraws any more, and an undecided one is read like a decided one."""
    clock.shift(6 * DAY)
    undecided = seen_after(submitted, manager, methods=["GET"])
    for action in DECISIONS:
        assert differing(seen_after(submitted, manager, action, methods=["GET"]), undecided) == set()


def test_more_time_for_one_person_is_told_whichever_way_it_was_decided(clock, submitted, occupation, manager):
    """What a manager arranges with somebody who waits for the publication reads, and is told, as if nothing were decided:
    who heard of it would know that they were not rejected. The proposal that waits goes on to wait, too."""
    moves.propose(submitted, scenes.occupation(occupation.plan, name="焊工"), reason="人数不足", by=manager)
    submitted = scenes.fresh(submitted)
    approved, rejected = (seen_after(submitted, manager, action, Action.EXTEND) for action in DECISIONS)
    assert differing(approved, rejected) == set()
    undecided = seen_after(submitted, manager, Action.EXTEND, methods=["GET"])
    assert differing(undecided, approved) == set()
    # Or it would prove nothing.
    assert "messages/" in {route for _, route in differing(undecided, seen_after(submitted, manager, methods=["GET"]))}


@pytest.mark.parametrize("decision", DECISIONS)
def test_more_time_leaves_a_held_decision_as_it_is(submitted, applicant, manager, decision):
    held = decided(submitted, decision, manager)
    extended(held, manager)
    row = scenes.fresh(submitted)
    assert (row.status, row.held, row.seat_id) == (held.status, True, held.occupation_id)
    assert (row.shown_status, told(applicant)) == ("submitted", ["submitted", "extended"])
    publish(row.plan)
    assert (publishing.tell_some().done, told(applicant)) == (1, ["submitted", "extended", held.status])


def test_more_time_for_who_was_told_a_rejection_has_nothing_to_name(submitted, applicant, manager, sign_in):
    rejected = decided(submitted, Action.REJECT, manager)
    publish(rejected.plan)
    rejected = scenes.fresh(rejected)
    assert Action.EXTEND not in rejected.actions_for(manager)
    page = f"/admin/registrations/registration/{rejected.pk}/extend/"
    answer = sign_in(manager).get(page, follow=True)
    assert "这份报名现在是“审核不通过”，不能延长截止时间。" in text_of(answer.content.decode())


def test_no_page_of_an_applicant_asks_for_the_true_status():
    asking = re.compile(r"registration\.(status|state)\b|get_status_display")
    pages = (settings.BASE_DIR / "templates" / "registrations").glob("*.html")
    assert [page.name for page in pages if asking.search(page.read_text())] == []


def test_the_crawl_sees_a_decision_that_is_not_held(clock, submitted, manager):
    """Or it would prove nothing."""
    Plan.objects.update(holds_decisions=False)
    submitted = scenes.fresh(submitted)
    undecided, found = (seen_after(submitted, manager, *steps, methods=["GET"]) for steps in ([], [Action.APPROVE]))
    routes = {route for _, route in differing(found, undecided)}
    assert {"registrations/", "registrations/<slug:reference>/", "messages/"} <= routes


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("action", [Action.RECALL, Action.WITHDRAW])
def test_what_is_decided_is_not_taken_back_by_its_applicant(submitted, applicant, manager, decision, action):
    held = decided(submitted, decision, manager)
    assert Action.RECALL in held.actions_for(applicant) and Action.WITHDRAW in held.actions_for(applicant)
    with pytest.raises(StepRefused) as refusal:
        held.take(action, by=applicant)
    assert str(refusal.value) == DECIDED_MEANWHILE
    assert scenes.fresh(submitted).status == held.status


@pytest.mark.parametrize("decision", DECISIONS)
def test_closing_the_account_waits_for_the_publication(submitted, applicant, manager, decision):
    decided(submitted, decision, manager)
    with pytest.raises(ErasureRefused) as refusal, transaction.atomic():
        erase(applicant, applicant)
    assert refusal.value.reasons == [f"没有注销。{DECIDED_MEANWHILE}"]


def test_no_seat_moves_before_the_publication(submitted, manager):
    """One who watches the number of seats on the public page would know."""
    rejected = decided(submitted, Action.REJECT, manager)
    assert (rejected.seat, rejected.seat.seats_taken) == (rejected.occupation, 1)
    publish(rejected.plan)
    assert publishing.tell_some().done == 1
    row = scenes.fresh(submitted)
    assert (row.seat, row.occupation.seats_taken, row.status) == (None, 0, "rejected")


def test_a_return_is_not_held(submitted, applicant, manager):
    returned = scenes.take(submitted, Action.RETURN, manager, "请改电话。")
    assert (returned.shown_status, returned.held, told(applicant)) == ("returned", False, ["submitted", "returned"])


def test_what_was_told_before_the_plan_held_anything_stays_told(submitted, applicant, manager):
    Plan.objects.update(holds_decisions=False)
    approved = decided(submitted, Action.APPROVE, manager)
    Plan.objects.update(holds_decisions=True)
    assert scenes.fresh(approved).shown_status == "approved"
    reopened = scenes.take(approved, Action.REOPEN, manager, "看错了。")
    assert told(applicant) == ["submitted", "approved", "reopened"]
    rejected = decided(reopened, Action.REJECT, manager)
    assert (rejected.shown_status, told(applicant)[3:]) == ("submitted", [])
    assert [event.action for event in rejected.shown_events()] == ["reopen", "approve", "submit"]


@pytest.mark.parametrize("back", [Action.UNDO, Action.REOPEN])
@pytest.mark.parametrize("decision", DECISIONS)
def test_what_is_taken_back_while_it_is_held_is_never_told(submitted, applicant, manager, decision, back):
    decided(submitted, decision, manager)
    reopened = decided(submitted, back, manager)
    assert (reopened.status, reopened.held, reopened.unseen) == ("submitted", False, False)
    assert reopened.occupation.seats_taken == 1
    publish(reopened.plan)
    assert (publishing.tell_some().done, told(applicant)) == (0, ["submitted"])
    assert [event.action for event in scenes.fresh(submitted).shown_events()] == ["submit"]


def test_the_database_knows_that_only_decisions_are_held(submitted):
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=submitted.pk).update(held=True)


# The publication ----------------------------------------------------------------------------------------------------


def test_it_is_seen_from_the_moment_itself_on_without_any_task(clock, submitted, applicant, manager, sign_in):
    moment = timezone.now() + DAY
    publish(submitted.plan, moment)
    decided(submitted, Action.REJECT, manager)

    def page():
        return text_of(sign_in(applicant).get(submitted.get_absolute_url()).content.decode())

    clock.move_to(moment - timedelta(microseconds=1))
    assert ("不通过" in page(), "等待组委会审核" in page()) == (False, True)
    assert publishing.tell_some().done == 0
    clock.move_to(moment)
    assert ("审核不通过" in page(), "只有您一个人看得到的意见。" in page()) == (True, True)
    assert told(applicant) == ["submitted"]
    assert publishing.tell_some().done == 1
    assert told(applicant) == ["submitted", "rejected"]


def test_each_is_told_once_with_news_and_mail(settings, submitted, applicant, manager):
    settings.MAIL_FROM = "noreply@jnjs.example.cn"
    decided(submitted, Action.APPROVE, manager)
    publish(submitted.plan)
    assert (publishing.tell_some().done, publishing.tell_some().done) == (1, 0)
    row, message = scenes.fresh(submitted), Message.objects.get(kind="approved")
    assert (row.unseen, row.held) == (True, False)
    assert "只有您一个人看得到的意见。" in message.body
    assert [delivery.channel for delivery in message.deliveries.all()] == ["mail"]


def test_a_decision_of_long_ago_is_news_at_its_publication(settings, submitted, manager):
    settings.MAIL_FROM = "noreply@jnjs.example.cn"
    with time_machine.travel(timezone.now() - 3 * DAY):
        decided(submitted, Action.APPROVE, manager)
    publish(submitted.plan)
    publishing.tell_some()
    assert Message.objects.get(kind="approved").deliveries.count() == 1


def test_after_the_publication_a_decision_is_told_at_once(submitted, applicant, manager):
    publish(submitted.plan)
    approved = decided(submitted, Action.APPROVE, manager)
    assert (approved.shown_status, approved.held, told(applicant)) == ("approved", False, ["submitted", "approved"])


def killed(*args: Any, **also: Any) -> None:
    raise KeyboardInterrupt


def test_killed_in_the_middle_it_goes_on_where_it_stopped(monkeypatch, occupation, manager):
    people = [scenes.person(name) for name in ("王晓明", "李芳", "孙三")]
    for user in people:
        decided(scenes.registration_at(Status.SUBMITTED, user, occupation, manager), Action.REJECT, manager)
    publish(occupation.plan)
    first = Registration.objects.order_by("pk").first()
    publishing.tell(first.pk)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("registrations.publishing.Occupation.objects.give_seat_back", killed)
        publishing.tell_some()
    occupation.refresh_from_db()
    assert ([told(user)[1:] for user in people], occupation.seats_taken) == ([["rejected"], [], []], 2)
    assert publishing.tell_some().done == 2
    occupation.refresh_from_db()
    assert ([told(user)[1:] for user in people], occupation.seats_taken) == ([["rejected"]] * 3, 0)


def test_one_that_breaks_keeps_no_other_from_being_told(monkeypatch, occupation, manager, caplog):
    people = [scenes.person(name) for name in ("王晓明", "李芳")]
    for user in people:
        decided(scenes.registration_at(Status.SUBMITTED, user, occupation, manager), Action.APPROVE, manager)
    publish(occupation.plan)
    write = publishing.notifications.write_published

    def broken(event: Any) -> None:
        if event.registration.applicant == people[0]:
            raise ValueError("broken")
        write(event)

    monkeypatch.setattr("registrations.notifications.write_published", broken)
    assert (publishing.tell_some().done, publishing.tell_some().done) == (1, 0)
    assert [told(user)[1:] for user in people] == [[], ["approved"]]
    assert "could not be told" in caplog.text
