"""Taking accounts into a committee from the command line: what it does, what it says, what it leaves behind."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry
from plans.models import CommitteeMember, Plan
from tests import scenes

pytestmark = pytest.mark.django_db
ROLES = "viewer（查看）、reviewer（审核）、manager（管理）"


def run(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command("add_committee_member", *arguments, stdout=out, **options)
    return out.getvalue()


def refusal(*arguments: str, **options: Any) -> str:
    with pytest.raises(CommandError) as refused:
        run(*arguments, **options)
    return str(refused.value)


def members() -> list[tuple[str, str, str]]:
    return list(CommitteeMember.objects.order_by("pk").values_list("plan__code", "user__username", "role"))


def trail() -> list[tuple[str, str, str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("actor", "verb", "target", "detail"))


def line(verb: str, target: str, detail: str) -> tuple[str, str, str, str]:
    return ("command:add_committee_member", verb, target, detail)


def test_an_account_joins_by_its_code_and_leaves_a_line(plan: Plan, applicant: Any) -> None:
    said = run(plan.code, applicant.username, "reviewer")
    assert said == f"账户 {applicant.username} 在“{plan}”组委会已加入，角色是审核。\n"
    assert members() == [(plan.code, applicant.username, "reviewer")]
    assert trail() == [line("member.added", applicant.username, f"{plan.code} reviewer")]


def test_an_account_joins_by_its_subject(plan: Plan, applicant: Any) -> None:
    run(plan.code, applicant.subject, "viewer")
    assert members() == [(plan.code, applicant.username, "viewer")]


def test_a_member_of_another_plan_stays_what_it_is_there(plan: Plan, manager: Any) -> None:
    other = scenes.open_plan()
    assert "现有成员：一个也没有" in refusal(other.code, manager.username, remove=True)
    run(other.code, manager.username, "manager")
    assert members() == [(plan.code, manager.username, "manager"), (other.code, manager.username, "manager")]
    assert trail() == [line("member.added", manager.username, f"{other.code} manager")]


def test_a_role_is_changed_not_added(plan: Plan, reviewer: Any) -> None:
    said = run(plan.code, reviewer.username, "manager")
    assert said == f"账户 {reviewer.username} 在“{plan}”组委会角色改为管理。\n"
    assert members() == [(plan.code, reviewer.username, "manager")]
    assert trail() == [line("member.changed", reviewer.username, f"{plan.code} manager")]


def test_the_same_role_again_changes_nothing(plan: Plan, reviewer: Any) -> None:
    said = run(plan.code, reviewer.username, "reviewer")
    assert said == f"账户 {reviewer.username} 已经是“{plan}”组委会的审核成员，没有需要改动的。\n"
    assert trail() == []


def test_a_member_is_removed_and_the_line_says_what_it_was(plan: Plan, reviewer: Any, viewer: Any) -> None:
    said = run(plan.code, reviewer.username, remove=True)
    assert said == f"账户 {reviewer.username} 已移出“{plan}”组委会（原角色：审核）。\n"
    assert members() == [(plan.code, viewer.username, "viewer")]
    assert trail() == [line("member.removed", reviewer.username, f"{plan.code} reviewer")]


@pytest.mark.parametrize(("role", "options"), [(["manager"], {}), ([], {"remove": True})])
def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    plan: Plan, reviewer: Any, role: list[str], options: Any
) -> None:
    said = run(plan.code, reviewer.username, *role, dry_run=True, **options)
    assert said.startswith(f"检查通过，没有改动。实际执行时：账户 {reviewer.username} ")
    assert members() == [(plan.code, reviewer.username, "reviewer")]
    assert trail() == []


def test_an_unknown_plan_is_answered_with_those_that_exist(plan: Plan, applicant: Any) -> None:
    other = scenes.open_plan()
    known = "、".join(sorted([plan.code, other.code]))
    assert refusal("BJ", applicant.username, "viewer") == f"没有竞赛计划 BJ。现有：{known}。"


def test_where_there_is_no_plan_it_says_where_to_make_one(applicant: Any) -> None:
    assert refusal("BJ", applicant.username, "viewer") == "没有竞赛计划 BJ。现有：一个也没有，请先在工作台新建。"


def test_an_unknown_account_is_answered_with_what_to_do(plan: Plan) -> None:
    assert refusal(plan.code, "u-0", "viewer") == (
        "没有账户 u-0。请让对方先登录一次，再用平台的用户标识（sub）或账户代号（u-…）执行。"
    )


def test_an_unknown_role_and_a_missing_one_are_answered_with_the_roles(plan: Plan, applicant: Any) -> None:
    assert refusal(plan.code, applicant.username, "boss") == f"没有角色 boss。可用：{ROLES}。"
    assert refusal(plan.code, applicant.username) == f"请写明角色。可用：{ROLES}。"
    assert members() == []


def test_removing_somebody_who_is_no_member_names_the_members(plan: Plan, applicant: Any) -> None:
    empty = f"账户 {applicant.username} 不在“{plan}”的组委会里。现有成员：一个也没有。"
    assert refusal(plan.code, applicant.username, remove=True) == empty
    member = scenes.member(plan, "manager")
    assert refusal(plan.code, applicant.username, remove=True) == (
        f"账户 {applicant.username} 不在“{plan}”的组委会里。现有成员：{member.username}（管理）。"
    )


def test_a_deactivated_account_is_not_taken_in_but_can_be_taken_out(plan: Plan, reviewer: Any) -> None:
    reviewer.is_active = False
    reviewer.save()
    assert refusal(plan.code, reviewer.username, "manager") == f"账户 {reviewer.username} 已被停用，不能加入组委会。"
    run(plan.code, reviewer.username, remove=True)
    assert members() == []
