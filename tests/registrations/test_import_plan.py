"""`manage.py import_plan`: a plan from a file comes in whole, as the desk's form would let it in, or not at all."""

import io
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
import yaml
from django.contrib import admin
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError
from django.utils import timezone
from openpyxl import Workbook

from accounts.models import AuditEntry
from photos.storages import PrivateFolder
from plans import plan_example, plan_file, plan_import, plan_yaml, publication
from plans.models import Attachment, Occupation, Plan
from plans.plan_file import FIELDS
from registrations.management.commands import import_plan
from registrations.models import Registration
from registrations.return_reasons import ReturnReason
from registrations.workflow import Status
from tests import scenes
from tests.photos.pictures import drawn_portrait, encoded

pytestmark = pytest.mark.django_db

SMALL = """
计划编号: BJ2027-09
竞赛名称: 样本
级别: 市级
主办单位: 市局
报名开始时间: 2027-03-01 09:00
报名截止时间: 2027-03-31 17:00
"""
PDF = b"%PDF-1.7 rules"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "plan"
    made.mkdir()
    return made


@pytest.fixture
def bring(folder):
    """`bring(text or bytes, *options)` is what the command says about this file."""

    def run(content, *options, name="plan.yaml"):
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        out = io.StringIO()
        call_command("import_plan", str(path), *options, stdout=out)
        return out.getvalue()

    return run


@pytest.fixture
def refused(bring):
    """The lines of the refusal; nothing at all is in the database or the storage afterwards that was not there before."""

    def run(content, *options, **named):
        before = everything()
        with pytest.raises(CommandError) as refusal:
            bring(content, *options, **named)
        assert everything() == before
        return str(refusal.value).splitlines()

    return run


def everything():
    rows = [
        list(model.objects.order_by("pk").values())
        for model in (Plan, Occupation, Attachment, ReturnReason, AuditEntry)
    ]
    return rows, sorted(file.name for file in default_storage.walk("attachments"))


def workbook(**sheets):
    book, out = Workbook(), io.BytesIO()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(out)
    return out.getvalue()


def of_small(**other):
    rows = [[key, value] for key, value in yaml.load(SMALL, yaml.BaseLoader).items()]
    return workbook(竞赛计划=[["项目", "内容"], *rows], **other)


def offers(plan):
    return list(plan.occupations.values_list("name", "division", "capacity", "skill_level"))


def lines():
    return list(AuditEntry.objects.order_by("pk").values_list("actor", "verb", "detail"))


# What comes in ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["yaml", "xlsx"])
def test_the_example_comes_in_whole_and_again_changes_nothing(bring, kind):
    content = plan_example.as_yaml() if kind == "yaml" else plan_example.as_workbook()
    said = bring(content, name=f"plan.{kind}")
    plan = Plan.objects.get()
    assert said.splitlines()[-2:] == [
        "已导入，还没有发布。",
        "下一步：python manage.py add_committee_member BJ2027-01 u-… manager，再由管理成员核对和发布。",
    ]
    assert (plan.code, plan.level, plan.published_at, plan.photo_background) == ("BJ2027-01", "city", None, "white")
    assert timezone.localtime(plan.registration_closes_at) == timezone.make_aware(datetime(2027, 3, 31, 17))
    assert offers(plan) == [("电工", "worker", 30, "高级工（三级）"), ("电工", "student", None, "")]
    assert lines() == [
        ("command:import_plan", "plan.created", "from a file"),
        ("command:import_plan", "plan.changed", "occupations: 2 added, 0 changed"),
    ]
    before = everything()
    assert bring(content, name=f"plan.{kind}") == "竞赛计划 BJ2027-01 与文件一致，没有需要改动的。\n"
    assert everything() == before


def test_the_names_are_those_of_the_desks_form_but_for_publishing():
    fields = set(plan_import.desk_form(None).base_fields) - {
        "published_at",
        "seen",
    }  # published at the desk, seen there
    assert fields == set(FIELDS) == set(plan_example.EXAMPLE)


def test_what_the_file_does_not_name_is_as_a_new_plan_has_it(bring, settings):
    bring(SMALL)
    plan = Plan.objects.get()
    assert (plan.photo_width, plan.holds_decisions, plan.correction_closes_at) == (
        settings.PHOTO_SPEC.width,
        False,
        None,
    )
    assert offers(plan) == []


def test_a_dry_run_says_what_would_be_and_changes_nothing(bring, folder):
    (folder / "rules.pdf").write_bytes(PDF)
    before = everything()
    said = bring(SMALL + "职业: [{职业: 电工, 组别: 职工组}]\n附件: [{名称: 规程.pdf, 文件: rules.pdf}]\n", "--dry-run")
    assert said.splitlines() == [
        "将新建竞赛计划 BJ2027-09：",
        "  计划编号：BJ2027-09",
        "  竞赛名称：样本",
        "  级别：市级",
        "  主办单位：市局",
        "  报名开始时间：2027-03-01 09:00",
        "  报名截止时间：2027-03-31 17:00",
        "  新增职业（工种）电工（职工组）：职业（工种）：电工，参赛组别：职工组",
        "  新增附件 规程.pdf（rules.pdf）",
        "检查通过，没有改动。",
    ]
    assert everything() == before


def test_a_plan_that_is_there_is_changed_where_it_differs_and_nowhere_else(bring):
    bring(plan_example.as_yaml())
    before = Plan.objects.values().get()
    said = bring("计划编号: BJ2027-01\n承办单位: 承办处\n职业:\n- {职业: 电工, 组别: 职工组, 名额: 40}\n")
    assert said.splitlines() == [
        "修改竞赛计划 BJ2027-01：",
        "  承办单位：（空） → 承办处",
        "  修改职业（工种）电工（职工组）：名额：30 → 40",
        "已导入。",
    ]
    assert Plan.objects.values().get() == before | {"co_organiser": "承办处"}
    assert offers(Plan.objects.get()) == [("电工", "worker", 40, "高级工（三级）"), ("电工", "student", None, "")]


def test_moments_with_seconds_stay_as_they_are(bring, plan):
    """The form knows whole seconds: what the file does not name is not rounded."""
    before = Plan.objects.values().get(pk=plan.pk)
    bring(f"计划编号: {plan.code}\n竞赛地点: 北京\n")
    assert Plan.objects.values().get(pk=plan.pk) == before | {"place": "北京"}


def test_attachments_come_are_exchanged_and_stay(bring, folder, django_capture_on_commit_callbacks):
    (folder / "rules.pdf").write_bytes(PDF)
    text = SMALL + "附件:\n  - 名称: 规程.pdf\n    文件: ./rules.pdf\n"
    bring(text)
    first = Attachment.objects.get()
    assert (first.title, first.file.read()) == ("规程.pdf", PDF)
    first.file.close()
    assert "没有需要改动的" in bring(text)
    (folder / "rules.pdf").write_bytes(PDF + b" changed")
    with django_capture_on_commit_callbacks(execute=True):
        bring(text)
    assert not default_storage.exists(first.file.name)  # it goes once the change is there
    now = Attachment.objects.get()
    assert (now.pk, now.file.read()) == (first.pk, PDF + b" changed")
    now.file.close()


def test_reasons_are_a_plans_own_and_keep_their_codes(bring):
    section = "退回原因:\n  - {项目: 工作单位, 简称: 单位名称不全, 句子: 请写全称。}\n  - {项目: 学校, 简称: 新的, 句子: 请写。}\n"
    section = section.replace("学校", str(import_plan.reason_import.FIELDS["school"]))
    bring(SMALL + section)
    rows = list(ReturnReason.objects.values_list("field", "code", "label", "sentence"))
    assert rows[0] == ("employer", "not_full", "单位名称不全", "请写全称。")
    assert (rows[1][0], rows[1][2:]) == ("school", ("新的", "请写。"))
    assert "没有需要改动的" in bring(SMALL + section)
    bring(SMALL + section.replace("请写。", "请写清楚。"))
    assert list(ReturnReason.objects.values_list("code", "sentence")) == [
        ("not_full", "请写全称。"),
        (rows[1][1], "请写清楚。"),
    ]


# A published plan -------------------------------------------------------------------------------------------------------


def test_a_published_plan_keeps_what_the_form_keeps(refused, plan, occupation, manager, applicant, stranger):
    for person in (applicant, stranger):
        scenes.registration_at(Status.SUBMITTED, person, occupation, manager)
    said = refused(
        f"计划编号: {plan.code}\n职业:\n- 职业: {occupation.name}\n  组别: {occupation.division}\n"
        f"- 职业: {occupation.name}\n  组别: 职工组\n  名额: 1\n"
    )
    assert said == [
        "第 3 行：参赛组别“worker”不对，只能是职工组、学生组、教师组。",
        "第 5 行：已有 2 人占用名额，名额不能少于这个数。",
        "文件里有 2 处不对，什么都没有导入。请改好后再执行一次。",
    ]


def test_held_decisions_cannot_be_told_at_once_again(refused, plan, occupation, manager, applicant):
    Plan.objects.filter(pk=plan.pk).update(holds_decisions=True)
    scenes.registration_at(Status.APPROVED, applicant, scenes.Occupation.objects.get(), manager)
    said = refused(f"计划编号: {plan.code}\n审核结果统一公布: 否\n")
    assert said[0] == "第 2 行“审核结果统一公布”：已有 1 份审核结果等着公布，不能取消。请到“公布审核结果”页面公布。"


def test_a_later_deadline_and_other_photos_are_told_as_at_the_desk(bring, plan, occupation, applicant, monkeypatch):
    scenes.draft(applicant, occupation)
    heard = []
    monkeypatch.setattr(
        publication.deadlines_moved, "send", lambda *args, **named: heard.append("later") or [(0, "已通知。")]
    )
    monkeypatch.setattr(
        plan_import.photo_requirements_changed, "send", lambda *args, **named: heard.append("photo") or [(0, "")]
    )
    later = timezone.localtime(plan.registration_closes_at + timedelta(days=3))
    said = bring(f"计划编号: {plan.code}\n报名截止时间: {later:%Y-%m-%d %H:%M}\n照片背景: 蓝色\n")
    assert (heard, said.splitlines()[-2:]) == (["later", "photo"], ["已通知。", "已导入。"])
    assert Registration.objects.count() == 1


# Mistakes ---------------------------------------------------------------------------------------------------------------


def test_all_mistakes_at_once_each_by_its_line(refused):
    said = refused(
        "计划编号: BJ 27\n竞赛名称:\n级别: 省级\n主办单位: 市局\n主办单位: 市局\n报名开始时间: 2027-03-01\n"
        "报名截止时间: 2027-02-01 17:00\n照片宽像素: 很宽\n统一公布: 是\n审核结果统一公布: 也许\n"
        "职业:\n  - 职业: 电工\n    组别: 老年组\n    名额: -1\n  - 职业: 焊工\n    工种数: 1\n"
        "附件:\n  - 名称: 规程.pdf\n    文件: ../secret.pdf\n  - 名称: 图\n    文件: none.pdf\n"
        "退回原因:\n  - 项目: 没有的\n    简称: 简\n    句子: 句\n"
    )
    assert said == [
        "第 1 行“计划编号”：计划编号只能用字母、数字和连字符。",
        "第 2 行“竞赛名称”：请填写这一项。",
        "第 3 行“级别”：不能写“省级”。可用：国家级、市级、区级、行业。",
        "第 5 行：“主办单位”写了两次（另一处：第 4 行），请留一个。",
        "第 6 行“报名开始时间”：请按 2026-09-01 09:00 的样子写日期和时间（北京时间），不能写“2027-03-01”。",
        "第 8 行“照片宽（像素）”：请填整数，只写数字，不带单位。",
        "第 9 行：没有“统一公布”这一项。是不是要写“审核结果统一公布”？",
        "第 10 行“审核结果统一公布”：请写“是”或“否”，不能写“也许”。",
        "第 12 行：参赛组别“老年组”不对，只能是职工组、学生组、教师组。",
        "第 12 行：名额“-1”不对，请写 1 到 1000000 的整数；不限名额请留空。",
        "第 15 行：参赛组别“”不对，只能是职工组、学生组、教师组。",
        "第 16 行：没有“工种数”这一项。可用：职业（工种）、参赛组别、职业编码、竞赛标准等级、名额、参赛条件。",
        "第 19 行：附件要和计划文件放在同一个目录（或它的子目录）里。",
        "第 21 行：没有文件 none.pdf（从计划文件所在的目录找起）。",
        "第 23 行：请从列表中选择项目。",
        "文件里有 15 处不对，什么都没有导入。请改好后再执行一次。",
    ]


def test_mistakes_in_a_workbook_by_their_cells(refused):
    said = refused(
        of_small(
            **{
                "职业（工种）": [["职业（工种）", "参赛组别"], ["电工", "职工组"], ["电工", "职工组"]],
                "附件": [["名称", "文件"], ["规程.pdf", ""]],
                "退回原因": [["项目", "简称", "句子", "备注"], ["工作单位", "简", "", "x"]],
                "别的": [["x"]],
            }
        ),
        name="plan.xlsx",
    )
    assert said == [
        "“退回原因”D2：没有“备注”这一项。可用：项目、简称、句子。",
        "表“别的”：不认识这张表。可用的表名：竞赛计划、职业（工种）、附件、退回原因；不用的表请删去。",
        "“职业（工种）”第 3 行：与第 2 行重复，请删去一行。",
        "“附件”B2：没有写附件的文件。",
        "“退回原因”C2：请写清楚哪里不对、该怎么做。",
        "文件里有 5 处不对，什么都没有导入。请改好后再执行一次。",
    ]


def test_cells_that_excel_made_into_days_and_numbers_are_read_as_people_see_them(bring):
    rows = [
        ["计划编号", "BJ1"],
        ["竞赛名称", 2027],
        ["级别", "city"],
        ["主办单位", "市局"],
        ["竞赛开始日期", datetime(2027, 5, 1)],
    ]
    rows += [
        ["报名开始时间", datetime(2027, 3, 1, 9)],
        ["报名截止时间", "2027年3月2日 9:30"],
        ["照片宽（像素）", 300.0],
    ]
    bring(workbook(竞赛计划=rows), name="plan.xlsx")
    plan = Plan.objects.get()
    assert (plan.title, str(plan.competition_starts_on), plan.photo_width) == ("2027", "2027-05-01", 300)
    assert timezone.localtime(plan.registration_closes_at).hour == 9


def test_what_the_rows_constraints_say_is_told(refused):
    text = SMALL.replace("2027-03-31", "2027-02-01") + "竞赛开始日期: 2027-05-02\n竞赛结束日期: 2027-05-01\n"
    assert refused(text) == [
        "竞赛计划：报名截止时间必须晚于报名开始时间。",
        "竞赛计划：竞赛结束日期不能早于开始日期。",
        "文件里有 2 处不对，什么都没有导入。请改好后再执行一次。",
    ]


def test_an_attachment_that_is_not_what_it_says(refused, folder):
    (folder / "rules.pdf").write_bytes(encoded(drawn_portrait()))
    (folder / "empty.pdf").write_bytes(b"")
    said = refused(
        SMALL
        + "附件:\n- {名称: 甲, 文件: rules.pdf}\n- {名称: 甲, 文件: empty.pdf}\n- {名称: 乙, 文件: /etc/hostname}\n"
    )
    assert [line.partition("：")[0] for line in said[:-1]] == ["第 9 行", "第 10 行", "第 10 行", "第 11 行"]
    assert "的内容与扩展名 .pdf 不符" in said[0]


def test_a_link_out_of_the_folder_is_not_followed(refused, folder, tmp_path):
    (tmp_path / "secret.pdf").write_bytes(PDF)
    (folder / "rules.pdf").symlink_to(tmp_path / "secret.pdf")
    said = refused(SMALL + "附件: [{名称: 甲, 文件: rules.pdf}]\n")
    assert said[0] == "第 8 行：附件要和计划文件放在同一个目录（或它的子目录）里。"


# Files that are meant to hurt -------------------------------------------------------------------------------------------

LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (LAUGHS, "第 1 行：不能用 & 和 * 引用别处，请把内容写出来；文字以它们开头的，请加引号。"),
        (
            "竞赛名称: !!python/object/apply:os.system ['true']",
            "第 1 行：不能用 ! 开头的类型标记；文字以它开头的，请加引号。",
        ),
        ("[" * 100_000, "第 1 行：层次太多。只有“职业（工种）”“附件”“退回原因”下面可以再写一层。"),
        ("x: 1\n" * 30_000, "第 20000 行：内容太多，没有读取。"),
        ("x" * (plan_yaml.MOST_BYTES + 1), "YAML 文件超过 256 KB，没有读取。"),
        ("计划编号: 甲".encode("gb18030"), "文件不是 UTF-8 编码的文本。请用编辑器另存为 UTF-8 后再执行。"),
        ("竞赛名称: 'x\n", "第 2 行不合 YAML 的写法。请检查缩进、冒号后面的空格和引号。"),
        ("a: 1\n---\na: 2\n", "第 2 行不合 YAML 的写法。请检查缩进、冒号后面的空格和引号。"),
        ("", "文件里应是一行一项“名称: 内容”。可以先用 --example yaml 得到一份样本。"),
        ("- 1\n", "文件里应是一行一项“名称: 内容”。可以先用 --example yaml 得到一份样本。"),
    ],
)
def test_hostile_yaml_is_refused_in_a_sentence(refused, content, sentence):
    assert refused(content) == [f"plan.yaml：{sentence}"]


@pytest.mark.parametrize("escape", ["\\0", "\\ud800", "\\e[31m"])
def test_characters_that_nothing_bears(refused, escape):
    said = refused(SMALL + f'竞赛地点: "北京{escape}"\n联系人: "{"长" * (plan_file.MOST_TEXT + 1)}"\n')
    assert said[:-1] == [
        "第 8 行：里面有看不见的控制字符，请删去后重新输入这一项。",
        f"第 9 行：内容太长，最多 {plan_file.MOST_TEXT} 个字。",
    ]


def test_a_workbook_that_swells_or_is_none(refused, monkeypatch):
    assert refused(b"no zip", name="plan.xlsx") == [
        "plan.xlsx：这不是 xlsx 文件。请用 Excel 或 WPS 另存为 xlsx 后再上传。"
    ]
    assert refused(workbook(甲=[["x"]]), name="plan.xlsx") == [
        "plan.xlsx：没有名为“竞赛计划”的表。可以先用 --example xlsx 得到一份样本。"
    ]
    monkeypatch.setattr(import_plan.plan_workbook, "refuse_what_swells", lambda content, **named: swelling(content))
    assert refused(of_small(), name="plan.xlsx") == ["plan.xlsx：太大"]


def swelling(content):
    raise import_plan.plan_workbook.SheetRefused("太大")


def test_a_sheet_that_says_it_has_a_million_rows(refused):
    book = Workbook()
    book.active.title = "竞赛计划"
    book.active["A1"], book.active["A1048576"] = "计划编号", "x"
    book.save(out := io.BytesIO())
    assert refused(out.getvalue(), name="plan.xlsx") == [
        "plan.xlsx：表“竞赛计划”超过 2000 行，没有读取。请删去下面的空行。"
    ]


def test_which_files_are_read(refused, bring, folder):
    assert refused("x", name="plan.txt") == ["只读 .yaml、.yml、.xlsx 文件，不读 plan.txt。"]
    with pytest.raises(CommandError) as refusal:
        call_command("import_plan", str(folder / "none.yaml"))
    assert str(refusal.value) == f"{folder}/none.yaml 读不了：No such file or directory。"
    for arguments in ([], ["a.yaml", "--example", "yaml"]):
        with pytest.raises(CommandError) as refusal:
            call_command("import_plan", *arguments)
        assert refusal.value.returncode == 2


# Nothing half done ------------------------------------------------------------------------------------------------------

WHOLE = (
    SMALL
    + "职业: [{职业: 电工, 组别: 职工组}]\n附件: [{名称: 甲, 文件: rules.pdf}]\n退回原因: [{项目: 工作单位, 简称: 甲, 句子: 乙}]\n"
)


@pytest.mark.parametrize(
    ("place", "problem", "expected"),
    [
        ("record", OperationalError("away"), OperationalError),
        ("record", IntegrityError("faster"), CommandError),
        ("return_reasons", None, AttributeError),
    ],
)
def test_whatever_breaks_leaves_neither_a_row_nor_a_file(bring, folder, monkeypatch, place, problem, expected):
    (folder / "rules.pdf").write_bytes(PDF)
    before = everything()

    def broken(*args, **named):
        raise problem

    monkeypatch.setattr(import_plan, place, broken if problem else None)
    with pytest.raises(expected):
        bring(WHOLE)
    assert everything() == before


def test_a_storage_that_is_full_is_a_sentence(refused, folder, monkeypatch):
    (folder / "rules.pdf").write_bytes(PDF)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PrivateFolder, "_save", full)
    assert refused(WHOLE) == ["照片和附件的存储读不了或写不了，没有导入。请执行 doctor 查看，恢复后再执行。"]


def test_a_seat_that_was_taken_between_the_look_and_the_write(refused, plan, occupation, monkeypatch):
    text = f"计划编号: {plan.code}\n职业: [{{职业: {occupation.name}, 组别: 职工组, 名额: 1}}]\n"
    looks = iter([plan_import.look, lambda file: SimpleNamespace(mistakes=["taken"], plan=plan)])
    monkeypatch.setattr(import_plan.plan_import, "look", lambda file: next(looks)(file))
    assert refused(text) == ["刚才有人改动了这个竞赛计划，没有导入。请再执行一次。"]


def test_the_desk_has_the_form_that_judges():
    """Should the plan's desk ever be another class, the file is judged by that one."""
    assert issubclass(plan_import.desk_form(None), admin.site.get_model_admin(Plan).form)
