"""What is missing, as sentences, by division and level."""

import pytest
from django.utils import timezone

from photos.models import Portrait, Upload
from plans.models import Division
from profiles.models import Profile
from registrations import intake
from registrations.workflow import Status
from tests import scenes
from tests.scenes import COMPLETE

EVERYBODY = [
    ("sex", "请选择性别"),
    ("birth_date", "请填写出生日期"),
    ("ethnicity", "请选择民族"),
    ("political_status", "请选择政治面貌"),
    ("education", "请选择文化程度"),
    ("skill_level", "请选择现职业资格或技能等级，没有的选“无”"),
    ("phone", "请填写手机"),
    ("address", "请填写通信地址"),
    ("emergency_contact", "请填写紧急联系人"),
    ("emergency_phone", "请填写紧急联系人电话"),
]
WORK = [("employer", "请填写工作单位"), ("employer_type", "请选择单位性质")]
SCHOOL = [("school", "请填写就读院校")]
PORTRAIT = [("portrait", "请上传证件照")]


def gaps(registration):
    return [(gap.field, gap.sentence) for gap in registration.missing()]


@pytest.fixture
def empty(applicant, occupation):
    """A draft in which nothing is filled in, the sex and birth date of the document included."""
    registration = intake.start(applicant, occupation.plan)
    registration.sex, registration.birth_date = "", None
    return registration


@pytest.mark.parametrize(
    ("division", "asked"), [(Division.WORKER, WORK), (Division.TEACHER, WORK), (Division.STUDENT, SCHOOL)]
)
def test_each_division_is_asked_its_own(empty, occupation, division, asked):
    occupation.division = division
    empty.occupation = occupation
    assert gaps(empty) == [*EVERYBODY, *asked, *PORTRAIT]


def test_without_an_occupation_nobody_knows_what_else_is_asked(empty):
    assert gaps(empty) == [*EVERYBODY, ("occupation", "请选择参赛的职业（工种）"), *PORTRAIT]


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({}, []),
        ({"certificate_number": ""}, [("certificate_number", "请填写高级工（三级）的证书编号")]),
        ({"certificate_number": "", "skill_level": "none"}, []),
        ({"years_of_service": 0, "email": "", "postcode": "", "school": "", "major": "", "position": ""}, []),
        ({"years_of_service": None}, []),
        ({"employer": "", "phone": ""}, [("phone", "请填写手机"), ("employer", "请填写工作单位")]),
        ({"portrait": None}, PORTRAIT),
    ],
)
def test_what_a_worker_must_fill_in(applicant, occupation, values, missing):
    assert gaps(scenes.draft(applicant, occupation, **values)) == missing


@pytest.mark.parametrize(("values", "missing"), [({"employer": "", "employer_type": ""}, []), ({"school": ""}, SCHOOL)])
def test_what_a_student_must_fill_in(applicant, plan, values, missing):
    occupation = scenes.occupation(plan, division=Division.STUDENT)
    assert gaps(scenes.draft(applicant, occupation, **{**COMPLETE, **values})) == missing


def test_a_portrait_made_for_another_spec_is_to_be_cropped_again_while_it_can_be_edited(applicant, occupation, manager):
    draft = scenes.draft(applicant, occupation)
    submitted = scenes.registration_at(Status.SUBMITTED, scenes.person("李芳"), occupation, manager)
    plan = occupation.plan
    plan.photo_width, plan.photo_height, plan.photo_background, plan.photo_dpi = 413, 578, "blue", 350
    plan.save()
    what = "证件照不符合本竞赛的要求（需要 413×578 像素、蓝色背景、350 dpi、取自至少 413×578 像素的画面）"
    assert gaps(scenes.fresh(draft)) == [("crop", f"{what}，请重新裁切")]
    assert gaps(scenes.fresh(submitted)) == []
    plan.photo_width, plan.photo_height = 1000, 1400
    plan.save()
    assert gaps(scenes.fresh(draft)) == [
        ("portrait", f"{what.replace('413×578', '1000×1400')}，请换一张照片")
    ]  # fmt: skip


def test_a_portrait_whose_file_is_lost_is_to_be_made_again_while_it_can_be_edited(applicant, occupation, manager):
    draft = scenes.draft(applicant, occupation)
    submitted = scenes.registration_at(Status.SUBMITTED, scenes.person("李芳"), occupation, manager)
    Portrait.objects.all().mark(timezone.now())
    assert gaps(scenes.fresh(draft)) == [("crop", "证件照的文件找不到了，请重新裁切")]
    assert gaps(scenes.fresh(submitted)) == []
    Upload.objects.mark(timezone.now())
    assert gaps(scenes.fresh(draft)) == [("portrait", "证件照的文件找不到了，请换一张照片")]


def test_a_profiles_portrait_that_does_not_fit_is_neither_copied_nor_carried_over(applicant, plan):
    Profile.of(applicant).set_portrait(scenes.portrait_of(applicant))
    plan.photo_background = "blue"
    plan.save()
    draft = intake.start(applicant, plan)
    Profile.of(applicant).set_portrait(scenes.portrait_of(applicant, "#dddddd"))
    sentence = "个人信息里的证件照不符合本竞赛的要求（需要 295×413 像素、蓝色背景），请重新裁切"
    assert (scenes.fresh(draft).portrait, gaps(scenes.fresh(draft))[-1]) == (None, ("crop", sentence))
