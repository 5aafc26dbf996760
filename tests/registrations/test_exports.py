"""The list that a committee takes away: every cell, who may, and the line that it leaves."""

import csv
import io
import re
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from accounts import kept_forms, limits
from accounts.models import AuditEntry
from registrations import export_pages, export_templates, exports, writers
from registrations.columns import COLUMNS, clean, columns_for
from registrations.models import Registration
from registrations.workflow import Status
from tests import scenes
from tests.pages import form_of

SPACE = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
KEYS = ["legal_name", "number", "phone", "employer"]
HEADINGS = ["姓名", "证件号码", "手机", "工作单位"]
NOWHERE = "max-age=0, no-cache, no-store, must-revalidate, private"
ABOUT = writers.About("计划", "状态：全部", "某人", "只显示头尾")


def sheet(data, number=1):
    """Every cell's (type, text), row by row."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        assert book.testzip() is None
        root = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
    assert root.findall(".//m:f", SPACE) == []  # no formula
    return [
        [(cell.get("t"), "".join(cell.itertext())) for cell in row.findall("m:c", SPACE)]
        for row in root.findall(".//m:row", SPACE)
    ]


def texts(data, number=1):
    rows = sheet(data, number)
    assert {kind for row in rows for kind, _ in row} == {"inlineStr"} if number == 1 else True
    return [[text for _, text in row] for row in rows]


def address(plan):
    return f"/admin/registrations/registration/export/{plan.code}/"


def asked(**values):
    return {"format": "xlsx", **{f"place_{key}": place for place, key in enumerate(KEYS, 1)}, **values}


def body(answer):
    return b"".join(answer.streaming_content)


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


def masked_row(found):
    return ["王晓明", found.masked_number, "13812342671", "北京精工机械有限公司"]


def lines():
    return list(AuditEntry.objects.filter(verb="list.exported").values_list("actor", "target", "detail"))


def test_the_workbook_and_its_line(sign_in, submitted, reviewer, occupation):
    scenes.draft(scenes.person("李芳"), occupation)
    answer = sign_in(reviewer).post(address(submitted.plan), asked())
    assert texts(body(answer)) == [HEADINGS, masked_row(submitted)]
    names = ("Cache-Control", "X-Content-Type-Options", "Content-Type")
    assert [answer[name] for name in names] == [NOWHERE, "nosniff", writers.TYPES["xlsx"]]
    assert re.fullmatch(
        rf"attachment; filename\*=utf-8''{submitted.plan.code}-[%A-F0-9]+-\d{{8}}\.xlsx", answer["Content-Disposition"]
    )
    detail = f"{submitted.plan.code} xlsx 1 masked"
    assert lines() == [(reviewer.username, f"plans.plan:{submitted.plan.pk}", detail)]


def test_csv_is_read_back(sign_in, submitted, reviewer):
    data = body(sign_in(reviewer).post(address(submitted.plan), asked(format="csv")))
    name, number, phone, employer = masked_row(submitted)
    assert data.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))) == [
        HEADINGS,
        [name, f"\t{number}", f"\t{phone}", employer],
    ]


def test_full_numbers_are_the_managers_with_a_reason(sign_in, submitted, manager, reviewer):
    wanted = asked(full="on", reason="上报市级组委会")
    rows = texts(body(sign_in(manager).post(address(submitted.plan), wanted)))
    assert [row[1] for row in rows] == ["证件号码", submitted.document_number]
    assert lines()[0][2] == f"{submitted.plan.code} xlsx 1 full: 上报市级组委会"
    masked = texts(body(sign_in(reviewer).post(address(submitted.plan), wanted)))
    assert masked[1] == masked_row(submitted)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "请写明为什么需要完整的证件号码。"),
        ("核对 13812342671", "理由里有证件号码或手机号码"),
        ("核" * 121, "理由最多 120 个字，请缩短。"),
    ],
)
def test_a_reason_that_will_not_do(sign_in, submitted, manager, reason, sentence):
    answer = sign_in(manager).post(address(submitted.plan), asked(full="on", reason=reason))
    assert (sentence in answer.content.decode(), lines()) == (True, [])


def test_who_may(sign_in, submitted, viewer, applicant):
    other = scenes.member(scenes.open_plan(), "manager")
    found = [
        sign_in(person).post(address(submitted.plan), asked()).status_code for person in (viewer, other, applicant)
    ]
    assert (found, lines()) == ([403, 404, 302], [])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_no_cell_becomes_a_formula(text):
    columns = columns_for(["employer", "phone"])
    out = io.BytesIO()
    writers.write_csv(out, columns, [[text, text]], ABOUT)
    assert list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))[1] == [f"'{text}"] * 2
    out = io.BytesIO()
    writers.write_xlsx(out, columns, [[text, text]], ABOUT)
    assert [[kind for kind, _ in row] for row in sheet(out.getvalue())] == [["inlineStr"] * 2] * 2


def test_what_xml_cannot_hold_goes_and_line_breaks_stay():
    assert clean("甲\x00\x0b\ufffe\ud800乙\n丙😀") == "甲乙\n丙😀"


def test_the_second_sheet(submitted):
    columns, out = columns_for(KEYS), io.BytesIO()
    assert writers.write_xlsx(out, columns, exports.rows_of(exports.listed(submitted.plan), columns), ABOUT) == 1
    said = dict(texts(out.getvalue(), 2))
    at = said.pop("导出时间")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", at)
    assert said == {
        "竞赛计划": "计划",
        "筛选条件": "状态：全部",
        "证件号码": "只显示头尾",
        "导出人": "某人",
        "份数": "1",
    }


def test_as_many_queries_for_three_as_for_one(submitted, occupation, manager):
    columns, counts = columns_for(COLUMNS), []
    for _ in range(3):
        with CaptureQueriesContext(connection) as captured:
            rows = list(exports.rows_of(exports.listed(submitted.plan), columns))
        counts.append((len(rows), len(captured)))
        scenes.registration_at(Status.SUBMITTED, scenes.person(), occupation, manager)
    assert counts == [(1, 1), (2, 1), (3, 1)]


def test_the_command(submitted, tmp_path, capsys):
    output = tmp_path / "list.csv"
    ask = ["export_registrations", submitted.plan.code, "--format", "csv", "--columns", "legal_name"]
    call_command(*ask, "--output", str(output), "--dry-run")
    assert (capsys.readouterr().out, output.exists(), lines()) == ("没有写文件。将导出 1 份报名，1 列。\n", False, [])
    call_command(*ask, "--output", str(output))
    assert output.read_text("utf-8-sig") == '"姓名"\n"王晓明"\n'
    assert [path.name for path in tmp_path.glob("*list*")] == ["list.csv"]
    assert [line[0] for line in lines()] == ["command:export_registrations"]
    with pytest.raises(CommandError, match="已经存在，没有导出"):
        call_command(*ask, "--output", str(output))


def test_the_command_names_the_plans_there_are(submitted, tmp_path):
    with pytest.raises(CommandError, match=f"没有竞赛计划 NONE。现有：{submitted.plan.code}。"):
        call_command("export_registrations", "NONE", "--output", str(tmp_path / "a"))
    assert Registration.objects.count() == 1


# Columns and templates ----------------------------------------------------------------------------------------------


def test_columns_come_in_the_order_of_their_places(sign_in, submitted, reviewer):
    wanted = {"format": "xlsx", "place_employer": 1, "place_phone": 7, "place_legal_name": 3, "place_sex": ""}
    rows = texts(body(sign_in(reviewer).post(address(submitted.plan), wanted)))
    assert rows == [["工作单位", "姓名", "手机"], ["北京精工机械有限公司", "王晓明", "13812342671"]]


@pytest.mark.parametrize("place", ["0", "100", "一", "-1"])
def test_a_place_that_is_none(sign_in, submitted, reviewer, place):
    answer = sign_in(reviewer).post(address(submitted.plan), {"format": "xlsx", "place_sex": place})
    assert ("请填 1 到 99 的整数，不要的留空。" in answer.content.decode(), lines()) == (True, [])


def test_no_column_at_all(sign_in, submitted, reviewer):
    answer = sign_in(reviewer).post(address(submitted.plan), {"format": "xlsx"})
    assert ("请至少给一列填上次序。" in answer.content.decode(), lines()) == (True, [])


def test_the_workbook_as_a_spreadsheet_program_reads_it(submitted):
    wanted, out = columns_for(KEYS), io.BytesIO()
    writers.write_xlsx(out, wanted, exports.rows_of(exports.listed(submitted.plan), wanted), ABOUT)
    book = load_workbook(out)
    sheet = book["名单"]
    assert (book.sheetnames, sheet.freeze_panes) == (["名单", "说明"], "A2")
    assert [cell.data_type for row in sheet.iter_rows() for cell in row] == ["s"] * 8
    assert [sheet.cell(2, place).number_format for place in range(1, 5)] == ["General", "@", "@", "General"]
    widths = [round(sheet.column_dimensions[letter].width) for letter in "ABCD"]
    assert widths == [round(column.width + 0.71) for column in wanted]


def test_a_superuser_takes_full_numbers_with_a_reason(sign_in, submitted):
    boss = scenes.person("钱管")
    boss.is_staff = boss.is_superuser = True
    boss.save()
    rows = texts(body(sign_in(boss).post(address(submitted.plan), asked(full="on", reason="核对"))))
    assert (rows[1][1], lines()[0][0]) == (submitted.document_number, boss.username)


def test_too_often(sign_in, submitted, reviewer, monkeypatch):
    monkeypatch.setattr(limits, "EXPORT", replace(limits.EXPORT, times=1))
    visitor = sign_in(reviewer)
    assert texts(body(visitor.post(address(submitted.plan), asked())))[0] == HEADINGS
    answer = visitor.post(address(submitted.plan), asked())
    assert (answer.status_code, "导出名单的次数太多了" in answer.content.decode(), len(lines())) == (429, True, 1)


def test_the_commands_full_numbers(submitted, tmp_path):
    output = tmp_path / "list.csv"
    ask = ["export_registrations", submitted.plan.code, "--format", "csv", "--columns", "number", "--full-numbers"]
    with pytest.raises(CommandError, match=r"没有导出。请写明为什么需要完整的证件号码。"):
        call_command(*ask, "--output", str(output))
    assert (output.exists(), lines()) == (False, [])
    call_command(*ask, "--output", str(output), "--reason", "上报市级组委会")
    assert output.read_text("utf-8-sig") == f'"证件号码"\n"\t{submitted.document_number}"\n'
    assert [line[2] for line in lines()] == [f"{submitted.plan.code} csv 1 full: 上报市级组委会"]


def templates(plan):
    return list(plan.export_templates.values_list("name", "columns", "format"))


def keep(visitor, plan, name, **values):
    return visitor.post(address(plan), asked(step="template", keep_as=name, **values))


def test_a_template_is_kept_and_used_by_another_member(sign_in, submitted, reviewer, manager):
    plan = submitted.plan
    answer = keep(sign_in(reviewer), plan, "上报市级", format="csv", full="on", reason="")
    kept = plan.export_templates.get()
    assert (templates(plan), lines()) == ([("上报市级", KEYS, "csv")], [])
    assert answer.headers["Location"] == f"{address(plan)}?template={kept.pk}"
    visitor = sign_in(manager)
    assert f'<a href="?template={kept.pk}">上报市级</a>' in visitor.get(address(plan)).content.decode()
    form = form_of(visitor.get(f"{address(plan)}?template={kept.pk}"))
    places = {name.removeprefix("place_"): value for name, value in form.items() if name.startswith("place_") and value}
    assert (places, form["format"], "full" in form) == (dict(zip(KEYS, "1234", strict=True)), "csv", False)


def test_the_same_name_replaces_it(sign_in, submitted, reviewer):
    visitor = sign_in(reviewer)
    keep(visitor, submitted.plan, "上报市级")
    keep(visitor, submitted.plan, "上报市级", place_employer="")
    assert templates(submitted.plan) == [("上报市级", KEYS[:3], "xlsx")]


def test_a_template_needs_a_name_and_a_plan_has_not_too_many(sign_in, submitted, reviewer, monkeypatch):
    visitor = sign_in(reviewer)
    assert "请填写模板名称" in keep(visitor, submitted.plan, " ").content.decode()
    monkeypatch.setattr(export_templates, "MOST", 1)
    keep(visitor, submitted.plan, "一")
    assert "最多 1 个模板" in keep(visitor, submitted.plan, "二").content.decode()
    assert [name for name, *_ in templates(submitted.plan)] == ["一"]


def test_templates_are_renamed_and_removed(sign_in, submitted, reviewer):
    visitor, plan = sign_in(reviewer), submitted.plan
    first, second = (export_templates.keep(plan, name, KEYS, "xlsx") for name in "一二")
    page = f"{address(plan)}templates/"
    taken = visitor.post(page, {"rename": first.pk, f"{first.pk}-name": "二"})
    assert ("已经有这个名称的模板了" in taken.content.decode(), [name for name, *_ in templates(plan)]) == (
        True,
        ["一", "二"],
    )
    visitor.post(page, {"rename": first.pk, f"{first.pk}-name": "三"})
    visitor.post(page, {"remove": second.pk})
    assert [name for name, *_ in templates(plan)] == ["三"]


def test_another_plans_template_does_not_exist(sign_in, submitted, reviewer):
    visitor = sign_in(reviewer)
    foreign = export_templates.keep(scenes.open_plan(), "别人的", KEYS, "xlsx")
    page = f"{address(submitted.plan)}templates/"
    found = [
        visitor.get(f"{address(submitted.plan)}?template={foreign.pk}"),
        visitor.post(page, {"remove": foreign.pk}),
    ]
    assert [answer.status_code for answer in found] == [404, 404]
    visitor.post(page, {"rename": foreign.pk, f"{foreign.pk}-name": "我的"})
    assert templates(foreign.plan) == [("别人的", KEYS, "xlsx")]


def test_a_template_outlives_a_column(submitted):
    kept = export_templates.keep(submitted.plan, "旧", ["gone", "phone"], "ods")
    assert (kept.initial()["place_phone"], kept.initial()["format"], kept.headings) == (1, "xlsx", ["手机"])


def test_the_queues_filter_comes_along(sign_in, submitted, reviewer):
    query = f"?status=submitted&occupation={submitted.occupation_id}"
    for page in ("", "photos/", "sheet/"):
        form = form_of(sign_in(reviewer).get(f"{address(submitted.plan)}{page}{query}"))
        assert (form["status"], form["occupation"]) == ("submitted", str(submitted.occupation_id))


def test_what_was_typed_when_the_session_ended_is_there_again(sign_in, submitted, reviewer):
    path = address(submitted.plan)
    assert kept_forms.leads_to_form_page(path)
    typed = QueryDict(mutable=True)
    typed.update({"place_sex": "5", "status": "approved", "reason": "上报"})
    assert kept_forms.keep(reviewer.pk, path, typed)
    answer = sign_in(reviewer).get(path)
    form = form_of(answer)
    assert (form["place_sex"], form["status"], form["place_phone"]) == ("5", "approved", "")
    assert kept_forms.RESTORED in answer.content.decode()


def test_nobody_there_is_a_sentence_not_an_empty_file(sign_in, submitted, reviewer):
    visitor = sign_in(reviewer)
    for page, wanted in (("", asked(status="rejected")), ("photos/", {"pattern": "{姓名}", "status": "rejected"})):
        answer = visitor.post(f"{address(submitted.plan)}{page}", wanted)
        assert (export_pages.NOBODY in answer.content.decode(), lines(), answer.status_code) == (True, [], 200)


def test_from_no_column_at_all(sign_in, submitted, reviewer):
    form = form_of(sign_in(reviewer).get(f"{address(submitted.plan)}?columns=none&status=approved"))
    assert {value for name, value in form.items() if name.startswith("place_")} == {""}
    assert form["status"] == "approved"
