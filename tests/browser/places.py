"""Every page of an applicant's in each of its states: how one comes to stand before it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts import limits, sessions
from accounts.models import Identity, User
from photos.findings import Finding
from photos.models import StorageUnavailable
from plans import members
from plans import views as plan_views
from plans.models import Attachment, Plan
from registrations import export_jobs, intake
from registrations import export_templates as templates
from registrations.exports import Narrowing
from registrations.jobs import State
from registrations.workflow import Action, Status
from tests import scenes
from tests.browser.scenery import (
    REMARKS,
    applicant,
    at,
    auditor,
    busy_plan,
    complete_profile,
    desk_of,
    doubting,
    draft,
    full_plan,
    lines_of_a_day,
    manager_of,
    many_plans,
    member_of,
    mended,
    path_of,
    queue_of,
    uploaded,
    warned,
    without_consent,
)
from tests.plans.test_occupation_import import workbook
from tests.registrations.test_own_sheets import book as sheet

RECORD = "/admin/accounts/auditentry/"
DESK = "/admin/registrations/registration/"
MOST_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


@dataclass
class Place:
    """Before a page: `go` takes whoever is signed in there."""

    enter: Callable[..., Page]  # enter(user) is a page of a browser in which this user is signed in
    page: Page | None = None

    def go(self, path: str, user: User | None = None) -> Page:
        self.page = self.enter(user)
        self.page.goto(path)
        return self.page


PLACES: dict[str, Callable[[Place], object]] = {}


def place(name: str) -> Callable[[Callable[[Place], object]], Callable[[Place], object]]:
    def keep(way: Callable[[Place], object]) -> Callable[[Place], object]:
        PLACES[name] = way
        return way

    return keep


# --- Before one is in -----------------------------------------------------------------------------------------------


@place("front door")
def front(here: Place) -> None:
    many_plans()
    here.go("/")


@place("front door, nothing open")
def front_empty(here: Place) -> None:
    here.go("/")


@place("plans, nobody signed in")
def plans_anonymous(here: Place) -> None:
    many_plans()
    here.go("/plans/")


@place("login failed")
def login_failed(here: Place) -> None:
    here.go("/accounts/callback/?error=access_denied&state=unknown")


@place("login, coming from another site")
def login_asked(here: Place) -> None:
    page = here.go("/")
    ours = page.url
    page.goto("about:blank")  # a site that is nobody's
    page.set_content(f'<a href="{ours}accounts/login/?next=%2Fprofile%2F">')
    page.locator("a").evaluate("link => link.click()")
    expect(page.get_by_role("heading", level=1)).to_have_text("请登录")


@place("signed out")
def signed_out(here: Place) -> None:
    here.go("/accounts/signed-out/")


@place("signed out, the platform is away")
def signed_out_here_only(here: Place) -> None:
    here.go("/accounts/signed-out/?platform=away")


@place("emergency login")
def emergency(here: Place) -> None:
    with override_settings(EMERGENCY_LOGIN=True):
        here.go("/accounts/emergency/")


@place("emergency login, wrong")
def emergency_wrong(here: Place) -> None:
    with override_settings(EMERGENCY_LOGIN=True):
        page = here.go("/accounts/emergency/")
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_role("alert")).to_be_visible()


@place("emergency login, too often")
def emergency_wait(here: Place) -> None:
    with override_settings(EMERGENCY_LOGIN=True):
        for _ in range(6):
            page = here.go("/accounts/emergency/")
            page.get_by_label("账户代号").fill("nobody")
            page.get_by_label("密码").fill("not the password")
            page.get_by_role("button", name="登录").click()
        expect(page.get_by_role("heading", name="尝试次数太多")).to_be_visible()


@place("welcome")
def welcome(here: Place) -> None:
    page = here.enter(scenes.account())
    page.route("**/accounts/identity/*", lambda route: route.abort())  # it would go on while it is looked at
    here.page = page
    page.goto("/accounts/welcome/")


@place("identity")
def identity(here: Place) -> None:
    here.go("/accounts/identity/", scenes.account())


@place("identity with errors")
def identity_wrong(here: Place) -> None:
    page = here.go("/accounts/identity/", scenes.account())
    page.get_by_label("姓名").fill("王<script>")
    page.get_by_label("证件类型").select_option(label="居民身份证")
    page.get_by_label("证件号码").fill("110105199003071012")
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("identity, two tries left")
def identity_nearly_limited(here: Place) -> None:
    user = scenes.account()
    for _ in range(limits.CONFIRM.times - 3):
        limits.CONFIRM.claim(user)
    page = here.go("/accounts/identity/", user)
    page.get_by_label("证件类型").select_option(label="居民身份证")
    page.get_by_label("证件号码").fill("110105199003071012")
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_role("alert")).to_contain_text("还可以再试 2 次；超过后最多要等 1 小时。")


@place("identity, too many wrong documents")
def identity_limited(here: Place) -> None:
    user = scenes.account()
    for _ in range(limits.CONFIRM.times):
        limits.CONFIRM.claim(user)
    page = here.go("/accounts/identity/", user)
    page.get_by_label("姓名").fill("王晓明")
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_role("alert")).to_contain_text("以后再试")


@place("too often")
def too_often(here: Place) -> None:
    for _ in range(limits.LOGIN.times):
        limits.LOGIN.claim("127.0.0.1")
    here.go("/accounts/login/")


@place("identity, vouched for")
def identity_vouched(here: Place) -> None:
    user = scenes.account()
    person = scenes.person("孙新")
    Identity.objects.filter(user=user).update(
        legal_name="孙新", name_vouched=True, document_vouched=True, document_type=person.identity.document_type,
        document_number=person.identity.document_number,
    )  # fmt: skip
    here.go("/accounts/identity/", user)


@place("identity, confirmed")
def identity_confirmed(here: Place) -> None:
    here.go("/accounts/identity/", applicant())


@place("privacy notice")
def privacy(here: Place) -> None:
    here.go("/accounts/privacy/")


@place("privacy notice, signed in")
def privacy_signed_in(here: Place) -> None:
    here.go("/accounts/privacy/", applicant())


@place("consent once more")
def consent(here: Place) -> None:
    page = here.go("/accounts/consent/", without_consent())
    page.get_by_role("button", name="同意并继续").click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("messages")
def messages(here: Place) -> None:
    user = applicant()
    at(Status.RETURNED, user)
    at(Status.APPROVED, user)
    here.go("/messages/", user)


@place("messages, none")
def messages_none(here: Place) -> None:
    here.go("/messages/", applicant())


@place("messages, all read")
def messages_read(here: Place) -> None:
    user = applicant()
    at(Status.REJECTED, user)
    here.go("/messages/", user).get_by_role("button", name="全部标为已读").click()


@place("messages: how to be told")
def channels(here: Place) -> None:
    with override_settings(MAIL_FROM="noreply@example.cn", SMS_BACKEND="registrations.sms.ConsoleSms"):
        user = applicant()
        complete_profile(user)
        here.go("/messages/channels/", user)


@place("messages: no other way")
def channels_none(here: Place) -> None:
    here.go("/messages/channels/", applicant())


@place("my data")
def my_data(here: Place) -> None:
    user = applicant()
    at(Status.RETURNED, user)
    here.go("/accounts/my-data/", user)


@place("my data, hardly any")
def my_data_empty(here: Place) -> None:
    here.go("/accounts/my-data/", applicant())


@place("my data, unconfirmed")
def my_data_unconfirmed(here: Place) -> None:
    here.go("/accounts/my-data/", scenes.account())


@place("close the account: asked once")
def close(here: Place) -> None:
    user = applicant()
    at(Status.APPROVED, user)
    page = here.go("/accounts/close/", user)
    page.get_by_role("button", name="注销账户").click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("close the account: not yet")
def close_refused(here: Place) -> None:
    user = applicant()
    registration = at(Status.APPROVED, user)
    registration.plan.registration_closes_at = registration.plan.correction_closes_at = timezone.now()
    registration.plan.save()
    here.go("/accounts/close/", user)


@place("account closed")
def closed(here: Place) -> None:
    here.go("/accounts/closed/")


@place("not found")
def not_found(here: Place) -> None:
    here.go("/registrations/BJ26-0000-00/", applicant())


@place("not found, nobody signed in")
def not_found_anonymous(here: Place) -> None:
    here.go("/nowhere/")


# --- When something fails -------------------------------------------------------------------------------------------


@place("what no page of ours sends")
def bad_request(here: Place) -> None:
    here.go("/?q=%00")


@place("no permission")
def forbidden(here: Place) -> None:
    here.go("/admin/accounts/user/", auditor())


@place("wrong method")
def wrong_method(here: Place) -> None:
    here.go("/accounts/logout/", applicant())


@place("the page has expired")
def expired(here: Place) -> None:
    page = here.go("/profile/", applicant())
    page.context.clear_cookies(name=settings.CSRF_COOKIE_NAME)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("heading", name="页面已过期")).to_be_visible()


@place("too much sent")
def too_large(here: Place) -> None:
    page = here.go("/profile/", applicant())
    page.get_by_label("通信地址").evaluate("(field, size) => field.value = 'x'.repeat(size)", MOST_BYTES + 1)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("heading", name="发送的内容太大")).to_be_visible()


@place("sent once more, with something else in it")
def sent_before(here: Place) -> None:
    """A page that the back button brought back as it was, its key with it."""
    plan = full_plan()
    address = f"/admin/plans/plan/{plan.code}/extend/"
    page = here.go(address, scenes.member(plan, "manager"))
    key = page.locator("form.decide input[name=form_key]").input_value()
    for days in (30, 31):
        page.goto(address)
        page.locator("form.decide input[name=form_key]").evaluate("(field, key) => field.value = key", key)
        later = timezone.localtime(plan.registration_closes_at + timedelta(days=days))
        page.get_by_label("新的报名截止时间").fill(f"{later:%Y-%m-%dT%H:%M}")
        page.get_by_label("修改截止时间").fill("")
        page.get_by_role("button", name="延长").click()
    expect(page.get_by_role("heading", name="这一页已经提交过")).to_be_visible()


@place("the database is away, with what was typed")
def typed_while_away(here: Place) -> None:
    page = here.go("/profile/", applicant())
    page.get_by_label("职务").fill("班组长")
    with patch("accounts.oidc.PlatformBackend.get_user", side_effect=OperationalError("for the test")):
        page.get_by_role("button", name="保存", exact=True).click()
        expect(page.get_by_role("button", name="再试一次")).to_be_visible()


def failing(name: str, problem: Exception) -> None:
    @place(name)
    def fail(here: Place) -> None:
        with patch.object(plan_views.Plan.objects, "open_at", side_effect=problem):
            here.go("/")


failing("out of order", RuntimeError("for the test"))
failing("the database is away", OperationalError("for the test"))


# --- The record of who did what -------------------------------------------------------------------------------------


@place("desk: record, empty")
def record_empty(here: Place) -> None:
    here.go(RECORD, auditor())


@place("desk: record")
def record_full(here: Place) -> None:
    lines_of_a_day()
    here.go(RECORD, auditor())


@place("desk: record, nothing found")
def record_nothing(here: Place) -> None:
    lines_of_a_day()
    here.go(f"{RECORD}?actor=u-0000000000000000", auditor())


@place("desk: record, a question with mistakes")
def record_mistaken(here: Place) -> None:
    here.go(f"{RECORD}?verb=nothing&since=2026-05-20&until=2026-05-19", auditor())


@place("desk: record, one line")
def record_line(here: Place) -> None:
    here.go(f"{RECORD}{lines_of_a_day().pk}/change/", auditor())


# --- The committee's desk -------------------------------------------------------------------------------------------


@place("desk: plans")
def desk_plans(here: Place) -> None:
    registration = at(Status.SUBMITTED, applicant(), many_plans())
    manager = member_of(registration)
    scenes.open_plan(title="“工匠杯”邀请赛").members.create(user=manager, role="viewer")
    here.go("/admin/registrations/registration/", manager)


@place("desk: plans, none")
def desk_plans_none(here: Place) -> None:
    user = applicant()
    user.is_staff = True
    user.save()
    here.go("/admin/registrations/registration/", user)


@place("desk: queue")
def desk_queue(here: Place) -> None:
    plan = busy_plan()
    here.go(queue_of(plan), scenes.member(plan, "manager"))


@place("desk: queue, all of a division")
def desk_queue_narrowed(here: Place) -> None:
    plan = busy_plan()
    here.go(f"{queue_of(plan)}?status=all&division=student&order=newest", scenes.member(plan, "viewer"))


@place("desk: queue, nothing in the filter")
def desk_queue_nothing(here: Place) -> None:
    plan = busy_plan()
    here.go(f"{queue_of(plan)}?status=withdrawn&division=teacher", scenes.member(plan, "manager"))


@place("desk: queue, nobody yet")
def desk_queue_empty(here: Place) -> None:
    plan = full_plan()
    here.go(queue_of(plan), scenes.member(plan, "manager"))


@place("desk: queue, found")
def desk_queue_found(here: Place) -> None:
    look_for(here, "王晓明", "找到 2 份报名")


@place("desk: queue, not found")
def desk_queue_not_found(here: Place) -> None:
    look_for(here, "110105199003071219", "没有找到")


def look_for(here: Place, text: str, said: str) -> None:
    desk_queue(here)
    page = here.page
    assert page
    page.get_by_label("查找一个人").fill(text)
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("heading", name=said)).to_be_visible()


@place("desk: queue, nothing that can be looked for")
def desk_queue_wrong(here: Place) -> None:
    desk_queue(here)
    page = here.page
    assert page
    page.get_by_label("查找一个人").fill("王*")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("desk: registration")
def desk(here: Place) -> None:
    registration = at(Status.SUBMITTED, applicant())
    here.go(desk_of(registration), member_of(registration))


@place("desk: registration, warnings")
def desk_warnings(here: Place) -> None:
    registration = warned()
    here.go(desk_of(registration), member_of(registration))


@place("desk: registration, enlarged")
def desk_enlarged(here: Place) -> None:
    desk(here)
    assert here.page
    here.page.locator(".enlarge summary").press("Enter")


@place("desk: registration, photo exchanged")
def desk_exchanged(here: Place) -> None:
    registration = mended()
    here.go(desk_of(registration), member_of(registration))


@place("desk: return, asked")
def desk_return(here: Place) -> None:
    registration = at(Status.SUBMITTED, applicant())
    here.go(desk_of(registration, "return"), member_of(registration))


@place("desk: return, filled in")
def desk_return_filled(here: Place) -> None:
    desk_return(here)
    page = here.page
    assert page
    for label in ("模糊", "头部过小"):
        page.get_by_role("checkbox", name=label).check()
    page.get_by_label("补充说明").fill("请用原来的照片，不要用聊天软件转发过的。")
    page.get_by_label("手机：写给报名人员的话").fill("打不通，请核对。")


@place("desk: return, with mistakes")
def desk_return_wrong(here: Place) -> None:
    desk_return(here)
    page = here.page
    assert page
    page.get_by_role("checkbox", name="翻拍").check()
    page.get_by_role("checkbox", name="模糊").evaluate("box => { box.value = 'ugly'; box.checked = true }")
    page.get_by_label("补充说明").fill("请重拍。" * 60)
    page.get_by_role("button", name="确认退回修改").click()
    expect(page.get_by_text("勾选的照片问题里有一项不在列表里")).to_be_visible()


@place("desk: statistics")
def desk_statistics(here: Place) -> None:
    registration = mended()
    page = here.go(f"{DESK}statistics/{registration.plan.code}/", member_of(registration))
    expect(page.get_by_role("img", name="每天第一次提交")).to_be_visible()


@place("desk: statistics, empty")
def desk_statistics_empty(here: Place) -> None:
    plan = scenes.open_plan()
    here.go(f"{DESK}statistics/{plan.code}/", scenes.member(plan, "viewer"))


@place("desk: a plan's form")
def plan_form(here: Place) -> None:
    plan = full_plan()
    Attachment.objects.create(plan=plan, title="竞赛规程.pdf", file=ContentFile(b"%PDF-1.4", "rules.pdf"))
    here.go(f"/admin/plans/plan/{plan.pk}/change/", scenes.member(plan, "manager"))


@place("desk: plans")
def plans_at_the_desk(here: Place) -> None:
    plan = full_plan()
    here.go("/admin/plans/plan/", scenes.member(plan, "manager"))


@place("plan, preview for the committee")
def plan_preview(here: Place) -> None:
    plan = full_plan()
    here.go(f"/admin/plans/plan/{plan.code}/preview/", scenes.member(plan, "viewer"))


@place("desk: plan, not to be published yet")
def plan_publish(here: Place) -> None:
    plan = scenes.open_plan(published_at=None)
    here.go(f"/admin/plans/plan/{plan.code}/publish/", scenes.member(plan, "manager"))


@place("desk: plan, later deadline with a mistake")
def plan_extend(here: Place) -> None:
    plan = full_plan()
    page = here.go(f"/admin/plans/plan/{plan.code}/extend/", scenes.member(plan, "manager"))
    page.get_by_role("button", name="延长", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("desk: plan, copy")
def plan_copy(here: Place) -> None:
    plan = full_plan()
    here.go(f"/admin/plans/plan/{plan.code}/copy/", scenes.member(plan, "manager"))


@place("desk: plan, occupations read with errors")
def plan_occupations(here: Place) -> None:
    plan = full_plan()
    page = here.go(f"/admin/plans/plan/{plan.code}/occupations/", scenes.member(plan, "manager"))
    rows = [["电焊工", "职工组", "", "", 20, "在职"], ["钳工", "老人组", "", "", "三十", ""]]
    file = {"name": "职业.xlsx", "mimeType": "application/octet-stream", "buffer": workbook(*rows)}
    page.get_by_label("职业（工种）表格").set_input_files(files=[file])
    page.get_by_role("button", name="看看会改什么").click()
    expect(page.get_by_role("alert").first).to_be_visible()


@place("desk: reasons for sending back, with mistakes")
def reasons_wrong(here: Place) -> None:
    plan = full_plan()
    page = here.go(f"/admin/registrations/registration/reasons/{plan.code}/", scenes.member(plan, "manager"))
    page.get_by_label("第 1 条：写给报名人员的话").fill("")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("desk: export, a mistake")
def export_mistaken(here: Place) -> None:
    plan = full_plan()
    page = here.go(f"/admin/registrations/registration/export/{plan.code}/", scenes.member(plan, "manager"))
    page.get_by_label("证件号码完整导出").check()
    page.get_by_role("button", name="导出", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("desk: export, with templates")
def export_templates_offered(here: Place) -> None:
    plan = full_plan()
    for name in ("上报市级", "制作胸卡"):
        templates.keep(plan, name, ["legal_name", "occupation", "phone"], "xlsx")
    here.go(f"/admin/registrations/registration/export/{plan.code}/", scenes.member(plan, "reviewer"))


@place("desk: export templates, a name that is taken")
def export_template_taken(here: Place) -> None:
    plan = full_plan()
    for name in ("上报市级", "制作胸卡"):
        templates.keep(plan, name, ["legal_name", "occupation", "phone"], "xlsx")
    page = here.go(f"/admin/registrations/registration/export/{plan.code}/templates/", scenes.member(plan, "reviewer"))
    page.get_by_label("模板名称").first.fill("制作胸卡")
    page.get_by_role("button", name="改名").first.click()
    expect(page.get_by_text("已经有这个名称的模板了")).to_be_visible()


@place("desk: export of photos, a pattern that will not do")
def export_photos_wrong(here: Place) -> None:
    plan = full_plan()
    page = here.go(f"/admin/registrations/registration/export/{plan.code}/photos/", scenes.member(plan, "manager"))
    page.get_by_label("文件名的写法").fill("{年龄}")
    page.get_by_role("button", name="导出", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("desk: own sheet, a file that will not do")
def own_sheet_wrong(here: Place) -> None:
    own_sheet_sent(here, ["姓名", "工作单位"], ["张三（示例）", "某厂"])
    assert here.page
    expect(here.page.get_by_role("alert")).to_be_visible()


def own_sheet_sent(here: Place, *rows: list[str]) -> None:
    plan = full_plan()
    at(Status.SUBMITTED, applicant(), plan)
    page = here.go(f"/admin/registrations/registration/export/{plan.code}/sheet/", scenes.member(plan, "manager"))
    file = {"name": "名单.xlsx", "mimeType": "application/octet-stream", "buffer": sheet(*rows)}
    page.get_by_label("自己的表格").set_input_files(files=[file])
    page.get_by_role("button", name="看看认出了哪些列").click()


@place("desk: own sheet, what was understood")
def own_sheet_understood(here: Place) -> None:
    own_sheet_sent(here, ["序号", "姓名", "身份证号", "单位名称", "推荐单位意见", "备注"])
    assert here.page
    expect(here.page.get_by_role("heading", name="认出了 4 列")).to_be_visible()


@place("desk: own sheet, filled")
def own_sheet_filled(here: Place) -> None:
    own_sheet_understood(here)
    assert here.page
    here.page.get_by_role("button", name="填好表格").click()
    expect(here.page.get_by_role("link", name="下载")).to_be_visible()


@place("desk: export in the background, broken off")
def export_broken(here: Place) -> None:
    plan = full_plan()
    user = scenes.member(plan, "reviewer")
    asked = {"narrowing": Narrowing().kept(), "reason": "", "back": "/admin/", "format": "csv", "columns": ["phone"]}
    job, _ = export_jobs.ask(user, plan, "key", "list", asked)
    job.move(State.ASKED, to=State.FAILED)
    page = here.go(job.get_absolute_url(), user)
    expect(page.get_by_role("button", name="从头再做")).to_be_visible()


@place("no member of a committee")
def no_member(here: Place) -> None:
    here.go("/admin/", applicant())


# --- Plans and profile ----------------------------------------------------------------------------------------------


@place("plans")
def plans(here: Place) -> None:
    user = applicant()
    at(Status.SUBMITTED, user, many_plans())
    here.go("/plans/", user)


@place("plans, none found")
def plans_none(here: Place) -> None:
    here.go("/plans/?q=没有这样的竞赛", applicant())


@place("plan")
def plan(here: Place) -> None:
    here.go(full_plan().get_absolute_url(), applicant())


@place("profile, empty")
def profile_empty(here: Place) -> None:
    here.go("/profile/", applicant())


@place("profile, complete")
def profile_complete(here: Place) -> None:
    user = applicant()
    complete_profile(user)
    here.go("/profile/", user)


@place("profile with errors")
def profile_wrong(here: Place) -> None:
    page = here.go("/profile/", applicant())
    page.get_by_label("手机", exact=True).fill("12345")
    page.get_by_label("工作单位", exact=True).fill("北京精工<script>😀")
    page.get_by_label("邮编").fill("1000")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


# --- A registration -------------------------------------------------------------------------------------------------


@place("form, empty")
def form_empty(here: Place) -> None:
    user = applicant()
    here.go(path_of(intake.start(user, full_plan()), "edit/"), user)


@place("form, complete")
def form_complete(here: Place) -> None:
    user = applicant()
    here.go(path_of(draft(user), "edit/"), user)


@place("form with errors")
def form_wrong(here: Place) -> None:
    form_complete(here)
    page = here.page
    assert page
    page.get_by_label("手机", exact=True).fill("12345")
    page.get_by_label("从业年限").fill("八年")
    page.get_by_label("工作单位", exact=True).fill("公司" * 100)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("form, sent back")
def form_returned(here: Place) -> None:
    user = applicant()
    here.go(path_of(at(Status.RETURNED, user), "edit/"), user)


@place("form, sent back, one done and one answered wrongly")
def form_half_mended(here: Place) -> None:
    form_returned(here)
    page = here.page
    assert page
    page.get_by_label("工作单位", exact=True).fill("北京精工机械股份有限公司")
    page.get_by_role("button", name="保存", exact=True).last.click()
    expect(page.get_by_text("还有 1 处没有完成。")).to_be_visible()
    page.locator("details.locked summary").click()
    page.get_by_text("原来的没有错，不用更换？").click()
    page.get_by_label("证件照不用修改的原因").fill("<没有错>")
    page.get_by_role("button", name="保存", exact=True).last.click()
    expect(page.get_by_role("alert")).to_be_visible()


@place("form, sent back as a whole")
def form_returned_whole(here: Place) -> None:
    user = applicant()
    registration = at(Status.SUBMITTED, user)
    registration.take(Action.RETURN, by=registration.plan.members.get().user, items=REMARKS, whole=True)
    here.go(path_of(registration, "edit/"), user)


@place("sent back, all done")
def all_mended(here: Place) -> None:
    user = applicant()
    registration = at(Status.RETURNED, user)
    registration.write(registration.version, employer="北京精工机械股份有限公司")
    correction = scenes.fresh(registration).correction()
    assert correction
    correction.answer({"portrait": "是在照相馆按要求拍的。"})
    here.go(path_of(registration), user)


@place("occupations in the dialog")
def dialog(here: Place) -> None:
    form_complete(here)
    assert here.page
    here.page.get_by_role("button", name="职业（工种）").click()
    expect(here.page.get_by_role("dialog")).to_be_visible()


@place("occupations on their page")
def occupations(here: Place) -> None:
    user = applicant()
    here.go(path_of(intake.start(user, full_plan()), "occupation/"), user)
    assert here.page
    here.page.get_by_role("button", name="保存").click()
    expect(here.page.get_by_role("alert")).to_be_visible()


@place("upload, no photo yet")
def upload(here: Place) -> None:
    user = applicant()
    here.go(path_of(intake.start(user, full_plan()), "photo/"), user)


@place("upload, refused")
def upload_refused(here: Place) -> None:
    user = applicant()
    complete_profile(user)
    page = here.go("/profile/photo/", user)
    page.get_by_label("浏览").set_input_files(
        {"name": "小照片.jpg", "mimeType": "image/jpeg", "buffer": scenes.jpeg(200, 280)}
    )
    page.get_by_role("button", name="上传", exact=True).click()
    expect(page.get_by_role("alert").first).to_be_visible()


@place("upload, no longer possible")
def upload_closed(here: Place) -> None:
    user = applicant()
    here.go(path_of(at(Status.SUBMITTED, user), "photo/"), user)


@place("crop")
def crop(here: Place) -> None:
    user = applicant()
    here.go(f"/profile/photo/crop/{uploaded(user).pk}/", user)


@place("upload, a portrait to use")
def upload_use(here: Place) -> None:
    user = applicant()
    registration = draft(user)
    registration.write(registration.version, portrait=None)
    here.go(path_of(registration, "photo/"), user)


@place("upload, a portrait to crop again")
def upload_crop_other(here: Place) -> None:
    user = applicant()
    complete_profile(user)
    plan = full_plan()
    plan.photo_background = "blue"
    plan.save()
    here.go(path_of(intake.start(user, plan), "photo/"), user)


def sending(here: Place, answer: Callable[[Route], object], button: str) -> None:
    """The upload page with a photo on its way, until this button is there."""
    page = here.go("/profile/photo/", applicant())
    page.route("**/profile/photo/", answer)
    page.get_by_label("浏览").set_input_files({"name": "照片.jpg", "mimeType": "image/jpeg", "buffer": scenes.jpeg()})
    page.get_by_role("button", name="上传", exact=True).click()
    expect(page.get_by_role("button", name=button)).to_be_visible()


@place("upload, under way")
def upload_under_way(here: Place) -> None:
    sending(here, lambda route: None, "取消")


@place("upload, broken off")
def upload_broken(here: Place) -> None:
    sending(here, lambda route: route.abort(), "重新上传")


@place("upload, arrived but not opened")
def upload_not_opened(here: Place) -> None:
    page = here.go("/profile/photo/", applicant())
    page.route("**/crop/*/", lambda route: route.abort())
    page.get_by_label("浏览").set_input_files({"name": "照片.jpg", "mimeType": "image/jpeg", "buffer": scenes.jpeg()})
    page.get_by_role("button", name="上传", exact=True).click()
    expect(page.get_by_role("button", name="继续裁切")).to_be_visible()


@place("upload, not cropped yet")
def upload_waiting(here: Place) -> None:
    user = applicant()
    complete_profile(user)
    uploaded(user)
    here.go("/profile/photo/", user)


@place("crop, the line is broken")
def crop_broken(here: Place) -> None:
    crop(here)
    assert here.page
    here.page.route("**/crop/*/", lambda route: route.abort())
    here.page.get_by_role("button", name="裁切照片并保存").click()
    expect(here.page.locator("#crop-warning")).to_be_visible()


@place("crop, the storage is away")
def crop_away(here: Place) -> None:
    crop(here)
    assert here.page
    with patch("photos.models.Upload.read", side_effect=StorageUnavailable):
        here.page.get_by_role("button", name="裁切照片并保存").click()
        expect(here.page.get_by_role("alert").first).to_be_visible()


@place("crop, turned")
def crop_turned(here: Place) -> None:
    crop(here)
    assert here.page
    here.page.get_by_role("button", name="右转").click()


@place("crop, refused")
def crop_refused(here: Place) -> None:
    crop(here)
    assert here.page
    here.page.locator("#crop-form input[name=width]").evaluate("field => field.value = 100")
    here.page.get_by_role("button", name="裁切照片并保存").click()
    expect(here.page.get_by_role("alert")).to_be_visible()


@place("crop, doubtful")
def crop_doubtful(here: Place) -> None:
    crop(here)
    assert here.page
    with pytest.MonkeyPatch.context() as patch:
        doubting(patch, Finding("dark", "照片过暗：平均亮度 41，应不低于 70。请在光线充足的地方重拍。"))
        here.page.get_by_role("button", name="裁切照片并保存").click()
        expect(here.page.get_by_role("button", name="仍然使用这张照片")).to_be_visible()


@place("check with gaps")
def check_gaps(here: Place) -> None:
    user = applicant()
    here.go(path_of(intake.start(user, full_plan()), "check/"), user)


@place("check, complete")
def check(here: Place) -> None:
    user = applicant()
    here.go(path_of(draft(user), "check/"), user)


def asking(name: str, status: Status) -> None:
    @place(f"{name}: asked once")
    def ask(here: Place) -> None:
        user = applicant()
        here.go(path_of(at(status, user), f"{name}/"), user)


asking("submit", Status.DRAFT)
asking("recall", Status.SUBMITTED)
asking("withdraw", Status.SUBMITTED)
asking("delete", Status.DRAFT)


@place("receipt")
def receipt(here: Place) -> None:
    user = applicant()
    here.go(path_of(at(Status.SUBMITTED, user), "submitted/"), user)


@place("own list, empty")
def own_list_empty(here: Place) -> None:
    here.go("/registrations/", applicant())


@place("own list")
def own_list(here: Place) -> None:
    user = applicant()
    for status in Status:
        at(status, user)
    here.go("/registrations/", user)


def detail(status: Status) -> None:
    @place(f"detail, {status}")
    def detail(here: Place) -> None:
        user = applicant()
        page = here.go(path_of(at(status, user)), user)
        for opinion in page.get_by_text("查看意见").all():
            opinion.click()


for each in Status:
    detail(each)


# --- The end of a session -------------------------------------------------------------------------------------------


@place("desk: first page")
def desk_index(here: Place) -> None:
    registration = at(Status.SUBMITTED, applicant())
    boss = manager_of(registration)
    for number in range(2):
        scenes.open_plan(title=f"第 {number} 届北京市职业技能大赛").members.create(user=boss, role="viewer")
    here.go("/admin/", boss)


@place("desk: first page, no plan")
def desk_index_empty(here: Place) -> None:
    user = applicant()
    user.is_staff = True
    user.save()
    here.go("/admin/", user)


def committee(here: Place) -> str:
    """A full committee, with invitations in every state; the address of its page."""
    plan = full_plan()
    boss = scenes.member(plan, "manager", "钱进")
    for role in ("viewer", "reviewer"):
        scenes.member(plan, role)
    invitations = [members.invite(plan, "reviewer", boss)[0] for _ in range(3)]
    members.accept(invitations[0], scenes.person("欧阳明"))
    members.revoke(invitations[1], boss)
    address = f"/admin/plans/plan/{plan.code}/members/"
    here.go(address, boss)
    return address


@place("desk: members")
def desk_members(here: Place) -> None:
    committee(here)


@place("desk: members, read only")
def desk_members_read(here: Place) -> None:
    registration = at(Status.SUBMITTED, applicant())
    here.go(f"/admin/plans/plan/{registration.plan.code}/members/", member_of(registration))


@place("desk: members, nobody found")
def desk_members_wrong(here: Place) -> None:
    committee(here)
    page = here.page
    assert page
    page.get_by_label("姓名").fill("无此人")
    page.get_by_label("证件号码最后四位").fill("0000")
    page.get_by_role("button", name="查找").first.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()


@place("desk: members, is it this one")
def desk_members_asked(here: Place) -> None:
    committee(here)
    page, user = here.page, scenes.person("李芳")
    assert page
    page.get_by_label("姓名").fill("李芳")
    page.get_by_label("证件号码最后四位").fill(user.identity.document_number[-4:])
    page.get_by_label("姓名").press("Enter")
    expect(page.get_by_role("button", name="加入组委会")).to_be_visible()


@place("desk: members, the link")
def desk_members_link(here: Place) -> None:
    committee(here)
    assert here.page
    here.page.get_by_role("button", name="生成邀请链接").press("Enter")
    expect(here.page.get_by_label("邀请链接", exact=True).first).to_be_visible()
    expect(here.page.get_by_role("button", name="复制")).to_be_visible()


@place("desk: members, one goes")
def desk_members_remove(here: Place) -> None:
    committee(here)
    assert here.page
    here.page.get_by_role("link", name="退出组委会").press("Enter")
    expect(here.page.get_by_role("button", name="确认退出")).to_be_visible()


@place("invitation")
def invitation(here: Place) -> None:
    plan = full_plan()
    _, token = members.invite(plan, "reviewer", scenes.member(plan, "manager"))
    here.go(f"/plans/invitation/{token}/", applicant())


@place("invitation, over")
def invitation_over(here: Place) -> None:
    plan = full_plan()
    gone, token = members.invite(plan, "reviewer", boss := scenes.member(plan, "manager"))
    members.revoke(gone, boss)
    here.go(f"/plans/invitation/{token}/", applicant())


@place("warning before the session ends")
def session_warning(here: Place) -> None:
    user = applicant()
    mark = sessions.mark_of(user)
    page = here.enter(user)
    page.route(
        "**/accounts/session/",
        lambda route: route.fulfill(json={"left": 110, "warning": 120, "final": False, "whose": mark}),
    )
    page.clock.install()
    here.page = page
    page.goto("/profile/")
    page.clock.run_for(14 * 60 * 1000)
    expect(page.get_by_role("alertdialog")).to_be_visible()


@place("session over")
def session_over(here: Place) -> None:
    here.go("/accounts/session/over/?next=/profile/")


# --- Decisions that are held ----------------------------------------------------------------------------------------


def holding_plan() -> Plan:
    """One approved and one rejected, which are decided while the plan holds."""
    plan = full_plan()
    Plan.objects.filter(pk=plan.pk).update(holds_decisions=True)
    trade, manager = plan.occupations.get(name="数控车工"), scenes.member(plan, "manager")
    for status, name in ((Status.APPROVED, "王晓明"), (Status.REJECTED, "李芳"), (Status.SUBMITTED, "陈静")):
        scenes.registration_at(status, scenes.person(name), trade, manager)
    return Plan.objects.get(pk=plan.pk)


def decisions_of(here: Place, plan: Plan) -> Page:
    return here.go(f"/admin/plans/plan/{plan.code}/decisions/", plan.members.get().user)


@place("desk: decisions, held")
def decisions_held(here: Place) -> None:
    decisions_of(here, holding_plan())


@place("desk: decisions, without a moment")
def decisions_wrong(here: Place) -> None:
    page = decisions_of(here, holding_plan())
    page.get_by_role("button", name="到时公布…").click()
    expect(page.get_by_text("请填写日期和时间。")).to_be_visible()


@place("desk: decisions, asked")
def decisions_asked(here: Place) -> None:
    page = decisions_of(here, holding_plan())
    page.get_by_role("button", name="现在公布…").click()
    expect(page.get_by_role("button", name="确认公布 2 份")).to_be_visible()


@place("desk: decisions, published")
def decisions_published(here: Place) -> None:
    plan = holding_plan()
    Plan.objects.filter(pk=plan.pk).update(decisions_published_at=timezone.now())
    decisions_of(here, plan)


@place("desk: decisions, nothing is held")
def decisions_of_no_holding(here: Place) -> None:
    plan = full_plan()
    scenes.member(plan, "manager")
    decisions_of(here, plan)


@place("desk: queue, held")
def queue_held(here: Place) -> None:
    plan = holding_plan()
    here.go(f"{queue_of(plan)}?status=all", plan.members.get().user)


@place("desk: registration, held")
def registration_held(here: Place) -> None:
    plan = holding_plan()
    here.go(desk_of(plan.registrations.get(status=Status.REJECTED)), plan.members.get().user)


@place("detail, held")
def detail_held(here: Place) -> None:
    held = holding_plan().registrations.get(status=Status.REJECTED)
    here.go(path_of(held), held.applicant)
