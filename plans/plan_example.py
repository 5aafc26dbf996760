"""A plan's file to begin with: every name that a file may have, with something sensible in it, as YAML and as a workbook."""

import io
import re

import xlsxwriter
import yaml

from plans.plan_file import ATTACHMENT, FIELDS, OCCUPATION, REASON, SECTIONS
from plans.plan_workbook import PLAN_SHEET

EXAMPLE = {
    "code": "BJ2027-01",
    "title": "北京市职业技能竞赛（样本）",
    "level": "市级",
    "category": "一类",
    "organiser": "北京市人力资源和社会保障局",
    "co_organiser": "",
    "registration_opens_at": "2027-03-01 09:00",
    "registration_closes_at": "2027-03-31 17:00",
    "correction_closes_at": "2027-04-05 17:00",
    "holds_decisions": "否",
    "competition_starts_on": "2027-05-15",
    "competition_ends_on": "2027-05-16",
    "place": "",
    "description": "参赛条件和办法见附件。",
    "contact": "赛务组",
    "contact_phone": "010-12345678",
    "photo_width": "295",
    "photo_height": "413",
    "photo_dpi": "300",
    "photo_source_width": "0",
    "photo_source_height": "0",
    "photo_min_kilobytes": "0",
    "photo_max_kilobytes": "200",
    "photo_background": "白色",
    "photo_note": "本人近期免冠正面照，五官清晰，不戴墨镜",
}
NOTES = {
    "code": "出现在网址里；已有这个编号的，就修改它",
    "level": "国家级、市级、区级、行业",
    "category": "一类、二类，或留空",
    "registration_opens_at": "北京时间",
    "registration_closes_at": "到这一刻为止，这一刻本身已不能提交",
    "correction_closes_at": "留空则与报名截止时间相同",
    "holds_decisions": "是、否",
    "description": "可以用 Markdown 排版",
    "photo_width": "照片各项不写，就按系统的设置",
    "photo_background": "白色、蓝色、红色、不限颜色",
}
OCCUPATIONS = [
    {
        "name": "电工",
        "division": "职工组",
        "code": "6-31-01-03",
        "skill_level": "高级工（三级）",
        "capacity": "30",
        "requirements": "",
    },
    {"name": "电工", "division": "学生组", "code": "6-31-01-03", "skill_level": "", "capacity": "", "requirements": ""},
]
REASONS = [
    {"field": "工作单位", "label": "单位名称不全", "sentence": "请填写营业执照或单位公章上的单位全称，不要用简称。"},
]
ATTACHMENTS = [{"title": "竞赛规程.pdf", "file": "附件/竞赛规程.pdf"}]
FROM_HERE = "只写要写的；没有写的项目和整节，新建时用默认值，修改时保持不变。不会删除任何内容，也不会发布。"


def as_yaml() -> str:
    lines = ["# 竞赛计划的文件，给 python manage.py import_plan 用。", f"# {FROM_HERE}", ""]
    for name, label in FIELDS.items():
        note = f"  # {NOTES[name]}" if name in NOTES else ""
        lines.append(f"{label}: {scalar(EXAMPLE[name])}{note}".rstrip())
    lines += ["", "# 名额留空为不限。", *section("occupations", OCCUPATION, OCCUPATIONS)]
    lines += ["", "# 文件从这份文件所在的目录找起。用到时去掉行首的 # 号。"]
    lines += [f"# {line}" for line in section("attachments", ATTACHMENT, ATTACHMENTS)]
    lines += ["", "# 写了这一节，就用它代替整份退回原因。用到时去掉行首的 # 号。"]
    lines += [f"# {line}" for line in section("return_reasons", REASON, REASONS)]
    return "\n".join(lines) + "\n"


def scalar(text: str) -> str:
    """As it is where it can stay so: the reader takes every plain scalar for text."""
    if re.fullmatch(r"[0-9-]*", text):
        return text
    return yaml.safe_dump(text, allow_unicode=True, width=1000).splitlines()[0]


def section(name: str, fields: dict[str, str], rows: list[dict[str, str]]) -> list[str]:
    lines = [f"{SECTIONS[name]}:"]
    for row in rows:
        pairs = [f"{label}: {scalar(row[field])}" for field, label in fields.items()]
        lines += [f"  {'- ' if place == 0 else '  '}{pair}" for place, pair in enumerate(map(str.rstrip, pairs))]
    return lines


def as_workbook() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@", "text_wrap": True})
    plan: list[tuple[str, ...]] = [
        ("项目", "内容", "说明"),
        *((label, EXAMPLE[name], NOTES.get(name, "")) for name, label in FIELDS.items()),
    ]
    plan += [("", "", ""), ("", "", FROM_HERE)]
    sheets: dict[str, list[tuple[str, ...]]] = {
        PLAN_SHEET: plan,
        SECTIONS["occupations"]: [tuple(OCCUPATION.values()), *(tuple(row.values()) for row in arranged(OCCUPATIONS))],
        SECTIONS["attachments"]: [tuple(ATTACHMENT.values())],
        SECTIONS["return_reasons"]: [tuple(REASON.values())],
    }
    for title, rows in sheets.items():
        sheet = book.add_worksheet(title)
        sheet.set_column(0, 5, 26, text)
        sheet.freeze_panes(1, 0)
        for line, cells in enumerate(rows):
            for place, cell in enumerate(cells):
                sheet.write_string(line, place, cell, bold if line == 0 else text)
    book.close()
    return out.getvalue()


def arranged(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: row[name] for name in OCCUPATION} for row in rows]
