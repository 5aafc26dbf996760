"""The privacy notice, its versions, and the consent that is asked once more when it has changed."""

import hashlib
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts import rights
from accounts.erasure import remove_lines
from accounts.models import AppendOnly, AuditEntry, Consent, consents
from accounts.notice import NOTICE_VERSION
from tests import scenes

# A new text is a new version, in accounts/notice.py and here: whoever agreed to the former one is asked again.
PUBLISHED = {
    "2026-11": "61242d0da7b679779691f4d6c498e669267fd74f7c4a128d91830a05bafb1188",
    "2026-12": "5db9821cb582501d46f5ff54effa475e66545c4433f4c1f7e211f6ab06982641",
    "2026-12-2": "b9f5876ddb895419f8818828de91a3d2ba9864270919d029d14a318d17b5685a",
}
ASKED = "/accounts/consent/"


@pytest.fixture
def newer(monkeypatch):
    """A notice that nobody has agreed to yet."""
    for module in (consents, rights):
        monkeypatch.setattr(module, "NOTICE_VERSION", "2027-03")


def test_the_text_of_a_version_does_not_change():
    text = (Path(configured.BASE_DIR) / "templates/accounts/privacy.html").read_bytes()
    assert PUBLISHED[NOTICE_VERSION] == hashlib.sha256(text).hexdigest()


def test_everybody_can_read_the_notice(db, settings):
    settings.RETENTION = {name: 7000 + place for place, name in enumerate(settings.RETENTION)}
    page = Client().get("/accounts/privacy/").content.decode()
    assert "<h1>隐私告知</h1>" in page
    assert f"版本 {NOTICE_VERSION}。" in page
    assert [days for days in settings.RETENTION.values() if f"{days} 天" not in page] == []
    for article in ("第十三条", "第十四条", "第二十八条至第三十条", "第四十五条", "第四十七条"):
        assert article in page
    assert '<a href="/accounts/privacy/">隐私告知</a>' in Client().get("/").content.decode()


def test_a_newer_notice_stops_once_and_goes_on(applicant, sign_in, newer):
    client = sign_in(applicant)
    stopped = client.get("/plans/?q=%E7%94%B5")
    assert stopped.headers["Location"] == f"{ASKED}?next=%2Fplans%2F%3Fq%3D%25E7%2594%25B5"
    asked = client.get(stopped.headers["Location"])
    page = asked.content.decode()
    assert "<h1>隐私告知有更新</h1>" in page
    assert "现在是 2027-03 版。" in page
    assert 'name="consented"' in page
    assert "checked" not in page
    assert 'class="menu"' not in page, "every place of it would lead back here"
    refused = client.post(stopped.headers["Location"], {})
    assert "没有您的单独同意，不能处理身份证件和证件照" in refused.content.decode()
    assert Consent.objects.filter(notice="2027-03").count() == 0
    answer = client.post(stopped.headers["Location"], {"consented": "on"})
    assert answer.headers["Location"] == "/plans/?q=%E7%94%B5"
    assert 'class="menu"' in client.get("/profile/").content.decode()
    assert list(Consent.objects.filter(user=applicant).values_list("notice", flat=True)) == ["2027-03", NOTICE_VERSION]
    line = AuditEntry.objects.get(verb="consent.given")
    assert (line.actor, line.subject, line.detail) == (applicant.username, applicant.username, "2027-03")
    assert client.post(ASKED, {"consented": "on"}).headers["Location"] == "/plans/"
    assert Consent.objects.filter(user=applicant).count() == 2


@pytest.mark.parametrize("method", ["get", "head", "post"])
@pytest.mark.parametrize("address", ["/", "/profile/", "/registrations/", "/admin/"])
def test_nothing_else_opens_before(applicant, sign_in, newer, method, address):
    answer = getattr(sign_in(applicant), method)(address)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, ASKED)


def test_who_does_not_agree_can_read_take_along_and_leave(applicant, sign_in, newer):
    client = sign_in(applicant)
    said = [client.get(page).status_code for page in ("/accounts/privacy/", "/accounts/my-data/", "/accounts/close/")]
    assert said == [200, 200, 200]
    taken = client.post("/accounts/my-data/download/")
    assert (taken.status_code, b"".join(taken.streaming_content)[:1]) == (200, b"{")
    assert client.post("/accounts/close/", {"understood": "on"}).headers["Location"] == "/accounts/closed/"


def test_who_has_not_confirmed_is_asked_at_the_confirmation(db, sign_in):
    client = sign_in(scenes.account())
    assert client.get(ASKED).headers["Location"].startswith("/accounts/identity/?next=")
    assert client.get("/accounts/my-data/").status_code == 200
    assert client.post("/accounts/close/", {"understood": "on"}).headers["Location"] == "/accounts/closed/"


@pytest.mark.parametrize("address", ["/accounts/my-data/", "/accounts/close/", ASKED])
def test_anonymous_signs_in_first(db, address):
    assert Client().get(address).headers["Location"].startswith("/accounts/login/?next=%2Faccounts%2F")


def test_the_download_is_never_a_get(applicant, sign_in):
    answer = sign_in(applicant).get("/accounts/my-data/download/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert AuditEntry.objects.filter(verb="data.downloaded").count() == 0


def test_closing_is_never_forged(applicant):
    client = Client(enforce_csrf_checks=True)
    client.force_login(applicant, backend="accounts.oidc.PlatformBackend")
    assert client.post("/accounts/close/", {"understood": "on"}).status_code == 403
    applicant.refresh_from_db()
    assert applicant.is_active


# The way out of the records ---------------------------------------------------------------------------------------------


def test_retention_removes_lines_and_the_guard_is_back_at_once(applicant):
    lines = AuditEntry.objects.bulk_create(AuditEntry(actor=f"a{n}", verb="login") for n in range(3))
    assert remove_lines(AuditEntry.objects.filter(pk=lines[0].pk)) == 1
    with pytest.raises(AppendOnly):
        AuditEntry.objects.filter(pk=lines[1].pk).delete()
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
            connection.cursor().execute("DELETE FROM accounts_auditentry")
    assert AuditEntry.objects.filter(actor__startswith="a").count() == 2


def test_retention_never_lets_a_change_through(applicant):
    AuditEntry.objects.create(actor="a", verb="login")
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
            connection.cursor().execute("SELECT set_config('portal.retention', 'on', true)")
            connection.cursor().execute("UPDATE accounts_auditentry SET actor = 'b'")
    with pytest.raises(AppendOnly):
        AuditEntry.objects.update(actor="b")
    assert AuditEntry.objects.get().actor == "a"


def test_a_person_ends_the_other_sign_ins_and_stays(applicant, stranger, sign_in):
    here, there, others = sign_in(applicant), sign_in(applicant), sign_in(stranger)
    answer = here.post("/accounts/my-data/end-sessions/", follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        "已结束其他 1 个登录，那里的下一次操作要重新登录。"
    ]
    assert there.get("/accounts/my-data/").headers["Location"] == "/accounts/login/?next=%2Faccounts%2Fmy-data%2F"
    assert [client.get("/accounts/my-data/").status_code for client in (here, others)] == [200, 200]
    lines = AuditEntry.objects.filter(verb="sessions.ended").values_list("actor", "subject", "target", "detail")
    assert [(actor, target, detail) for actor, _, target, detail in lines] == [
        (applicant.username, applicant.username, "1")
    ]
    again = here.post("/accounts/my-data/end-sessions/", follow=True)
    assert [str(message) for message in again.context["messages"]] == ["没有其他登录，只有现在这一个。"]
    assert lines.count() == 1
