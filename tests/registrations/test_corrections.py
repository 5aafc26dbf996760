"""A return opens what it names and nothing else, and is answered task by task."""

import pytest
from django.urls import reverse

from accounts.identity import DocumentType, parse
from photos.models import PhotoClosed, Upload
from plans.models import Division
from profiles.models import PersonalDetails, Profile
from registrations import intake
from registrations.corrections import LOCKED
from registrations.decisions import FIXABLE, items_of
from registrations.models import Registration
from registrations.personal_data import HOLDING
from registrations.snapshots import Snapshot
from registrations.workflow import Action, Status, StepRefused
from tests import scenes
from tests.pages import form_of
from tests.registrations.reading import changes_since_return, notices, summary, tasks, text_of, typed
from tests.registrations.test_snapshots import NEW

SAID = "请核对。"


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


@pytest.fixture
def visitor(sign_in, applicant):
    return sign_in(applicant)


def sent_back(registration, manager, *names, whole=False, note=""):
    items = items_of(dict.fromkeys(names, SAID))
    scenes.fresh(registration).take(Action.RETURN, by=manager, items=items, whole=whole, note=note)
    return scenes.fresh(registration)


def address(name, registration, *more):
    return reverse(f"registrations:{name}", args=[registration.reference, *more])


def everything(registration, occupation=None, **answers):
    """A forged form: each field has another value than the one that was sent back."""
    values = {name: value for name, (value, *_) in NEW.items()}
    chosen = occupation or registration.occupation
    return {**values, "occupation": chosen.pk, "version": registration.version, **answers}


def changed(registration):
    return [change.field for change in changes_since_return(scenes.fresh(registration))]


def refusal_of(registration, user):
    with pytest.raises(StepRefused) as refused:
        scenes.fresh(registration).take(Action.SUBMIT, by=user)
    return str(refused.value)


# Only what was named --------------------------------------------------------------------------------------------------

TYPED = [name for name in NEW if name not in {"sex", "birth_date"}]  # the document's say


def test_all_that_the_form_has_can_be_sent_back():
    assert list(FIXABLE) == ["portrait", "occupation", *PersonalDetails.detail_names()]


@pytest.mark.parametrize("name", TYPED)
def test_a_forged_form_changes_the_named_field_alone(visitor, submitted, manager, name):
    returned = sent_back(submitted, manager, name)
    other = scenes.occupation(returned.plan)
    answer = visitor.post(address("edit", returned), everything(returned, other), follow=True)
    with_it = ["certificate_number"] if name == "skill_level" else []
    assert (notices(answer)[0], changed(returned)) == ("已保存。提交审核之前都可以修改。", [name, *with_it])


def test_what_the_document_says_is_not_typed_even_when_it_is_named(visitor, submitted, manager):
    returned = sent_back(submitted, manager, "sex", "birth_date")
    visitor.post(address("edit", returned), everything(returned))
    assert changed(returned) == []


def test_who_has_another_document_types_sex_and_birth_date(sign_in, occupation, manager):
    user = scenes.person("ANNA BERG")
    user.identity.hold_document(parse(DocumentType.PASSPORT, "E12345678", today=NEW["birth_date"][0]))
    user.identity.save()
    returned = sent_back(scenes.registration_at(Status.SUBMITTED, user, occupation, manager), manager, "sex")
    sign_in(user).post(address("edit", returned), everything(returned))
    assert changed(returned) == ["sex"]


def test_the_whole_form_can_be_opened_instead(visitor, submitted, manager):
    returned = sent_back(submitted, manager, "phone", whole=True)
    other = scenes.occupation(returned.plan)
    visitor.post(address("edit", returned), everything(returned, other))
    assert changed(returned) == ["occupation", *TYPED]
    returned.events.first().refresh_from_db()
    assert returned.correction().line.whole is True


def test_where_nothing_is_named_all_is_open(visitor, submitted, manager):
    returned = sent_back(submitted, manager, note="整份都请核对。")
    visitor.post(address("edit", returned), everything(returned))
    assert changed(returned) == TYPED
    assert scenes.take(returned, Action.SUBMIT, returned.applicant).status == Status.SUBMITTED


def test_the_page_of_the_occupation_is_closed_with_the_reason(visitor, submitted, manager):
    returned = sent_back(submitted, manager, "phone")
    other = scenes.occupation(returned.plan)
    sent = {"occupation": other.pk, "version": returned.version}
    answers = [
        visitor.get(address("occupation", returned), follow=True),
        visitor.post(address("occupation", returned), sent, follow=True),
    ]
    assert [notices(answer)[0] for answer in answers] == [f"职业（工种）没有改动：{LOCKED}"] * 2
    assert changed(returned) == []


@pytest.mark.parametrize("page", ["edit", "occupation"])
def test_a_named_occupation_is_chosen_on_both_pages(visitor, submitted, manager, page):
    returned = sent_back(submitted, manager, "occupation")
    other = scenes.occupation(returned.plan)
    visitor.post(address(page, returned), everything(returned, other))
    assert changed(returned) == ["occupation"]


def test_the_photo_is_closed_with_the_reason(visitor, submitted, manager, applicant):
    returned, upload = sent_back(submitted, manager, "phone"), Upload.objects.receive(applicant, scenes.jpeg())
    Profile.of(applicant).set_portrait(scenes.portrait_of(applicant, "#dfe9f5"))
    frame = {"left": 0, "top": 0, "width": 500}
    answers = [
        visitor.post(address("photo:crop", returned, upload.pk), frame),
        visitor.post(address("photo:use_other", returned)),
        visitor.post(address("photo:upload", returned)),
    ]
    assert [(answer.status_code, LOCKED in answer.content.decode()) for answer in answers] == [(422, True)] * 3
    with pytest.raises(PhotoClosed, match=LOCKED):
        returned.set_portrait(scenes.portrait_of(applicant, "#123456"))
    assert changed(returned) == []


@pytest.mark.parametrize(("names", "whole"), [(["portrait"], False), (["phone"], True)])
def test_the_photo_is_open_where_it_is_named_or_all_is(visitor, submitted, manager, applicant, names, whole):
    returned = sent_back(submitted, manager, *names, whole=whole)
    upload = Upload.objects.receive(applicant, scenes.jpeg(colour="#abcdef"))
    frame = {"left": 0, "top": 0, "width": 500}
    answer = visitor.post(address("photo:crop", returned, upload.pk), frame, follow=True)
    assert (notices(answer)[0], changed(returned)) == ("保存成功", ["portrait"])


def test_a_changed_profile_flows_into_what_is_open_alone(submitted, manager, applicant):
    returned = sent_back(submitted, manager, "phone")
    profile = Profile.of(applicant)
    profile.save_details(profile.version, {**profile.details(), "phone": "13812342672", "address": "北京市海淀区"})
    Profile.of(applicant).set_portrait(scenes.portrait_of(applicant, "#dfe9f5"))
    assert changed(returned) == ["phone"]


def test_a_profile_that_changed_elsewhere_leaves_the_open_form_as_new_as_it_was(submitted, manager, applicant):
    returned = sent_back(submitted, manager, "phone")
    profile = Profile.of(applicant)
    profile.save_details(profile.version, {**profile.details(), "address": "北京市海淀区"})
    assert scenes.fresh(returned).version == returned.version


def test_no_road_writes_what_is_closed(submitted, manager):
    returned = sent_back(submitted, manager, "phone")
    intake.save(returned, returned.version, {"address": "北京市海淀区", "phone": "13812342672"})
    scenes.fresh(returned).write(returned.version, employer="另一家")
    assert changed(returned) == ["phone"]


def test_what_another_occupation_asks_for_opens_with_it(visitor, applicant, occupation, manager):
    draft = scenes.draft(applicant, occupation, school="")
    returned = sent_back(scenes.take(draft, Action.SUBMIT, applicant), manager, "occupation")
    student = scenes.occupation(occupation.plan, division=Division.STUDENT)
    assert "school" not in returned.correction().open_fields
    visitor.post(address("occupation", returned), {"occupation": student.pk, "version": returned.version})
    returned = scenes.fresh(returned)
    for school in ("北京大雪", "北京大学"):  # a slip of the pen can be mended
        sent = {"school": school, "major": "别的", "occupation": student.pk, "version": returned.version}
        visitor.post(address("edit", returned), sent)
        returned = scenes.fresh(returned)
    assert [(change.field, change.new) for change in changes_since_return(returned)] == [
        ("occupation", str(student)),
        ("school", "北京大学"),
    ]


def test_a_photo_that_no_longer_fits_opens_by_itself(submitted, manager, applicant):
    returned = sent_back(submitted, manager, "phone")
    returned.plan.photo_width, returned.plan.photo_height = 413, 579
    returned.plan.save()
    assert (scenes.fresh(returned).photo_closed, "portrait" in scenes.fresh(returned).correction().open_fields) == (
        "",
        True,
    )


def test_recalled_it_is_a_draft_again(visitor, submitted, manager, applicant):
    returned = sent_back(submitted, manager, "phone")
    returned.write(returned.version, phone="13812342672")
    draft = scenes.take(scenes.take(returned, Action.SUBMIT, applicant), Action.RECALL, applicant)
    visitor.post(address("edit", draft), everything(draft))
    assert changed(draft) == TYPED  # and the committee sees each of them


# The form -------------------------------------------------------------------------------------------------------------


def test_only_the_open_fields_are_fields(visitor, submitted, manager):
    returned = sent_back(submitted, manager, "phone", "skill_level")
    answer = visitor.get(address("edit", returned))
    shown = set(form_of(answer)) - {"csrfmiddlewaretoken", "version"}
    assert shown == {"phone", "why_phone", "skill_level", "why_skill_level", "certificate_number"}
    page = text_of(answer.content.decode())
    assert "其余 17 项不能修改，点开查看" in page
    assert "确实需要改的，请联系组委会（赛务组 010-12345678）。" in page
    assert [value in page for value in ("北京精工机械有限公司", "1990年3月7日", "8 年")] == [True] * 3


def test_other_states_have_the_form_they_had(visitor, applicant, occupation):
    draft = scenes.draft(applicant, occupation)
    names = set(form_of(visitor.get(address("edit", draft)))) - {"csrfmiddlewaretoken"}
    assert names == {*TYPED, "occupation", "version"}


def test_bad_input_keeps_what_was_typed(visitor, submitted, manager):
    returned = sent_back(submitted, manager, "phone")
    sent = {"phone": "123", "why_phone": "<长>", "version": returned.version}
    answer = visitor.post(address("edit", returned), sent)
    assert (summary(answer), typed(answer, "phone"), form_of(answer)["why_phone"]) == (
        [
            "手机：手机号码应为 11 位数字；境外号码请以 + 和国家（地区）代码开头。",
            "手机不用修改的原因：含有不能使用的字符“<”“>”，请删去它们再保存。",
        ],
        "123",
        "<长>",
    )


def test_an_answer_that_is_too_long(visitor, submitted, manager):
    returned = sent_back(submitted, manager, "phone")
    sent = {"phone": returned.phone, "why_phone": "长" * 201, "version": returned.version}
    answer = visitor.post(address("edit", returned), sent)
    assert summary(answer) == ["手机不用修改的原因：“手机”不用修改的原因最多 200 个字，请缩短。"]


def test_another_tab_and_the_second_click(visitor, submitted, manager):
    returned = sent_back(submitted, manager, "phone")
    sent = {"phone": returned.phone, "why_phone": "一直在用", "version": returned.version}
    answers = [visitor.post(address("edit", returned), sent, follow=True) for _ in range(2)]
    assert [notices(answer)[0] for answer in answers] == ["已保存。提交审核之前都可以修改。"] * 2
    answer = visitor.post(address("edit", returned), {**sent, "why_phone": "另一个原因"})
    assert "您在另一个窗口里刚刚保存过这份内容" in summary(answer)[0]
    assert scenes.fresh(returned).correction().tasks[0].answer == "一直在用"


# The tasks ------------------------------------------------------------------------------------------------------------


def test_the_list_says_what_is_done_with_old_and_new(visitor, submitted, manager):
    returned = sent_back(submitted, manager, "employer", "phone", "email", note="谢谢。")
    sent = {**everything(returned), "employer": returned.employer, "email": returned.email, "why_email": "没有错"}
    visitor.post(address("edit", returned), sent)
    for page in ("detail", "edit", "check"):
        answer = visitor.get(address(page, returned))
        assert tasks(answer) == [
            "待修改 工作单位：请核对。 退回时：北京精工机械有限公司",
            "已完成 手机：请核对。 退回时：13812342671 现在：13812342672",
            "已完成 邮箱：请核对。 退回时：someone@example.cn 您的说明：没有错",
        ]
        assert "还有 1 处没有完成。" in text_of(answer.content.decode())


def test_submitting_is_refused_until_each_is_done(visitor, submitted, manager, applicant):
    returned = sent_back(submitted, manager, "employer", "phone")
    sentence = "组委会要求修改的还有 {} 处没有完成：{}。请逐项修改；原来填写的没有错的，请写明原因。"
    assert refusal_of(returned, applicant) == sentence.format(2, "工作单位、手机")
    returned.write(returned.version, phone="13812342672")
    assert refusal_of(returned, applicant) == sentence.format(1, "工作单位")
    page = address("submit", returned)
    assert visitor.get(page)["Location"] == address("check", returned)
    answer = visitor.post(page, {"version": returned.version}, follow=True)
    assert (answer.redirect_chain, notices(answer)[0]) == (
        [(address("check", returned), 302)],
        sentence.format(1, "工作单位"),
    )
    assert f'href="{page}"' not in visitor.get(address("check", returned)).content.decode()
    returned.write(scenes.fresh(returned).version, employer="北京精工机械股份有限公司")
    assert f'href="{page}"' in visitor.get(address("check", returned)).content.decode()
    assert scenes.take(returned, Action.SUBMIT, applicant).status == Status.SUBMITTED


def test_an_emptied_field_is_a_gap_and_no_task_done(submitted, manager, applicant):
    returned = sent_back(submitted, manager, "phone")
    returned.write(returned.version, phone="")
    assert refusal_of(returned, applicant) == "还有 1 处没有填写完整：请填写手机。"


def test_what_is_right_already_is_answered_and_the_committee_reads_why(visitor, submitted, manager, applicant):
    returned = sent_back(submitted, manager, "portrait", "phone", "employer")
    sent = {
        "phone": returned.phone,
        "why_phone": " 号码一直在用，\r\n白天关机。 ",
        "employer": "北京精工机械股份有限公司",
        "why_employer": "刚改了名",
        "why_portrait": "是本人近照",
        "version": returned.version,
    }
    visitor.post(address("edit", returned), sent)
    event = scenes.fresh(returned).take(Action.SUBMIT, by=applicant)
    assert event.items == [
        {"field": "portrait", "label": "证件照", "code": "answer", "sentence": "没有修改。是本人近照"},
        {"field": "employer", "label": "工作单位", "code": "answer", "sentence": "刚改了名"},
        {"field": "phone", "label": "手机", "code": "answer", "sentence": "没有修改。号码一直在用， 白天关机。"},
    ]
    assert changed(returned) == ["employer"]


def test_an_answer_can_be_taken_back(visitor, submitted, manager, applicant):
    returned = sent_back(submitted, manager, "phone")
    for why in ("没有错", ""):
        sent = {"phone": returned.phone, "why_phone": why, "version": scenes.fresh(returned).version}
        visitor.post(address("edit", returned), sent)
    assert (Snapshot.objects.get().answers, "还有 1 处" in refusal_of(returned, applicant)) == ({}, True)


def test_an_answer_for_what_was_not_named_is_not_kept(visitor, submitted, manager):
    returned = sent_back(submitted, manager, "phone")
    sent = {"phone": returned.phone, "why_employer": "没有错", "version": returned.version}
    visitor.post(address("edit", returned), sent)
    returned.correction().answer({"employer": "没有错"})
    assert Snapshot.objects.get().answers == {}


def test_with_the_whole_form_open_the_named_are_still_tasks(submitted, manager, applicant):
    returned = sent_back(submitted, manager, "phone", whole=True)
    returned.write(returned.version, address="北京市海淀区")
    assert "还有 1 处没有完成：手机" in refusal_of(returned, applicant)


def test_a_second_return_is_a_list_of_its_own(visitor, submitted, manager, applicant):
    returned = sent_back(submitted, manager, "phone")
    returned.write(returned.version, phone="13812342672")
    again = sent_back(scenes.take(returned, Action.SUBMIT, applicant), manager, "phone", "email")
    assert tasks(visitor.get(address("check", again))) == [
        "待修改 手机：请核对。 退回时：13812342672",
        "待修改 邮箱：请核对。 退回时：someone@example.cn",
    ]
    visitor.post(address("edit", again), everything(again) | {"phone": "13812342673"})
    assert changed(again) == ["phone", "email"]


def test_what_was_kept_and_answered_is_told_to_its_person(visitor, submitted, manager, applicant):
    returned = sent_back(submitted, manager, "phone")
    returned.correction().answer({"phone": "号码没有错"})
    (told,) = [fact for entry in HOLDING.tell(applicant) for fact in entry.facts if fact.label == "退回时的内容"]
    (kept,) = told.full
    assert (told.shown, kept["手机"], kept["出生日期"], kept["确认无误：手机"]) == (
        "留存 1 份，供组委会对照",
        "13812342671",
        "1990年3月7日",
        "号码没有错",
    )
    assert returned.document_number not in str(kept)


# From the days before -------------------------------------------------------------------------------------------------


def test_an_old_return_leaves_all_open_and_no_task_to_tick(visitor, submitted, manager, applicant):
    old = [
        {"field": "portrait", "label": "证件照", "sentence": "请换一张"},
        {"field": "phone", "label": "手机", "sentence": "打不通"},
    ]
    scenes.fresh(submitted).take(Action.RETURN, by=manager, items=old)
    Snapshot.objects.all().delete()
    returned = scenes.fresh(submitted)
    for page in ("detail", "edit", "check"):
        assert tasks(visitor.get(address(page, returned))) == ["证件照：请换一张 重新上传 重新裁切", "手机：打不通"]
    visitor.post(address("edit", returned), everything(returned))
    assert scenes.fresh(returned).details() == {
        **{name: value for name, (value, *_) in NEW.items()},
        "sex": "male",
        "birth_date": scenes.COMPLETE["birth_date"],
    }
    assert scenes.take(returned, Action.SUBMIT, applicant).status == Status.SUBMITTED


def test_an_answer_without_a_place_is_not_kept(submitted, manager):
    returned = sent_back(submitted, manager, "phone")
    Snapshot.objects.all().delete()
    scenes.fresh(returned).correction().answer({"phone": "没有错"})
    assert Snapshot.objects.count() == 0


def test_what_never_was_returned_is_no_correction(submitted, applicant, occupation):
    assert (submitted.correction(), Registration().correction()) == (None, None)
