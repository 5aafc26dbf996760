"""A profile by itself: what it begins with, what is missing, and that two tabs do not overwrite each other."""

from datetime import date

import pytest

from accounts.identity import DocumentType, Sex, parse
from accounts.models import Consent
from profiles.choices import ETHNIC_GROUPS, ETHNICITIES, SkillLevel
from profiles.models import Profile, StaleDetails
from tests import scenes
from tests.people import passport_number
from tests.scenes import COMPLETE

ASKED = [
    ("ethnicity", "请选择民族"),
    ("political_status", "请选择政治面貌"),
    ("education", "请选择文化程度"),
    ("skill_level", "请选择现职业资格或技能等级，没有的选“无”"),
    ("phone", "请填写手机"),
    ("address", "请填写通信地址"),
    ("emergency_contact", "请填写紧急联系人"),
    ("emergency_phone", "请填写紧急联系人电话"),
]


def with_passport(name="李雷"):
    user = scenes.account()
    user.identity.confirm(
        legal_name=name, document=parse(DocumentType.PASSPORT, passport_number(71), today=date(2026, 1, 1))
    )
    Consent.give(user)
    return user


def gaps(profile):
    return [(gap.field, gap.sentence) for gap in profile.missing()]


def test_there_are_fifty_six_ethnic_groups_and_one_more_choice():
    assert (len(ETHNIC_GROUPS), len(set(ETHNIC_GROUPS))) == (56, 56)
    assert (ETHNICITIES[0], ETHNICITIES[55], ETHNICITIES[56:]) == (
        ("汉族", "汉族"),
        ("基诺族", "基诺族"),
        [("其他", "其他")],
    )
    assert max(len(name) for name in ETHNIC_GROUPS) <= Profile._meta.get_field("ethnicity").max_length


def test_it_begins_with_what_document_and_platform_say(applicant):
    applicant.identity.phone = "13812340000"
    profile = Profile.of(applicant)
    assert (profile.pk, profile.is_empty, profile.sex, profile.birth_date, profile.phone) == (
        None,
        True,
        Sex.MALE,
        date(1990, 3, 7),
        "13812340000",
    )
    assert gaps(profile) == [gap for gap in ASKED if gap[0] != "phone"]


def test_a_passport_says_neither_sex_nor_birth_date(db):
    assert gaps(Profile.of(with_passport())) == [("sex", "请选择性别"), ("birth_date", "请填写出生日期"), *ASKED]


@pytest.mark.parametrize("field", [field for field, _ in ASKED])
def test_each_thing_that_is_missing_has_its_sentence(applicant, field):
    profile = Profile(user=applicant, **{**COMPLETE, field: ""})
    assert gaps(profile) == [gap for gap in ASKED if gap[0] == field]


@pytest.mark.parametrize(
    "field", ["school", "major", "employer", "employer_type", "position", "email", "postcode", "years_of_service"]
)
def test_what_may_stay_empty(applicant, field):
    empty = None if field == "years_of_service" else ""
    assert gaps(Profile(user=applicant, **{**COMPLETE, field: empty})) == []


@pytest.mark.parametrize("level", SkillLevel)
def test_a_level_needs_its_certificate(applicant, level):
    profile = Profile(user=applicant, **{**COMPLETE, "skill_level": level.value, "certificate_number": ""})
    needed = [] if level == SkillLevel.NONE else [("certificate_number", f"请填写{level.label}的证书编号")]
    assert gaps(profile) == needed


def test_saving_counts_up_and_the_old_version_is_refused(applicant):
    Profile.of(applicant).save_details(0, {"school": "甲校"})
    first, second = Profile.of(applicant), Profile.of(applicant)
    first.save_details(1, {"school": "乙校"})
    with pytest.raises(StaleDetails):
        second.save_details(1, {"school": "丙校", "phone": "13800000000"})
    kept = Profile.objects.get(user=applicant)
    assert (kept.school, kept.phone, kept.version, kept.is_empty) == ("乙校", "", 2, False)


def test_a_first_saving_in_two_tabs(applicant):
    first, second = Profile.of(applicant), Profile.of(applicant)
    first.save_details(0, {"school": "甲校"})
    with pytest.raises(StaleDetails):
        second.save_details(0, {"school": "乙校"})
    assert Profile.objects.get(user=applicant).school == "甲校"


def test_a_portrait_leaves_the_text_alone_that_another_tab_saved(applicant):
    Profile.of(applicant).save_details(0, {"school": "甲校"})
    cropping = Profile.of(applicant)
    Profile.of(applicant).save_details(1, {"school": "乙校"})
    portrait = scenes.portrait_of(applicant)
    cropping.set_portrait(portrait)
    kept = Profile.objects.get(user=applicant)
    assert (kept.portrait, kept.school, kept.version) == (portrait, "乙校", 2)


def test_a_portrait_before_any_text(applicant):
    first, second = Profile.of(applicant), Profile.of(applicant)
    first.set_portrait(scenes.portrait_of(applicant))
    portrait = scenes.portrait_of(applicant)
    second.set_portrait(portrait)
    kept = Profile.objects.get(user=applicant)
    assert (kept.portrait, kept.is_empty, kept.sex, kept.birth_date) == (portrait, True, "male", date(1990, 3, 7))


def test_what_it_is_called(applicant):
    assert str(Profile.of(applicant)) == applicant.username
