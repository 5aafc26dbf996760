"""When something fails: our own page in Chinese, with the right status, the policy, and nothing of the inside."""

import re
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.session_store import SessionStore
from competition_portal import errors
from plans import views as plan_views
from profiles.models import Profile
from tests import scenes

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
PAGES = {
    400: ("请求无法处理", "浏览器发来的内容不完整或不符合要求。请回到上一页，检查后再试。"),
    413: (
        "发送的内容太大",
        "这次发送的文字超过了系统能接收的大小，没有保存。请按后退键回到表单，删去多余的内容后再试。",
    ),
    403: ("没有权限", "您的账户不能打开这个页面。如果您认为应当可以，请联系组委会或系统管理员。"),
    404: ("没有找到这个页面", "网址可能有误，或者这个页面不属于您的账户。请回到首页，从菜单重新进入。"),
    500: ("系统出现故障", "这次操作没有完成，已保存的内容不受影响。我们已记录这个故障，请稍后再试。"),
    503: ("系统暂时不可用", "正在恢复，请半分钟后再试。已保存和已提交的内容不受影响。"),
}


class Inline(HTMLParser):
    """Whatever a strict policy would block: scripts and styles between tags, on… and style attributes, javascript:."""

    def __init__(self, markup):
        super().__init__()
        self.found, self.inside = [], ""
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.inside = tag if tag in {"script", "style"} else ""
        for name, value in attrs:
            handler = name.startswith("on") or name == "style"
            address = (value or "").strip().lower().startswith("javascript:")
            if handler or address:
                self.found.append(f"<{tag} {name}>")

    def handle_data(self, data):
        if self.inside and data.strip():
            self.found.append(f"<{self.inside}>")
        self.inside = ""


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


@pytest.fixture
def break_page(monkeypatch):
    """`break_page(problem)` makes the front door raise it."""

    def broken(problem):
        def raise_it(*args, **kwargs):
            raise problem

        monkeypatch.setattr(plan_views.Plan.objects, "open_at", raise_it)

    return broken


def assert_page(response, status):
    title, sentence = PAGES[status]
    page = response.content.decode()
    assert response.status_code == status
    assert f"<title>{title} · 职业技能竞赛网上报名系统</title>" in page
    assert '<html lang="zh-CN">' in page
    assert f"<h1>{title}</h1>" in page
    assert sentence in page
    assert f"错误代码 {status}" in page
    assert_safe(response)


def assert_safe(response):
    page = response.content.decode()
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Cache-Control"] in {
        "private, no-store",
        "max-age=0, no-cache, no-store, must-revalidate, private",
    }
    assert [word for word in ("Traceback", "Error:", "secret-detail", ".py") if word in page] == []
    assert Inline(page).found == []


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (SuspiciousOperation("secret-detail"), 400),
        (PermissionDenied("secret-detail"), 403),
        (Http404("secret-detail"), 404),
        (RuntimeError("secret-detail"), 500),
        (OperationalError("secret-detail"), 503),
        (InterfaceError("secret-detail"), 503),
    ],
)
def test_a_problem_in_a_view(db, client, break_page, problem, status):
    break_page(problem)
    response = client.get("/")
    assert_page(response, status)
    assert response.headers.get("Retry-After") == ("30" if status == 503 else None)


def away(*args, **kwargs):
    raise OperationalError("secret-detail: the database is away")


@pytest.mark.parametrize("where", ["session", "account", "saving the session"])
def test_a_database_that_is_away_before_the_view(applicant, sign_in, monkeypatch, where):
    client = sign_in(applicant)
    client.raise_request_exception = False
    if where == "session":
        monkeypatch.setattr(SessionStore, "_get_session_from_db", away)
    elif where == "account":
        monkeypatch.setattr("accounts.oidc.PlatformBackend.get_user", away)
    else:
        monkeypatch.setattr(settings, "SESSION_SAVE_EVERY_REQUEST", True)
        monkeypatch.setattr(SessionStore, "save", away)
    response = client.get("/profile/")
    page = response.content.decode()
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert "<h1>系统暂时不可用</h1>" in page
    assert "secret-detail" not in page
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]


def test_what_can_be_asked_again_is_offered_while_the_database_is_away(client, monkeypatch):
    """The same page; but for what was sent without a form of ours, whose address may be no page at all."""
    client.raise_request_exception = False
    monkeypatch.setattr(plan_views.Plan.objects, "open_at", away)
    again = '<a class="btn btn-primary" href="/?from=a&amp;b=c">再试一次</a>'
    assert again in client.get("/?from=a&b=c").content.decode()
    sent = errors.unavailable(RequestFactory().post("/accounts/logout/"))
    assert (sent.status_code, "再试一次" in sent.content.decode()) == (503, False)


@pytest.mark.parametrize("address", ["/nothing/", "/plans/nothing/", "/registrations/nothing/", "/accounts/nothing/"])
def test_an_address_that_is_not_there(applicant, sign_in, address):
    assert_page(sign_in(applicant).get(address), 404)


def test_an_address_that_is_not_there_for_a_stranger(db, client):
    assert_page(client.get("/nothing/"), 404)


def test_a_host_that_is_not_ours(db, client):
    response = client.get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "<h1>请求无法处理</h1>" in response.content.decode()
    assert "evil.example" not in response.content.decode()


def test_a_form_without_its_token(applicant, sign_in):
    client = Client(enforce_csrf_checks=True)
    client.force_login(applicant, backend="accounts.oidc.PlatformBackend")
    response = client.post("/profile/", {"phone": "13812345678"})
    page = response.content.decode()
    assert response.status_code == 403
    assert "<h1>页面已过期</h1>" in page
    assert "请按后退键回到表单" in page
    assert "13812345678" not in page
    assert_safe(response)


def test_a_wrong_method_has_a_page(applicant, sign_in):
    response = sign_in(applicant).post("/plans/")
    page = response.content.decode()
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
    assert response.headers["Content-Length"] == str(len(response.content)), "a browser reads no more than it says"
    assert "<h1>" in page
    assert_safe(response)


def test_too_many_fields(applicant, sign_in):
    fields = {f"field{number}": "" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    response = sign_in(applicant).post("/profile/", fields)
    assert_page(response, 400)


def test_a_body_that_is_too_large(applicant, sign_in):
    response = sign_in(applicant).post("/profile/", {"address": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)})
    assert_page(response, 413)


@pytest.mark.parametrize("status", PAGES)
def test_a_page_asks_no_database(status):
    """No `db` fixture: a query would fail the test."""
    page = render_to_string(f"{status}.html")
    assert PAGES[status][1] in page
    assert f'<a class="btn btn-primary" href="{reverse("front")}">回到首页</a>' in page


# The templates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_template_has_anything_inline(template):
    text = template.read_text()
    markup = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", text, flags=re.DOTALL)
    assert Inline(markup).found == []


@pytest.mark.parametrize(
    "template",
    [path for path in TEMPLATES if '{% extends "base.html" %}' in path.read_text()],
    ids=lambda path: str(path.relative_to(settings.BASE_DIR)),
)
def test_every_page_has_a_title_and_a_heading(template):
    text = template.read_text()
    title = re.search(r"{% block title %}(.+?){% endblock %}", text)
    assert title is not None
    assert text.count("<h1") == 1 or "{% if user.is_authenticated %}" in text
    assert not re.search(r"\|safe\b|{% autoescape off", text)


def test_the_scan_sees_what_it_looks_for():
    """The scan itself, on a page that has everything."""
    page = '<a href=" javascript:x" onclick="y">z</a><p style="color:red"><script>1</script><style>a{}</style>'
    assert Inline(page).found == ["<a href>", "<a onclick>", "<p style>", "<script>", "<style>"]


def test_rendered_pages_have_nothing_inline(applicant, occupation, manager, sign_in):
    draft = scenes.draft(applicant, occupation)
    pages = ["edit", "occupation", "check", "delete", "detail", "submit", "photo:upload"]
    addresses = [reverse(f"registrations:{page}", args=[draft.reference]) for page in pages]
    addresses += ["/", "/plans/", occupation.plan.get_absolute_url(), "/profile/", "/registrations/"]
    addresses += ["/accounts/identity/", "/accounts/welcome/", "/accounts/signed-out/", "/profile/photo/"]
    client = sign_in(applicant)
    found = {address: Inline(client.get(address).content.decode()).found for address in addresses}
    assert found == dict.fromkeys(addresses, [])


def test_the_desk_has_nothing_inline(plan, manager, sign_in):
    client = sign_in(manager)
    addresses = ["/admin/", "/admin/plans/plan/", reverse("admin:plans_plan_change", args=[plan.pk])]
    addresses.append(reverse("admin:registrations_registration_queue", args=[plan.code]))
    responses = {address: client.get(address) for address in addresses}
    assert {address: Inline(page.content.decode()).found for address, page in responses.items()} == dict.fromkeys(
        responses, []
    )
    assert {page.headers["Content-Security-Policy"] for page in responses.values()} == {
        client.get("/").headers["Content-Security-Policy"]
    }


def test_a_session_that_could_not_be_saved_because_the_database_went_away(sign_in, applicant, monkeypatch):
    """Django's own store calls it a session that somebody has deleted, a 400; bench/crash.py has seen it."""
    client = sign_in(applicant)
    session = client.session
    session["seen"] -= 120  # so that the next request writes it
    session.save()
    client.raise_request_exception = False

    def away(*args, **kwargs):
        raise OperationalError("secret-detail")

    monkeypatch.setattr("django.db.models.QuerySet.update", away)
    response = client.get("/profile/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert "系统暂时不可用" in response.content.decode()


def test_a_session_that_somebody_ended_meanwhile_is_no_fault_of_the_request(sign_in, applicant, monkeypatch):
    """Signed out in another window while a form is on its way: what it asked for has been done all the same."""
    client = sign_in(applicant)
    monkeypatch.setattr("accounts.kept_forms.drop", lambda user, path: Session.objects.all().delete())
    response = client.post("/profile/", {"version": "0", "school": "北京理工大学"})
    page = response.content.decode()
    assert (response.status_code, "<h1>登录已结束</h1>" in page, "重新登录" in page) == (400, True, True)
    assert Profile.objects.get().school == "北京理工大学"
