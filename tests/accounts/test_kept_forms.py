"""What was typed when the session ended: there again for its owner after login, for nobody else, and not for long."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import kept_forms
from accounts.models import AuditEntry, KeptForm
from competition_portal.worker import PortalWorker
from profiles.models import Profile
from registrations.workflow import Status
from tests import scenes
from tests.pages import form_of
from tests.registrations.reading import notices, summary, text_of, typed

MINUTE = timedelta(minutes=1)
KEEP = "/accounts/session/keep/"
BACKEND = "accounts.oidc.PlatformBackend"
RESTORED = "您的登录曾经中断，刚才填写的内容已为您恢复，请核对后保存。"


@pytest.fixture
def clock(db):
    with time_machine.travel(timezone.now(), tick=False) as travelled:
        yield travelled


@pytest.fixture
def client(clock, applicant):
    """A browser that checks tokens as one does in earnest."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(applicant, backend=BACKEND)
    return client


def sign_in_again(client, user):
    client.force_login(user, backend=BACKEND)


def send_too_late(client, clock, address, **values):
    """Open the page, type, and press the button when the session is over."""
    form = {**form_of(client.get(address)), **values}
    clock.shift(40 * MINUTE)
    return client.post(address, form)


def test_typed_text_is_there_again(client, clock, applicant):
    response = send_too_late(client, clock, "/profile/", school="甲校", phone="12345", then="photo")
    assert response.headers["Location"] == "/accounts/session/over/?next=%2Fprofile%2F"
    landing = text_of(client.get(response.headers["Location"]).content.decode())
    assert "您刚才填写的内容已加密保留一小时（文件除外），用同一个账户登录后会恢复。" in landing
    assert not Profile.objects.exists()
    sign_in_again(client, applicant)
    for _ in range(2):  # looking writes nothing: a page that is loaded again has it still
        page = client.get("/profile/")
        assert notices(page) == [RESTORED]
        assert (typed(page, "school"), typed(page, "phone"), summary(page)) == ("甲校", "12345", [])
    client.post("/profile/", {**form_of(page), "phone": "13812342671"})
    assert (Profile.objects.get().school, Profile.objects.get().phone) == ("甲校", "13812342671")
    assert not KeptForm.objects.exists()
    assert RESTORED not in notices(client.get("/profile/"))


def test_what_the_document_says_is_not_taken_from_what_was_sent(client, clock, applicant):
    send_too_late(client, clock, "/profile/", sex="female", birth_date="2001-01-01", school="甲校")
    sign_in_again(client, applicant)
    page = client.get("/profile/")
    assert (typed(page, "sex"), typed(page, "birth_date"), typed(page, "school")) == ("male", "1990-03-07", "甲校")


def test_somebody_else_on_that_browser_sees_nothing(client, clock, applicant, stranger):
    send_too_late(client, clock, "/profile/", school="甲校")
    sign_in_again(client, stranger)
    page = client.get("/profile/")
    assert (notices(page), typed(page, "school")) == ([], "")
    assert not AuditEntry.objects.filter(verb="ciphertext.refused").exists()  # it was not even looked at
    client.post("/profile/", {**form_of(page), "school": "乙校"})
    sign_in_again(client, applicant)
    assert typed(client.get("/profile/"), "school") == "甲校"


def test_a_form_without_our_token_is_not_kept(client, clock, applicant):
    client.get("/profile/")
    clock.shift(40 * MINUTE)
    forged = {"school": "伪造", "version": 0}
    assert client.post("/profile/", forged).status_code == 403
    assert client.post("/profile/", {**forged, "csrfmiddlewaretoken": "a" * 64}).status_code == 403
    assert client.post(KEEP, {"page": "/profile/", "typed": "school=x"}).status_code == 403
    assert not KeptForm.objects.exists()


def test_whoever_was_not_signed_in_has_nothing_kept(db):
    client = Client()
    response = client.post("/profile/", {"school": "甲校"})
    assert response.headers["Location"] == "/accounts/login/?next=%2Fplans%2F"
    assert client.post(KEEP, {"page": "/profile/", "typed": "school=x"}).json() == {"kept": False}
    assert not KeptForm.objects.exists()


def test_a_step_that_was_sent_too_late_is_said_to_be_undone(client, clock, applicant, occupation):
    token = form_of(client.get("/plans/"))["csrfmiddlewaretoken"]
    clock.shift(40 * MINUTE)
    step = client.post(f"/registrations/start/{occupation.plan.code}/", {"csrfmiddlewaretoken": token})
    assert step.headers["Location"] == "/accounts/session/over/?next=%2Fplans%2F&undone=1"
    page = text_of(client.get(step.headers["Location"]).content.decode())
    assert "刚才的操作没有完成，请重新登录后再做一次。选择过的文件需要重新选择。" in page
    assert not KeptForm.objects.exists()


def test_a_registration_form(client, clock, applicant, occupation):
    other = scenes.occupation(occupation.plan)
    draft = scenes.draft(applicant, occupation)
    address = f"/registrations/{draft.reference}/edit/"
    response = send_too_late(client, clock, f"{address}?back=check", position="班组长", occupation=other.pk)
    assert response.headers["Location"].endswith("edit%2F%3Fback%3Dcheck")
    sign_in_again(client, applicant)
    page = client.get(f"{address}?back=check")
    assert (typed(page, "position"), typed(page, "occupation")) == ("班组长", str(other.pk))
    assert RESTORED in notices(page)
    assert client.post(f"{address}?back=check", form_of(page)).headers["Location"].endswith("/check/")
    saved = scenes.fresh(draft)
    assert (saved.position, saved.occupation, KeptForm.objects.count()) == ("班组长", other, 0)


def test_what_was_saved_elsewhere_meanwhile_is_not_overwritten(client, clock, applicant, occupation):
    draft = scenes.draft(applicant, occupation)
    address = f"/registrations/{draft.reference}/edit/"
    send_too_late(client, clock, address, position="班组长")
    scenes.fresh(draft).write(draft.version, position="车间主任")
    sign_in_again(client, applicant)
    response = client.post(address, form_of(client.get(address)))
    assert "职务（现为“车间主任”）" in summary(response)[0]
    assert (scenes.fresh(draft).position, typed(response, "position")) == ("车间主任", "班组长")


def test_the_occupation_page(client, clock, applicant, occupation):
    other = scenes.occupation(occupation.plan)
    address = f"/registrations/{scenes.draft(applicant, occupation).reference}/occupation/"
    send_too_late(client, clock, address, occupation=other.pk)
    sign_in_again(client, applicant)
    assert typed(client.get(address), "occupation") == str(other.pk)


def test_the_confirmation_is_kept_encrypted_and_the_declaration_is_not(clock):
    newcomer, number = scenes.account(), "11010519491231002X"
    client = Client(enforce_csrf_checks=True)
    sign_in_again(client, newcomer)
    entered = {
        "legal_name": "王晓明",
        "document_type": "resident_id",
        "document_number": number,
        "agreed": "on",
        "consented": "on",
    }
    send_too_late(client, clock, "/accounts/identity/", **entered)
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM accounts_keptform")
        (stored,) = cursor.fetchone()
    assert (stored.startswith("v1:test:"), number in stored) == (True, False)
    sign_in_again(client, newcomer)
    page = client.get("/accounts/identity/")
    assert typed(page, "document_number") == number
    assert {"agreed", "consented"} & set(form_of(page)) == set()


# At the desk --------------------------------------------------------------------------------------------------------


def test_the_note_of_a_decision(clock, applicant, occupation, manager):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    client = Client(enforce_csrf_checks=True)
    sign_in_again(client, manager)
    address = f"/admin/registrations/registration/{registration.pk}/return/?version={registration.version}"
    send_too_late(client, clock, address, note="照片不清楚。", fix_employer="请写全称。")
    sign_in_again(client, manager)
    page = client.get(address)
    assert RESTORED in text_of(page.content.decode())
    assert (form_of(page)["note"], form_of(page)["fix_employer"]) == ("照片不清楚。", "请写全称。")
    client.post(address, form_of(page))
    assert scenes.fresh(registration).status == Status.RETURNED
    assert not KeptForm.objects.exists()


def test_a_plan_with_the_rows_that_were_being_added(clock, plan, occupation, manager):
    client = Client(enforce_csrf_checks=True)
    sign_in_again(client, manager)
    address = f"/admin/plans/plan/{plan.pk}/change/"
    row = {"occupations-TOTAL_FORMS": 2, "occupations-1-name": "焊工", "occupations-1-division": "worker"}
    changed = {"title": "改过的名称", "occupations-0-name": "改过的工种", "registration_closes_at_1": "23:59:59"}
    send_too_late(client, clock, address, **changed, **row)
    sign_in_again(client, manager)
    page = client.get(address)
    assert RESTORED in text_of(page.content.decode())
    shown = form_of(page)
    assert {name: shown[name] for name in changed} == changed
    assert (shown["occupations-1-name"], shown["occupations-1-division"]) == ("焊工", "worker")
    assert client.post(address, shown).headers["Location"] == "/admin/plans/plan/"
    plan.refresh_from_db()
    assert plan.title == "改过的名称"
    assert set(plan.occupations.values_list("name", flat=True)) == {"改过的工种", "焊工"}
    assert not KeptForm.objects.exists()


def test_of_a_file_the_page_says_that_it_was_not_kept(clock, plan, manager):
    client = Client(enforce_csrf_checks=True)
    sign_in_again(client, manager)
    address = f"/admin/plans/plan/{plan.pk}/change/"
    send_too_late(client, clock, address, **{"attachments-TOTAL_FORMS": 1, "attachments-0-title": "规程"})
    sign_in_again(client, manager)
    page = client.get(address)
    assert f"{RESTORED}文件没有保留，请重新选择。" in text_of(page.content.decode())
    assert form_of(page)["attachments-0-title"] == "规程"


# What a page keeps before the end -----------------------------------------------------------------------------------


def keep(client, page, content):
    token = form_of(client.get("/profile/"))["csrfmiddlewaretoken"]
    return client.post(KEEP, {"page": page, "typed": content, "csrfmiddlewaretoken": token}).json()


def test_a_page_keeps_what_is_typed_while_there_is_time(client, applicant):
    assert keep(client, "/profile/", "school=%E7%94%B2%E6%A0%A1&version=0") == {"kept": True}
    assert typed(client.get("/profile/"), "school") == "甲校"


def test_a_page_keeps_what_is_typed_just_after_the_end(client, clock, applicant):
    token = form_of(client.get("/profile/"))["csrfmiddlewaretoken"]
    clock.shift(40 * MINUTE)
    sent = client.post(KEEP, {"page": "/profile/", "typed": "school=x", "csrfmiddlewaretoken": token})
    assert sent.json() == {"kept": True}
    assert KeptForm.objects.get().user == applicant


@pytest.mark.parametrize(
    ("page", "content"),
    [
        ("/profile/", ""),
        ("/profile/", "csrfmiddlewaretoken=x&password=y&agreed=on"),
        ("/profile/", "school=" + "a" * 64 * 1024),
        ("/profile/", "school=" + "a" * 200 * 1024),
        ("/profile/", "a=1&" * settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + "a=1"),
        ("/plans/", "q=1"),
        ("/nowhere/", "school=1"),
        ("//evil.example/profile/", "school=1"),
        (f"/registrations/{'a' * 200}/edit/", "school=1"),
        ("", "school=1"),
        ("/admin/plans/plan/\0/change/", "title=1"),
    ],
    ids=range(11),
)
def test_what_is_not_kept(client, page, content):
    assert keep(client, page, content) == {"kept": False}
    assert not KeptForm.objects.exists()


def test_twenty_forms_at_most(client, clock, applicant):
    for number in range(25):
        clock.shift(timedelta(seconds=1))
        assert keep(client, f"/registrations/R-{number}/edit/", "school=1") == {"kept": True}
    assert [form.path for form in KeptForm.objects.order_by("pk")] == [
        f"/registrations/R-{number}/edit/" for number in range(5, 25)
    ]


def test_of_a_deactivated_person_nothing_is_kept(client, clock, applicant):
    form = form_of(client.get("/profile/"))
    clock.shift(40 * MINUTE)
    applicant.is_active = False
    applicant.save()
    assert client.post("/profile/", form).headers["Location"].endswith("&undone=1")
    assert not KeptForm.objects.exists()


def test_an_address_that_no_column_takes(client, clock, applicant, manager):
    """PostgreSQL refuses a NUL in a text, and so does the portal's door; what else cannot be printed comes this far."""
    strange = "/admin/plans/plan/%01/change/"
    desk = Client()
    sign_in_again(desk, manager)
    assert desk.post(strange, {"title": "1"}).status_code == 302
    clock.shift(40 * MINUTE)
    assert desk.post(strange, {"title": "1"}).headers["Location"].endswith("&undone=1")
    assert desk.get("/accounts/session/over/?next=/plans/%01/").status_code == 200


# Not for long -------------------------------------------------------------------------------------------------------


def test_after_an_hour_it_is_gone(client, clock, applicant):
    keep(client, "/profile/", "school=1")
    clock.shift(59 * MINUTE)
    assert kept_forms.drop_expired() == 0
    sign_in_again(client, applicant)
    assert typed(client.get("/profile/"), "school") == "1"
    clock.shift(MINUTE)
    assert typed(client.get("/profile/"), "school") == ""
    (chore,) = [chore for chore in PortalWorker(once=True).chores if chore.name == "forms"]
    chore.do()
    assert not KeptForm.objects.exists()


def test_moved_to_another_row_it_is_refused(client, applicant, stranger):
    keep(client, "/profile/", "school=%E7%A7%98%E5%AF%86")
    KeptForm.objects.update(user=stranger)
    thief = Client()
    sign_in_again(thief, stranger)
    page = thief.get("/profile/")
    assert (page.status_code, typed(page, "school"), notices(page)) == (200, "", [])
    assert not KeptForm.objects.exists()
    line = AuditEntry.objects.get(verb="ciphertext.refused")
    assert (line.actor, line.target.partition(":")[0]) == (stranger.username, "accounts_keptform.content")
