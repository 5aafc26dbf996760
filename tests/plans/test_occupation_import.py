"""A committee's workbook: what is read of it, what would change, what is wrong in which row, and what is refused whole."""

import io
import re
import zipfile
from unittest.mock import patch

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from openpyxl import Workbook

from accounts.models import AuditEntry, SentForm
from accounts.once import FIELD
from plans import occupation_sheet, plan_pages
from plans.models import Occupation
from plans.workbooks import MOST_UNPACKED_BYTES, STYLES, SheetRefused
from tests import scenes
from tests.pages import form_of
from tests.registrations.reading import text_of

HEADINGS = ["职业（工种）", "参赛组别", "职业编码", "竞赛标准等级", "名额", "参赛条件"]
SHEET = "xl/worksheets/sheet1.xml"
ELECTRICIAN = ["电工", "职工组", "6-31-01-03", "高级工（三级）", 30, "本市在职职工"]


def workbook(*rows, headings=HEADINGS):
    book, out = Workbook(), io.BytesIO()
    for row in [headings, *rows]:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def upload(client, plan, data, name="职业.xlsx"):
    return client.post(address(plan), {"workbook": SimpleUploadedFile(name, data)})


def address(plan, page="occupations"):
    return f"/admin/plans/plan/{plan.code}/{page}/"


def confirmed(client, plan, response):
    return client.post(address(plan), {"sheet": form_of(response)["sheet"]}, follow=True)


def offers(plan):
    names = ("name", "division", "code", "skill_level", "capacity", "requirements", "seats_taken")
    return list(plan.occupations.order_by("pk").values_list(*names))


@pytest.fixture
def desk(sign_in, manager):
    return sign_in(manager)


# Reading ------------------------------------------------------------------------------------------------------------


def test_titles_above_and_other_headings_are_understood():
    data = workbook(
        [None, "组 别", "工种*", "备注"], [None, "学生组", "焊工", "…"], [], headings=["2026 年竞赛职业一览"]
    )
    sheet = occupation_sheet.read(io.BytesIO(data))
    assert sheet.fields == ["name", "division"]
    assert [(row.number, row.texts) for row in sheet.rows] == [(3, {"division": "学生组", "name": "焊工"})]


def test_numbers_are_read_as_a_person_reads_them():
    data = workbook(["电工", "职工组", 31.0, None, 30.0, 1.5])
    (row,) = occupation_sheet.read(io.BytesIO(data)).rows
    assert (row.texts["code"], row.texts["capacity"], row.texts["requirements"]) == ("31", "30", "1.5")


def swollen():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (MOST_UNPACKED_BYTES + 1))
    return out.getvalue()


def broken():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", b"<workbook")
    return out.getvalue()


def tampered(part, change):
    """A good workbook, of which one part is not what a spreadsheet program writes."""
    made = io.BytesIO()
    whole = zipfile.ZipFile(io.BytesIO(workbook(ELECTRICIAN)))
    with whole, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as twin:
        for name in whole.namelist():
            twin.writestr(name, change(whole.read(name)) if name == part else whole.read(name))
    return made.getvalue()


def laughing():
    """A cell that swells by entities."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    head = f'<!DOCTYPE worksheet [<!ENTITY e0 "ha">{entities}]>'.encode()
    return tampered(SHEET, lambda data: head + data.replace(b"6-31", b"&e8;"))


def endless():
    """The second row says that it is the million millionth: whoever counts up to it never comes back."""

    def change(data):
        data = re.sub(rb"<dimension[^>]*>", b"", data)
        return re.sub(rb' r="[A-F]2"', b"", data).replace(b'<row r="2"', b'<row r="999999999999"')

    return tampered(SHEET, change)


def styled():
    """Two hundred thousand formats, which are an object each: a gigabyte for every eight megabytes."""
    return tampered(STYLES, lambda data: data.replace(b"</cellXfs>", b"<xf/>" * 220_000 + b"</cellXfs>"))


UNREADABLE = "读不了这个文件，可能已损坏或加了密码。请用 Excel 或 WPS 另存为 xlsx 后再上传。"
NOT_XLSX = "这不是 xlsx 文件。请用 Excel 或 WPS 另存为 xlsx 后再上传。"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xd0\xcf\x11\xe0 an old workbook", NOT_XLSX),
        (b"", NOT_XLSX),
        (swollen(), "表格太大。请只保留职业（工种）这一张表后再上传。"),
        (broken(), UNREADABLE),
        (laughing(), UNREADABLE),
        (endless(), "表“Sheet”超过 2000 行，没有读取。请删去下面的空行。"),
        (styled(), "表格里的单元格格式太多，没有读取。请新建一个表格，只粘贴文字，再用新的表格。"),
        (
            workbook(["电工"], headings=["名称"]),
            "没有找到表头。前 10 行里要有一行写着“职业（工种）”和“参赛组别”，可以先下载模板。",
        ),
        (workbook(), "表头下面没有内容，请填好后再上传。"),
        (workbook(*[ELECTRICIAN] * 501), "一次最多导入 500 行，请分成几个文件。"),
    ],
    ids=["xls", "empty", "swollen", "broken", "laughs", "endless", "styled", "no headings", "no rows", "too many"],
)
def test_what_is_refused_whole(data, sentence):
    with pytest.raises(SheetRefused) as refused:
        occupation_sheet.read(io.BytesIO(data))
    assert str(refused.value) == sentence


# What would change, and the change -----------------------------------------------------------------------------------


def test_new_changed_and_same_are_shown_and_done(desk, plan, manager):
    scenes.occupation(plan, name="电工", capacity=10, seats_taken=4, requirements="旧条件")
    scenes.occupation(plan, name="钳工", division="student", capacity=None)
    scenes.occupation(plan, name="别的")
    data = workbook(ELECTRICIAN, ["钳工", "学生组", "", "", None, ""], ["焊工", "教师", "", "", "不限", ""])
    shown = upload(desk, plan, data)
    words = text_of(shown.content.decode())
    assert "确认后：新增 1 个，修改 1 个，1 个没有变化。" in words
    assert (
        "职业编码：（空） → 6-31-01-03；竞赛标准等级：（空） → 高级工（三级）；名额：10 → 30；参赛条件：旧条件 → 本市在职职工"
        in words
    )
    assert plan.occupations.count() == 3
    done = confirmed(desk, plan, shown)
    assert "已导入：新增 1 个，修改 1 个。" in text_of(done.content.decode())
    assert offers(plan) == [
        ("电工", "worker", "6-31-01-03", "高级工（三级）", 30, "本市在职职工", 4),
        ("钳工", "student", "", "", None, "", 0),
        ("别的", "worker", "", "", 10, "", 0),
        ("焊工", "teacher", "", "", None, "", 0),
    ]
    line = AuditEntry.objects.get(verb="plan.changed")
    assert (line.actor, line.detail) == (manager.username, "occupations: 1 added, 1 changed")


def test_a_column_that_is_not_there_changes_nothing(desk, plan):
    scenes.occupation(plan, name="电工", code="6-31", capacity=10)
    shown = upload(desk, plan, workbook(["电工", "职工组", 20], headings=["职业", "组别", "名额"]))
    confirmed(desk, plan, shown)
    assert offers(plan) == [("电工", "worker", "6-31", "", 20, "", 0)]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ([None, "职工组", "x"], "没有写职业（工种）。"),
        (["焊工", "老人组"], "参赛组别“老人组”不对，只能是职工组、学生组、教师组。"),
        (["焊工", None], "参赛组别“”不对，只能是职工组、学生组、教师组。"),
        (["焊工", "职工组", "", "", 0], "名额“0”不对，请写 1 到 1000000 的整数；不限名额请留空。"),
        (["焊工", "职工组", "", "", "三十"], "名额“三十”不对，请写 1 到 1000000 的整数；不限名额请留空。"),
        (["焊工", "职工组", "", "", "٣"], "名额“٣”不对，请写 1 到 1000000 的整数；不限名额请留空。"),
        (["焊工", "职工组", "", "", 10**9], "名额“1000000000”不对，请写 1 到 1000000 的整数；不限名额请留空。"),
        (["电工", "职工组", "", "", 3], "已有 4 人占用名额，名额不能少于这个数。"),
        (["焊" * 61, "职工组"], "“职业（工种）”最多 60 个字。"),
        (["钳工", "职工组"], "与第 2 行重复，请删去一行。"),
    ],
)
def test_errors_by_row_and_nothing_is_done(desk, plan, row, sentence):
    scenes.occupation(plan, name="电工", capacity=10, seats_taken=4)
    shown = upload(desk, plan, workbook(["钳工", "职工组"], row))
    words = text_of(shown.content.decode())
    assert f"第 3 行：{sentence}" in words
    assert "确认导入" not in words
    desk.post(address(plan), {"sheet": shown.context["sheet"]})  # forged: the page has no button
    assert [offer[0] for offer in offers(plan)] == ["电工"]


def test_a_seal_of_another_plan_or_of_nobody_is_refused(desk, plan, manager):
    other = scenes.open_plan()
    other.members.create(user=manager, role="manager")
    shown = upload(desk, other, workbook(ELECTRICIAN))
    for seal in (shown.context["sheet"], "forged"):
        words = text_of(desk.post(address(plan), {"sheet": seal}).content.decode())
        assert "页面已过期，没有导入。请重新上传文件。" in words
    assert offers(plan) == []


def test_somebody_was_faster(desk, plan):
    shown = upload(desk, plan, workbook(ELECTRICIAN))
    with patch.object(Occupation.objects.__class__, "create", side_effect=IntegrityError):
        words = text_of(confirmed(desk, plan, shown).content.decode())
    assert "没有导入：刚才有人改过这个竞赛计划。" in words
    scenes.occupation(plan, name="电工", capacity=10)
    words = text_of(confirmed(desk, plan, shown).content.decode())
    assert "已导入：新增 0 个，修改 1 个。" in words


def test_pressed_twice(desk, plan):
    shown = upload(desk, plan, workbook(ELECTRICIAN))
    confirmed(desk, plan, shown)
    words = text_of(confirmed(desk, plan, shown).content.decode())
    assert "新增 0 个，修改 0 个，1 个没有变化。" in words
    assert len(offers(plan)) == 1


@pytest.mark.django_db(transaction=True)
def test_no_transaction_waits_while_the_workbook_is_read(desk, plan, monkeypatch):
    """Sent as the page's own form, with its key."""
    read, inside = plan_pages.read, []
    monkeypatch.setattr(plan_pages, "read", lambda content: inside.append(connection.in_atomic_block) or read(content))
    fields = form_of(desk.get(address(plan)))
    shown = desk.post(address(plan), {**fields, "workbook": SimpleUploadedFile("职业.xlsx", workbook(ELECTRICIAN))})
    assert (inside, SentForm.objects.count()) == ([False], 0)
    fields = form_of(shown)
    answers = [desk.post(address(plan), {"sheet": fields["sheet"], FIELD: fields[FIELD]}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert AuditEntry.objects.filter(verb="plan.changed").count() == 1


def test_no_file_and_too_large_a_file(desk, plan):
    assert "请选择 xlsx 文件。" in text_of(desk.post(address(plan), {}).content.decode())
    words = text_of(upload(desk, plan, b"x" * (2 * 1024 * 1024 + 1)).content.decode())
    assert "文件超过 2 MB。" in words


def test_the_template_comes_back_as_it_went(desk, plan):
    assert plan_pages.lines_of(plan)[0][0] == "电工"  # an example where there is nothing
    scenes.occupation(plan, name="电工", code="6-31-01-03", capacity=12, skill_level="三级", requirements="在职")
    scenes.occupation(plan, name="焊工", division="student", capacity=None)
    data = b"".join(desk.get(address(plan, "template")).streaming_content)
    words = text_of(upload(desk, plan, data).content.decode())
    assert "确认后：新增 0 个，修改 0 个，2 个没有变化。" in words
