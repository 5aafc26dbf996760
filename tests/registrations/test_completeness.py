"""What is missing, as sentences, by division and level."""

import pytest

from plans.models import Division
from registrations import intake
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
