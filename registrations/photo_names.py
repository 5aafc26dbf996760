"""How the photos of an archive are called: a committee's pattern, filled in, safe on every machine. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

REFERENCE, NUMBER, SERIAL = "报名编号", "证件号码", "序号"
PARTS = (REFERENCE, "姓名", "职业", "组别", SERIAL, NUMBER)
DEFAULT = "{报名编号}"
MOST_PATTERN = 60
MOST_STEM = 70  # characters: 210 bytes of Chinese, and 255 is what file systems take
EXTENSION = ".jpg"
FORBIDDEN = re.compile(r'[<>:"/\\|?*\u0000-\u001f\u007f]')
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in "123456789¹²³")}
PART = re.compile(r"\{([^{}]*)\}")


def pattern_problem(pattern: str) -> str:
    """Why a pattern cannot name files, as a sentence; empty when it can."""
    known = "、".join(f"{{{part}}}" for part in PARTS)
    if len(pattern) > MOST_PATTERN:
        return f"文件名的写法最多 {MOST_PATTERN} 个字，请缩短。"
    if FORBIDDEN.search(pattern):
        return '文件名里不能有 / \\ : * ? " < > | 这些符号，请换成短横线。'
    if unknown := [part for part in PART.findall(pattern) if part not in PARTS]:
        return f"不认识 {{{unknown[0]}}}。可以用：{known}。"
    if "{" in PART.sub("", pattern) or "}" in PART.sub("", pattern):
        return f"大括号没有成对。可以用：{known}。"
    if not PART.search(pattern):
        return f"请至少用一项来区分每个人。可以用：{known}。"
    return ""


def asks_for_numbers(pattern: str) -> bool:
    return NUMBER in PART.findall(pattern)


def safe(text: str) -> str:
    """As a name that no system takes for a folder, a device or a hidden file; without characters that cannot be seen."""
    seen = "".join(each for each in unicodedata.normalize("NFC", text) if unicodedata.category(each) not in HIDDEN)
    stem = FORBIDDEN.sub("_", seen)[:MOST_STEM].strip(" .") or "_"
    return f"_{stem}" if stem.split(".")[0].strip().lower() in DEVICES else stem


HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


@dataclass
class Names:
    """The names of one archive: the same name twice gets a number, also where only its case differs."""

    pattern: str
    taken: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)  # the last one that each name has got: thousands may be alike

    def next(self, facts: Mapping[str, str]) -> str:
        stem = safe(PART.sub(lambda found: facts[found[1]], self.pattern))
        name, number = f"{stem}{EXTENSION}", self.numbers.get(stem.casefold(), 1)
        while name.casefold() in self.taken:
            number += 1
            name = f"{stem}({number}){EXTENSION}"
        self.taken.add(name.casefold())
        self.numbers[stem.casefold()] = number
        return name
