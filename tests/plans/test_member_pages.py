"""A plan's committee: who may look, who may add, change, invite and remove, and what each of it leaves behind."""

import re
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import limits
from accounts.models import AuditEntry
from plans import members
from plans.member_forms import NOT_ONE
from plans.models import CommitteeMember
from registrations.workflow import Action, Status, StepRefused
from tests import scenes
from tests.plans.test_admin import errors, rows, said
from tests.registrations.reading import text_of

NOBODY_KNOWN = "没有这个账户代号，请向本人核对。"
LAST = "每个竞赛计划至少要有一位管理成员。请先让另一位成员担任“管理”，再改这一位。"


@pytest.fixture
def desk(manager, sign_in):
    return sign_in(manager)


def at(plan, page="", *arguments):
    name = f"member_{page}" if page else "members"
    return reverse(f"admin:plans_plan_{name}", args=[plan.code, *arguments])


def last_of(user):
    return user.identity.document_number[-4:]


def seek(client, plan, user, **values):
    form = {"legal_name": user.legal_name, "last": last_of(user), "role": "reviewer", **values}
    return client.post(at(plan, "find", "person"), form)


def sealed_in(answer):
    found = re.search(r'name="sealed" value="([^"]*)"', answer.content.decode())
    return found[1] if found else ""


def table(answer):
    """The rows of the members, cell by cell, without the words of their controls."""
    body = answer.content.decode().partition('id="members-title"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [text_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    ]


def lines():
    return list(AuditEntry.objects.order_by("pk").values_list("actor", "verb", "target", "subject", "detail"))


def everything():
    return rows(CommitteeMember), lines()


# Looking ------------------------------------------------------------------------------------------------------------


def test_every_member_sees_who_is_in_it_and_only_managers_see_more(plan, manager, viewer, reviewer, sign_in):
    member = plan.members.get(user=viewer)
    CommitteeMember.objects.filter(pk=member.pk).update(added_by=manager)
    CommitteeMember.objects.exclude(pk=member.pk).update(since=None)
    moment = f"{timezone.localtime(member.since):%Y-%m-%d %H:%M}"
    for user in (viewer, reviewer):
        answer = sign_in(user).get(at(plan))
        yours = {user.username: "（您）"}
        assert table(answer) == [
            [f"周敏{yours.get(manager.username, '')}", manager.username, "管理", "没有记录", "运维人员"],
            [f"周敏{yours.get(reviewer.username, '')}", reviewer.username, "审核", "没有记录", "运维人员"],
            [f"周敏{yours.get(viewer.username, '')}", viewer.username, "查看", moment, "周敏"],
        ]
        page = answer.content.decode()
        assert [word for word in ("添加成员", "邀请链接", "移出", 'name="role"') if word in page] == []
    page = sign_in(manager).get(at(plan)).content.decode()
    assert [word for word in ("添加成员", "邀请链接", "移出", "退出组委会", 'name="role"') if word not in page] == []


def test_ten_members_and_invitations_ask_no_more_than_one(plan, manager, desk):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(at(plan)).status_code == 200
        return len(captured)

    members.invite(plan, "viewer", manager)
    one = queries()
    for number in range(3):
        scenes.member(plan, "viewer", f"员{number}")
        members.accept(members.invite(plan, "viewer", manager)[0], scenes.person(f"客{number}"))
    assert queries() == one


# By name and document -----------------------------------------------------------------------------------------------


def test_somebody_joins_by_name_and_the_last_four(plan, desk, manager, applicant):
    asked = seek(
        desk, plan, applicant, legal_name=f" {'　'.join(applicant.legal_name)} ", last=last_of(applicant).lower()
    )
    page = asked.content.decode()
    assert (asked.status_code, "请核对是不是这个人" in page) == (200, True)
    number = applicant.identity.document_number
    shown = [number, number[:6], applicant.identity.masked_number, applicant.username, "13812342671"]
    assert [word for word in shown if word in page] == []
    assert not plan.members.filter(user=applicant).exists()
    answer = desk.post(at(plan, "add"), {"sealed": sealed_in(asked)}, follow=True)
    assert said(answer) == ["王晓明已加入组委会，角色是“审核”。"]
    member = plan.members.get(user=applicant)
    assert (member.role, member.added_by) == ("reviewer", manager)
    assert lines() == [
        (manager.username, "member.sought", f"plans.plan:{plan.pk}", applicant.username, "found"),
        (manager.username, "member.added", applicant.username, applicant.username, f"{plan.code} reviewer"),
    ]


def test_nobody_and_several_get_the_same_answer(plan, desk, applicant):
    """Whose name is known learns nothing by trying numbers, nor the other way round."""
    twin = scenes.person(applicant.legal_name, region="110108")
    same = last_of(applicant)
    twin.identity.document_number = twin.identity.document_number[:-4] + same
    twin.identity.hold_document(type("Document", (), {"type": "resident_id", "number": twin.identity.document_number}))
    twin.identity.save()
    locked = scenes.person("锁定人")
    locked.is_active = False
    locked.save()
    unconfirmed = scenes.account()
    unconfirmed.identity.legal_name = "未确认"
    unconfirmed.identity.save()
    tries = [
        {"legal_name": applicant.legal_name, "last": same},  # two
        {"legal_name": applicant.legal_name, "last": "9Z9Z"},
        {"legal_name": "无此人", "last": same},
        {"legal_name": "王晓", "last": same},
        {"legal_name": "锁定人", "last": last_of(locked)},
        {"legal_name": "未确认", "last": "0000"},
    ]
    answers = [desk.post(at(plan, "find", "person"), {**each, "role": "viewer"}) for each in tries]
    assert [(each.status_code, errors(each)) for each in answers] == [(200, [NOT_ONE])] * 6
    assert {line[1:] for line in lines()} == {("member.sought", f"plans.plan:{plan.pk}", "", "not found")}
    assert 'value="无此人"' in answers[2].content.decode()


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        ({"legal_name": ""}, ["请填写姓名，与证件上的一样。"]),
        ({"last": ""}, ["请填写证件号码的最后四位。"]),
        ({"last": "12"}, ["请填写证件号码的最后四位，只有数字和字母，例如 012X。"]),
        ({"last": "%%%%"}, ["请填写证件号码的最后四位，只有数字和字母，例如 012X。"]),
        ({"role": "owner"}, ["没有这个角色，请重新选择。"]),
        ({"role": ""}, ["请选择角色。"]),
    ],
)
def test_what_is_typed_wrongly_costs_no_try_and_loses_nothing(plan, desk, applicant, values, sentences):
    typed = {"legal_name": "王晓明", "last": "0000", "role": "viewer", **values}
    answer = desk.post(at(plan, "find", "person"), typed)
    assert (answer.status_code, errors(answer), lines()) == (200, sentences, [])
    if typed["legal_name"]:
        assert 'value="王晓明"' in answer.content.decode()


def test_nobody_looks_through_people(plan, desk, manager, applicant):
    for _ in range(limits.MEMBER.times):
        assert errors(seek(desk, plan, applicant, last="0Z0Z")) == [NOT_ONE]
    answer = seek(desk, plan, applicant)
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    (sentence,) = errors(answer)
    assert re.fullmatch(r"查找成员的次数太多了，请在 \d\d:\d\d 以后再试。您已填写和保存的内容不受影响。", sentence)
    assert sealed_in(answer) == ""
    tried = [line for line in lines() if line[1] == "member.sought"]
    assert (len(tried), lines()[-1]) == (
        limits.MEMBER.times,
        (manager.username, "limit.reached", "limit:member", "", ""),
    )
    answer = desk.post(at(plan, "find", "account"), {"account": applicant.username, "role": "viewer"})
    assert answer.status_code == 429


def test_a_name_that_half_the_city_has_finds_nobody(plan, desk, applicant, monkeypatch):
    monkeypatch.setattr(members, "MOST_OF_A_NAME", 1)
    assert sealed_in(seek(desk, plan, applicant)) != ""
    scenes.person(applicant.legal_name)
    assert errors(seek(desk, plan, applicant)) == [NOT_ONE]


def test_somebody_by_account_code(plan, desk, applicant):
    asked = desk.post(at(plan, "find", "account"), {"account": f" {applicant.username} ", "role": "viewer"})
    answer = desk.post(at(plan, "add"), {"sealed": sealed_in(asked)}, follow=True)
    assert said(answer) == ["王晓明已加入组委会，角色是“查看”。"]


def wide(text):
    """As a Chinese keyboard types it at full width."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


def test_what_is_typed_at_full_width_finds_the_same(plan, desk, applicant):
    found = seek(desk, plan, applicant, last=f"{wide(last_of(applicant))}　")
    assert sealed_in(found) != ""
    form = {"account": wide(applicant.username), "role": "viewer"}
    assert sealed_in(desk.post(at(plan, "find", "account"), form)) != ""


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        ("", "请填写账户代号。"),
        ("u-0000000000000000", NOBODY_KNOWN),
        ("王晓明", NOBODY_KNOWN),
        ("locked", NOBODY_KNOWN),
    ],
)
def test_an_account_that_cannot_join(plan, desk, applicant, account, sentence):
    applicant.is_active = False
    applicant.save()
    typed = applicant.username if account == "locked" else account
    answer = desk.post(at(plan, "find", "account"), {"account": typed, "role": "viewer"})
    assert (errors(answer), plan.members.count()) == ([sentence], 1)


def test_a_member_is_not_added_twice(plan, desk, viewer):
    asked = seek(desk, plan, viewer, role="manager")
    assert "这个人已经是这个竞赛计划的组委会成员，角色是“查看”。" in asked.content.decode()
    assert sealed_in(asked) == ""
    applicant = scenes.person("李芳")
    seal = sealed_in(seek(desk, plan, applicant))
    CommitteeMember.objects.create(plan=plan, user=applicant, role="viewer")  # somebody was faster
    answer = desk.post(at(plan, "add"), {"sealed": seal}, follow=True)
    assert said(answer) == ["李芳已经是这个竞赛计划的组委会成员，没有改动。要更换角色，请在成员列表里改。"]
    assert plan.members.get(user=applicant).role == "viewer"


def test_a_seal_is_for_this_plan_this_manager_and_ten_minutes(plan, desk, manager, applicant, sign_in, monkeypatch):
    seal = sealed_in(seek(desk, plan, applicant))
    other = scenes.open_plan()
    CommitteeMember.objects.create(plan=other, user=manager, role="manager")
    colleague = scenes.member(plan, "manager", "钱进")
    before = rows(CommitteeMember)
    late = "没有添加：这一页打开得太久了。请重新查找一次。"
    for client, where, sent in [
        (desk, other, seal),
        (sign_in(colleague), plan, seal),
        (desk, plan, f"{seal}x"),
        (desk, plan, ""),
    ]:
        assert said(client.post(at(where, "add"), {"sealed": sent}, follow=True)) == [late]
    monkeypatch.setattr("plans.member_pages.SECONDS_TO_CONFIRM", -1)
    assert said(desk.post(at(plan, "add"), {"sealed": seal}, follow=True)) == [late]
    assert rows(CommitteeMember) == before


def test_who_comes_in_without_a_line_does_not_come_in(plan, desk, applicant, monkeypatch):
    seal = sealed_in(seek(desk, plan, applicant))

    def broken(*arguments, **values):
        raise OperationalError("away")

    monkeypatch.setattr("plans.members.record", broken)
    desk.raise_request_exception = False
    assert desk.post(at(plan, "add"), {"sealed": seal}).status_code == 503
    assert not plan.members.filter(user=applicant).exists()


# Changing and removing ----------------------------------------------------------------------------------------------


def test_a_role_changes(plan, desk, manager, viewer):
    member = plan.members.get(user=viewer)
    answer = desk.post(at(plan, "role", member.pk), {"role": "reviewer"}, follow=True)
    assert said(answer) == ["周敏的角色已改为“审核”。"]
    assert lines() == [(manager.username, "member.changed", viewer.username, viewer.username, f"{plan.code} reviewer")]
    answer = desk.post(at(plan, "role", member.pk), {"role": "reviewer"}, follow=True)
    assert (said(answer), len(lines())) == (["没有改动：周敏的角色已经是“审核”。"], 1)
    answer = desk.post(at(plan, "role", member.pk), {"role": "owner"}, follow=True)
    assert (said(answer), plan.members.get(pk=member.pk).role) == (["没有改动：没有这个角色，请重新选择。"], "reviewer")


def test_a_member_is_removed_and_out_at_once(plan, desk, manager, viewer, sign_in):
    member = plan.members.get(user=viewer)
    inside = sign_in(viewer)
    asked = desk.get(at(plan, "remove", member.pk)).content.decode()
    assert f"周敏（查看）将被移出“{plan.title}”的组委会" in asked
    assert plan.members.count() == 2
    answer = desk.post(at(plan, "remove", member.pk), follow=True)
    assert said(answer) == [f"周敏已移出“{plan}”的组委会。"]
    assert lines() == [(manager.username, "member.removed", viewer.username, viewer.username, f"{plan.code} viewer")]
    assert inside.get(at(plan)).headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("change", [members.remove, lambda member, by: members.change_role(member, "reviewer", by)])
def test_who_was_put_out_meanwhile_is_not_noted_once_more(plan, manager, viewer, change):
    """Two managers at the same page: the second one's change would stand in the record, and nowhere else."""
    member = plan.members.get(user=viewer)
    plan.members.get(user=viewer).delete()
    with pytest.raises(members.MemberRefused, match="刚刚被移出"):
        change(member, manager)
    assert (plan.members.filter(user=viewer).count(), lines()) == (0, [])


def test_the_last_manager_stays(plan, desk, manager, reviewer):
    member = plan.members.get(user=manager)
    locked = scenes.member(plan, "manager", "停用")
    locked.is_active = False
    locked.save()
    for page, sent in (("remove", {}), ("role", {"role": "viewer"})):
        assert said(desk.post(at(plan, page, member.pk), sent, follow=True)) == [LAST]
    assert (plan.members.get(user=manager).role, lines()) == ("manager", [])
    desk.post(at(plan, "remove", plan.members.get(user=locked).pk))
    assert not plan.members.filter(user=locked).exists()


def test_one_leaves_oneself_after_being_asked(plan, desk, manager):
    scenes.member(plan, "manager", "钱进")
    member = plan.members.get(user=manager)
    assert f"您将退出“{plan.title}”的组委会" in desk.get(at(plan, "remove", member.pk)).content.decode()
    answer = desk.post(at(plan, "remove", member.pk))
    assert (answer.headers["Location"], plan.members.filter(user=manager).exists()) == ("/admin/", False)


def test_only_this_plans_managers(plan, manager, viewer, reviewer, applicant, sign_in):
    """Others of the committee are refused, another plan's manager finds nothing; nothing changes."""
    foreign = scenes.member(scenes.open_plan(), "manager", "外人")
    member = plan.members.get(user=viewer)
    invitation, _ = members.invite(plan, "viewer", manager)
    asked = [
        (at(plan, "find", "person"), {"legal_name": "王晓明", "last": last_of(applicant), "role": "manager"}),
        (at(plan, "add"), {"sealed": sealed_in(seek(sign_in(manager), plan, applicant))}),
        (at(plan, "role", member.pk), {"role": "manager"}),
        (at(plan, "remove", member.pk), {}),
        (at(plan, "invite"), {"role": "manager"}),
        (at(plan, "revoke", invitation.pk), {}),
    ]
    before = everything()
    for user, status in ((viewer, 403), (reviewer, 403), (foreign, 404)):
        client = sign_in(user)
        assert [client.post(address, sent).status_code for address, sent in asked] == [status] * len(asked)
    assert sign_in(foreign).get(at(plan)).status_code == 404
    assert everything() == before


def test_a_foreign_member_is_not_reached_through_ones_own_plan(plan, desk, manager):
    other = scenes.open_plan()
    theirs = CommitteeMember.objects.get(user=scenes.member(other, "manager", "外人"))
    scenes.member(other, "manager", "另一位")
    invitation, _ = members.invite(other, "viewer", theirs.user)
    before = everything()
    for page, pk in (("remove", theirs.pk), ("role", theirs.pk), ("revoke", invitation.pk)):
        assert desk.post(at(plan, page, pk), {"role": "viewer"}).status_code == 404
    assert everything() == before


# Members who apply themselves ---------------------------------------------------------------------------------------


def test_whoever_applied_may_come_in_and_never_reviews_the_own_registration(plan, occupation, manager, applicant):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    members.accept(members.invite(plan, "manager", manager)[0], applicant)
    for action in (Action.APPROVE, Action.RETURN, Action.REJECT):
        assert action not in registration.actions_for(applicant)
        with pytest.raises(StepRefused):
            scenes.take(registration, action, applicant, note="我自己")
    assert scenes.fresh(registration).status == Status.SUBMITTED


def test_since_is_when_it_was(plan, desk, applicant):
    desk.post(at(plan, "add"), {"sealed": sealed_in(seek(desk, plan, applicant))})
    assert timezone.now() - plan.members.get(user=applicant).since < timedelta(minutes=1)
