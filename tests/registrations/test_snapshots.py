"""What stood in a registration when it was returned, and what differs since: field by field, old beside new."""

from datetime import date

import pytest

from profiles.models import PersonalDetails
from registrations.snapshots import Change, Snapshot
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.reading import changes_since_return


@pytest.fixture
def returned(applicant, occupation, manager):
    return scenes.registration_at(Status.RETURNED, applicant, occupation, manager)


def again(registration, applicant, manager):
    """Submitted as it stands, and returned once more."""
    registration = scenes.take(registration, Action.SUBMIT, applicant)
    return scenes.take(registration, Action.RETURN, manager, note="还要改。")


def test_what_was_returned_is_kept_without_the_document_number(returned):
    kept = Snapshot.objects.get(registration=returned)
    stored = Snapshot.objects.filter(pk=kept.pk).values().get()
    assert returned.document_number not in str(stored)
    assert kept.event == returned.correction().line
    assert kept.details == {**scenes.COMPLETE, "birth_date": "1990-03-07"}
    assert (kept.occupation_id, kept.occupation_name) == (returned.occupation_id, str(returned.occupation))
    assert kept.portrait_sha256 == returned.portrait_sha256


def test_nothing_differs_as_long_as_nothing_was_changed(returned):
    assert changes_since_return(returned) == []


@pytest.mark.parametrize("status", [Status.DRAFT, Status.SUBMITTED, Status.APPROVED, Status.REJECTED])
def test_what_was_never_returned_has_no_changes(applicant, occupation, manager, status):
    registration = scenes.registration_at(status, applicant, occupation, manager)
    assert (changes_since_return(registration), Snapshot.objects.count()) == ([], 0)


NEW = {
    "sex": ("female", "性别", "男", "女"),
    "birth_date": (date(1991, 12, 5), "出生日期", "1990年3月7日", "1991年12月5日"),
    "ethnicity": ("回族", "民族", "汉族", "回族"),
    "political_status": ("party", "政治面貌", "群众", "中共党员"),
    "education": ("bachelor", "文化程度", "大学专科", "大学本科"),
    "school": ("北京大学", "毕业（就读）院校", "北京工业职业技术学院", "北京大学"),
    "major": ("", "所学专业", "机电一体化", ""),
    "employer": ("北京精工机械有限公司一分厂", "工作单位", "北京精工机械有限公司", "北京精工机械有限公司一分厂"),
    "employer_type": ("state", "单位性质", "民营企业", "国有企业"),
    "position": ("班长", "职务", "技术员", "班长"),
    "years_of_service": (0, "从业年限", "8 年", "0 年"),
    "skill_level": ("l2", "现职业资格或技能等级", "高级工（三级）", "技师（二级）"),
    "certificate_number": ("S000011010327", "证书编号", "S000011010326", "S000011010327"),
    "phone": ("13812342672", "手机", "13812342671", "13812342672"),
    "email": ("other@example.cn", "邮箱", "someone@example.cn", "other@example.cn"),
    "address": ("北京市朝阳区幸福路 2 号", "通信地址", "北京市朝阳区幸福路 1 号", "北京市朝阳区幸福路 2 号"),
    "postcode": ("100021", "邮编", "100020", "100021"),
    "emergency_contact": ("王小明", "紧急联系人", "王大明", "王小明"),
    "emergency_phone": ("13912345679", "紧急联系人电话", "13912345678", "13912345679"),
}


def test_each_field_of_the_details_is_written_down_here():
    assert list(NEW) == PersonalDetails.detail_names()


@pytest.mark.parametrize("name", NEW)
def test_a_field_that_differs_in_words(returned, name):
    value, label, old, new = NEW[name]
    returned.write(returned.version, **{name: value})
    assert changes_since_return(scenes.fresh(returned)) == [Change(name, label, old, new)]


def test_the_occupation_and_the_portrait(returned, applicant, occupation):
    before, former = str(returned.occupation), returned.portrait_sha256
    other = scenes.occupation(occupation.plan)
    returned.write(returned.version, occupation=other)
    returned.set_portrait(scenes.portrait_of(applicant, "#dfe9f5"))
    returned = scenes.fresh(returned)
    assert changes_since_return(returned) == [
        Change("occupation", "职业（工种）", before, str(other)),
        Change("portrait", "证件照", former, returned.portrait_sha256),
    ]


def test_changes_are_still_told_after_it_was_submitted_again(returned, applicant):
    returned.write(returned.version, phone="13812342672")
    submitted = scenes.take(returned, Action.SUBMIT, applicant)
    assert changes_since_return(submitted) == [Change("phone", "手机", "13812342671", "13812342672")]


def test_the_last_return_counts(returned, applicant, manager):
    returned.write(returned.version, phone="13812342672")
    returned = again(returned, applicant, manager)
    assert changes_since_return(returned) == []
    returned.write(returned.version, phone="13812342673")
    assert changes_since_return(returned) == [Change("phone", "手机", "13812342672", "13812342673")]
    assert Snapshot.objects.filter(registration=returned).count() == 2


def test_a_return_that_is_refused_keeps_nothing(applicant, occupation, manager):
    submitted = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    submitted.version += 1
    with pytest.raises(Exception, match="刚刚有了变化"):
        submitted.take(Action.RETURN, by=manager, note="请改。")
    assert Snapshot.objects.count() == 0


def test_it_costs_one_question(returned, applicant, manager, django_assert_num_queries):
    returned = again(returned, applicant, manager)
    returned.write(returned.version, phone="13812342672")
    returned = scenes.fresh(returned)
    with django_assert_num_queries(1):
        assert [change.field for change in changes_since_return(returned)] == ["phone"]


def test_a_return_from_the_days_before_has_none(returned):
    Snapshot.objects.all().delete()
    returned.write(returned.version, phone="13812342672")
    assert changes_since_return(returned) == []


def test_a_field_that_is_asked_only_since_is_no_change(returned):
    kept = Snapshot.objects.get()
    Snapshot.objects.filter(pk=kept.pk).update(details={"phone": "13812342671", "given_up_since": "x"})
    returned.write(returned.version, phone="13812342672", email="other@example.cn")
    assert changes_since_return(returned) == [Change("phone", "手机", "13812342671", "13812342672")]


def test_what_is_kept_goes_with_the_registration(returned, applicant):
    submitted = scenes.take(returned, Action.SUBMIT, applicant)
    draft = scenes.take(submitted, Action.RECALL, applicant)
    draft.discard(applicant)
    assert Snapshot.objects.count() == 0
