"""The applicant's pages: who sees them, what they say, and that reading them writes nothing."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from photos.models import Upload
from profiles.models import Profile
from registrations.models import Registration
from registrations.trail import ReviewEvent
from registrations.urls import urlpatterns
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.reading import (
    every_row,
    filled_in,
    heading,
    notices,
    situation,
    summary,
    tasks,
    text_of,
    typed,
)
from tests.scenes import COMPLETE

PAGES = ["detail", "edit", "occupation", "check", "submit", "recall", "withdraw", "submitted", "delete"]
PHOTO_PAGES = ["photo:upload", "photo:portrait"]
GET_ONLY = ["detail", "check", "submitted"]
POST_ONLY = ["seen", "move"]
OWN = [*PAGES, *POST_ONLY, *PHOTO_PAGES]


@pytest.fixture
def visitor(sign_in, applicant):
    return sign_in(applicant)


@pytest.fixture
def draft(applicant, occupation):
    return scenes.draft(applicant, occupation)


def address(name, registration):
    return reverse(f"registrations:{name}", args=[registration.reference])


def allowed(name):
    methods = {**dict.fromkeys(POST_ONLY, "POST"), **dict.fromkeys([*GET_ONLY, "photo:portrait"], "GET, HEAD")}
    return methods.get(name, "GET, HEAD, POST")


# Who ------------------------------------------------------------------------------------------------------------------


def test_every_address_is_in_these_lists():
    names = {pattern.name for pattern in urlpatterns if hasattr(pattern, "name")}
    assert names == {*PAGES, *POST_ONLY, "list", "start"}


@pytest.mark.parametrize("status", [Status.DRAFT, Status.SUBMITTED, Status.RETURNED])
def test_a_strangers_registration_does_not_exist(sign_in, applicant, stranger, occupation, manager, status):
    registration = scenes.registration_at(status, applicant, occupation, manager)
    was = situation(registration)
    pages = [address(name, registration) for name in OWN]
    upload = registration.portrait.upload_id
    crop = reverse("registrations:photo:crop", args=[registration.reference, upload])
    image = reverse("registrations:photo:image", args=[registration.reference, upload])
    for somebody in (stranger, manager):
        visitor = sign_in(somebody)
        answers = [visitor.get(page) for page in [*pages, crop, image] if not page.endswith(("/seen/", "/move/"))]
        answers += [visitor.post(page) for page in [*pages, crop] if allowed_to_post(page)]
        assert {(answer.status_code, heading(answer)) for answer in answers} == {(404, "没有找到这个页面")}
    assert situation(registration) == was


def allowed_to_post(page):
    return not page.endswith(("/check/", "/submitted/", "/portrait/")) and page.count("/") > 3


def test_a_registration_that_never_was_looks_the_same(visitor):
    answers = [visitor.get(f"/registrations/BJ26-2222-2222/{page}") for page in ("", "edit/", "check/", "delete/")]
    assert {(answer.status_code, heading(answer)) for answer in answers} == {(404, "没有找到这个页面")}


@pytest.mark.parametrize("name", [name for name in OWN if name not in POST_ONLY])
def test_whoever_is_not_signed_in_comes_back_here_afterwards(draft, name):
    page = address(name, draft)
    answer = Client().get(f"{page}?back=check")
    back = quote(f"{page}?back=check", safe="")
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={back}")


@pytest.mark.parametrize("name", [name for name in OWN if name not in POST_ONLY])
def test_whoever_has_not_confirmed_comes_back_here_afterwards(sign_in, draft, name):
    page = address(name, draft)
    answer = sign_in(scenes.account()).get(page)
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/identity/?next={quote(page, safe='')}")


@pytest.mark.parametrize("somebody", ["nobody", "unconfirmed"])
def test_nothing_is_sent_by_whoever_is_not_in(sign_in, draft, somebody):
    visitor = Client() if somebody == "nobody" else sign_in(scenes.account())
    was = situation(draft)
    start = reverse("registrations:start", args=[draft.plan.code])
    pages = [page for page in [start, *(address(name, draft) for name in OWN)] if allowed_to_post(page)]
    detours = {visitor.post(page)["Location"].partition("?")[0] for page in pages}
    assert detours == {"/accounts/login/" if somebody == "nobody" else "/accounts/identity/"}
    assert (situation(draft), Registration.objects.count()) == (was, 1)


@pytest.mark.parametrize("name", [*OWN, "list", "start"])
def test_a_wrong_method_is_refused(visitor, draft, plan, name):
    pages = {"list": "/registrations/", "start": f"/registrations/start/{plan.code}/"}
    page = pages.get(name) or address(name, draft)
    methods = {"list": "GET, HEAD", "start": "POST"}.get(name) or allowed(name)
    was = situation(draft)
    for method in {"get", "post", "put", "delete", "patch"}:
        if method.upper() not in methods:
            answer = getattr(visitor, method)(page)
            assert (answer.status_code, answer["Allow"]) == (405, methods)
    assert situation(draft) == was


def test_the_pages_are_private(visitor, draft):
    pages = ["/registrations/", *(address(name, draft) for name in ("detail", "edit", "check", "occupation"))]
    assert {visitor.get(page)["Cache-Control"] for page in pages} == {"private, no-store"}


@pytest.mark.parametrize("status", list(Status))
def test_reading_writes_nothing(visitor, applicant, occupation, manager, status):
    registration = scenes.registration_at(status, applicant, occupation, manager)
    scenes.open_plan()
    upload = registration.portrait.upload_id
    pages = ["/registrations/", "/plans/", occupation.plan.get_absolute_url(), "/profile/"]
    pages += [address(name, registration) for name in OWN if name not in POST_ONLY]
    pages += [
        reverse(f"registrations:photo:{name}", args=[registration.reference, upload]) for name in ("crop", "image")
    ]
    before = every_row()
    for page in pages:
        assert visitor.get(page).status_code in {200, 302}
        visitor.head(page)
    assert every_row() == before


# The list -------------------------------------------------------------------------------------------------------------


def test_the_empty_list_says_what_to_do(visitor, stranger, occupation):
    scenes.draft(stranger, occupation)
    page = visitor.get("/registrations/").content.decode()
    assert "您还没有报名任何竞赛。报名后，进度和审核结果会显示在这里。" in page
    assert 'href="/plans/">去报名</a>' in page


WHAT_NEXT = {
    Status.DRAFT: ("填写中", "还没有提交。请在截止前填写完整并提交审核。", "继续填写"),
    Status.SUBMITTED: ("待审核", "等待组委会审核，结果会显示在这里。", None),
    Status.RETURNED: ("退回修改 新", "请按组委会的意见修改后重新提交。", "去修改"),
    Status.APPROVED: ("审核通过 新", "审核已通过，请留意组委会的参赛通知。", None),
    Status.REJECTED: ("审核不通过 新", "审核没有通过，原因见审核记录。", None),
    Status.WITHDRAWN: ("已撤回", "您已撤回这份报名。报名截止前可以重新报名。", None),
}


@pytest.mark.parametrize("status", list(Status))
def test_the_list_says_state_occupation_time_and_what_next(visitor, applicant, occupation, manager, status):
    registration = scenes.registration_at(status, applicant, occupation, manager)
    row = visitor.get("/registrations/").content.decode().partition("<article")[2].partition("</article>")[0]
    state, sentence, button = WHAT_NEXT[status]
    title = registration.plan.title
    moment = timezone.localtime(registration.submitted_at or registration.created_at)
    when = f"{moment.month}月{moment.day}日 {moment:%H:%M} {'提交' if registration.submitted_at else '开始填写'}"
    buttons = [f"{button}：{title}"] if button else []
    assert (
        text_of(row.replace("</span><span", "</span> <span")).split(">", 1)[1].split()
        == " ".join(
            [title, state, str(occupation), "编号", registration.reference, when, sentence, *buttons, f"查看：{title}"]
        ).split()
    )


def test_what_was_recalled_is_not_listed_as_submitted(visitor, applicant, occupation, manager):
    submitted = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    scenes.take(submitted, Action.RECALL, applicant)
    row = text_of(visitor.get("/registrations/").content.decode().partition("<article")[2].partition("</article>")[0])
    assert ("开始填写" in row, " 提交还没有提交" in row) == (True, False)


def test_unseen_decisions_are_counted_in_the_menu_until_they_are_read(visitor, applicant, occupation, manager):
    def counted():
        return "1 条新的审核结果" in text_of(visitor.get("/plans/").content.decode())

    registration = scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    assert counted()
    visitor.get(registration.get_absolute_url())
    assert counted()
    answer = visitor.post(address("seen", registration))
    assert (answer["Location"], counted()) == (registration.get_absolute_url(), False)


# Starting -------------------------------------------------------------------------------------------------------------


def test_start_goes_on_to_the_form_once(visitor, applicant, plan):
    start = reverse("registrations:start", args=[plan.code])
    answers = [visitor.post(start)["Location"] for _ in range(2)]
    (draft,) = Registration.objects.owned_by(applicant)
    assert answers == [address("edit", draft)] * 2


def test_start_goes_on_to_what_was_submitted(visitor, applicant, occupation, manager):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    answer = visitor.post(reverse("registrations:start", args=[occupation.plan.code]))
    assert answer["Location"] == registration.get_absolute_url()


@pytest.mark.parametrize(
    ("opens", "closes", "sentence"),
    [(1, 2, "这个竞赛还没有开始报名。"), (-2, -1, "这个竞赛的报名已经截止。")],
)
def test_what_is_not_open_says_so(visitor, opens, closes, sentence):
    now = timezone.now()
    times = {
        "registration_opens_at": now + timedelta(days=opens),
        "registration_closes_at": now + timedelta(days=closes),
    }
    plan = scenes.open_plan(**times)
    answer = visitor.post(reverse("registrations:start", args=[plan.code]), follow=True)
    assert (answer.redirect_chain, notices(answer)) == ([(plan.get_absolute_url(), 302)], [sentence])
    assert Registration.objects.count() == 0


def test_an_unpublished_plan_cannot_be_started(visitor):
    plan = scenes.open_plan(published_at=None)
    answer = visitor.post(reverse("registrations:start", args=[plan.code]))
    assert (answer.status_code, heading(answer), Registration.objects.count()) == (404, "没有找到这个页面", 0)


# One registration -----------------------------------------------------------------------------------------------------


def test_the_page_shows_everything_and_no_full_number(visitor, draft, applicant):
    page = visitor.get(draft.get_absolute_url())
    text = text_of(page.content.decode())
    number = applicant.identity.document_number
    shown = [
        str(draft.occupation),
        draft.reference,
        "王晓明",
        "北京工业职业技术学院",
        "机电一体化",
        "8 年",
        "S000011010326",
    ]
    masked = f"{number[:4]}{'*' * 10}{number[-4:]}"
    assert [part for part in [*shown, masked] if part not in text] == []
    assert (number in text, "13812342671" in text, "138****2671" in text) == (False, False, True)
    links = [draft.plan.get_absolute_url(), f"#occupation-{draft.occupation_id}", address("photo:portrait", draft)]
    assert [link for link in links if f'{link}"' not in page.content.decode()] == []


def test_the_record_shows_who_did_what(visitor, applicant, occupation, manager):
    returned = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    record = text_of(visitor.get(returned.get_absolute_url()).content.decode().partition('id="record"')[2])
    assert [part for part in ("组委会退回修改", "您提交审核", "请按要求修改。") if part not in record] == []
    assert str(manager) not in record


BUTTONS = {
    Status.DRAFT: ["继续填写", "打印报名表", "返回列表", "删除草稿"],
    Status.SUBMITTED: ["撤回修改", "打印报名表", "返回列表", "撤回报名"],
    Status.RETURNED: ["开始修改", "打印报名表", "返回列表", "撤回报名"],
    Status.APPROVED: ["打印报名表", "返回列表", "撤回报名"],
    Status.REJECTED: ["打印报名表", "返回列表"],
    Status.WITHDRAWN: ["打印报名表", "返回列表"],
}


@pytest.mark.parametrize("status", list(Status))
def test_the_buttons_are_those_of_the_table(visitor, applicant, occupation, manager, status):
    registration = scenes.registration_at(status, applicant, occupation, manager)
    page = visitor.get(registration.get_absolute_url()).content.decode()
    actions = page.rpartition('<div class="actions">')[2].partition("</div>")[0]
    assert text_of(actions.replace("</a>", " ").replace("</button>", " ")).split() == BUTTONS[status]


# The form -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("then", "query", "page"),
    [
        ("", "", "edit"),
        ("photo", "", "photo:upload"),
        ("occupation", "", "occupation"),
        ("check", "", "check"),
        ("edit", "?back=check", "check"),
        ("", "?back=check", "check"),
        ("https://evil.example", "", "edit"),
    ],
)
def test_each_button_saves_and_goes_on(visitor, draft, then, query, page):
    answer = visitor.post(address("edit", draft) + query, filled_in(draft, employer="北京第二机床厂", then=then))
    assert answer["Location"].partition("?")[0] == address(page, draft)
    assert scenes.fresh(draft).details() == {**COMPLETE, "employer": "北京第二机床厂"}
    assert notices(visitor.get(address("check", draft))) == ["已保存。提交审核之前都可以修改。"]


def test_half_filled_is_saved_and_what_is_missing_is_listed(visitor, draft, occupation):
    empty = dict.fromkeys(COMPLETE, "")
    answer = visitor.post(address("edit", draft), filled_in(draft, **empty, occupation="", then="check"), follow=True)
    assert tasks(answer) == [
        "请选择民族",
        "请选择政治面貌",
        "请选择文化程度",
        "请选择现职业资格或技能等级，没有的选“无”",
        "请填写手机",
        "请填写通信地址",
        "请填写紧急联系人",
        "请填写紧急联系人电话",
        "请选择参赛的职业（工种）",
    ]
    assert f'href="{address("submit", draft)}"' not in answer.content.decode()
    links = [f"{address('edit', draft)}?back=check#id_phone", f"{address('occupation', draft)}?back=check"]
    assert [link for link in links if f'href="{link}"' not in answer.content.decode()] == []


LONG = "长" * 3000
BAD = {
    "school": [
        (LONG, "毕业（就读）院校最多 80 个字，您填写了 3000 个，请缩短后再保存。"),
        ("北京😀学院", "含有不能使用的字符“😀”，请删去它再保存。"),
        ("<script>alert(1)</script>", "含有不能使用的字符“<”“>”，请删去它们再保存。"),
        ("北\u202e京", "含有不能使用的字符“不可见字符”，请删去它再保存。"),
        ("😀北😀京🎉<>①★☆", "含有不能使用的字符“😀”“🎉”“<”“>”“★”等，请删去它们再保存。"),
    ],
    "phone": [
        ("1381234267", "手机号码应为 11 位数字；境外号码请以 + 和国家（地区）代码开头。"),
        ("12345678901", "手机号码应为 11 位数字；境外号码请以 + 和国家（地区）代码开头。"),
    ],
    "emergency_phone": [("12345", "电话号码应为 11 位手机号码，或带区号的固定电话，例如 010-12345678。")],
    "postcode": [("10002a", "邮编应为 6 位数字，例如 100010。"), ("١٠٠٠٢٠", "邮编应为 6 位数字，例如 100010。")],
    "email": [
        ("someone@", "邮箱格式不对，请按 name@example.cn 的样子填写。"),
        ("😀@example.cn", "邮箱格式不对，请按 name@example.cn 的样子填写。"),
    ],
    "years_of_service": [
        ("八", "从业年限请填写整数，例如 5。"),
        ("9" * 5000, "从业年限请填写整数，例如 5。"),
        ("-1", "从业年限不能小于 0。"),
        ("71", "从业年限不能大于 70，请核对。"),
    ],
    "certificate_number": [("＜script＞", "含有不能使用的字符“<”“>”，请删去它们再保存。")],
    "ethnicity": [("火星族", "请从列表中选择民族。")],
    "education": [("<script>", "请从列表中选择文化程度。")],
}


@pytest.mark.parametrize(
    ("name", "value", "sentence"), [(name, *bad) for name, all_bad in BAD.items() for bad in all_bad]
)
def test_what_is_wrong_is_a_sentence_and_what_was_typed_is_still_there(visitor, draft, name, value, sentence):
    was = situation(draft)
    answer = visitor.post(address("edit", draft), filled_in(draft, **{name: value, "address": "刚写的新地址"}))
    label = Registration._meta.get_field(name).verbose_name
    lists = {"ethnicity", "education"}
    assert summary(answer) == [f"{label}：{sentence}"]
    assert typed(answer, name) == ("" if name in lists else value)
    assert (typed(answer, "address"), scenes.fresh(draft).details(), situation(draft)) == (
        "刚写的新地址",
        COMPLETE,
        was,
    )
    assert "<script>alert" not in answer.content.decode()


TEXTS = ["school", "major", "employer", "position", "certificate_number", "phone", "email", "address", "postcode",
         "emergency_contact", "emergency_phone"]  # fmt: skip


@pytest.mark.parametrize(
    "text", [LONG, "😀😀😀", "<script>alert('1')</script>", "\0北京"], ids=["long", "emoji", "script", "NUL"]
)
def test_in_every_field_at_once(visitor, draft, text):
    everything = dict.fromkeys([*COMPLETE, "occupation"], text)
    answer = visitor.post(address("edit", draft), filled_in(draft, **everything))
    found = {line.partition("：")[0] for line in summary(answer)}
    asked = {Registration._meta.get_field(name).verbose_name for name in everything} - {"性别", "出生日期"}
    assert found == asked
    assert {line for line in summary(answer) if line.isascii()} == set()
    assert {name: typed(answer, name) for name in TEXTS} == dict.fromkeys(TEXTS, text)
    assert scenes.fresh(draft).details() == COMPLETE


@pytest.mark.parametrize("version", ["", "0x1", "-1", "\0", "9" * 30, "９"])
def test_a_form_without_its_version_is_told_in_chinese(visitor, draft, version):
    answer = visitor.post(address("edit", draft), filled_in(draft, version=version, employer="北京第二机床厂"))
    assert (len(summary(answer)), [line for line in summary(answer) if "ersion" in line]) == (1, [])
    assert (typed(answer, "employer"), scenes.fresh(draft).details()) == ("北京第二机床厂", COMPLETE)
    assert typed(answer, "version") == str(draft.version)
    again = visitor.post(address("edit", draft), filled_in(draft, employer=typed(answer, "employer")))
    assert (again.status_code, scenes.fresh(draft).employer) == (302, "北京第二机床厂")


@pytest.mark.parametrize(
    ("birth_date", "sentence"),
    [
        ("2999-01-01", "出生日期不能晚于今天，请核对年份。"),
        ("1800-01-01", "出生日期不能早于 1900 年，请核对年份。"),
        ("1990-02-30", "出生日期不是真实的日期，请按 1990-03-07 的样子填写。"),
        ("\0", "出生日期不是真实的日期，请按 1990-03-07 的样子填写。"),
    ],
)
def test_a_birth_date_that_the_document_does_not_say(sign_in, plan, birth_date, sentence):
    traveller = scenes.account()
    document = scenes.identity.parse(scenes.DocumentType.PASSPORT, "E12345678", today=timezone.localdate())
    traveller.identity.confirm(legal_name="王晓明", document=document)
    scenes.Consent.give(traveller)
    draft = scenes.draft(traveller, scenes.occupation(plan))
    answer = sign_in(traveller).post(address("edit", draft), filled_in(draft, birth_date=birth_date))
    assert (summary(answer), typed(answer, "birth_date")) == ([f"出生日期：{sentence}"], birth_date)
    assert scenes.fresh(draft).birth_date == COMPLETE["birth_date"]


def test_sex_and_birth_date_come_from_the_document_whatever_is_sent(visitor, draft):
    visitor.post(address("edit", draft), filled_in(draft, sex="female", birth_date="2001-01-01"))
    assert scenes.fresh(draft).details() == COMPLETE


NOT_OURS = "职业（工种）：所选的职业（工种）不在这个竞赛计划里，请从列表中重新选择。"


@pytest.mark.parametrize("page", ["edit", "occupation"])
@pytest.mark.parametrize("chosen", ["another plan's", "0", "abc", "9" * 30])
def test_an_occupation_of_another_plan(visitor, draft, occupation, page, chosen):
    if chosen == "another plan's":
        chosen = scenes.occupation(scenes.open_plan()).pk
    sent = filled_in(draft, occupation=chosen, employer="北京第二机床厂")
    answer = visitor.post(address(page, draft), sent)
    assert (summary(answer), scenes.fresh(draft).occupation) == ([NOT_OURS], occupation)
    assert scenes.fresh(draft).details() == COMPLETE
    if page == "edit":
        assert typed(answer, "employer") == "北京第二机床厂"


@pytest.mark.parametrize("page", ["edit", "occupation"])
def test_a_full_occupation_is_refused_before_the_way_there(visitor, draft, stranger, manager, plan, page):
    full = scenes.occupation(plan, capacity=1)
    scenes.registration_at(Status.SUBMITTED, stranger, full, manager)
    answer = visitor.post(address(page, draft), filled_in(draft, occupation=full.pk, employer="北京第二机床厂"))
    assert summary(answer) == [f"职业（工种）：“{full}”的名额已满，请选择其他职业（工种）。"]
    assert scenes.fresh(draft).details() == COMPLETE


def test_one_whose_chosen_occupation_filled_up_can_still_save(visitor, applicant, stranger, manager, plan):
    full = scenes.occupation(plan, capacity=1)
    draft = scenes.draft(applicant, full)
    scenes.registration_at(Status.SUBMITTED, stranger, full, manager)
    answer = visitor.post(address("edit", draft), filled_in(draft, employer="北京第二机床厂"))
    assert (answer.status_code, scenes.fresh(draft).employer) == (302, "北京第二机床厂")


def test_a_form_that_is_sent_after_the_deadline(visitor, draft, plan):
    plan.registration_closes_at = timezone.now()
    plan.save()
    moment = timezone.localtime(plan.registration_closes_at)
    sentence = f"报名已于 {moment:%Y} 年 {moment.month} 月 {moment.day} 日 {moment:%H:%M} 截止，不能再修改或提交。"
    answer = visitor.post(address("edit", draft), filled_in(draft, employer="北京第二机床厂"))
    assert (summary(answer), typed(answer, "employer")) == ([sentence], "北京第二机床厂")
    answer = visitor.post(address("submit", draft), {"version": draft.version}, follow=True)
    assert notices(answer) == ["已经过了截止时间，不能再操作。如有特殊情况，请联系组委会。", sentence]
    assert (scenes.fresh(draft).details(), scenes.fresh(draft).status) == (COMPLETE, Status.DRAFT)


# Two windows ----------------------------------------------------------------------------------------------------------

OTHER_WINDOW = (
    "您在另一个窗口里刚刚保存过这份内容，所以这次没有保存。下面仍是您刚才填写的内容，核对后再次保存即可。"
    "与已保存的不同：工作单位（现为“甲厂”）。"
)


def test_two_windows_with_the_same_draft(visitor, draft):
    page = address("edit", draft)
    left, right = filled_in(draft, employer="甲厂"), filled_in(draft, employer="乙厂")
    assert visitor.post(page, left).status_code == 302
    answer = visitor.post(page, right)
    assert (summary(answer), typed(answer, "employer"), scenes.fresh(draft).employer) == (
        [OTHER_WINDOW],
        "乙厂",
        "甲厂",
    )
    again = visitor.post(page, {**right, "version": typed(answer, "version")})
    assert (again.status_code, scenes.fresh(draft).employer) == (302, "乙厂")


@pytest.mark.parametrize("then", ["", "check", "photo"])
def test_saved_by_a_second_click_it_is_saved(visitor, draft, then):
    form = filled_in(draft, employer="甲厂", then=then)
    answers = [visitor.post(address("edit", draft), form) for _ in range(2)]
    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert (scenes.fresh(draft).employer, scenes.fresh(draft).version) == ("甲厂", draft.version + 1)
    assert notices(visitor.get(address("detail", draft)))[:2] == ["已保存。提交审核之前都可以修改。"] * 2


def test_an_occupation_chosen_by_a_second_click_is_saved(visitor, draft, plan):
    other = scenes.occupation(plan)
    form = {"version": draft.version, "occupation": other.pk}
    answers = [visitor.post(address("occupation", draft), form) for _ in range(2)]
    assert [answer.headers.get("Location") for answer in answers] == [address("edit", draft)] * 2
    assert (scenes.fresh(draft).occupation, scenes.fresh(draft).version) == (other, draft.version + 1)


def test_the_other_window_chose_another_occupation(visitor, draft, occupation, plan):
    other, third = scenes.occupation(plan), scenes.occupation(plan)
    page = address("occupation", draft)
    sent = {"version": draft.version, "occupation": other.pk}
    assert visitor.post(page, sent).status_code == 302
    answer = visitor.post(page, {**sent, "occupation": third.pk})
    assert summary(answer) == ["这份报名刚刚在另一个窗口里修改过，所以这次没有保存。核对后再次保存即可。"]
    assert (typed(answer, "occupation"), scenes.fresh(draft).occupation) == (str(third.pk), other)
    again = visitor.post(page, {"version": typed(answer, "version"), "occupation": third.pk})
    assert (again.status_code, scenes.fresh(draft).occupation) == (302, third)


def test_the_other_window_changed_what_is_about_to_be_submitted(visitor, draft):
    asked = visitor.get(address("submit", draft))
    visitor.post(address("edit", draft), filled_in(draft, employer="甲厂"), follow=True)
    was = situation(draft)
    answer = visitor.post(address("submit", draft), {"version": typed(asked, "version")}, follow=True)
    assert answer.redirect_chain == [(address("check", draft), 302)]
    assert notices(answer) == [
        "这份报名刚刚有了变化，这次操作没有生效。请看过最新内容后再操作；页面没有更新的，请刷新。"
    ]
    assert situation(draft) == was


@pytest.mark.parametrize("version", ["abc", "\0", "9" * 30, "9" * 5000, "-1"])
def test_a_version_that_is_none_submits_nothing(visitor, draft, version):
    was = situation(draft)
    answer = visitor.post(address("submit", draft), {"version": version}, follow=True)
    assert (answer.redirect_chain, len(notices(answer))) == ([(address("check", draft), 302)], 1)
    assert situation(draft) == was


# The occupation on a page of its own ----------------------------------------------------------------------------------


def test_the_occupation_is_saved_and_one_comes_back(visitor, draft, plan):
    other = scenes.occupation(plan)
    pages = [address("occupation", draft), address("occupation", draft) + "?back=check"]
    ways = []
    for page in pages:
        sent = {"version": scenes.fresh(draft).version, "occupation": other.pk}
        ways.append(visitor.post(page, sent)["Location"])
    assert (ways, scenes.fresh(draft).occupation) == ([address("edit", draft), address("check", draft)], other)
    assert scenes.fresh(draft).details() == COMPLETE


def test_no_occupation_chosen(visitor, draft):
    draft.write(draft.version, occupation=None)
    answer = visitor.post(address("occupation", draft), {"version": draft.version})
    assert summary(answer) == ["职业（工种）：请先选择一个职业（工种），再保存。"]


# Submitting and what comes after --------------------------------------------------------------------------------------


def test_from_check_to_receipt(visitor, draft, occupation):
    check = visitor.get(address("check", draft))
    assert (tasks(check), f'href="{address("submit", draft)}"' in check.content.decode()) == ([], True)
    asked = visitor.get(address("submit", draft))
    assert (heading(asked), typed(asked, "version")) == ("提交审核", str(draft.version))
    receipt = visitor.post(address("submit", draft), {"version": typed(asked, "version")}, follow=True)
    assert receipt.redirect_chain == [(address("submitted", draft), 302)]
    moment = timezone.localtime(scenes.fresh(draft).submitted_at)
    shown = [
        draft.reference,
        f"{moment:%Y}年{moment.month}月{moment.day}日 {moment:%H:%M:%S}",
        "赛务组",
        "010-12345678",
    ]
    assert [part for part in shown if part not in text_of(receipt.content.decode())] == []


def test_pressed_twice_it_is_submitted_once(visitor, draft, occupation):
    answers = [visitor.post(address("submit", draft), {"version": draft.version})["Location"] for _ in range(2)]
    occupation.refresh_from_db()
    assert answers == [address("submitted", draft)] * 2
    assert (ReviewEvent.objects.count(), occupation.seats_taken) == (1, 1)
    assert notices(visitor.get(answers[0])) == []


@pytest.mark.parametrize("action", [Action.RECALL, Action.WITHDRAW])
def test_pressed_twice_it_is_taken_back_once(visitor, applicant, occupation, manager, action):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    page = address(action.value, registration)
    assert heading(visitor.get(page)) == action.label
    answers = [visitor.post(page, {"version": registration.version})["Location"] for _ in range(2)]
    assert answers == [registration.get_absolute_url()] * 2
    trail = [line.action for line in registration.events.all()]
    said = visitor.get(registration.get_absolute_url())
    assert (trail, [line for line in notices(said) if "不能" in line]) == ([action, "submit"], [])


def test_the_last_seat_went_while_one_was_checking(visitor, applicant, stranger, manager, plan):
    last = scenes.occupation(plan, capacity=1)
    draft = scenes.draft(applicant, last)
    scenes.registration_at(Status.SUBMITTED, stranger, last, manager)
    answer = visitor.post(address("submit", draft), {"version": draft.version}, follow=True)
    assert answer.redirect_chain == [(address("check", draft), 302)]
    assert notices(answer) == [f"“{last}”的名额已满，没有提交成功。您可以改选其他职业（工种）。"]
    assert scenes.fresh(draft).status == Status.DRAFT


def test_what_is_incomplete_goes_back_to_the_list_of_what_is_missing(visitor, draft):
    draft.write(draft.version, phone="")
    answer = visitor.get(address("submit", draft))
    assert answer["Location"] == address("check", draft)
    answer = visitor.post(address("submit", draft), {"version": draft.version}, follow=True)
    assert (notices(answer), tasks(answer)) == (["还有 1 处没有填写完整：请填写手机。"], ["请填写手机"])


@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.APPROVED, Status.REJECTED, Status.WITHDRAWN])
def test_back_after_submitting(visitor, applicant, occupation, manager, status):
    registration = scenes.registration_at(status, applicant, occupation, manager)
    was = every_row()
    pages = [address(name, registration) for name in ("edit", "check", "occupation")]
    assert [visitor.get(page)["Location"] for page in pages] == [registration.get_absolute_url()] * 3
    answer = visitor.post(address("edit", registration), filled_in(registration, employer="北京第二机床厂"))
    sentence = f"这份报名现在是“{status.label}”，不能修改。"
    assert (summary(answer), typed(answer, "employer")) == ([sentence], "北京第二机床厂")
    sent = {"version": registration.version, "occupation": occupation.pk}
    assert summary(visitor.post(address("occupation", registration), sent)) == [sentence]
    assert every_row() == was


def test_the_receipt_is_there_as_long_as_it_is_true(visitor, applicant, occupation, manager):
    submitted = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    page = address("submitted", submitted)
    assert heading(visitor.get(page)) == "提交成功"
    scenes.take(submitted, Action.APPROVE, manager)
    assert visitor.get(page)["Location"] == submitted.get_absolute_url()


def test_what_was_returned_is_a_list_of_tasks(visitor, applicant, occupation, manager):
    submitted = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    items = [
        {"field": "portrait", "label": "证件照", "sentence": "请上传白底照片"},
        {"field": "occupation", "label": "职业（工种）", "sentence": "请选学生组"},
        {"field": "phone", "label": "手机", "sentence": "打不通"},
    ]
    submitted.take(Action.RETURN, by=manager, note="改好后重新提交", items=items)
    links = [
        address("photo:upload", submitted),
        address("occupation", submitted),
        f"{address('edit', submitted)}#id_phone",
    ]
    for name in ("detail", "edit", "check"):
        answer = visitor.get(address(name, submitted))
        assert tasks(answer) == [
            "待修改 证件照：请上传白底照片 重新上传 重新裁切",
            f"待修改 职业（工种）：请选学生组 退回时：{submitted.occupation}",
            "待修改 手机：打不通 退回时：13812342671",
        ]
        assert [link for link in links if f'href="{link}"' not in answer.content.decode()] == []


def test_after_a_second_return_only_the_last_one_counts(visitor, applicant, occupation, manager):
    returned = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    scenes.take(returned, Action.SUBMIT, applicant)
    items = [{"field": "phone", "label": "手机", "sentence": "打不通"}]
    scenes.fresh(returned).take(Action.RETURN, by=manager, items=items)
    assert tasks(visitor.get(address("check", returned))) == ["待修改 手机：打不通 退回时：13812342671"]


# Deleting -------------------------------------------------------------------------------------------------------------


def test_a_draft_is_deleted_after_a_question(visitor, draft):
    assert (heading(visitor.get(address("delete", draft))), Registration.objects.count()) == ("删除草稿", 1)
    answer = visitor.post(address("delete", draft), follow=True)
    assert (answer.redirect_chain, notices(answer)) == (
        [("/registrations/", 302)],
        [f"草稿 {draft.reference} 已删除。"],
    )
    assert Registration.objects.count() == 0


def test_what_was_submitted_is_not_deleted(visitor, applicant, occupation, manager):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    was = situation(registration)
    answers = [
        visitor.get(address("delete", registration), follow=True),
        visitor.post(address("delete", registration), follow=True),
    ]
    assert [notices(answer)[0] for answer in answers] == [
        "只有“填写中”的报名可以删除。",
        "只有“填写中”的报名可以删除。请刷新页面查看最新状态。",
    ]
    assert situation(registration) == was


# The photo ------------------------------------------------------------------------------------------------------------


def test_a_photo_comes_back_to_the_form(visitor, draft, applicant):
    upload = Upload.objects.receive(applicant, scenes.jpeg(colour="#abcdef"))
    crop = reverse("registrations:photo:crop", args=[draft.reference, upload.pk])
    answer = visitor.post(crop, {"left": 0, "top": 0, "width": 500}, follow=True)
    assert (answer.redirect_chain, notices(answer)) == ([(address("edit", draft), 302)], ["保存成功"])
    assert (scenes.fresh(draft).portrait.upload, Profile.of(applicant).portrait) == (upload, None)


def test_the_photo_of_what_was_submitted_stays(visitor, applicant, occupation, manager):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    upload = Upload.objects.receive(applicant, scenes.jpeg(colour="#abcdef"))
    was = situation(registration)
    crop = reverse("registrations:photo:crop", args=[registration.reference, upload.pk])
    answer = visitor.post(crop, {"left": 0, "top": 0, "width": 500})
    assert (answer.status_code, "这份报名现在是“待审核”，不能修改。" in answer.content.decode()) == (422, True)
    assert situation(registration) == was
