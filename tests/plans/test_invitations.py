"""An invitation: its link is shown once, holds seven days for one person, and is nowhere to be read afterwards."""

import re
import secrets
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.redaction import TOKEN, redact
from accounts.session_store import SessionStore
from plans import members
from plans.invitation_links import LINK_MARK
from plans.models import CommitteeMember, Invitation
from tests import scenes
from tests.plans.test_admin import errors, said
from tests.plans.test_member_pages import at, lines
from tests.registrations.reading import text_of


@pytest.fixture
def desk(manager, sign_in):
    return sign_in(manager)


def link_in(answer):
    found = re.search(r'id="invitation-link"[^>]* value="http://testserver([^"]*)"', answer.content.decode())
    return found[1] if found else ""


def invited(plan, by, role="reviewer"):
    invitation, token = members.invite(plan, role, by)
    return invitation, f"/plans/invitation/{token}/"


def heading(answer):
    (found,) = re.findall(r"<h1>(.*?)</h1>", answer.content.decode())
    return text_of(found)


def test_a_link_is_made_shown_once_and_accepted(plan, desk, manager, applicant, sign_in):
    made = desk.post(at(plan, "invite"), {"role": "reviewer"})
    link = link_in(made)
    assert re.fullmatch(r"/plans/invitation/invite_[A-Za-z0-9_-]{43}/", link)
    assert link not in desk.get(at(plan)).content.decode()
    guest = sign_in(applicant)
    asked = guest.get(link)
    words = ["周敏邀请您加入", plan.title, plan.code, "角色是“<strong>审核</strong>”", "接受"]
    assert (asked.status_code, [word for word in words if word not in asked.content.decode()]) == (200, [])
    assert not plan.members.filter(user=applicant).exists()  # looking is not accepting
    answer = guest.post(link, follow=True)
    assert said(answer) == [f"您已加入“{plan}”的组委会，角色是“审核”。"]
    member, invitation = plan.members.get(user=applicant), Invitation.objects.get()
    assert (member.role, member.added_by, invitation.used_by) == ("reviewer", manager, applicant)
    assert lines() == [
        (manager.username, "invitation.made", f"plans.invitation:{invitation.pk}", "", f"{plan.code} reviewer"),
        (applicant.username, "member.added", applicant.username, applicant.username, f"{plan.code} reviewer"),
    ]
    assert "王晓明，" in desk.get(at(plan)).content.decode()


def test_whoever_is_not_signed_in_comes_back_to_it(plan, manager, client):
    _, link = invited(plan, manager)
    assert client.get(link).headers["Location"] == f"/accounts/login/?next={quote(link, safe='')}"


def test_whoever_is_on_the_first_visit_comes_back_to_it(plan, manager, sign_in):
    _, link = invited(plan, manager)
    answer = sign_in(scenes.account()).get(link)
    assert answer.headers["Location"] == f"/accounts/identity/?next={quote(link, safe='')}"


def test_each_way_in_which_it_no_longer_holds(plan, desk, manager, applicant, stranger, sign_in):
    used, used_link = invited(plan, manager)
    members.accept(used, stranger)
    expired, expired_link = invited(plan, manager)
    Invitation.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    revoked, revoked_link = invited(plan, manager)
    assert said(desk.post(at(plan, "revoke", revoked.pk), follow=True)) == ["邀请已撤销，那个链接不能再用。"]
    assert said(desk.post(at(plan, "revoke", revoked.pk), follow=True)) == ["没有改动：这个邀请已撤销。"]
    other = scenes.member(plan, "manager", "钱进")
    _, orphan_link = invited(plan, other)
    plan.members.filter(user=other).update(role="reviewer")
    guest = sign_in(applicant)
    unknown = "/plans/invitation/invite_nothing/"
    expected = {
        used_link: (410, "这个邀请已经用过"),
        expired_link: (410, "这个邀请已经过期"),
        revoked_link: (410, "这个邀请已经撤销"),
        orphan_link: (410, "这个邀请已经撤销"),
        unknown: (404, "没有这个邀请"),
        unknown.replace("invite_nothing", "x"): (404, "没有这个邀请"),
    }
    before = list(CommitteeMember.objects.values())
    for ask in (guest.get, guest.post):
        assert {link: (ask(link).status_code, heading(ask(link))) for link in expected} == expected
    page = guest.get(expired_link).content.decode()
    assert [word for word in (plan.title, plan.code, manager.legal_name) if word in page] == []
    assert list(CommitteeMember.objects.values()) == before


def test_a_member_needs_none_and_does_not_use_it_up(plan, manager, viewer, applicant, sign_in):
    invitation, link = invited(plan, manager)
    for ask in (sign_in(viewer).get, sign_in(viewer).post):
        assert heading(ask(link)) == "您已经是组委会成员"
    assert plan.members.get(user=viewer).role == "viewer"
    sign_in(applicant).post(link)
    assert plan.members.get(user=applicant).role == "reviewer"
    assert heading(sign_in(applicant).get(link)) == "您已经是组委会成员"


def test_of_two_who_accept_at_once_one_comes_in(plan, manager, applicant, stranger):
    invitation, _ = invited(plan, manager)
    same = Invitation.objects.get(pk=invitation.pk)  # as the other one's request has read it
    members.accept(invitation, applicant)
    with pytest.raises(members.MemberRefused, match="这个邀请链接刚刚失效"):
        members.accept(same, stranger)
    assert not plan.members.filter(user=stranger).exists()


def test_a_lost_race_says_so(plan, manager, applicant, stranger, sign_in, monkeypatch):
    invitation, link = invited(plan, manager)
    once = members.vouched_for

    def meanwhile(found):
        Invitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=timezone.now(), used_by=stranger)
        return once(found)

    monkeypatch.setattr(members, "vouched_for", meanwhile)
    answer = sign_in(applicant).post(link, follow=True)
    assert "这个邀请链接刚刚失效，您没有加入。" in answer.content.decode()
    assert (answer.status_code, plan.members.filter(user=applicant).exists()) == (410, False)


def test_what_cannot_be_invited(plan, desk, monkeypatch):
    answer = desk.post(at(plan, "invite"), {"role": "owner"})
    assert (errors(answer), link_in(answer)) == (["没有这个角色，请重新选择。"], "")
    monkeypatch.setattr("plans.member_pages.MOST_OPEN_INVITATIONS", 1)
    assert link_in(desk.post(at(plan, "invite"), {"role": "viewer"})) != ""
    answer = desk.post(at(plan, "invite"), {"role": "viewer"})
    assert errors(answer) == ["等待接受的邀请已有 1 个。请先撤销不再需要的。"]
    assert Invitation.objects.count() == 1


def test_the_token_stays_nowhere(plan, desk, applicant, sign_in):
    """Neither in a table, the sessions among them, nor in a header of the pages that one goes through."""
    link = link_in(desk.post(at(plan, "invite"), {"role": "viewer"}))
    token = link.split("/")[-2]
    guest = sign_in(applicant)
    for answer in (guest.get(link), guest.post(link, follow=True)):
        assert token not in str(answer.headers)
        assert answer.headers["Referrer-Policy"] == "same-origin"
    held = [str(SessionStore().decode(row.session_data)) for row in Session.objects.all()]
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")
            held += [str(row) for row in cursor.fetchall()]
    assert [text for text in held if token in text] == []
    assert AuditEntry.objects.count() == 2


@pytest.mark.parametrize("form", ["/plans/invitation/{}/", "/accounts/login/?next=%2Fplans%2Finvitation%2F{}%2F", "{}"])
def test_a_log_line_does_not_say_it(form):
    for _ in range(50):
        token = LINK_MARK + secrets.token_urlsafe(32)
        assert redact(f"GET {form.format(token)} 200") == f"GET {form.format(TOKEN)} 200"


def test_a_refused_link_leaves_a_line_without_it(plan, manager, applicant, sign_in, caplog):
    invitation, link = invited(plan, manager)
    members.revoke(invitation, manager)
    sign_in(applicant).get(link)
    (said_,) = [record for record in caplog.records if record.name == "accounts.refused_access"]
    assert said_.getMessage() == (
        f"access refused: {applicant.username} asked for plans:invitation: invitation revoked"
    )
