"""A whole plan in one file, whatever its kind: which things it may name, and where each of them stands. Pure."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from plans.occupation_sheet import HEADINGS, Sheet
from plans.workbooks import plain

MOST_TEXT = 20_000  # characters in one place
# What a plan is, by the names of its form's fields. It is published at the desk, never by a file.
FIELDS = {
    "code": "计划编号",
    "title": "竞赛名称",
    "level": "级别",
    "category": "类别",
    "organiser": "主办单位",
    "co_organiser": "承办单位",
    "registration_opens_at": "报名开始时间",
    "registration_closes_at": "报名截止时间",
    "correction_closes_at": "修改截止时间",
    "holds_decisions": "审核结果统一公布",
    "competition_starts_on": "竞赛开始日期",
    "competition_ends_on": "竞赛结束日期",
    "place": "竞赛地点",
    "description": "竞赛说明",
    "contact": "联系人",
    "contact_phone": "联系电话",
    "photo_width": "照片宽（像素）",
    "photo_height": "照片高（像素）",
    "photo_dpi": "照片分辨率（dpi）",
    "photo_source_width": "照片裁切框至少宽（像素）",
    "photo_source_height": "照片裁切框至少高（像素）",
    "photo_min_kilobytes": "照片最小（KB）",
    "photo_max_kilobytes": "照片最大（KB）",
    "photo_background": "照片背景",
    "photo_note": "照片其他要求",
}
OCCUPATION = {name: names[0] for name, names in HEADINGS.items()}
ATTACHMENT = {"title": "名称", "file": "文件"}
REASON = {"field": "项目", "label": "简称", "sentence": "句子"}
SECTIONS = {"occupations": "职业（工种）", "attachments": "附件", "return_reasons": "退回原因"}
# How they are also called; a code is one of a plan or of an occupation, and has its own name alone.
ALSO = {name: names[1:] for name, names in HEADINGS.items() if name != "code"} | {"occupations": ("职业", "工种")}


class PlanFileRefused(Exception):
    """A file that cannot be read at all. `str()` is the sentence for the operator."""


@dataclass(frozen=True)
class Mistake:
    """`place` is a line (第 3 行) or a cell (“竞赛计划”B5)."""

    place: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}：{self.sentence}"

    @property
    def line(self) -> float:
        """To sort by; what stands in no line comes last."""
        found = re.match(r"第 (\d+) 行", self.place)
        return int(found.group(1)) if found else math.inf


@dataclass(frozen=True)
class Cell:
    text: str
    place: str


@dataclass(frozen=True)
class Row:
    """Attachments and reasons: the cells by field, and where the row stands."""

    place: str
    cells: Mapping[str, Cell]

    def text(self, name: str) -> str:
        return self.cells[name].text if name in self.cells else ""

    def place_of(self, name: str) -> str:
        return self.cells[name].place if name in self.cells else self.place


@dataclass
class PlanFile:
    """What a file says. A section that it does not have is None: nothing is said about it."""

    cells: dict[str, Cell] = field(default_factory=dict)
    occupations: Sheet | None = None
    occupation_place: str = "第 {} 行"
    attachments: list[Row] | None = None
    reasons: list[Row] | None = None
    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, place: str, sentence: str) -> None:
        self.mistakes.append(Mistake(place, sentence))

    def place_of(self, name: str) -> str:
        """Where a field of the plan stands, with its name; for one that is not there, its name alone."""
        return f"{self.cells[name].place}“{FIELDS[name]}”" if name in self.cells else f"“{FIELDS.get(name, name)}”"

    def put(self, name: str, cell: Cell) -> None:
        if name in self.cells:
            self.wrong(cell.place, f"“{FIELDS[name]}”写了两次（另一处：{self.cells[name].place}），请留一个。")
        elif problem := unreadable(cell.text):
            self.wrong(cell.place, problem)
        else:
            self.cells[name] = cell


def named(text: str, known: Mapping[str, str]) -> str | None:
    """The field of this name: in Chinese, with or without its brackets, or as the code has it."""
    by_name = {plain(label): name for name, label in known.items()} | {name: name for name in known}
    by_name |= {also: name for name in known for also in ALSO.get(name, ())}
    return by_name.get(plain(text)) or by_name.get(text)


def unknown(text: str, known: Mapping[str, str]) -> str:
    """The sentence about a name that nothing has."""
    close = get_close_matches(text, known.values(), n=2, cutoff=0.5)
    meant = f"是不是要写“{'”或“'.join(close)}”？" if close else f"可用：{'、'.join(known.values())}。"
    return f"没有“{text[:30]}”这一项。{meant}"


def unreadable(text: str) -> str:
    """Why a text cannot be taken as it is, or "": neither the database nor a page bears these characters."""
    if len(text) > MOST_TEXT:
        return f"内容太长，最多 {MOST_TEXT} 个字。"
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t" for character in text):
        return "里面有看不见的控制字符，请删去后重新输入这一项。"
    return ""


def row_of(file: PlanFile, place: str, pairs: Iterable[tuple[str, Cell]], known: Mapping[str, str]) -> Row:
    """A row of named cells; what is wrong with the names is told."""
    cells: dict[str, Cell] = {}
    for heading, cell in pairs:
        name = named(heading, known)
        if name is None:
            file.wrong(cell.place, unknown(heading, known))
        elif name in cells:
            file.wrong(cell.place, f"“{known[name]}”写了两次，请留一个。")
        elif problem := unreadable(cell.text):
            file.wrong(cell.place, problem)
        else:
            cells[name] = cell
    return Row(place, cells)
