"""One registration at the desk: what is on its page, going on to the next one, and taking a decision back."""

import html
import re
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from registrations.claims import Claim
from registrations.decisions import DecisionForm, items_of
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.reading import every_row, situation, text_of
from tests.registrations.test_admin import done, of, said, steps


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def three(occupation, manager):
    """Submitted one after the other."""
    found = []
    for minutes, name in ((3, "甲一"), (2, "乙二"), (1, "丙三")):
        one = scenes.registration_at(Status.SUBMITTED, scenes.person(name), occupation, manager)
        Registration.objects.filter(pk=one.pk).update(submitted_at=timezone.now() - timedelta(minutes=minutes))
        found.append(scenes.fresh(one))
    return found


def rows(answer, section):
    part = re.search(rf'aria-labelledby="{section}-title".*?</section>', answer.content.decode(), re.DOTALL)
    found = re.findall(r"<tr.*?</tr>", part[0], re.DOTALL) if part else []
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in found]
    return [[text_of(cell) for cell in row] for row in cells]


def facts(answer, section):
    part = re.search(rf'aria-labelledby="{section}-title".*?</section>', answer.content.decode(), re.DOTALL)
    pairs = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", part[0], re.DOTALL)
    return [(text_of(name), text_of(value)) for name, value in pairs]


def approve(visitor, registration, query="", **instead):
    sent = {"versions": DecisionForm.seal([registration]), "note": "", **instead}
    return visitor.post(of(registration, "approve") + query, sent)


def landed(registration, query="status=submitted", decided=None):
    more = f"&done={decided.events.first().pk}" if decided else ""
    return f"{of(registration)}?{query}{more}"


def undo(visitor, registration, decision=None, **options):
    decision = decision or registration.events.first()
    return visitor.post(of(registration, "undo"), {"decision": decision.pk}, **options)


# What is on the page --------------------------------------------------------------------------------------------------


def test_the_conditions_stand_beside_the_person(sign_in, applicant, plan, manager, reviewer):
    asked = scenes.occupation(plan, name="数控车工", skill_level="高级工（三级）", requirements="满 2 年；\n四级以上。")
    answer = sign_in(reviewer).get(of(scenes.registration_at(Status.SUBMITTED, applicant, asked, manager)))
    born, today = scenes.COMPLETE["birth_date"], timezone.localdate()
    assert facts(answer, "conditions") == [
        ("职业（工种）", "数控车工（职工组）"),
        ("竞赛标准等级", "高级工（三级）"),
        ("参赛条件", "满 2 年；四级以上。"),
        ("年龄", f"{today.year - born.year - ((today.month, today.day) < (born.month, born.day))} 岁"),
        ("文化程度", "大学专科"),
        ("毕业（就读）院校", "北京工业职业技术学院"),
        ("工作单位", "北京精工机械有限公司"),
        ("从业年限", "8 年"),
        ("现职业资格或技能等级", "高级工（三级）"),
        ("证书编号", "S000011010326"),
    ]


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=5), "不到 1 分"),
        (timedelta(minutes=70), "1 小时 10 分"),
        (timedelta(days=2, hours=23), "2 天 23 小时"),
        (timedelta(days=9), "9 天"),
    ],
)
def test_how_long_it_has_waited_is_said_as_everywhere(clock, sign_in, three, reviewer, ago, said):
    Registration.objects.filter(pk=three[0].pk).update(submitted_at=timezone.now() - ago)
    page = text_of(sign_in(reviewer).get(of(three[0])).content.decode())
    assert f"提交，已等 {said} " in page


def test_the_age_is_that_of_the_competition(sign_in, applicant, occupation, manager, reviewer):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    for day, age in ((timezone.localdate().replace(year=2030, month=3, day=6), 39), (None, None)):
        occupation.plan.competition_starts_on = day
        occupation.plan.save()
        found = dict(facts(sign_in(reviewer).get(of(registration)), "conditions"))["年龄"]
        assert (found == f"竞赛开始时 {age} 岁") == bool(day)


def test_what_changed_since_it_was_returned_and_what_did_not(sign_in, applicant, occupation, manager, reviewer):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    asked = items_of({"portrait": "请换白底照片。", "employer": "请写全称。", "phone": "打不通。"})
    scenes.fresh(registration).take(Action.RETURN, by=manager, items=asked, whole=True)
    returned = scenes.fresh(registration)
    returned.write(returned.version, employer="北京精工机械制造有限公司", school="北京大学")
    returned.set_portrait(scenes.portrait_of(applicant, "#dfe9f5"))
    returned.correction().answer({"phone": "号码没有错，白天打得通。"})
    scenes.take(returned, Action.SUBMIT, applicant)
    answer = sign_in(reviewer).get(of(registration))
    assert rows(answer, "changes") == [
        ["项目", "退回时", "现在"],
        ["证件照", "已换照片，左边并排的是退回时的照片。"],
        ["当时的要求：请换白底照片。"],
        ["工作单位", "北京精工机械有限公司", "北京精工机械制造有限公司"],
        ["当时的要求：请写全称。"],
        ["手机", "没有改动：13812342671报名人员说明：号码没有错，白天打得通。"],
        ["当时的要求：打不通。"],
        ["毕业（就读）院校", "北京工业职业技术学院", "北京大学"],
    ]


def test_what_was_never_returned_has_no_changes(sign_in, three, reviewer):
    assert rows(sign_in(reviewer).get(of(three[0])), "changes") == []


def test_earlier_registrations_are_those_of_ones_own_plans(sign_in, three, manager, reviewer):
    person = three[0].applicant
    mine, strange = scenes.open_plan(title="去年的竞赛"), scenes.open_plan(title="别的委员会的竞赛")
    for plan in (mine, strange):
        boss = scenes.member(plan, "manager")
        scenes.registration_at(Status.REJECTED, person, scenes.occupation(plan), boss)
    scenes.draft(person, scenes.occupation(scenes.open_plan(title="还没提交的竞赛")))
    before = sign_in(reviewer).get(of(three[0])).content.decode()
    reviewer.committee_memberships.create(plan=mine, role="viewer")
    page = sign_in(reviewer).get(of(three[0])).content.decode()
    titles = [title for title in ("去年的竞赛", "别的委员会的竞赛", "还没提交的竞赛") if title in page]
    assert ("在您参加组委会的竞赛计划里没有别的报名。" in before, titles) == (True, ["去年的竞赛"])


def test_the_filter_travels_and_nothing_else(sign_in, three, reviewer):
    query = "?order=newest&status=submitted&name=王晓明"
    page = html.unescape(sign_in(reviewer).get(of(three[0]) + query).content.decode())
    addresses = re.findall(rf'(?:href|action)="([^"]*/{three[0].pk}/[a-z]+/\?[^"]*)"', page)
    assert len(addresses) >= 4
    assert {address.partition("?")[2].partition("&version")[0] for address in addresses} == {
        "status=submitted&order=newest"
    }


# Going on -------------------------------------------------------------------------------------------------------------


def test_after_a_decision_the_next_one_opens(sign_in, three, reviewer):
    visitor = sign_in(reviewer)
    answers = [approve(visitor, three[0]), approve(visitor, three[1]), approve(visitor, three[2])]
    assert [answer["Location"] for answer in answers] == [
        landed(three[1], decided=three[0]), landed(three[2], decided=three[1]), landed(three[2], decided=three[2]),
    ]  # fmt: skip
    told = done(visitor.get(answers[0]["Location"]))
    assert told == f"{three[0].reference} 甲一：审核通过。"
    assert done(visitor.get(answers[2]["Location"])).endswith("审核通过。这个筛选条件下没有别的待审核报名了。")


def test_the_next_one_is_that_of_the_filter(sign_in, three, plan, manager, reviewer):
    student = scenes.occupation(plan, division="student")
    other = scenes.registration_at(Status.SUBMITTED, scenes.person(), student, manager)
    visitor = sign_in(reviewer)
    assert approve(visitor, three[2], "?order=newest")["Location"] == landed(
        three[1], "status=submitted&order=newest", three[2]
    )
    query = f"status=submitted&occupation={student.pk}"
    assert visitor.get(f"{of(three[0], 'next')}?{query}")["Location"] == landed(other, query)


def test_what_somebody_else_is_looking_at_is_passed_over(sign_in, three, reviewer, manager):
    sign_in(manager).post(of(three[1], "claim"), {"do": "claim"})
    assert sign_in(reviewer).get(of(three[0], "next"))["Location"] == landed(three[2])
    assert sign_in(manager).get(of(three[0], "next"))["Location"] == landed(three[1])
    assert Claim.objects.count() == 1


def test_where_nothing_is_left_one_stays_and_is_told(sign_in, three, reviewer):
    visitor = sign_in(reviewer)
    answer = visitor.get(f"{of(three[0], 'next')}?status=rejected", follow=True)
    assert answer.redirect_chain == [(landed(three[0], "status=rejected"), 302)]
    assert said(answer) == ["这个筛选条件下没有别的待审核报名了。"]


def test_ones_own_is_not_the_next(sign_in, three, occupation, manager, reviewer):
    scenes.registration_at(Status.SUBMITTED, reviewer, occupation, manager)
    assert sign_in(reviewer).get(of(three[2], "next"))["Location"] == landed(three[0])


def test_pressed_twice_it_is_one_decision_and_the_same_next_page(sign_in, three, reviewer):
    visitor, seal = sign_in(reviewer), DecisionForm.seal([three[0]])
    answers = [approve(visitor, three[0], versions=seal) for _ in range(2)]
    assert {answer["Location"] for answer in answers} == {landed(three[1], decided=three[0])}
    assert [event.action for event in three[0].events.all()] == ["approve", "submit"]
    assert said(visitor.get(answers[1]["Location"])) == []


def test_the_opposite_of_ones_own_decision_is_refused(sign_in, three, reviewer):
    visitor, seal = sign_in(reviewer), DecisionForm.seal([three[0]])
    approve(visitor, three[0])
    was = situation(three[0])
    answer = visitor.post(of(three[0], "reject"), {"versions": seal, "note": "不符合"}, follow=True)
    moment = timezone.localtime(three[0].events.first().at)
    sentence = f"{three[0].reference} 甲一：已被您自己处理：审核通过（{moment:%H:%M}）。这次的决定没有记下。"
    assert (answer.redirect_chain, said(answer)) == ([(landed(three[0]), 302)], [sentence])
    assert situation(three[0]) == was


def test_going_on_writes_nothing(sign_in, three, reviewer):
    visitor = sign_in(reviewer)
    visitor.get(of(three[0]))
    before = every_row()
    assert [visitor.get(of(three[0], "next")).status_code, visitor.get(of(three[0])).status_code] == [302, 200]
    assert (visitor.post(of(three[0], "next")).status_code, every_row()) == (405, before)


# Taking back ----------------------------------------------------------------------------------------------------------


def test_what_was_done_just_now_is_told_with_the_seconds_that_are_left(clock, sign_in, three, reviewer):
    visitor = sign_in(reviewer)
    following = approve(visitor, three[0])["Location"]
    shown = []
    for seconds in (0, 4, 5, 1, 49, 2):
        clock.shift(timedelta(seconds=seconds))
        page = visitor.get(following)
        left = re.search(r'data-left="(\d+)"', page.content.decode())
        shown.append((left and left[1], "撤销 Z" in text_of(page.content.decode())))
    assert shown == [("10", True), ("6", True), ("1", True), ("0", False), ("0", False), (None, False)]


def test_a_decision_is_taken_back_on_the_next_page(sign_in, three, reviewer):
    visitor, was = sign_in(reviewer), situation(three[0])
    approve(visitor, three[0])
    decision = three[0].events.first()
    answers = [undo(visitor, three[0], decision, follow=True) for _ in range(2)]
    sentence = f"{three[0].reference} 甲一：已撤销，请重新决定。"
    assert [(answer.redirect_chain, said(answer)) for answer in answers] == [
        ([(landed(three[0]), 302)], [sentence])
    ] * 2
    assert steps(answers[0]) == ["审核通过", "退回修改", "审核不通过"]
    now = situation(three[0])
    assert {**now, "trail": now["trail"][2:]} == was
    record = text_of(answers[0].content.decode().partition("<h2>审核记录</h2>")[2])
    assert "周敏 撤销决定" in record
    assert "周敏 审核通过（已撤销）" in record


def test_too_late_it_is_refused_with_a_way_out(clock, sign_in, three, reviewer):
    visitor = sign_in(reviewer)
    approve(visitor, three[0])
    was = situation(three[0])
    clock.shift(timedelta(seconds=11))
    answer = undo(visitor, three[0], follow=True)
    sentence = "已经超过 10 秒，不能撤销。已通过或不通过的，可以请管理成员“重新审核”。"
    assert (said(answer), situation(three[0])) == ([f"{three[0].reference} 甲一：{sentence}"], was)


@pytest.mark.parametrize("named", ["", "None", "x", "0", "²", "9" * 40])
def test_another_decision_than_the_one_that_is_named_stays(sign_in, three, reviewer, named):
    visitor = sign_in(reviewer)
    approve(visitor, three[0])
    was = situation(three[0])
    answer = visitor.post(of(three[0], "undo"), {"decision": named}, follow=True)
    sentence = "这份报名已经有了新的记录，不能撤销那次决定。请看过下面的审核记录后再操作。"
    assert (said(answer), situation(three[0])) == ([f"{three[0].reference} 甲一：{sentence}"], was)


@pytest.mark.parametrize("named", ["", "None"])
def test_who_names_no_decision_is_not_told_that_it_was_taken_back(sign_in, three, reviewer, manager, named):
    approve(sign_in(reviewer), three[0])
    was = situation(three[0])
    answer = sign_in(manager).post(of(three[0], "undo"), {"decision": named}, follow=True)
    sentence = "这份报名已经有了新的记录，不能撤销那次决定。请看过下面的审核记录后再操作。"
    assert (said(answer), situation(three[0])) == ([f"{three[0].reference} 甲一：{sentence}"], was)


def test_a_colleague_takes_nothing_back(sign_in, three, reviewer, manager):
    approve(sign_in(reviewer), three[0])
    was = situation(three[0])
    answer = undo(sign_in(manager), three[0], follow=True)
    assert (said(answer), situation(three[0])) == (
        [f"{three[0].reference} 甲一：您不能对这份报名执行“撤销决定”。"], was,
    )  # fmt: skip


@pytest.mark.parametrize("done_by", ["x", "0", "²", "9" * 40, "-1", ""])
def test_what_an_address_says_was_done_is_not_believed(sign_in, three, reviewer, done_by):
    answer = sign_in(reviewer).get(f"{of(three[0])}?done={done_by}")
    assert (answer.status_code, done(answer)) == (200, "")


def test_what_another_did_is_not_told(sign_in, three, reviewer, manager):
    following = approve(sign_in(reviewer), three[0])["Location"]
    assert done(sign_in(manager).get(following)) == ""


def test_undoing_by_reading_is_not_possible(sign_in, three, reviewer):
    visitor = sign_in(reviewer)
    approve(visitor, three[0])
    was = situation(three[0])
    assert (visitor.get(of(three[0], "undo")).status_code, situation(three[0])) == (405, was)
