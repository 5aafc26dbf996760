"""个人基本信息维护: whose it is, what may be typed, what is locked, two buttons, two tabs."""

import html
import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from profiles.choices import ETHNICITIES
from profiles.models import Profile
from tests import scenes
from tests.pages import field_errors, form_of
from tests.profiles.test_models import with_passport
from tests.registrations.reading import notices, summary, text_of, typed
from tests.scenes import COMPLETE

ADDRESS = "/profile/"


@pytest.fixture
def client(applicant, sign_in):
    return sign_in(applicant)


def save(client, **values):
    """Open the page, change these fields, press 保存."""
    form = form_of(client.get(ADDRESS))
    return client.post(ADDRESS, {**form, **values})


def kept(user):
    found = Profile.objects.filter(user=user).first()
    return found.details() if found else None


# Whose --------------------------------------------------------------------------------------------------------------


def test_anonymous_goes_to_the_login_and_back(db):
    assert Client().get(ADDRESS).headers["Location"] == "/accounts/login/?next=%2Fprofile%2F"


def test_unconfirmed_goes_to_the_confirmation_and_back(db, sign_in):
    response = sign_in(scenes.account()).get(ADDRESS)
    assert response.headers["Location"] == "/accounts/identity/?next=%2Fprofile%2F"


def test_everybody_has_their_own(client, applicant, stranger, sign_in):
    save(client, school="甲校")
    other = sign_in(stranger)
    assert typed(other.get(ADDRESS), "school") == ""
    save(other, school="乙校")
    assert (kept(applicant)["school"], kept(stranger)["school"]) == ("甲校", "乙校")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_wrong_methods(client, applicant, method):
    response = getattr(client, method)(ADDRESS)
    assert (response.status_code, response.headers["Allow"], kept(applicant)) == (405, "GET, HEAD, POST", None)


def test_looking_writes_nothing(client, applicant):
    for _ in range(2):
        page = client.get(ADDRESS).content.decode()
    assert kept(applicant) is None
    assert "报名还需要" not in page


# Saving -------------------------------------------------------------------------------------------------------------


def test_saving_everything(client, applicant):
    response = save(client, **COMPLETE)
    assert response.headers["Location"] == ADDRESS
    assert kept(applicant) == COMPLETE
    page = client.get(ADDRESS)
    assert notices(page) == ["个人基本信息已保存。"]
    shown = {name: typed(page, name) for name in COMPLETE}
    assert shown == {name: str(value) for name, value in COMPLETE.items()}
    assert "报名还需要" not in page.content.decode()


def test_saving_and_going_on_to_the_photo(client, applicant):
    response = save(client, school="甲校", then="photo")
    assert response.headers["Location"] == reverse("profiles:photo:upload")
    assert kept(applicant)["school"] == "甲校"


def test_half_filled_is_saved_and_what_is_missing_is_listed(client, applicant):
    save(client, ethnicity="回族", skill_level="l3")
    page = client.get(ADDRESS).content.decode()
    (task,) = re.findall(r'<details class="task">(.*?)</details>', page, re.DOTALL)
    assert text_of(task).startswith("报名还需要 7 项")
    assert re.findall(r'<li><a href="#id_(\w+)">(.*?)</a></li>', task) == [
        ("political_status", "请选择政治面貌"),
        ("education", "请选择文化程度"),
        ("phone", "请填写手机"),
        ("address", "请填写通信地址"),
        ("emergency_contact", "请填写紧急联系人"),
        ("emergency_phone", "请填写紧急联系人电话"),
        ("certificate_number", "请填写高级工（三级）的证书编号"),
    ]


def test_everything_may_be_taken_out_again(client, applicant):
    save(client, **COMPLETE)
    empty = dict.fromkeys(COMPLETE, "")
    save(client, **empty)
    locked = {"sex": "male", "birth_date": date(1990, 3, 7), "years_of_service": None}
    assert kept(applicant) == {**empty, **locked}


def test_the_lists_to_pick_from(client):
    page = client.get(ADDRESS).content.decode()
    (select,) = re.findall(r'<select name="ethnicity".*?</select>', page, re.DOTALL)
    assert re.findall(r'<option value="([^"]*)"', select) == ["", *(name for name, _ in ETHNICITIES)]
    firsts = re.findall(r"<select name=\"(\w+)\".*?<option value=\"\"[^>]*>(.*?)</option>", page, re.DOTALL)
    assert {text for _, text in firsts} == {"请选择"}


# What is wrong ------------------------------------------------------------------------------------------------------

TOMORROW = (timezone.localdate() + timedelta(days=1)).isoformat()
WRONG = [
    ("phone", "1381234", "手机号码应为 11 位数字；境外号码请以 + 和国家（地区）代码开头。"),
    ("phone", "٠١٢٣٤٥٦٧٨٩٠", "手机号码应为 11 位数字；境外号码请以 + 和国家（地区）代码开头。"),
    ("phone", "😀", "含有不能使用的字符“😀”，请删去它再保存。"),
    ("emergency_phone", "110", "电话号码应为 11 位手机号码，或带区号的固定电话，例如 010-12345678。"),
    ("email", "someone@", "邮箱格式不对，请按 name@example.cn 的样子填写。"),
    ("email", "<script>@example.cn", "邮箱格式不对，请按 name@example.cn 的样子填写。"),
    ("postcode", "10002", "邮编应为 6 位数字，例如 100010。"),
    ("postcode", "邮编邮编邮编", "邮编应为 6 位数字，例如 100010。"),
    ("years_of_service", "很久", "从业年限请填写整数，例如 5。"),
    ("years_of_service", "-1", "从业年限不能小于 0。"),
    ("years_of_service", "71", "从业年限不能大于 70，请核对。"),
    ("years_of_service", "9" * 5000, "从业年限请填写整数，例如 5。"),
    ("school", "😀学校", "含有不能使用的字符“😀”，请删去它再保存。"),
    ("address", "<script>alert(1)</script>", "含有不能使用的字符“&lt;”“&gt;”，请删去它们再保存。"),
    ("employer", "公司\x07", "含有不能使用的字符“不可见字符”，请删去它再保存。"),
    ("school", "长" * 81, "毕业（就读）院校最多 80 个字，您填写了 81 个，请缩短后再保存。"),
    ("address", "长" * 201, "通信地址最多 200 个字，您填写了 201 个，请缩短后再保存。"),
    ("emergency_contact", "长" * 41, "紧急联系人最多 40 个字，您填写了 41 个，请缩短后再保存。"),
    ("certificate_number", "长" * 41, "证书编号最多 40 个字，您填写了 41 个，请缩短后再保存。"),
    ("ethnicity", "火星族", "请从列表中选择民族。"),
    ("education", "none", "请从列表中选择文化程度。"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said_at_the_field_and_stays_typed(client, applicant, name, value, sentence):
    response = save(client, **{"position": "班长", name: value})
    page = response.content.decode()
    label = Profile._meta.get_field(name).verbose_name
    assert field_errors(response) == {name: sentence}
    assert summary(response) == [f"{label}：{html.unescape(sentence)}"]
    assert f'<a href="#id_{name}">{label}</a>' in page
    assert '<h2 id="summary-title">没有保存，请先改正下面的内容</h2>' in page
    assert typed(response, "position") == "班长"
    if name not in {"ethnicity", "education"}:
        assert typed(response, name) == value
    assert "<script>alert" not in page
    assert kept(applicant) is None


@pytest.mark.parametrize(
    ("typed_date", "sentence"),
    [
        (TOMORROW, "出生日期不能晚于今天，请核对年份。"),
        ("1899-12-31", "出生日期不能早于 1900 年，请核对年份。"),
        ("2001-02-29", "出生日期不是真实的日期，请按 1990-03-07 的样子填写。"),
        ("昨天", "出生日期不是真实的日期，请按 1990-03-07 的样子填写。"),
    ],
)
def test_a_birth_date_that_cannot_be(db, sign_in, typed_date, sentence):
    user = with_passport()
    response = save(sign_in(user), birth_date=typed_date)
    assert field_errors(response) == {"birth_date": sentence}
    assert typed(response, "birth_date") == typed_date
    assert kept(user) is None


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("phone", " 138 1234-2671 ", "13812342671"),
        ("phone", "１３８１２３４２６７１", "13812342671"),
        ("phone", "+852 91234567", "+85291234567"),
        ("emergency_phone", "010-12345678-8001", "010-12345678-8001"),
        ("postcode", "１０００２０", "100020"),
        ("school", "  北京  大学 ", "北京  大学"),
        ("employer", "A&B（北京）有限公司 \"一\" 'x' +1", "A&B（北京）有限公司 \"一\" 'x' +1"),
        ("address", "𠮷祥路 1 号", "𠮷祥路 1 号"),
    ],
)
def test_what_is_meant_is_understood(client, applicant, name, value, stored):
    response = save(client, **{name: value})
    assert field_errors(response) == {}
    assert kept(applicant)[name] == stored


# Locked -------------------------------------------------------------------------------------------------------------


def test_what_the_document_says_cannot_be_forged(client, applicant):
    page = client.get(ADDRESS).content.decode()
    for name in ("sex", "birth_date"):
        assert re.search(rf'<(input|select)[^>]* name="{name}"[^>]* disabled', page)
    save(client, sex="female", birth_date="2001-01-01", school="甲校")
    assert {name: kept(applicant)[name] for name in ("sex", "birth_date", "school")} == {
        "sex": "male",
        "birth_date": date(1990, 3, 7),
        "school": "甲校",
    }


def test_what_a_passport_does_not_say_is_typed(db, sign_in):
    user = with_passport()
    save(sign_in(user), sex="female", birth_date="2001-01-01")
    assert (kept(user)["sex"], kept(user)["birth_date"]) == ("female", date(2001, 1, 1))


def test_the_document_is_shown_masked(client, applicant):
    page = client.get(ADDRESS).content.decode()
    assert f"<dt>证件号码</dt><dd>{applicant.identity.masked_number}" in page
    assert applicant.identity.document_number not in page
    client.post(ADDRESS, {**form_of(client.get(ADDRESS)), "legal_name": "别人", "document_number": "E1", "user": 1})
    applicant.identity.refresh_from_db()
    assert applicant.identity.legal_name == "王晓明"


# Two tabs -----------------------------------------------------------------------------------------------------------

STALE = "您在另一个窗口里刚刚保存过这份内容，所以这次没有保存。下面仍是您刚才填写的内容，核对后再次保存即可。"


def test_two_tabs(client, applicant):
    old = form_of(client.get(ADDRESS))
    save(client, school="甲校", education="college")
    response = client.post(ADDRESS, {**old, "school": "乙校", "education": "master"})
    assert summary(response) == [f"{STALE}与已保存的不同：文化程度（现为“大学专科”）、毕业（就读）院校（现为“甲校”）。"]
    assert '<h2 id="summary-title">没有保存</h2>' in response.content.decode()  # nothing of it is wrong
    assert (typed(response, "school"), kept(applicant)["school"]) == ("乙校", "甲校")
    client.post(ADDRESS, form_of(response))
    assert (kept(applicant)["school"], kept(applicant)["education"]) == ("乙校", "master")


@pytest.mark.parametrize("version", ["", "nonsense", "-1", "9" * 40])
def test_a_version_that_is_none_is_taken_for_an_old_one(client, applicant, version):
    save(client, school="甲校")
    response = save(client, school="乙校", version=version)
    assert summary(response) == [f"{STALE}与已保存的不同：毕业（就读）院校（现为“甲校”）。"]
    assert kept(applicant)["school"] == "甲校"


def test_a_second_click_has_saved_as_well(client, applicant):
    form = {**form_of(client.get(ADDRESS)), "school": "甲校"}
    client.post(ADDRESS, form)
    response = client.post(ADDRESS, form)
    assert (response.status_code, response.headers["Location"]) == (302, ADDRESS)
    assert notices(client.get(ADDRESS)) == ["个人基本信息已保存。"] * 2
    assert (kept(applicant)["school"], Profile.objects.get(user=applicant).version) == ("甲校", 1)


def test_an_empty_form_is_not_a_saving(client, applicant):
    save(client, school="甲校")
    client.post(ADDRESS, {})
    assert kept(applicant)["school"] == "甲校"


def test_the_page_asks_the_database_no_more_often_than_it_must(client, applicant):
    save(client, school="甲校")
    with CaptureQueriesContext(connection) as captured:
        client.get(ADDRESS)
    tables = [re.search(r'FROM "(\w+)"', query["sql"])[1] for query in captured if "FROM" in query["sql"]]
    assert len(tables) <= 6, tables
