"""A plan written as YAML: its nodes to named places, without building any object. Knows no model.

Nodes and not values, since a value has lost its line, and YAML would turn 010 into 8 and “no” into false. What a
hostile file lives on is refused before anything is built: aliases, tags, depth, size.
"""

from collections.abc import Iterator

import yaml

from plans.occupation_sheet import HEADINGS, MOST_ROWS, Sheet, SheetRow
from plans.plan_file import (
    ATTACHMENT,
    FIELDS,
    OCCUPATION,
    REASON,
    SECTIONS,
    Cell,
    PlanFile,
    PlanFileRefused,
    Row,
    named,
    row_of,
    unknown,
)

MOST_BYTES = 512 * 1024
MOST_EVENTS = 40_000
MOST_DEPTH = 3  # the file, a section, a row
ROWS = {"occupations": OCCUPATION, "attachments": ATTACHMENT, "return_reasons": REASON}


def read(content: bytes) -> PlanFile:
    """Raises PlanFileRefused for what is no such file; what is wrong in a place is told in the answer."""
    if len(content) > MOST_BYTES:
        raise PlanFileRefused(f"YAML 文件超过 {MOST_BYTES // 1024} KB，没有读取。")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise PlanFileRefused("文件不是 UTF-8 编码的文本。请用编辑器另存为 UTF-8 后再执行。") from problem
    try:
        refuse_what_swells(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as problem:
        raise PlanFileRefused(
            f"{place_of_problem(problem)}不合 YAML 的写法。请检查缩进、冒号后面的空格和引号。"
        ) from problem
    if not isinstance(root, yaml.MappingNode):
        raise PlanFileRefused("文件里应是一行一项“名称: 内容”。可以先用 --example yaml 得到一份样本。")
    file = PlanFile()
    for key, value in pairs_of(root):
        take(file, key, value)
    return file


def refuse_what_swells(text: str) -> None:
    """Read as a stream of events, which takes no more memory than the text. Raises PlanFileRefused."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise PlanFileRefused(f"第 {line} 行：不能用 & 和 * 引用别处，请把内容写出来；文字以它们开头的，请加引号。")
        if getattr(event, "tag", None):
            raise PlanFileRefused(f"第 {line} 行：不能用 ! 开头的类型标记；文字以它开头的，请加引号。")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise PlanFileRefused(f"第 {line} 行：层次太多。只有“职业（工种）”“附件”“退回原因”下面可以再写一层。")
        if number > MOST_EVENTS:
            raise PlanFileRefused(f"第 {line} 行：内容太多，没有读取。")


def place_of_problem(problem: yaml.YAMLError) -> str:
    mark = getattr(problem, "problem_mark", None)
    return f"第 {mark.line + 1} 行" if mark else "文件"


def place_of(node: yaml.Node) -> str:
    return f"第 {node.start_mark.line + 1} 行"


def pairs_of(node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    yield from node.value


def take(file: PlanFile, key: yaml.Node, value: yaml.Node) -> None:
    heading = key.value if isinstance(key, yaml.ScalarNode) else "?"
    section = named(heading, SECTIONS)
    if section:
        take_section(file, section, key, value)
    elif name := named(heading, FIELDS):
        if (text := scalar(file, value, FIELDS[name])) is not None:
            file.put(name, Cell(text, place_of(value)))
    else:
        file.wrong(place_of(key), unknown(heading, FIELDS | SECTIONS))


def scalar(file: PlanFile, node: yaml.Node, label: str) -> str | None:
    if not isinstance(node, yaml.ScalarNode):
        file.wrong(place_of(node), f"“{label}”后面应是一段文字，不是列表。")
        return None
    return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value).strip()


def take_section(file: PlanFile, section: str, key: yaml.Node, value: yaml.Node) -> None:
    label = SECTIONS[section]
    if not isinstance(value, yaml.SequenceNode):
        file.wrong(place_of(key), f"“{label}”下面应是列表，每项以“- ”开头；没有内容的，请去掉这一行。")
        return
    held = {"occupations": file.occupations, "attachments": file.attachments, "return_reasons": file.reasons}
    if held[section] is not None:
        file.wrong(place_of(key), f"“{label}”写了两次，请合在一起。")
        return
    if len(value.value) > MOST_ROWS:
        file.wrong(place_of(key), f"“{label}”最多 {MOST_ROWS} 项，请分成几个文件。")
        return
    rows = [row for node in value.value if (row := row_in(file, section, node))]
    if section == "occupations":
        file.occupations = sheet_of(rows)
    elif section == "attachments":
        file.attachments = rows
    else:
        file.reasons = rows


def row_in(file: PlanFile, section: str, node: yaml.Node) -> Row | None:
    known = ROWS[section]
    if not isinstance(node, yaml.MappingNode):
        file.wrong(place_of(node), f"“{SECTIONS[section]}”的每一项应写明：{'、'.join(known.values())}。")
        return None
    pairs = []
    for key, value in pairs_of(node):
        heading = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if (text := scalar(file, value, heading)) is not None:
            pairs.append((heading, Cell(text, place_of(value))))
    return row_of(file, place_of(node), pairs, known)


def sheet_of(rows: list[Row]) -> Sheet:
    """As occupations come from a workbook: their rows are numbered by line."""
    used = {name for row in rows for name in row.cells}
    listed = []
    for row in rows:
        texts = {name: cell.text for name, cell in row.cells.items()}
        listed.append(SheetRow(int(row.place.split()[1]), {"name": "", "division": "", **texts}))
    return Sheet([name for name in HEADINGS if name in used], listed)
