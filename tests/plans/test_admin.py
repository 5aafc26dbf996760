"""The committee edits its own plans in the admin: who sees what, who may change what, what is refused and how."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from plans import publication
from plans.models import Attachment, CommitteeMember, Occupation, Plan
from plans.occupation_sheet import MOST_ROWS
from tests import scenes
from tests.pages import form_of
from tests.registrations.reading import text_of

LIST = "/admin/plans/plan/"
ADD = "/admin/plans/plan/add/"


@pytest.fixture
def staff(stranger):
    stranger.is_staff = True
    stranger.save()
    return stranger


@pytest.fixture
def desk(manager, sign_in):
    return sign_in(manager)


def change(plan):
    return reverse("admin:plans_plan_change", args=[plan.pk])


def titles(response):
    found = re.findall(r'<th class="field-title"><a[^>]*>(.*?)</a>', response.content.decode())
    return [text_of(title) for title in found]


def errors(response):
    """Every sentence that says what is wrong."""
    lists = re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', response.content.decode(), re.DOTALL)
    return [text_of(line) for found in lists for line in re.findall(r"<li>(.*?)</li>", found, re.DOTALL)]


def said(response):
    (found,) = re.findall(r'<ul class="messagelist">(.*?)</ul>', response.content.decode(), re.DOTALL) or [""]
    return [text_of(line) for line in re.findall(r"<li[^>]*>(.*?)</li>", found, re.DOTALL)]


def save(client, plan, follow=False, **values):
    """Open the plan's form, change these fields, press 保存."""
    form = form_of(client.get(change(plan)))
    return client.post(change(plan), {**form, **{key: str(value) for key, value in values.items()}}, follow=follow)


def new_row(kind, form, **values):
    """One more row of an inline."""
    index = int(form[f"{kind}-TOTAL_FORMS"])
    return {
        f"{kind}-TOTAL_FORMS": index + 1,
        **{f"{kind}-{index}-{name}": value for name, value in values.items()},
    }


def rows(model, **values):
    return list(model.objects.filter(**values).order_by("pk").values())


# Who sees what ------------------------------------------------------------------------------------------------------


def test_members_see_their_own_plans_alone(plan, manager, reviewer, viewer, applicant, sign_in):
    other = scenes.open_plan(title="别的竞赛")
    scenes.open_plan(title="未发布的", published_at=None)
    for user in (manager, reviewer, viewer):
        client = sign_in(user)
        assert titles(client.get(LIST)) == [plan.title]
        assert titles(client.get(LIST, {"q": "别的"})) == []
        refused = client.get(change(other), follow=True)
        assert refused.redirect_chain == [("/admin/", 302)]
        assert "别的竞赛" not in refused.content.decode()
    assert sign_in(applicant).get(LIST).headers["Location"] == f"/admin/login/?next={LIST}"


def test_who_is_no_member_is_told_so(applicant, sign_in):
    response = sign_in(applicant).get(LIST, follow=True)
    page = response.content.decode()
    assert response.status_code == 403
    assert "<h1>您不是组委会成员</h1>" in page
    assert f"您的账户代号 <strong>{applicant.username}</strong>" in page


def test_staff_sees_only_plans_of_their_own(plan, staff, sign_in):
    client = sign_in(staff)
    assert titles(client.get(LIST)) == []
    assert client.get(change(plan)).headers["Location"] == "/admin/"


def test_a_superuser_sees_all(plan, applicant, sign_in):
    other = scenes.open_plan()
    applicant.is_staff = applicant.is_superuser = True
    applicant.save()
    assert set(titles(sign_in(applicant).get(LIST))) == {plan.title, other.title}


def test_a_viewer_and_a_reviewer_read(plan, reviewer, viewer, sign_in):
    scenes.occupation(plan, name="电工")
    before = rows(Plan), rows(Occupation), rows(CommitteeMember)
    for user in (reviewer, viewer):
        client = sign_in(user)
        page = client.get(change(plan)).content.decode()
        assert f'<div class="readonly">{plan.title}</div>' in page
        assert [name for name in ('name="_save"', 'name="title"', 'name="occupations-0-name"') if name in page] == []
        forged = {"title": "改过", "occupations-TOTAL_FORMS": 0, "occupations-INITIAL_FORMS": 0}
        assert client.post(change(plan), forged).status_code == 403
    assert (rows(Plan), rows(Occupation), rows(CommitteeMember)) == before


def test_nobody_deletes_a_plan(plan, manager, applicant, sign_in):
    applicant.is_staff = applicant.is_superuser = True
    applicant.save()
    address = f"{LIST}{plan.pk}/delete/"
    for user in (manager, applicant):
        client = sign_in(user)
        assert "deletelink" not in client.get(change(plan)).content.decode()
        assert client.post(address, {"post": "yes"}).status_code == 404
        choices = re.findall(r'<option value="(\w+)">', client.get(LIST).content.decode())
        assert "publish_now" in choices
        assert "delete_selected" not in choices
    assert Plan.objects.get() == plan


# Creating -----------------------------------------------------------------------------------------------------------


def new_plan(form, **values):
    tomorrow = timezone.localtime() + timedelta(days=1)
    return {
        **form,
        "code": "BJ2026-07",
        "title": "新的竞赛",
        "level": "city",
        "organiser": "主办单位",
        "registration_opens_at_0": f"{tomorrow:%Y-%m-%d}",
        "registration_opens_at_1": "09:00",
        "registration_closes_at_0": f"{tomorrow + timedelta(days=9):%Y-%m-%d}",
        "registration_closes_at_1": "17:00",
        **values,
    }


def test_staff_creates_a_plan_and_is_its_manager(staff, sign_in):
    client = sign_in(staff)
    form = form_of(client.get(ADD))
    row = new_row("occupations", form, name="电工", division="worker", capacity="20")
    response = client.post(ADD, new_plan(form, **row), follow=True)
    assert errors(response) == []
    plan = Plan.objects.get()
    assert (plan.code, plan.published_at, plan.registration_opens_at.astimezone().minute) == ("BJ2026-07", None, 0)
    assert timezone.localtime(plan.registration_opens_at).hour == 9
    assert [(str(member), member.role, member.added_by) for member in plan.members.all()] == [
        ("李芳（管理）", "manager", staff)
    ]
    assert [str(occupation) for occupation in plan.occupations.all()] == ["电工（职工组）"]
    assert list(AuditEntry.objects.values_list("actor", "verb", "target", "detail")) == [
        (staff.username, "plan.created", f"plans.plan:{plan.pk}", ""),
        (staff.username, "member.added", staff.username, "BJ2026-07 manager"),
    ]
    assert titles(client.get(LIST)) == ["新的竞赛"]


def test_a_manager_alone_creates_none(desk, plan):
    assert desk.get(ADD).status_code == 403
    assert desk.post(ADD, new_plan({})).status_code == 403
    assert Plan.objects.get() == plan


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        ({"registration_closes_at_0": "2020-01-01"}, ["报名截止时间必须晚于报名开始时间。"]),
        (
            {"correction_closes_at_0": "2020-01-01", "correction_closes_at_1": "09:00"},
            ["修改截止时间不能早于报名截止时间。"],
        ),
        (
            {"competition_starts_on": "2026-10-02", "competition_ends_on": "2026-10-01"},
            ["竞赛结束日期不能早于开始日期。"],
        ),
        ({"code": "编号 7"}, ["计划编号只能用字母、数字和连字符。"]),
        ({"title": ""}, ["请填写这一项。"]),
        ({"registration_opens_at_0": "明天"}, ["日期不对，请按 2026/11/27 的样子填写。"]),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_in_chinese(staff, sign_in, values, sentences):
    client = sign_in(staff)
    response = client.post(ADD, new_plan(form_of(client.get(ADD)), **values))
    assert [sentence for sentence in errors(response) if sentence not in {"请更正下列错误。"}] == sentences
    assert form_of(response)["organiser"] == "主办单位"
    assert not Plan.objects.exists()


def test_a_code_that_is_taken(desk, plan):
    other = scenes.open_plan()
    assert errors(save(desk, plan, code=other.code)) == ["这个计划编号已经用过，请换一个。"]


# Changing -----------------------------------------------------------------------------------------------------------


def test_a_manager_edits_everything(desk, plan, manager):
    occupation = scenes.occupation(plan, name="电工", capacity=5)
    row = {"occupations-0-name": "焊工", "occupations-0-capacity": 7}
    response = save(desk, plan, title="改过的名称", published_at_0="", published_at_1="", **row)
    assert response.headers["Location"] == LIST
    plan.refresh_from_db()
    occupation.refresh_from_db()
    assert (plan.title, plan.published_at, occupation.name, occupation.capacity) == ("改过的名称", None, "焊工", 7)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.verb, entry.target) == (manager.username, "plan.changed", f"plans.plan:{plan.pk}")


def test_what_another_manager_did_meanwhile_is_not_undone(desk, plan, manager):
    """The page lay open while the deadline was moved back: saving a corrected title must not bring the old one again."""
    form = form_of(desk.get(change(plan)))
    publication.extend(plan, manager, plan.registration_closes_at + timedelta(days=3), None)
    later = Plan.objects.get().registration_closes_at
    answer = desk.post(change(plan), {**form, "title": "改过的名称"})
    sentence = (
        "没有保存：您打开这一页以后，别人改过“报名截止时间”。下面仍是您填写的内容，"
        "请在新的页面里看过现在的内容，改好后再次保存，就以您的为准。"
    )
    assert (errors(answer), form_of(answer)["title"]) == ([sentence], "改过的名称")
    assert (Plan.objects.get().registration_closes_at, Plan.objects.get().title) == (later, plan.title)
    desk.post(change(plan), form_of(answer))
    assert Plan.objects.get().title == "改过的名称"
    assert LogEntry.objects.get().get_change_message().startswith("已修改竞赛名称，")


@pytest.mark.parametrize("later", [None, timedelta(days=1)])
def test_what_somebody_has_begun_is_not_taken_back_by_the_form_either(desk, plan, applicant, later):
    scenes.draft(applicant, scenes.occupation(plan, name="电工"))
    at = timezone.localtime(timezone.now() + later) if later else None
    moment = {"published_at_0": f"{at:%Y-%m-%d}" if at else "", "published_at_1": f"{at:%H:%M}" if at else ""}
    sentence = f"“{plan}”已经有人开始填写报名，不能撤回发布。可以修改竞赛说明，或联系运营人员。"
    assert errors(save(desk, plan, **moment)) == [sentence]
    assert Plan.objects.get().published_at == plan.published_at


def test_a_plan_of_as_many_occupations_as_a_workbook_brings_can_still_be_edited(desk, plan):
    wanted = "取得中级职业资格证书以后，从事本职业工作满两年"
    Occupation.objects.bulk_create(
        Occupation(plan=plan, name=f"职业{number}", division="worker", requirements=wanted, capacity=30)
        for number in range(MOST_ROWS)
    )
    last = {f"occupations-{MOST_ROWS - 1}-capacity": 31}
    assert save(desk, plan, title="改过的名称", **last).status_code == 302
    assert Plan.objects.get().title == "改过的名称"
    assert plan.occupations.values_list("capacity").annotate(Count("pk")).order_by("capacity").last() == (31, 1)


def test_of_many_rows_the_wrong_ones_are_named_with_the_way_there(desk, plan):
    for number in range(3):
        scenes.occupation(plan, name=f"职业{number}")
    wrong = {"title": "", "occupations-1-capacity": "很多", "occupations-2-name": ""}
    page = save(desk, plan, **wrong).content.decode()
    (listed,) = re.findall(r'<ul class="wrong">(.*?)</ul>', page, re.DOTALL)
    ways = [(way, text_of(line)) for way, line in re.findall(r'<li><a href="#([^"]*)">(.*?)</li>', listed)]
    assert ways == [
        ("id_title", "竞赛名称：请填写这一项。"),
        ("id_occupations-1-capacity", "职业（工种） 职业1（职工组），名额：名额请填写整数；不限名额请留空。"),
        ("id_occupations-2-name", "职业（工种） 职业2（职工组），职业（工种）：请填写这一项。"),
    ]
    assert all(f' id="{way}"' in page for way, _ in ways)
    assert 'class="wrong"' not in desk.get(change(plan)).content.decode()


def test_what_was_only_looked_through_has_not_changed(desk, plan):
    """A browser sends both characters of a line's end, whatever is stored."""
    save(desk, plan)  # a form has no seconds
    Plan.objects.filter(pk=plan.pk).update(description="第一行\n\n第二行")
    occupation = scenes.occupation(plan, requirements="满 2 年；\n四级以上。")
    lines = {"description": "第一行\r\n\r\n第二行", "occupations-0-requirements": "满 2 年；\r\n四级以上。"}
    save(desk, plan, **lines)
    assert LogEntry.objects.first().get_change_message() == "没有改动。"
    save(desk, plan, **lines | {"description": "第一行\r\n第二行"})
    assert LogEntry.objects.first().get_change_message() == "已修改竞赛说明。"
    plan.refresh_from_db()
    occupation.refresh_from_db()
    assert (plan.description, occupation.requirements) == ("第一行\n第二行", "满 2 年；\n四级以上。")


def test_times_are_those_of_beijing(desk, plan):
    save(desk, plan, registration_closes_at_0="2030-01-01", registration_closes_at_1="00:30")
    plan.refresh_from_db()
    assert plan.registration_closes_at.isoformat() == "2029-12-31T16:30:00+00:00"
    assert form_of(desk.get(change(plan)))["registration_closes_at_1"] == "00:30"


@pytest.mark.parametrize(
    ("capacity", "sentence"),
    [
        (1, "已有 2 人占用名额，名额不能少于这个数。"),
        (0, "名额至少为 1；不限名额请留空。"),
        ("-3", "名额至少为 1；不限名额请留空。"),
        ("很多", "名额请填写整数；不限名额请留空。"),
        ("99999999999999999999", "名额太大，请核对；不限名额请留空。"),
    ],
)
def test_a_capacity_that_cannot_be(desk, plan, capacity, sentence):
    occupation = scenes.occupation(plan, capacity=5)
    Occupation.objects.filter(pk=occupation.pk).update(seats_taken=2)
    assert errors(save(desk, plan, **{"occupations-0-capacity": capacity})) == [sentence]
    occupation.refresh_from_db()
    assert occupation.capacity == 5


def test_a_capacity_of_what_is_taken_and_none_at_all(desk, plan):
    occupation = scenes.occupation(plan, capacity=5)
    Occupation.objects.filter(pk=occupation.pk).update(seats_taken=2)
    for typed, kept in (("2", 2), ("", None)):
        save(desk, plan, **{"occupations-0-capacity": typed})
        occupation.refresh_from_db()
        assert (occupation.capacity, occupation.seats_taken) == (kept, 2)


def test_seats_taken_are_not_typed(desk, plan):
    occupation = scenes.occupation(plan)
    save(desk, plan, **{"occupations-0-seats_taken": 9, "title": "改"})
    occupation.refresh_from_db()
    assert occupation.seats_taken == 0


TWICE = "这个竞赛计划里已经有同名同组别的职业（工种）。"


def test_the_same_occupation_twice(desk, plan):
    scenes.occupation(plan, name="电工")
    form = form_of(desk.get(change(plan)))
    response = desk.post(change(plan), {**form, **new_row("occupations", form, name="电工", division="worker")})
    assert TWICE in errors(response)
    assert plan.occupations.count() == 1


def test_the_same_new_occupation_twice_at_once(desk, plan):
    form = form_of(desk.get(change(plan)))
    rows = new_row("occupations", form, name="电工", division="worker")
    second = {f"occupations-1-{name}": value for name, value in {"name": "电工", "division": "worker"}.items()}
    response = desk.post(change(plan), {**form, **rows, **second, "occupations-TOTAL_FORMS": 2})
    assert response.status_code == 200
    assert errors(response) != []
    assert plan.occupations.count() == 0


def test_an_occupation_that_somebody_registered_for_stays(desk, plan, applicant):
    occupation = scenes.occupation(plan, name="电工")
    registration = scenes.draft(applicant, occupation)
    response = save(desk, plan, **{"occupations-0-DELETE": "on"})
    assert response.status_code == 200
    assert errors(response) == ["“电工（职工组）”已有人填写或报名，不能删除。要停止报名，可以把名额改成已占的名额。"]
    assert Occupation.objects.filter(pk=occupation.pk).exists()
    assert registration.reference not in response.content.decode()  # a draft is nobody's but the applicant's


def test_an_occupation_that_nobody_wants_goes(desk, plan):
    scenes.occupation(plan)
    save(desk, plan, **{"occupations-0-DELETE": "on"})
    assert plan.occupations.count() == 0


def test_an_attachment_is_added(desk, plan):
    form = form_of(desk.get(change(plan)))
    row = new_row("attachments", form, title="竞赛规程", file=SimpleUploadedFile("规程.pdf", b"%PDF-1.7"))
    response = desk.post(change(plan), {**form, **row})
    assert response.headers["Location"] == LIST
    attachment = Attachment.objects.get()
    with attachment.file.open() as content:
        assert (attachment.title, content.read()) == ("竞赛规程", b"%PDF-1.7")


# Members ------------------------------------------------------------------------------------------------------------


def test_the_committee_has_a_page_of_its_own(desk, plan, applicant):
    """tests/plans/test_member_pages.py. The plan's form says how many they are, and takes nobody in or out."""
    viewer = scenes.member(plan, "viewer", "魏来")
    page = desk.get(change(plan)).content.decode()
    assert (
        f'<div class="readonly">2 人　<a href="/admin/plans/plan/{plan.code}/members/">查看和管理成员</a></div>' in page
    )
    assert [word for word in (viewer.legal_name, applicant.username, applicant.legal_name) if word in page] == []
    before = rows(CommitteeMember)
    form = form_of(desk.get(change(plan)))
    forged = {"members-TOTAL_FORMS": 1, "members-INITIAL_FORMS": 0, "members-MIN_NUM_FORMS": 0}
    row = {"members-0-account": applicant.username, "members-0-role": "manager", "members-0-user": applicant.pk}
    assert desk.post(change(plan), {**form, **forged, **row}).status_code == 302
    assert rows(CommitteeMember) == before
    assert [line.verb for line in AuditEntry.objects.all()] == ["plan.changed"]


def test_a_deactivated_member_does_not_stand_in_the_way(desk, plan, viewer):
    viewer.is_active = False
    viewer.save()
    response = save(desk, plan, title="改过")
    assert (response.status_code, Plan.objects.get().title) == (302, "改过")


# Publishing ---------------------------------------------------------------------------------------------------------


def publish(client, *plans):
    form = {"action": "publish_now", "_selected_action": [plan.pk for plan in plans]}
    return client.post(LIST, form, follow=True)


def test_publishing(desk, plan, occupation, manager, client):
    Plan.objects.update(published_at=None)
    response = publish(desk, plan)
    assert said(response) == [f"“{plan.title}”已发布。"]
    assert client.get(plan.get_absolute_url()).status_code == 200
    assert list(AuditEntry.objects.values_list("actor", "verb", "target")) == [
        (manager.username, "plan.published", f"plans.plan:{plan.pk}")
    ]


def test_only_a_manager_publishes(plan, viewer, sign_in):
    Plan.objects.update(published_at=None)
    response = publish(sign_in(viewer), plan)
    assert said(response) == [f"“{plan.title}”没有发布：您不是它的管理员。"]
    assert (Plan.objects.get().published_at, AuditEntry.objects.count()) == (None, 0)


def test_a_plan_of_others_is_not_published(desk):
    other = scenes.open_plan(published_at=None)
    publish(desk, other)
    other.refresh_from_db()
    assert other.published_at is None


def test_what_is_published_stays_as_it_was(desk, plan):
    before = plan.published_at
    response = publish(desk, plan)
    plan.refresh_from_db()
    assert (plan.published_at, said(response)) == (before, [f"“{plan.title}”早已发布，没有改动。"])
    assert not AuditEntry.objects.exists()


# The list -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"开", "未", "将", "完", "稿"}),
        ({"state": "open"}, {"开"}),
        ({"state": "soon"}, {"将"}),
        ({"state": "closed"}, {"完"}),
        ({"state": "unpublished"}, {"未", "稿"}),
        ({"q": "开"}, {"开"}),
        ({"state": "nonsense"}, {"开", "未", "将", "完", "稿"}),
    ],
)
def test_filters_of_the_list(db, applicant, sign_in, query, shown):
    now, day = timezone.now(), timedelta(days=1)
    open_now = {"registration_opens_at": now - day, "registration_closes_at": now + day}
    scenes.open_plan(title="开")
    scenes.open_plan(title="未", published_at=None, **open_now)
    scenes.open_plan(title="稿", published_at=now + day, **open_now)
    scenes.open_plan(title="将", registration_opens_at=now + day)
    scenes.open_plan(title="完", registration_opens_at=now - 3 * day, registration_closes_at=now - day)
    applicant.is_staff = applicant.is_superuser = True
    applicant.save()
    assert set(titles(sign_in(applicant).get(LIST, query))) == shown


def test_three_plans_ask_no_more_than_one(manager, plan, desk):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            desk.get(LIST)
        return len(captured)

    one = queries()
    for _ in range(2):
        scenes.open_plan().members.create(user=manager, role="manager")
    assert queries() == one


def test_three_members_and_occupations_ask_no_more_than_one(plan, desk, applicant):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            desk.get(change(plan))
        return len(captured)

    scenes.occupation(plan)
    queries()  # what the process remembers
    one = queries()
    for _ in range(2):
        scenes.occupation(plan)
        scenes.member(plan, "viewer")
    assert queries() == one
