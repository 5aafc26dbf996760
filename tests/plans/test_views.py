"""The front door, the list, the page of a plan and its files: for everybody, signed in or not."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from plans import views
from plans.models import Attachment
from registrations.workflow import Status
from tests import scenes

DAY = timedelta(days=1)
BEIJING = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 9, 1, 10, 30, tzinfo=BEIJING)


@pytest.fixture
def now():
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.fixture
def client():
    return Client()


def plan_at(opens, closes, **values):
    """A plan whose registration opens and closes so many days from now."""
    now = timezone.now()
    times = {"registration_opens_at": now + opens * DAY, "registration_closes_at": now + closes * DAY}
    return scenes.open_plan(**{**times, "published_at": now - 90 * DAY, **values})


def titles(client, **query):
    """What the list shows, from top to bottom."""
    page = client.get(reverse("plans:list"), query).content.decode()
    return re.findall(r'<div class="title"><a href="[^"]*">(.*?)</a>', page)


def queries(client, address):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


# The list -----------------------------------------------------------------------------------------------------------


def test_the_open_ones_come_first_and_the_one_that_closes_soonest_on_top(db, client):
    plan_at(-30, -20, title="早已截止")
    plan_at(-30, -1, title="刚刚截止")
    plan_at(2, 20, title="后天开始，早截止")
    plan_at(1, 40, title="明天开始，晚截止")
    plan_at(-1, 9, title="九天后截止")
    plan_at(-5, 1, title="明天截止")
    assert titles(client) == ["明天截止", "九天后截止", "后天开始，早截止", "明天开始，晚截止", "刚刚截止", "早已截止"]


def test_what_is_not_published_is_not_there(db, client):
    plan_at(-1, 5, title="已发布")
    hidden = [
        plan_at(-1, 5, title="未发布", published_at=None),
        plan_at(-1, 5, title="将来发布", published_at=timezone.now() + DAY),
    ]
    assert titles(client) == ["已发布"]
    assert titles(client, q="发布") == ["已发布"]
    assert [client.get(plan.get_absolute_url()).status_code for plan in hidden] == [404, 404]
    assert "未发布" not in client.get("/").content.decode()


@pytest.fixture
def three(db):
    soon = plan_at(1, 9, title="焊接技能竞赛", level="national", code="HJ-1")
    now_open = plan_at(-1, 5, title="机电技能竞赛", level="city", organiser="北京市总工会", co_organiser="北京电子工会")
    over = plan_at(-9, -1, title="餐饮技能竞赛", level="district")
    scenes.occupation(soon, name="焊工")
    scenes.occupation(now_open, name="电工")
    scenes.occupation(now_open, name="电焊工")
    scenes.occupation(over, name="中式烹调师")
    return ["机电技能竞赛", "焊接技能竞赛", "餐饮技能竞赛"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"state": "open"}, [0]),
        ({"state": "soon"}, [1]),
        ({"state": "closed"}, [2]),
        ({"level": "national"}, [1]),
        ({"level": "district", "state": "closed"}, [2]),
        ({"level": "district", "state": "open"}, []),
        ({"q": "技能"}, [0, 1, 2]),
        ({"q": "电工"}, [0]),
        ({"q": "焊"}, [0, 1]),
        ({"q": "hj-1"}, [1]),
        ({"q": "总工会"}, [0]),
        ({"q": "电子工会"}, [0]),
        ({"q": "  机电   电焊工 "}, [0]),
        ({"q": "机电 焊接"}, []),
        ({"q": "%"}, []),
        ({"q": "_"}, []),
        ({"q": "'"}, []),
        ({"q": "焊", "state": "soon"}, [1]),
        # what is not known is ignored
        ({"state": "nonsense"}, [0, 1, 2]),
        ({"level": "nonsense", "state": "open"}, [0]),
        ({"q": "长" * 61}, [0, 1, 2]),
        ({"page": "nonsense"}, [0, 1, 2]),
        ({"page": "99"}, [0, 1, 2]),
        ({"unknown": "x"}, [0, 1, 2]),
    ],
)
def test_search_and_filters(three, client, query, shown):
    assert titles(client, **query) == [three[index] for index in shown]


def test_what_was_searched_for_is_still_there(three, client):
    page = client.get("/plans/", {"q": '"><script>', "state": "soon", "level": "city"}).content.decode()
    assert 'name="q" value="&quot;&gt;&lt;script&gt;"' in page
    assert '<option value="soon" selected>未开始</option>' in page
    assert '<option value="city" selected>市级</option>' in page
    assert "<script>" not in page


def test_pages_keep_the_filters(db, client, monkeypatch):
    monkeypatch.setattr(views, "PLANS_PER_PAGE", 2)
    for number in range(5):
        plan_at(-1, 5 + number, title=f"电工竞赛 {number}")
    plan_at(-1, 2, title="别的")
    page = client.get("/plans/", {"q": "电工", "state": "open", "page": 2}).content.decode()
    assert re.findall(r'<div class="title"><a href="[^"]*">(.*?)</a>', page) == ["电工竞赛 2", "电工竞赛 3"]
    assert "第 2 页，共 3 页" in page
    assert "共 5 项" in page
    around = dict(re.findall(r'rel="(prev|next)" href="([^"]*)"', page))
    assert around == {
        "prev": "?q=%E7%94%B5%E5%B7%A5&amp;state=open&amp;page=1",
        "next": "?q=%E7%94%B5%E5%B7%A5&amp;state=open&amp;page=3",
    }
    assert titles(client, q="电工", state="open", page=3) == ["电工竞赛 4"]


def test_an_empty_list_says_what_to_do(db, client):
    assert "还没有发布竞赛计划。发布后会出现在这里。" in client.get("/plans/").content.decode()
    page = client.get("/plans/", {"q": "没有"}).content.decode()
    assert "没有符合条件的竞赛计划。" in page
    assert '<a class="btn btn-outline-primary" href="/plans/">查看全部</a>' in page


def test_a_line_says_when_and_how_long(now, db, client):
    plan_at(-1, 0.5, title="半天")
    page = client.get("/plans/").content.decode()
    assert "<span>报名 8月31日 – 9月1日 22:30</span>" in page
    assert '<span class="left near">还剩 12 小时</span>' in page.replace("0 分", "").replace("12 小时 ", "12 小时")
    assert "时间均为北京时间（+08:00），现在是 9月1日 10:30。" in page


# What is offered ----------------------------------------------------------------------------------------------------


def offered(client, plan):
    """The words of the plan's button or of the reason that there is none, and where it leads."""
    page = client.get(plan.get_absolute_url()).content.decode()
    (actions,) = re.findall(r'<div class="actions">(.*?)</div>', page, re.DOTALL)
    leads = re.findall(r'(?:action|href)="([^"]*)"', actions)
    text = re.sub(r'<span class="visually-hidden">.*?</span>|<[^>]*>', "", actions).strip()
    return text, leads


def at(status, applicant, plan, manager):
    return scenes.registration_at(status, applicant, scenes.occupation(plan), manager)


def test_anonymous_people_are_sent_to_the_login_and_back(db, client, now):
    opened, soon, over = plan_at(-1, 5), plan_at(2, 5), plan_at(-5, -1)
    assert [offered(client, plan) for plan in (opened, soon, over)] == [
        ("登录后报名", [f"/accounts/login/?next={opened.get_absolute_url()}"]),
        ("9月3日 10:30 开始报名", []),
        ("报名已截止", []),
    ]


def test_an_applicant_without_a_registration(applicant, sign_in, now):
    client = sign_in(applicant)
    opened, soon, over = plan_at(-1, 5), plan_at(2, 5), plan_at(-5, -1)
    assert [offered(client, plan) for plan in (opened, soon, over)] == [
        ("报名", [f"/registrations/start/{opened.code}/"]),
        ("9月3日 10:30 开始报名", []),
        ("报名已截止", []),
    ]


WHILE_OPEN = {
    Status.DRAFT: ("继续填写", "edit"),
    Status.SUBMITTED: ("已报名，查看", "detail"),
    Status.RETURNED: ("去修改", "edit"),
    Status.APPROVED: ("已报名，查看", "detail"),
    Status.REJECTED: ("已报名，查看", "detail"),
    Status.WITHDRAWN: ("报名", None),
}
AFTER_CLOSING = {
    **WHILE_OPEN,
    Status.DRAFT: ("没有提交，查看", "detail"),
    Status.RETURNED: ("没有提交，查看", "detail"),
    Status.WITHDRAWN: ("报名已截止", None),
}
WHILE_CORRECTING = {**AFTER_CLOSING, Status.RETURNED: ("去修改", "edit")}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize(
    ("days", "correcting", "table"),
    [(0, 0, WHILE_OPEN), (6, 0, AFTER_CLOSING), (6, 9, WHILE_CORRECTING), (20, 9, AFTER_CLOSING)],
    ids=["open", "closed", "correcting", "corrections over"],
)
def test_whoever_has_registered_is_led_to_the_registration(
    applicant, plan, manager, sign_in, status, days, correcting, table
):
    if correcting:
        plan.correction_closes_at = plan.registration_closes_at + correcting * DAY
        plan.save()
    registration = at(status, applicant, plan, manager)
    client = sign_in(applicant)
    word, page = table[status]
    target = f"registrations:{page}" if page else ""
    leads = [reverse(target, args=[registration.reference])] if target else []
    if word == "报名":
        leads = [reverse("registrations:start", args=[plan.code])]
    with time_machine.travel(timezone.now() + days * DAY):
        client.force_login(applicant, backend="accounts.oidc.PlatformBackend")
        assert offered(client, plan) == (word, leads)


def test_the_registration_of_somebody_else_changes_nothing(applicant, stranger, plan, manager, sign_in):
    at(Status.SUBMITTED, applicant, plan, manager)
    assert offered(sign_in(stranger), plan) == ("报名", [f"/registrations/start/{plan.code}/"])


# One plan -----------------------------------------------------------------------------------------------------------


def test_the_page_of_a_plan(db, client, now):
    plan = plan_at(
        -1,
        5,
        title="第一届 <b>竞赛</b>",
        code="BJ-2026-1",
        level="national",
        category="一类",
        co_organiser="北京市工业技师学院",
        correction_closes_at=NOW + 8 * DAY,
        competition_starts_on=date(2026, 10, 10),
        competition_ends_on=date(2026, 10, 12),
        place="北京市朝阳区",
        description="# 说明\n\n<script>alert(1)</script>\n\n![x](https://evil.example/x.png) [坏](javascript:alert(1))",
    )
    page = client.get(plan.get_absolute_url()).content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))
    for part in [
        "第一届 &lt;b&gt;竞赛&lt;/b&gt; · 职业技能竞赛网上报名系统",
        "报名中 还剩 5 天",
        "2026年8月31日 10:30 至 2026年9月6日 10:30",
        "北京时间（+08:00），以服务器时间为准，现在是 9月1日 10:30",
        "修改截止 2026年9月9日 10:30",
        "竞赛日期 2026年10月10日 至 10月12日",
        "竞赛地点 北京市朝阳区",
        "级别 国家级一类",
        "主办单位 北京市人力资源和社会保障局",
        "承办单位 北京市工业技师学院",
        "联系人 赛务组 010-12345678",
        "计划编号 BJ-2026-1",
        "职业（工种）尚未公布，请稍后再来。",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ]:
        assert part in text
    assert '<time datetime="2026-08-31T10:30:00+08:00">' in page
    assert [bad for bad in ("<script", "evil.example", 'href="javascript') if bad in page] == []


def test_the_occupations_and_their_seats(plan, client):
    for values in (
        {"name": "电工", "capacity": None},
        {"name": "焊工", "capacity": 1, "requirements": "满 16 周岁", "code": "6-18", "skill_level": "高级工（三级）"},
        {"name": "车工", "capacity": 3},
    ):
        scenes.occupation(plan, **values)
    plan.occupations.filter(name="焊工").update(seats_taken=1)
    plan.occupations.filter(name="车工").update(seats_taken=1)
    page = client.get(plan.get_absolute_url()).content.decode()
    rows = re.findall(r'<article class="row-item" id="occupation-\d+">(.*?)</article>', page, re.DOTALL)
    assert [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows] == [
        "电工（职工组） 名额不限",
        "焊工（职工组） 高级工（三级） 职业编码 6-18 满 16 周岁 名额已满",
        "车工（职工组） 剩余 2 / 3 个名额",
    ]


@pytest.mark.parametrize("code", ["NOT-THERE", "a'b", "<script>"])
def test_no_such_plan(db, client, code):
    response = client.get(f"/plans/{code}/")
    assert response.status_code == 404
    assert "没有找到这个页面" in response.content.decode()


# Attachments --------------------------------------------------------------------------------------------------------


def attach(plan, title, name="rules.pdf", content=b"%PDF-1.7"):
    attachment = Attachment(plan=plan, title=title)
    attachment.file.save(name, ContentFile(content))
    return attachment


def address_of(attachment):
    return reverse("plans:attachment", args=[attachment.plan.code, attachment.pk])


@pytest.mark.parametrize(
    ("title", "name", "disposition"),
    [
        ("rules.pdf", "a.pdf", 'attachment; filename="rules.pdf"'),
        ("竞赛规程", "a.pdf", "attachment; filename*=utf-8''%E7%AB%9E%E8%B5%9B%E8%A7%84%E7%A8%8B.pdf"),
        ("../../etc/passwd", "a.pdf", 'attachment; filename="passwd.pdf"'),
        ('a"\r\nX: y', "page.html", "attachment; filename*=utf-8''a%22%0D%0AX%3A%20y.html"),
        ("page", "page.html", 'attachment; filename="page.html"'),
    ],
)
def test_a_file_is_only_ever_downloaded(plan, client, title, name, disposition):
    attachment = attach(plan, title, name, b"<script>alert(1)</script>")
    response = client.get(address_of(attachment))
    assert b"".join(response.streaming_content) == b"<script>alert(1)</script>"
    assert response.headers["Content-Disposition"] == disposition
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_has_no_address_of_its_own(plan, client):
    attachment = attach(plan, "规程.pdf")
    assert attachment.file.name.startswith(f"attachments/{timezone.localdate().year}/")
    assert client.get(f"/{attachment.file.name}").status_code == 404
    page = client.get(plan.get_absolute_url()).content.decode()
    assert f'<li><a href="{address_of(attachment)}">规程.pdf</a></li>' in page
    assert attachment.file.name not in page


@pytest.mark.parametrize("case", ["unpublished", "later", "of another plan", "file gone", "no such attachment"])
def test_a_file_that_is_not_to_be_had(plan, client, case):
    attachment = attach(plan, "规程.pdf")
    address = address_of(attachment)
    if case in {"unpublished", "later"}:
        plan.published_at = timezone.now() + DAY if case == "later" else None
        plan.save()
    elif case == "file gone":
        default_storage.delete(attachment.file.name)
    elif case == "of another plan":
        address = reverse("plans:attachment", args=[scenes.open_plan().code, attachment.pk])
    else:
        attachment.delete()
    response = client.get(address)
    assert response.status_code == 404
    assert "没有找到这个页面" in response.content.decode()


def test_a_storage_that_is_away_is_no_file_that_is_gone(plan, client, monkeypatch):
    attachment = attach(plan, "规程.pdf")

    def away(*args, **kwargs):
        raise OSError("the storage is away")

    monkeypatch.setattr("photos.storages.PrivateFolder._open", away)
    response = client.get(address_of(attachment))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert f'<a class="btn btn-primary" href="{address_of(attachment)}">再试一次</a>' in response.content.decode()


# The front door -----------------------------------------------------------------------------------------------------


def test_the_front_door_for_a_stranger(client, db, now):
    plan_at(-1, 5, title="五天后截止")
    plan_at(-1, 2, title="后天截止")
    plan_at(1, 2, title="还没开始")
    page = client.get("/").content.decode()
    assert re.findall(r'<div class="title"><a href="[^"]*">(.*?)</a>', page) == ["后天截止", "五天后截止"]
    assert '<a class="btn btn-primary btn-lg" href="/accounts/login/">个人登录</a>' in page
    assert '<html lang="zh-CN">' in page
    assert "退出" not in page
    assert "主菜单" not in page


def test_the_front_door_shows_the_six_that_close_soonest(client, db):
    for number in range(8):
        plan_at(-1, 9 - number, title=f"竞赛 {number}")
    page = client.get("/").content.decode()
    shown = re.findall(r'<div class="title"><a href="[^"]*">(.*?)</a>', page)
    assert shown == [f"竞赛 {number}" for number in (7, 6, 5, 4, 3, 2)]


def test_the_front_door_shows_the_way_to_the_desk_to_those_who_have_one(applicant, stranger, sign_in, plan):
    stranger.is_staff = True
    stranger.save()
    members = [
        scenes.member(plan, role, f"成员{'甲乙丙'[number]}")
        for number, role in enumerate(("viewer", "reviewer", "manager"))
    ]
    shown = []
    for visitor in map(sign_in, (applicant, stranger, *members)):
        pages = [visitor.get(address).content.decode() for address in ("/", "/accounts/welcome/")]
        shown.append([len(re.findall(r'href="/admin/">组委会工作台</a>', page)) for page in pages])
    assert shown == [[0, 0], [1, 1], [1, 1], [1, 1], [1, 1]]


def test_the_front_door_for_who_is_in(applicant, sign_in):
    page = sign_in(applicant).get("/").content.decode()
    assert '<a class="btn btn-primary btn-lg" href="/plans/">进入报名系统</a>' in page
    assert "现在没有正在报名的竞赛。" in page
    assert "个人登录" not in page
    assert "主菜单" in page


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_wrong_methods(plan, client, method):
    addresses = ["/", "/plans/", plan.get_absolute_url(), address_of(attach(plan, "规程.pdf"))]
    responses = [getattr(client, method)(address) for address in addresses]
    assert {(response.status_code, response.headers["Allow"]) for response in responses} == {(405, "GET, HEAD")}


# How much is asked --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["anonymous", "signed in"])
@pytest.mark.parametrize("address", ["/", "/plans/", "/plans/?q=%E7%94%B5&state=open"])
def test_three_plans_ask_no_more_than_one(applicant, manager, plan, sign_in, client, who, address):
    at(Status.SUBMITTED, applicant, plan, manager)
    if who == "signed in":
        client = sign_in(applicant)
    one = queries(client, address)
    for status in (Status.DRAFT, Status.RETURNED):
        other = scenes.open_plan()
        boss = scenes.member(other, "manager")
        at(status, applicant, other, boss)
    assert queries(client, address) == one


def test_three_occupations_and_files_ask_no_more_than_one(plan, client):
    def one_more():
        scenes.occupation(plan)
        attach(plan, "规程.pdf")

    one_more()
    one = queries(client, plan.get_absolute_url())
    one_more()
    one_more()
    assert queries(client, plan.get_absolute_url()) == one
