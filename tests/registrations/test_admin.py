"""The committee's desk: what it shows to whom, its steps, and that nothing of another plan ever appears on it."""

import html
import re
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry
from registrations.decisions import DecisionForm
from registrations.models import Registration
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.reading import every_row, situation, tasks, text_of

DESK = "/admin/registrations/registration/"
FASTER = "这份报名刚刚有了变化，这次操作没有生效。请看过最新内容后再操作；页面没有更新的，请刷新。"


def of(registration, page="change"):
    return f"{DESK}{registration.pk}/{page}/"


def said(answer):
    """The admin's messages."""
    found = re.search(r'<ul class="messagelist">.*?</ul>', answer.content.decode(), re.DOTALL)
    return [text_of(line) for line in re.findall(r"<li[^>]*>(.*?)</li>", found[0], re.DOTALL)] if found else []


def wrong(answer):
    return [text_of(line) for line in re.findall(r'class="errornote"[^>]*>(.*?)</p>', answer.content.decode())]


def listed(answer):
    return set(re.findall(r"BJ[0-9]{2}-[A-Z2-9]{4}-[A-Z2-9]{4}", answer.content.decode()))


def steps(answer):
    """The decisions and the reopening that the page offers, in their order."""
    found = re.findall(r'class="step step-(?!first)[a-z]+"[^>]*>(.*?)</(?:a|button)>', answer.content.decode())
    return [text_of(name).split(" ")[0] for name in found]


def sealed(answer):
    return re.search(r'name="versions" value="([^"]*)"', answer.content.decode())[1]


def done(answer):
    """What the page says of the decision on the page before."""
    found = re.search(r'class="review-done".*?<p>(.*?)</p>', answer.content.decode(), re.DOTALL)
    return text_of(found[1]) if found else ""


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


@pytest.fixture
def superuser(db):
    user = scenes.person("赵总")
    user.is_superuser = user.is_staff = True
    user.save()
    return user


@pytest.fixture
def elsewhere(db):
    """A registration of another plan, with names that no page of ours may show."""
    plan = scenes.open_plan(title="北京市焊接技能大赛（甲）", code="CANARY-A")
    other = scenes.occupation(plan, name="金丝雀焊工")
    boss = scenes.member(plan, "manager", "金丝雀经理")
    return scenes.registration_at(Status.SUBMITTED, scenes.person("金丝雀选手"), other, boss)


# Who ------------------------------------------------------------------------------------------------------------------


def test_whoever_is_in_no_committee_is_told_so(sign_in, submitted, applicant, stranger):
    for person in (applicant, stranger):
        answers = [sign_in(person).get(page) for page in (DESK, of(submitted), of(submitted, "approve"))]
        assert {answer.status_code for answer in answers} == {302}
        landed = sign_in(person).get(DESK, follow=True)
        assert (landed.status_code, "您不是组委会成员" in landed.content.decode()) == (403, True)
        assert listed(landed) == set()


def test_whoever_is_not_signed_in_goes_to_the_platform(submitted):
    pages = [DESK, of(submitted), of(submitted, "number"), of(submitted, "portrait")]
    assert {Client().get(page)["Location"].partition("?")[0] for page in pages} == {"/accounts/login/"}


@pytest.mark.parametrize("recalled", [False, True])
def test_a_draft_is_nobodys_but_the_applicants(sign_in, applicant, occupation, manager, superuser, recalled):
    draft = scenes.draft(applicant, occupation)
    if recalled:
        draft = scenes.take(scenes.take(draft, Action.SUBMIT, applicant), Action.RECALL, applicant)
    for person in (manager, superuser):
        visitor = sign_in(person)
        pages = ["change", "portrait", "approve", "return", "reject", "reopen", "number"]
        assert {visitor.get(of(draft, page)).status_code for page in pages} == {404}
        assert visitor.post(of(draft, "number")).status_code == 404
    assert AuditEntry.objects.count() == 0


def test_reading_writes_nothing(sign_in, submitted, manager):
    visitor = sign_in(manager)
    queue = f"{DESK}queue/{submitted.plan.code}/"
    pages = ["/admin/", queue, *(of(submitted, page) for page in ("change", "approve", "return"))]
    before = every_row()
    assert {visitor.get(page).status_code for page in pages} == {200}
    assert every_row() == before


@pytest.mark.parametrize("page", ["/admin/registrations/registration/add/", "delete", "change"])
def test_nothing_is_added_edited_or_deleted(sign_in, submitted, manager, superuser, page):
    place = page if page.startswith("/") else of(submitted, page)
    for person in (manager, superuser):
        visitor = sign_in(person)
        before = every_row()
        answer = visitor.post(place, {"post": "yes", "status": "approved"})
        assert (answer.status_code, every_row()) == (403 if page == "change" else 404, before)


# Nothing of another plan ----------------------------------------------------------------------------------------------


def canary_in(answer, elsewhere):
    text = answer.content.decode() + str(answer.headers)
    words = ["金丝雀", elsewhere.reference, elsewhere.plan.title, elsewhere.plan.code, elsewhere.applicant.username]
    return [word for word in words if word in text]


def test_the_canary_is_on_no_page_that_can_be_addressed(sign_in, submitted, elsewhere, manager):
    visitor = sign_in(manager)
    pages = ["change", "history", "delete", "portrait", "number", "approve", "return", "reject", "reopen"]
    places = [f"{DESK}{elsewhere.pk}/", *(of(elsewhere, page) for page in pages)]
    plan = f"/admin/plans/plan/{elsewhere.plan_id}/"
    places += ["/admin/", "/admin/plans/plan/", "/admin/plans/plan/?q=甲"]
    places += [plan, *(f"{plan}{page}/" for page in ("change", "history", "delete"))]
    found = {place: canary_in(visitor.get(place, follow=True), elsewhere) for place in places}
    assert {place: words for place, words in found.items() if words} == {}


def test_view_on_site_leads_nowhere_else(sign_in, submitted, elsewhere, manager, stranger, occupation):
    """Django's own shortcut asks nobody: it would tell the reference of any registration, drafts included."""
    from django.contrib.contenttypes.models import ContentType

    draft = scenes.draft(stranger, occupation)
    visitor = sign_in(manager)
    for row in (elsewhere, draft, elsewhere.plan):
        answer = visitor.get(f"/admin/r/{ContentType.objects.get_for_model(row).pk}/{row.pk}/")
        assert (answer.status_code, canary_in(answer, elsewhere), draft.reference in str(answer.headers)) == (
            404,
            [],
            False,
        )
    page = visitor.get(f"/admin/plans/plan/{occupation.plan_id}/change/").content.decode()
    assert f'href="{occupation.plan.get_absolute_url()}"' in page


@pytest.mark.parametrize("page", ["approve", "return", "reject", "reopen", "number", "change"])
def test_nothing_of_another_plan_is_decided(sign_in, submitted, elsewhere, manager, page):
    was, seal = situation(elsewhere), DecisionForm.seal([elsewhere])
    answer = sign_in(manager).post(of(elsewhere, page), {"versions": seal, "note": "原因"})
    assert (answer.status_code in {403, 404}, situation(elsewhere), AuditEntry.objects.count()) == (True, was, 0)


# One registration -----------------------------------------------------------------------------------------------------


OFFERED = {
    "viewer": {Status.SUBMITTED: [], Status.APPROVED: []},
    "reviewer": {Status.SUBMITTED: ["审核通过", "退回修改", "审核不通过"], Status.APPROVED: []},
    "manager": {Status.SUBMITTED: ["审核通过", "退回修改", "审核不通过"], Status.APPROVED: ["重新审核"]},
}


@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.APPROVED])
@pytest.mark.parametrize("role", list(OFFERED))
def test_the_steps_are_those_of_the_role(sign_in, applicant, occupation, manager, role, status):
    registration = scenes.registration_at(status, applicant, occupation, manager)
    answer = sign_in(scenes.member(occupation.plan, role)).get(of(registration))
    assert (answer.status_code, steps(answer)) == (200, OFFERED[role][status])
    assert ("显示完整证件号码" in answer.content.decode()) == (role != "viewer")


def test_a_viewer_decides_nothing(sign_in, submitted, viewer):
    visitor, was = sign_in(viewer), situation(submitted)
    for action in ("approve", "return", "reject", "reopen"):
        sent = {"versions": DecisionForm.seal([submitted]), "note": "原因"}
        answer = visitor.post(of(submitted, action), sent, follow=True)
        sentence = f"{submitted.reference} 王晓明：您不能对这份报名执行“{Action(action).label}”。"
        assert (said(answer), situation(submitted)) == ([sentence], was)
    assert 'name="action"' not in visitor.get(DESK, follow=True).content.decode()


def test_a_reviewer_does_not_reopen(sign_in, applicant, occupation, manager, reviewer):
    approved = scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    was, visitor = situation(approved), sign_in(reviewer)
    sentence = "现在不能重新审核：这份报名是“审核通过”，或您没有这个权限。"
    assert said(visitor.get(of(approved, "reopen"), follow=True)) == [sentence]
    visitor.post(of(approved, "reopen"), {"versions": DecisionForm.seal([approved]), "note": "原因"})
    assert situation(approved) == was


def test_a_manager_who_applied_sees_no_steps_for_the_own(sign_in, occupation, manager):
    own = scenes.registration_at(Status.SUBMITTED, manager, occupation, manager)
    was, visitor = situation(own), sign_in(manager)
    answer = visitor.get(of(own))
    assert (answer.status_code, steps(answer)) == (200, [])
    sent = {"versions": DecisionForm.seal([own]), "note": ""}
    answer = visitor.post(of(own, "approve"), sent, follow=True)
    assert (said(answer), situation(own)) == ([f"{own.reference} 周敏：您不能对这份报名执行“审核通过”。"], was)


def test_the_page_shows_everything_but_the_number(sign_in, submitted, applicant, reviewer):
    text = text_of(sign_in(reviewer).get(of(submitted)).content.decode().replace("</dt>", " ").replace("</dd>", " "))
    number = applicant.identity.document_number
    shown = ["王晓明", submitted.masked_number, "北京精工机械有限公司", "13812342671", "报名人员 提交审核", "待审核"]
    assert ([part for part in shown if part not in text], number in text) == ([], False)


def test_showing_the_number_leaves_one_line(sign_in, submitted, applicant, reviewer):
    visitor, number = sign_in(reviewer), applicant.identity.document_number
    answer = visitor.post(of(submitted, "number"))
    assert (answer.content.decode().count(number), "这次查看已记入操作记录。" in answer.content.decode()) == (1, True)
    (line,) = AuditEntry.objects.all()
    assert (line.actor, line.verb, line.target, line.subject, line.detail, line.address, line.request_id) == (
        reviewer.username, "number.shown", f"registrations.registration:{submitted.pk}", applicant.username, "",
        "127.0.0.1", answer["X-Request-ID"],
    )  # fmt: skip
    assert number not in visitor.get(of(submitted)).content.decode()
    assert AuditEntry.objects.count() == 1


def test_the_number_is_not_shown_by_reading_nor_to_a_viewer(sign_in, submitted, applicant, reviewer, viewer):
    answers = [sign_in(reviewer).get(of(submitted, "number")), sign_in(viewer).post(of(submitted, "number"))]
    number = applicant.identity.document_number
    assert [(answer.status_code, number in answer.content.decode()) for answer in answers] == [(403, False)] * 2
    assert AuditEntry.objects.count() == 0


def test_each_showing_of_the_number_leaves_a_line_of_its_own(sign_in, submitted, applicant, reviewer):
    visitor, number = sign_in(reviewer), applicant.identity.document_number
    answers = [visitor.post(of(submitted, "number")) for _ in range(2)]
    assert [answer.content.decode().count(number) for answer in answers] == [1, 1]
    found = list(AuditEntry.objects.order_by("pk").values_list("verb", "request_id"))
    assert found == [("number.shown", answer["X-Request-ID"]) for answer in answers]


@pytest.mark.parametrize("method", ["head", "get", "put", "delete", "options"])
def test_another_method_shows_no_number_and_leaves_no_line(sign_in, submitted, applicant, reviewer, method):
    answer = getattr(sign_in(reviewer), method)(of(submitted, "number"))
    assert (answer.status_code, applicant.identity.document_number in answer.content.decode()) == (403, False)
    assert AuditEntry.objects.count() == 0


def test_a_form_without_its_token_shows_no_number(submitted, applicant, reviewer):
    visitor = Client(enforce_csrf_checks=True)
    visitor.force_login(reviewer, backend="accounts.oidc.PlatformBackend")
    answer = visitor.post(of(submitted, "number"))
    assert (answer.status_code, applicant.identity.document_number in answer.content.decode()) == (403, False)
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("page", ["number", "portrait"])
def test_without_its_line_nothing_is_shown(sign_in, submitted, applicant, reviewer, monkeypatch, page):
    def away(*arguments, **values):
        raise OperationalError("the database takes no line")

    monkeypatch.setattr(AuditEntry, "save", away)
    visitor = sign_in(reviewer)
    visitor.raise_request_exception = False
    answer = visitor.post(of(submitted, page)) if page == "number" else visitor.get(of(submitted, page))
    assert (answer.status_code, answer["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert applicant.identity.document_number not in answer.content.decode()
    assert "系统暂时不可用" in answer.content.decode()


def test_each_view_of_a_photo_leaves_a_line(sign_in, submitted, applicant, viewer):
    """Also the one that the desk's page makes the browser ask for; asking whether it is there shows nothing."""
    visitor = sign_in(viewer)
    place = re.search(r'<img src="([^"]*)"', visitor.get(of(submitted)).content.decode())[1]
    assert (place, AuditEntry.objects.count()) == (of(submitted, "portrait"), 0)
    visitor.head(place)
    assert AuditEntry.objects.count() == 0
    answers = [visitor.get(place), visitor.get(place)]
    found = AuditEntry.objects.order_by("pk").values_list("actor", "verb", "target", "subject", "address", "request_id")
    target = f"registrations.registration:{submitted.pk}"
    assert list(found) == [
        (viewer.username, "photo.viewed", target, applicant.username, "127.0.0.1", answer["X-Request-ID"])
        for answer in answers
    ]


def test_a_photo_that_cannot_be_delivered_was_not_viewed(sign_in, submitted, viewer):
    submitted.portrait.file.storage.delete(submitted.portrait.file.name)
    assert sign_in(viewer).get(of(submitted, "portrait")).status_code == 404
    assert AuditEntry.objects.count() == 0


def test_an_applicant_who_looks_at_the_own_photo_leaves_none(sign_in, submitted, applicant):
    answer = sign_in(applicant).get(f"{submitted.get_absolute_url()}photo/portrait/")
    assert (answer["Content-Type"], AuditEntry.objects.count()) == ("image/jpeg", 0)


def test_the_portrait_is_delivered_to_the_committee_alone(sign_in, submitted, elsewhere, viewer, stranger):
    answer = sign_in(viewer).get(of(submitted, "portrait"))
    with submitted.portrait.file.open("rb") as file:
        assert (answer["Content-Type"], answer.content == file.read()) == ("image/jpeg", True)
    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))
    assert sign_in(viewer).get(of(elsewhere, "portrait")).status_code == 404
    assert sign_in(stranger).get(of(submitted, "portrait")).status_code == 302


# Deciding -------------------------------------------------------------------------------------------------------------


def test_returning_says_field_by_field_what_to_fix(sign_in, submitted, applicant, reviewer):
    visitor, page = sign_in(reviewer), of(submitted, "return")
    sent = {
        "versions": sealed(visitor.get(page)),
        "fix_portrait": " 请上传白底照片 ",
        "fix_phone": "打不通",
        "note": "改好后重新提交。",
    }
    answer = visitor.post(page, sent, follow=True)
    event = submitted.events.first()
    assert answer.redirect_chain == [(f"{of(submitted)}?status=submitted&done={event.pk}", 302)]
    assert done(answer) == f"{submitted.reference} 王晓明：退回修改。这个筛选条件下没有别的待审核报名了。"
    assert (event.after, event.by, event.note, event.items) == (
        "returned",
        reviewer,
        "改好后重新提交。",
        [
            {"field": "portrait", "label": "证件照", "codes": [], "sentence": "请上传白底照片"},
            {"field": "phone", "label": "手机", "code": "", "sentence": "打不通"},
        ],
    )
    seen = sign_in(applicant).get(submitted.get_absolute_url())
    assert tasks(seen) == [
        "待修改 证件照：请上传白底照片 重新上传 重新裁切",
        "待修改 手机：打不通 退回时：13812342671",
    ]
    assert "改好后重新提交。" in seen.content.decode()


def test_items_alone_are_reason_enough(sign_in, submitted, reviewer):
    sent = {"versions": DecisionForm.seal([submitted]), "fix_phone": "打不通", "note": " "}
    sign_in(reviewer).post(of(submitted, "return"), sent)
    assert (scenes.fresh(submitted).status, submitted.events.first().note) == (Status.RETURNED, "")


@pytest.mark.parametrize(
    ("action", "note", "sentence"),
    [
        ("return", " \n", "请写明退回修改的原因，让报名人员知道该怎么做。"),
        ("reject", "", "请写明审核不通过的原因，让报名人员知道该怎么做。"),
        ("reject", "长" * 501, "意见最多 500 个字，请缩短。"),
    ],
)
def test_a_decision_without_its_reason_is_asked_again(sign_in, submitted, reviewer, action, note, sentence):
    was = situation(submitted)
    answer = sign_in(reviewer).post(of(submitted, action), {"versions": DecisionForm.seal([submitted]), "note": note})
    text = text_of(answer.content.decode())
    assert (sentence in text, note.strip() in text, situation(submitted)) == (True, True, was)


def test_a_decision_about_an_older_version_is_refused(sign_in, submitted, applicant, reviewer):
    visitor, page = sign_in(reviewer), of(submitted, "approve")
    seal = sealed(visitor.get(page))
    scenes.take(submitted, Action.RECALL, applicant)
    again = scenes.fresh(submitted)
    again.write(again.version, employer="北京第二机床厂")
    scenes.take(again, Action.SUBMIT, applicant)
    was = situation(submitted)
    answer = visitor.post(page, {"versions": seal, "note": ""}, follow=True)
    assert (said(answer), situation(submitted)) == ([f"{submitted.reference} 王晓明：{FASTER}"], was)


def test_the_step_is_about_what_was_read_on_the_page(sign_in, submitted, applicant, reviewer):
    """The page lay open; meanwhile it was recalled, changed and submitted again. Only then the step was chosen."""
    visitor = sign_in(reviewer)
    link = re.search(r'class="step step-reject" href="([^"]*)"', visitor.get(of(submitted)).content.decode())[1]
    link = html.unescape(link)
    scenes.take(submitted, Action.RECALL, applicant)
    again = scenes.fresh(submitted)
    again.write(again.version, employer="北京第二机床厂")
    scenes.take(again, Action.SUBMIT, applicant)
    was = situation(submitted)
    asked = visitor.get(link)
    answer = visitor.post(link, {"versions": sealed(asked), "note": "不符合"}, follow=True)
    assert (said(answer), situation(submitted)) == ([f"{submitted.reference} 王晓明：{FASTER}"], was)


def test_two_reviewers_and_the_second_is_told(sign_in, submitted, reviewer, manager):
    pages = [(sign_in(reviewer), of(submitted, "approve")), (sign_in(manager), of(submitted, "reject"))]
    seals = [sealed(visitor.get(page)) for visitor, page in pages]
    first, second = [
        visitor.post(page, {"versions": seal, "note": "不符合"}, follow=True)
        for (visitor, page), seal in zip(pages, seals, strict=True)
    ]
    moment = timezone.localtime(submitted.events.first().at)
    told = f"{submitted.reference} 王晓明：已被周敏处理：审核通过（{moment:%H:%M}）。这次的决定没有记下。"
    assert (said(first), said(second), scenes.fresh(submitted).status) == ([], [told], Status.APPROVED)


@pytest.mark.parametrize("seal", ["", "forged", "eyIxIjowfQ:1abc:xyz"])
def test_a_forged_seal_decides_nothing(sign_in, submitted, reviewer, seal):
    was = situation(submitted)
    answer = sign_in(reviewer).post(of(submitted, "approve"), {"versions": seal, "note": ""})
    assert (situation(submitted), text_of(answer.content.decode()).count("页面已过期，请返回列表重新操作。")) == (
        was,
        1,
    )


def test_the_committee_decides_after_the_deadline_too(sign_in, submitted, reviewer):
    plan = submitted.plan
    plan.registration_opens_at = timezone.now() - timedelta(days=9)
    plan.registration_closes_at = timezone.now() - timedelta(days=1)
    plan.save()
    answer = sign_in(reviewer).get(of(submitted))
    assert steps(answer) == ["审核通过", "退回修改", "审核不通过"]
    sign_in(reviewer).post(of(submitted, "approve"), {"versions": DecisionForm.seal([submitted]), "note": ""})
    assert Registration.objects.get().status == Status.APPROVED
