"""A committee's own workbook: which headings are understood, what is refused, and the file that comes back."""

import io
import zipfile

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Border, Font, Side
from openpyxl.worksheet.worksheet import Worksheet

from accounts.models import AuditEntry
from plans.workbooks import MOST_UNPACKED_BYTES, SheetRefused
from registrations import carried, export_jobs, export_sheet_pages, own_workbook
from registrations.carried import CarriedFile
from registrations.columns import Kind
from registrations.jobs import Job
from registrations.workflow import Status
from tests import scenes

HEADINGS = ["序号", "姓 名", "身份证号", "联系电话", "单位名称", "备注"]


def book(*rows, change=None):
    made, out = Workbook(), io.BytesIO()
    for row in rows:
        made.active.append(row)
    if change:
        change(made)
    made.save(out)
    return out.getvalue()


def form(change=None):
    """As committees have them: a title over all columns, the headings, and a row whose looks the others take."""

    def dressed(made):
        sheet = made.active
        sheet.title = "参赛名单"
        sheet.merge_cells("A1:F1")
        sheet.column_dimensions["C"].width = 31
        sheet.row_dimensions[3].height = 25
        for cell in sheet["3:3"]:
            cell.border, cell.font = Border(left=Side("thin")), Font(name="仿宋")
        made.create_sheet("说明").append(["请勿改动", "=1+1"])
        if change:
            change(made)

    return book(["2026 年参赛选手名单"], HEADINGS, [None] * 6, change=dressed)


def understood(data):
    return own_workbook.understand(io.BytesIO(data))


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


def send(visitor, plan, data, **values):
    sent = {"workbook": SimpleUploadedFile("名单.xlsx", data), **values}
    return visitor.post(f"/admin/registrations/registration/export/{plan.code}/sheet/", sent)


def filled(visitor, job, **values):
    """The question's answer, and the workbook that is fetched."""
    assert visitor.post(job.get_absolute_url(), values).status_code == 302
    answer = visitor.get(f"{job.get_absolute_url()}file/")
    return load_workbook(io.BytesIO(b"".join(answer.streaming_content)))


# Reading ------------------------------------------------------------------------------------------------------------


def test_headings_and_their_other_names():
    found = understood(form())
    assert (found.sheet, found.row, found.first, found.unknown) == ("参赛名单", 2, 3, ["备注"])
    ours = ["序号", "姓名", "证件号码", "手机", "工作单位"]
    assert found.triples() == list(zip("ABCDE", HEADINGS, ours, strict=False))


def test_headings_over_two_rows():
    def merged(made):
        for letter in "AB":
            made.active.merge_cells(f"{letter}1:{letter}2")

    found = understood(book(["姓名", "单位", "联系方式"], [None, None, "电话"], change=merged))
    assert (found.row, found.first, found.columns) == (1, 3, {1: "legal_name", 2: "employer"})


def wide(made):
    made.active.merged_cells.add("H1:XFD1048576")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"no zip", "这不是 xlsx 文件。"),
        (book(["单位", "收入"]), "没有找到表头。"),
        (book(["姓名", "单位"], ["张三（示例）", "某厂"]), "表头下面第 2 行已经有内容。"),
        (book(["姓名", "单位"], [], [], [None, "填表人："]), "表头下面第 4 行已经有内容。"),
        (book(["姓名", "单位"], change=lambda made: made.active.merge_cells("A2:B3")), "表头下面有合并的单元格。"),
        (book(["姓名", "单位"], change=lambda made: made.active.cell(5000, 1, " ")), "第一张表有 5000 行。"),
        (book(["姓名", "单位"], change=wide), "表格里合并的单元格太多。"),
    ],
)
def test_what_is_refused(data, sentence):
    with pytest.raises(SheetRefused) as refused:
        understood(data)
    assert str(refused.value).startswith(sentence)


def test_a_cell_in_the_last_column_costs_no_more_than_itself(monkeypatch):
    """Five kilobytes that would become thirty million cells, and eight gigabytes."""
    data = book(["姓名", "单位"], change=lambda made: setattr(made.active["XFD2000"], "number_format", "@"))
    made, whole = [], Worksheet._get_cell
    monkeypatch.setattr(Worksheet, "_get_cell", lambda *where: made.append(where) or within(made) or whole(*where))
    assert understood(data).columns == {1: "legal_name", 2: "employer"}


def within(made):
    assert len(made) < 10_000, "more cells than any form has"


def test_more_cells_than_any_form_has_are_refused_before_they_are_made(monkeypatch):
    """Empty ones, two million of which are the eight megabytes that a file may be unpacked."""
    data, crowded = io.BytesIO(form()), io.BytesIO()
    with zipfile.ZipFile(data) as archive, zipfile.ZipFile(crowded, "w", zipfile.ZIP_DEFLATED) as twin:
        for name in archive.namelist():
            rows = (b"<row>" + b"<c/>" * 150 + b"</row>") * 1500 if name == "xl/worksheets/sheet1.xml" else b""
            twin.writestr(name, archive.read(name).replace(b"</sheetData>", rows + b"</sheetData>"))
    monkeypatch.setattr(own_workbook, "load_workbook", lambda *given, **named: pytest.fail("they are made"))
    with pytest.raises(SheetRefused, match="表格太大。"):
        understood(crowded.getvalue())


def test_a_sheet_by_another_name_is_looked_at_as_well(monkeypatch):
    """Which part is a sheet is told by the workbook, not by how the part is called."""
    data, renamed = io.BytesIO(book(["姓名", "单位"], change=wide)), io.BytesIO()
    with zipfile.ZipFile(data) as archive, zipfile.ZipFile(renamed, "w") as twin:
        for name in archive.namelist():
            twin.writestr(
                name.replace("sheet1.xml", "sheet1.dat"), archive.read(name).replace(b"sheet1.xml", b"sheet1.dat")
            )
    monkeypatch.setattr(own_workbook, "load_workbook", lambda *given, **named: pytest.fail("they are made"))
    with pytest.raises(SheetRefused, match="表格里合并的单元格太多。"):
        understood(renamed.getvalue())


def test_what_stands_far_to_the_right_is_seen():
    data = book(["姓名", "单位"], change=lambda made: made.active.cell(3, 5000, "示例"))
    with pytest.raises(SheetRefused, match="表头下面第 3 行已经有内容。"):
        understood(data)


def test_what_would_swell_is_refused_by_its_contents():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (MOST_UNPACKED_BYTES + 1))
    with pytest.raises(SheetRefused, match="表格太大"):
        understood(out.getvalue())


def test_every_heading_of_ours_is_known():
    known = own_workbook.wanted()
    assert set(known.values()) == {"serial", *own_workbook.COLUMNS}


# Filling ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "#N/A", "007", "1e5", "=cmd|'/c calc'!A1"])
def test_no_cell_becomes_anything_but_text(text):
    out = io.BytesIO()
    assert own_workbook.fill(io.BytesIO(book(["姓名", "手机"])), out, [[text, text]]) == 1
    cells = load_workbook(out).active[2]
    assert [(cell.value, cell.data_type) for cell in cells] == [(text, "s")] * 2
    assert cells[1].number_format == "@"
    assert cells[0].quotePrefix == text.startswith(("=", "+", "-", "@"))
    with zipfile.ZipFile(out) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_it_comes_back_filled_and_otherwise_as_it_was(sign_in, submitted, reviewer, manager, occupation):
    scenes.registration_at(Status.SUBMITTED, scenes.person("李芳"), occupation, manager)
    scenes.draft(scenes.person("赵草稿"), occupation)
    visitor = sign_in(reviewer)
    job = Job.objects.get(public_id=send(visitor, submitted.plan, form()).headers["Location"].split("/")[-2])
    page = visitor.get(job.get_absolute_url()).content.decode()
    said = [
        "将把 <strong>2</strong> 份报名填入“参赛名单”，从第 3 行开始",
        "认出了 5 列",
        "没有认出 1 列，会空着",
        "备注",
    ]
    assert [word in page for word in said] == [True] * 4
    made = filled(visitor, job)
    sheet = made.worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=1)]
    assert rows[0][0] == "2026 年参赛选手名单"
    assert (rows[1], rows[2], rows[3][:2], len(rows)) == (
        HEADINGS,
        ["1", "王晓明", submitted.masked_number, "13812342671", "北京精工机械有限公司", None],
        ["2", "李芳"],
        4,
    )
    assert (made.sheetnames, made.worksheets[1]["B1"].value) == (["参赛名单", "说明"], "=1+1")  # their own stays theirs
    assert [str(found) for found in sheet.merged_cells.ranges] == ["A1:F1"]
    assert (sheet.column_dimensions["C"].width, sheet.row_dimensions[4].height) == (31, 25)
    assert [(sheet.cell(row, 5).font.name, sheet.cell(row, 5).border.left.style) for row in (3, 4)] == [
        ("仿宋", "thin")
    ] * 2
    assert list(AuditEntry.objects.filter(verb="list.exported").values_list("actor", "detail")) == [
        (reviewer.username, f"{submitted.plan.code} own sheet 2 masked")
    ]
    assert list(CarriedFile.objects.values_list("role", flat=True)) == ["result"]


def test_full_numbers_are_the_managers_with_a_reason(sign_in, submitted, manager, reviewer):
    visitor = sign_in(manager)
    send(visitor, submitted.plan, form())
    job = Job.objects.get()
    again = visitor.post(job.get_absolute_url(), {"full": "on"})
    assert ("请写明为什么需要完整的证件号码。" in again.content.decode(), Job.objects.get().state) == (True, "asked")
    made = filled(visitor, job, full="on", reason="上报市级组委会")
    assert made.active["C3"].value == submitted.document_number
    assert AuditEntry.objects.get(verb="list.exported").detail.endswith("own sheet 1 full: 上报市级组委会")
    visitor = sign_in(reviewer)
    send(visitor, submitted.plan, form())
    made = filled(visitor, Job.objects.first(), full="on", reason="上报市级组委会")
    assert made.active["C3"].value == submitted.masked_number


def test_a_file_that_will_not_do_keeps_the_form(sign_in, submitted, reviewer):
    answer = send(sign_in(reviewer), submitted.plan, book(["姓名", "单位"], ["示例", "某厂"]), status="submitted")
    page = answer.content.decode()
    assert ("表头下面第 2 行已经有内容。" in page, '<option value="submitted" selected>' in page) == (True, True)
    assert (Job.objects.count(), CarriedFile.objects.count()) == (0, 0)


def test_storage_away(sign_in, submitted, reviewer, monkeypatch):
    def away(*arguments, **named):
        raise OSError("away")

    visitor = sign_in(reviewer)
    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "save", away)
        answer = send(visitor, submitted.plan, form())
    assert (export_sheet_pages.AWAY in answer.content.decode(), Job.objects.count()) == (True, 0)
    job = Job.objects.get(public_id=send(visitor, submitted.plan, form()).headers["Location"].split("/")[-2])
    CarriedFile.objects.all().delete()
    answer = visitor.get(job.get_absolute_url(), follow=True)
    assert export_sheet_pages.GONE in answer.content.decode()


def test_confirmed_twice_it_is_filled_once(sign_in, submitted, reviewer):
    visitor = sign_in(reviewer)
    send(visitor, submitted.plan, form())
    job = Job.objects.get()
    for _ in range(2):
        assert visitor.post(job.get_absolute_url()).headers["Location"] == job.get_absolute_url()
    assert (CarriedFile.objects.count(), AuditEntry.objects.filter(verb="list.exported").count()) == (1, 1)


def test_another_persons_sheet_does_not_exist(sign_in, submitted, reviewer, manager):
    send(sign_in(reviewer), submitted.plan, form())
    job = Job.objects.get()
    assert [sign_in(manager).post(job.get_absolute_url()).status_code, job.state] == [404, "asked"]


def test_kinds_of_the_columns():
    assert own_workbook.column_of("number").kind == Kind.DIGITS
    assert export_jobs.WHATS["sheet"].most == own_workbook.MOST_ROWS
    assert carried.FOLDER == "exports"
