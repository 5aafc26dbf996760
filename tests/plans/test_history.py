"""The history of a plan in the desk names people as the rest of the desk does."""

import re

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from plans import members
from tests import scenes
from tests.plans.test_admin import save
from tests.registrations.reading import text_of


def address(plan):
    return reverse("admin:plans_plan_history", args=[plan.pk])


def who(answer):
    """The column of names."""
    assert answer.status_code == 200
    return [text_of(cell) for cell in re.findall(r"</th><td>(.*?)</td><td>", answer.content.decode())]


def changed(plan, *people):
    for user in people:
        LogEntry.objects.log_actions(user.pk, [plan], CHANGE, change_message="改动")


def test_each_line_has_the_name_of_whoever_did_it(plan, manager, viewer, sign_in):
    save(sign_in(manager), plan, title="改过的名称")
    answer = sign_in(viewer).get(address(plan))
    assert who(answer) == [manager.legal_name]
    assert manager.username not in answer.content.decode()
    assert "已修改竞赛名称" in answer.content.decode()


def test_of_two_with_one_name_each_has_the_code_too(plan, manager, sign_in):
    one, other, third = scenes.member(plan, "manager", "钱进"), scenes.person("钱进"), scenes.person("孙丽")
    changed(plan, one, other, third)
    assert who(sign_in(manager).get(address(plan))) == [f"钱进（{one.username}）", f"钱进（{other.username}）", "孙丽"]


def test_a_namesake_who_has_done_nothing_here_makes_no_difference(plan, manager, sign_in):
    one = scenes.member(plan, "manager", "钱进")
    changed(plan, one)
    changed(scenes.open_plan(), scenes.person("钱进"))
    assert who(sign_in(manager).get(address(plan))) == ["钱进"]


def test_who_has_left_the_committee_keeps_the_name_and_who_has_none_the_code(plan, manager, sign_in):
    former, nameless = scenes.member(plan, "manager", "钱进"), User.objects.create()
    changed(plan, former, nameless)
    members.remove(plan.members.get(user=former), manager)
    assert who(sign_in(manager).get(address(plan))) == ["钱进", nameless.username]


def test_nothing_was_done_yet(plan, manager, sign_in):
    answer = sign_in(manager).get(address(plan))
    assert (who(answer), "还没有在工作台里改过。" in answer.content.decode()) == ([], True)


def test_a_long_history_has_pages(plan, manager, sign_in):
    changed(plan, *[manager] * 101)
    visitor = sign_in(manager)
    first, second = (visitor.get(address(plan), {"p": page}) for page in (1, 2))
    assert (len(who(first)), len(who(second))) == (100, 1)
    assert (
        '<a role="button" href="?p=2">2</a>' in first.content.decode(),
        "共 101 条。" in text_of(second.content.decode()),
    ) == (True, True)


def test_whoever_may_not_see_the_plan_is_told_no_name(plan, manager, stranger, sign_in):
    changed(plan, manager)
    scenes.open_plan().members.create(user=stranger, role="manager")
    answer = sign_in(stranger).get(address(plan))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_it_is_only_looked_at(plan, manager, sign_in):
    assert sign_in(manager).post(address(plan)).status_code == 405


def test_the_page_asks_the_database_as_often_for_many_people(plan, manager, sign_in):
    visitor = sign_in(manager)

    def asked():
        with CaptureQueriesContext(connection) as queries:
            visitor.get(address(plan))
        return len(queries)

    changed(plan, manager)
    few = asked()
    changed(plan, *[scenes.person(f"成员{number}") for number in "甲乙丙"])
    assert asked() == few
