"""docs/security.md tells the truth about itself: the tests it names exist, and no requirement is missing or there twice."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from django import forms

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs/security.md").read_text()
PROVEN, UNPROVEN = "逐条对照：已有测试证明", "逐条对照：还没有证明的"
SECTIONS = [PROVEN, UNPROVEN, "逐条对照：由运行单位保证的", "逐条对照：不适用的"]
# OWASP ASVS 5.0.0, every requirement of levels 1 and 2: how many there are in each section, those of level 3 left out.
# Within a section they are numbered from 1; what level 3 has at its end or all of does not count.
SIZES = {
    1: [2, 9, 11, 3, 2],
    2: [3, 3, 4, 1],
    3: [0, 2, 4, 6, 5, 0, 2],
    4: [3, 1, 2, 4],
    5: [1, 3, 2, 3],
    6: [3, 12, 4, 4, 5, 3, 0, 4],
    7: [3, 4, 2, 5, 2, 2],
    8: [2, 3, 1, 1],
    9: [3, 4],
    10: [2, 2, 4, 11, 5, 2, 3],
    11: [2, 3, 3, 4, 1, 1],
    12: [3, 2, 4],
    13: [1, 5, 2, 5],
    14: [2, 4, 3],
    15: [3, 3, 7],
    16: [1, 5, 4, 3, 3],
    17: [1, 4, 2],
}
REQUIREMENTS = [
    f"{chapter}.{section}.{number}"
    for chapter, sizes in SIZES.items()
    for section, size in enumerate(sizes, start=1)
    for number in range(1, size + 1)
]


def rows(section: str) -> list[tuple[str, ...]]:
    """The cells of each row of the section's table whose first cell is a requirement."""
    text = TEXT.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in text.splitlines()]
    return [row for row in cells if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_requirement_is_there_exactly_once() -> None:
    assert len(REQUIREMENTS) == 253  # 70 of level 1 and 183 of level 2
    listed = Counter(row[0] for section in SECTIONS for row in rows(section))
    assert listed == Counter(REQUIREMENTS)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_row_says_something(section: str) -> None:
    width = 3 if section == PROVEN else 2
    assert [row for row in rows(section) if len(row) != width or not all(row)] == []
    assert rows(section) != [] or section == UNPROVEN


@pytest.mark.parametrize("row", rows(PROVEN), ids=lambda row: row[0])
def test_what_is_promised_names_tests_that_exist(row: tuple[str, ...]) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row[2])
    assert "、".join(f"`{path}::{name}`" for path, name in named) == row[2] != ""
    assert [f"{path}::{name}" for path, name in named if name not in names_in(path)] == []


def test_what_is_not_proven_is_no_more_than_was_decided() -> None:
    assert [row[0] for row in rows(UNPROVEN)] == []


def test_the_table_of_fields_is_what_the_forms_take() -> None:
    """Every field that a person fills in, in its form: what a list offers, how long a text may be, which numbers."""
    from accounts.forms import IdentityForm
    from profiles.forms import PersonalDetailsForm

    def shape(field: forms.Field) -> str:
        if isinstance(field, forms.ChoiceField):
            return "从列表中选"
        if isinstance(field, forms.IntegerField):
            return f"{field.min_value} 至 {field.max_value} 的整数"
        return "日期" if isinstance(field, forms.DateField) else f"最多 {field.max_length} 个字"

    fields = {**IdentityForm.base_fields, **PersonalDetailsForm.base_fields}  # type: ignore[attr-defined]
    boxes = {"agreed", "consented", "version"}
    expected = {str(field.label): shape(field) for name, field in fields.items() if name not in boxes}
    section = TEXT.split("## 各项内容的规则\n", 1)[1].split("\n## ", 1)[0]
    told = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", section, re.MULTILINE))
    assert told == {"内容": "形式"} | expected


def test_the_table_of_sessions_is_the_one_in_force() -> None:
    from competition_portal import settings as ours

    told = {
        what: int(span) * {"分钟": 60, "小时": 3600}[unit]
        for what, span, unit in re.findall(
            r"^\| (\S+?(?:没有操作|登录以后最长|最长)) \| (\d+) (分钟|小时) \|", TEXT, re.MULTILINE
        )
    }
    assert told == {
        "报名人员没有操作": ours.SESSION_IDLE_SECONDS,
        "运营、审计和组委会人员没有操作": ours.SESSION_IDLE_STAFF_SECONDS,
        "登录以后最长": ours.SESSION_MAX_SECONDS,
    }


def test_the_table_of_limits_is_the_one_in_force() -> None:
    from accounts import emergency, limits
    from competition_portal import csp_reports

    said = re.findall(r"^\| (\S+) \| .*? \| ([\d；]+) \| (\d+) (分钟|小时)", TEXT, re.MULTILINE)
    seconds = {"分钟": 60, "小时": 3600}
    told = {name: (times, int(span) * seconds[unit]) for name, times, span, unit in said}
    every = [limit for limit in vars(limits).values() if isinstance(limit, limits.Limit)]
    rules = {"开始登录" if limit is limits.LOGIN else limit.doing: limit for limit in every}
    reports = (f"{csp_reports.PER_ADDRESS['times']}；{csp_reports.IN_ALL['times']}", csp_reports.IN_ALL["seconds"])
    emergencies = (str(emergency.ATTEMPTS), emergency.WINDOW_SECONDS)
    assert told == {
        **{name: (str(rule.times), rule.seconds) for name, rule in rules.items()},
        "应急登录": emergencies,
        "策略报告": reports,
    }
