"""The reasons for sending back: what every plan begins with, a plan's own list, and the form that picks from it."""

import html
import re
from time import sleep
from urllib.parse import urlencode

import pytest
from django.db import IntegrityError

from accounts import kept_forms
from accounts.models import AuditEntry
from photos.reasons import Reason
from registrations import return_reasons
from registrations.decisions import FIXABLE, DecisionForm
from registrations.reason_pages import FIELDS
from registrations.return_reasons import DEFAULTS, SENTENCE_LENGTH, ReturnReason
from registrations.workflow import Action, Status
from tests import scenes
from tests.pages import form_of
from tests.registrations.reading import every_row, text_of
from tests.registrations.test_admin import of, said
from tests.registrations.threads import at_once


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


def page_of(plan):
    return f"/admin/registrations/registration/reasons/{plan.code}/"


def listed(plan):
    return [(row.field, row.code, row.label, row.sentence) for row in return_reasons.offered(plan)]


def mistakes(answer):
    return [html.unescape(found) for found in re.findall(r'<ul class="errorlist"[^>]*><li>(.*?)</li>', page(answer))]


def notes(answer):
    return re.findall(r'<p class="errornote" role="alert">(.*?)</p>', page(answer))


def page(answer):
    return answer.content.decode()


# What every plan begins with ------------------------------------------------------------------------------------------


def test_the_defaults_are_of_fields_that_can_be_sent_back():
    assert {field for field, *_ in DEFAULTS} <= set(FIELDS) == set(FIXABLE) - {"portrait"}
    assert len({(field, code) for field, code, *_ in DEFAULTS}) == len(DEFAULTS)
    assert all(re.fullmatch("[a-z_]{1,32}", code) for _, code, *_ in DEFAULTS)
    assert all(len(label) <= 20 and 10 < len(sentence) <= SENTENCE_LENGTH for *_, label, sentence in DEFAULTS)
    assert all(sentence.endswith("。") for *_, sentence in DEFAULTS)


def test_a_plan_has_them_until_it_has_its_own(plan):
    assert listed(plan) == list(DEFAULTS) == listed(None)
    return_reasons.replace(plan, [ReturnReason(field="phone", code="x", label="空号", sentence="是空号，请改。")])
    assert listed(plan) == [("phone", "x", "空号", "是空号，请改。")]
    assert listed(scenes.open_plan()) == list(DEFAULTS)
    return_reasons.replace(plan, [])
    assert listed(plan) == list(DEFAULTS)


def test_a_code_is_one_reason_of_a_field_in_a_plan(plan):
    row = {"plan": plan, "field": "phone", "code": "x", "label": "空号", "sentence": "是空号。"}
    ReturnReason.objects.create(**row)
    with pytest.raises(IntegrityError):
        ReturnReason.objects.create(**row)


# The manager's page ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("reviewer", 403), ("other", 404)])
def test_others_change_nothing(sign_in, request, plan, manager, role, status):
    user = scenes.member(scenes.open_plan(), "manager") if role == "other" else request.getfixturevalue(role)
    sent = form_of(sign_in(manager).get(page_of(plan))) | {"form-0-sentence": "改过了。"}
    visitor, was = sign_in(user), every_row()
    answers = [
        visitor.get(page_of(plan)),
        visitor.post(page_of(plan), sent),
        visitor.post(page_of(plan), {"restore": 1}),
    ]
    after = every_row()
    for rows in (was, after):
        rows.pop("accounts.AuditEntry")  # a refused access is written down
    assert ([answer.status_code for answer in answers], after) == ([status] * 3, was)


def test_a_manager_words_adds_and_removes(sign_in, plan, manager):
    visitor = sign_in(manager)
    sent = form_of(visitor.get(page_of(plan)))
    new = len(DEFAULTS)
    sent |= {
        "form-0-sentence": "请换一个\r\n职业。",
        "form-1-DELETE": "on",
        f"form-{new}-field": "position",
        f"form-{new}-label": "没有写清",
        f"form-{new}-sentence": "请写清职务。",
    }
    answer = visitor.post(page_of(plan), sent, follow=True)
    field, code, label, _ = DEFAULTS[0]
    *kept, added = listed(plan)
    assert said(answer) == ["退回原因已保存。"]
    assert kept == [(field, code, label, "请换一个 职业。"), *DEFAULTS[2:]]
    assert (added[0], added[2:], bool(re.fullmatch("own_[0-9a-f]{8}", added[1]))) == (
        "position",
        ("没有写清", "请写清职务。"),
        True,
    )
    assert list(AuditEntry.objects.values_list("verb", "actor")) == [("plan.changed", manager.username)]
    again = form_of(visitor.get(page_of(plan)))
    visitor.post(page_of(plan), again)
    assert listed(plan) == [*kept, added]


def test_what_every_plan_begins_with_can_be_had_again(sign_in, plan, manager):
    visitor = sign_in(manager)
    assert 'name="restore"' not in page(visitor.get(page_of(plan)))
    return_reasons.replace(plan, [ReturnReason(field="phone", code="x", label="空号", sentence="是空号，请改。")])
    assert 'name="restore"' in page(visitor.get(page_of(plan)))
    answer = visitor.post(page_of(plan), form_of(visitor.get(page_of(plan))) | {"restore": "1"}, follow=True)
    assert (said(answer), listed(plan)) == (["已恢复系统提供的退回原因。"], list(DEFAULTS))


def test_mistakes_are_said_where_they_are_and_nothing_is_lost(sign_in, plan, manager):
    visitor = sign_in(manager)
    sent = form_of(visitor.get(page_of(plan)))
    sent |= {"form-0-sentence": "", "form-1-label": "长" * 21, "form-2-field": "portrait", "form-3-sentence": "<b>"}
    answer = visitor.post(page_of(plan), sent)
    assert (notes(answer), mistakes(answer), ReturnReason.objects.count()) == (
        ["没有保存，请改正下面标出的内容。"],
        [
            "请写清楚哪里不对、该怎么做。",
            "简称最多 20 个字，请缩短。",
            "请从列表中选择项目。",
            "含有不能使用的字符“<”“>”，请删去它们再保存。",
        ],
        0,
    )
    assert form_of(answer)["form-1-label"] == "长" * 21


def test_a_list_without_a_line_is_refused(sign_in, plan, manager):
    visitor = sign_in(manager)
    sent = form_of(visitor.get(page_of(plan)))
    sent |= {f"form-{number}-DELETE": "on" for number in range(len(DEFAULTS))}
    assert notes(visitor.post(page_of(plan), sent)) == [
        "请至少留一条原因；要恢复系统提供的列表，请按“恢复系统提供的列表”。"
    ]
    assert notes(visitor.post(page_of(plan), {"seen": sent["seen"]})) == [
        "没有读到完整的列表，请返回后重新打开这一页。"
    ]
    assert ReturnReason.objects.count() == 0


@pytest.fixture
def own(plan):
    return_reasons.replace(plan, [own_reason("phone", "空号", "是空号，请改。"), own_reason("email", "退信", "请改。")])


def own_reason(field, label, sentence):
    return ReturnReason(field=field, code=f"own_{field}", label=label, sentence=sentence)


def test_two_managers_at_once(sign_in, plan, manager, own):
    visitor = sign_in(manager)
    sent = form_of(visitor.get(page_of(plan)))
    other = [own_reason("phone", "空号", "请换一个。"), own_reason("school", "不全", "请写全称。")]
    return_reasons.replace(plan, other)
    answer = visitor.post(page_of(plan), sent | {"form-0-label": "号码"})
    (sentence,) = notes(answer)
    assert sentence == (
        "没有保存：您打开这一页以后，别人改过原因“手机：空号”的“写给报名人员的话”，"
        f"添加了原因“{FIELDS['school']}：不全”，删除了原因“{FIELDS['email']}：退信”。"
        "下面仍是您填写的内容，请在新的页面里看过现在的内容，改好后再次保存，就以您的为准。"
        "别人添加的不在下面，再次保存会去掉。别人删除的仍在下面，再次保存会重新添加。"
    )
    assert (len(listed(plan)), form_of(answer)["form-0-label"]) == (2, "号码")
    visitor.post(page_of(plan), form_of(answer))
    assert [line[2:] for line in listed(plan)] == [("号码", "是空号，请改。"), ("退信", "请改。")]


def test_the_defaults_do_not_come_back_over_what_another_one_has_saved(sign_in, plan, manager, own):
    visitor = sign_in(manager)
    sent = form_of(visitor.get(page_of(plan))) | {"restore": "1"}
    return_reasons.replace(plan, [own_reason("phone", "空号", "请换一个。")])
    answer = visitor.post(page_of(plan), sent)
    assert (notes(answer)[0].startswith("没有保存："), len(listed(plan))) == (True, 1)
    visitor.post(page_of(plan), form_of(answer) | {"restore": "1"})
    assert listed(plan) == list(DEFAULTS)


def test_what_was_typed_when_the_session_ended_is_compared_with_what_was_seen_then(sign_in, plan, manager, own):
    visitor = sign_in(manager)
    typed = form_of(visitor.get(page_of(plan))) | {"form-0-label": "号码"}
    kept_forms.keep_text(manager.pk, page_of(plan), urlencode(typed))
    return_reasons.replace(plan, [own_reason("phone", "空号", "请换一个。"), own_reason("email", "退信", "请改。")])
    shown = form_of(visitor.get(page_of(plan)))
    assert (shown["form-0-label"], shown["seen"]) == ("号码", typed["seen"])
    assert "别人改过原因“手机：空号”的“写给报名人员的话”。" in notes(visitor.post(page_of(plan), shown))[0]


@pytest.mark.django_db(transaction=True)
def test_two_managers_in_the_same_instant(sign_in, monkeypatch):
    """One saves, the other is told: nobody sees an error page."""
    replace = return_reasons.replace

    def slowly(*what):
        """Time enough for the other one to look at the list as it was."""
        sleep(0.3)
        replace(*what)

    monkeypatch.setattr(return_reasons, "replace", slowly)
    plan = scenes.open_plan()
    visitors = [sign_in(scenes.member(plan, "manager", name)) for name in ("周敏", "钱进")]
    sent = [form_of(visitor.get(page_of(plan))) for visitor in visitors]

    def save(number):
        answer = visitors[number].post(page_of(plan), sent[number] | {"form-0-sentence": f"第 {number} 位改的。"})
        return answer.status_code, page(answer).count(
            "别人改过原因“职业（工种）：与本人工作不符”的“写给报名人员的话”。"
        )

    answers = at_once(lambda: save(0), lambda: save(1))
    assert sorted(answers) == [(200, 1), (302, 0)]
    assert listed(plan)[0][3] == f"第 {answers.index((302, 0))} 位改的。"


def test_forged_codes_never_name_two_reasons(sign_in, plan, manager):
    visitor = sign_in(manager)
    sent = form_of(visitor.get(page_of(plan)))
    sent |= {"form-1-code": DEFAULTS[0][1], "form-2-code": "../x", "form-3-code": "长" * 99}
    visitor.post(page_of(plan), sent)
    codes = [code for _, code, *_ in listed(plan)]
    assert [code.startswith("own_") for code in codes[:5]] == [False, True, True, True, False]


# Picking one ----------------------------------------------------------------------------------------------------------


def returned_by(visitor, registration, **more):
    return visitor.post(
        of(registration, "return"), {"versions": DecisionForm.seal([registration]), "note": "", **more}, follow=True
    )


def test_a_picked_reason_says_its_sentence_and_words_go_before_it(sign_in, submitted, reviewer):
    more = {"code_phone": "unreachable", "code_email": "bounces", "fix_email": " 请换一个。 ", "fix_school": "自己写的"}
    answer = returned_by(sign_in(reviewer), submitted, **more, reasons=["blurred"], whole="on")
    event = submitted.events.first()
    sentence = next(sentence for field, code, _, sentence in DEFAULTS if (field, code) == ("phone", "unreachable"))
    assert f"{submitted.reference} {submitted.legal_name}：退回修改。" in text_of(answer.content.decode())
    assert event.whole is True
    assert event.items == [
        {"field": "portrait", "label": "证件照", "codes": ["blurred"], "sentence": Reason.BLURRED.sentence},
        {"field": "school", "label": "毕业（就读）院校", "code": "", "sentence": "自己写的"},
        {"field": "phone", "label": "手机", "code": "unreachable", "sentence": sentence},
        {"field": "email", "label": "邮箱", "code": "bounces", "sentence": "请换一个。"},
    ]


def test_rewording_a_reason_does_not_change_what_was_said(sign_in, submitted, reviewer):
    returned_by(sign_in(reviewer), submitted, code_phone="wrong")
    was = submitted.events.first().items
    own = [ReturnReason(field="phone", code="wrong", label="号码有误", sentence="别的句子，请改。")]
    return_reasons.replace(submitted.plan, own)
    assert submitted.events.first().items == was


def test_the_plans_own_list_is_what_is_offered(sign_in, submitted, reviewer, manager):
    own = [ReturnReason(field="phone", code="x", label="空号", sentence="是“空号”，请改。")]
    return_reasons.replace(submitted.plan, own)
    form = page(sign_in(reviewer).get(of(submitted, "return")))
    chosen = re.search(r'<select name="code_phone".*?</select>', form, re.DOTALL)[0]
    assert re.findall(r'<option value="(\w*)"(?: selected)?(?: data-sentence="([^"]*)")?>(.*?)</option>', chosen) == [
        ("", "", "选择原因"),
        ("x", "是“空号”，请改。", "空号"),
    ]
    assert (page_of(submitted.plan) in form, page_of(submitted.plan) in page(sign_in(manager).get(of(submitted, "return")))) == (
        False,
        True,
    )  # fmt: skip


def test_a_reason_that_is_not_offered_is_refused_and_nothing_is_lost(sign_in, submitted, reviewer):
    answer = returned_by(sign_in(reviewer), submitted, code_phone="gone", fix_phone="打不通")
    assert mistakes(answer) == ["手机的退回原因不在列表里，可能刚刚被改过，请重新选择。"]
    assert (form_of(answer)["fix_phone"], scenes.fresh(submitted).status) == ("打不通", Status.SUBMITTED)


def test_what_the_document_says_is_not_offered(submitted):
    names = set(DecisionForm(Action.RETURN, registrations=[submitted]).fixable)
    assert set(FIXABLE) - names == {"sex", "birth_date"} == set(FIXABLE) - set(DecisionForm(Action.RETURN).fixable)


def test_of_several_plans_the_defaults_are_offered(submitted, stranger):
    own = [ReturnReason(field="phone", code="x", label="空号", sentence="是空号，请改。")]
    return_reasons.replace(submitted.plan, own)
    plan = scenes.open_plan()
    other = scenes.draft(stranger, scenes.occupation(plan))
    assert list(DecisionForm(Action.RETURN, registrations=[submitted]).offered["phone"]) == ["x"]
    both = DecisionForm(Action.RETURN, registrations=[submitted, other])
    assert list(both.offered["phone"]) == ["unreachable", "wrong"]
