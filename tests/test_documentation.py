"""What the documentation says about the code is true: variables, commands, links."""

import re
from pathlib import Path

import pytest

from competition_portal.command_line import ours
from competition_portal.variables import VARIABLES
from competition_portal.variables.variable import FOLLOWS, REQUIRED
from scripts import configuration
from tests.test_commands import DJANGOS, NAMES_OF_OURS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
READ = {
    name
    for path in ROOT.glob("competition_portal/*.py")
    for name in re.findall(r'\bread\(\s*"([A-Z0-9_]+)"', path.read_text())
}


# Variables --------------------------------------------------------------------------------------------------------------


def test_each_variable_that_is_declared_is_read_and_no_other() -> None:
    assert set(VARIABLES) == READ


def test_the_page_is_as_it_is_generated() -> None:
    page = configuration.PAGE.read_text()
    assert page == configuration.written(page), "python -m scripts.configuration writes it anew"


def test_the_page_would_not_pass_with_another_table() -> None:
    page = configuration.PAGE.read_text()
    assert configuration.written(page.replace("| `DEBUG` |", "| `DEBUGGING` |")) == page


def test_what_must_be_set_says_so_and_nothing_else_does() -> None:
    said = {name for name in VARIABLES if configuration.default_of(name).startswith("必填")}
    assert said == {name for name, told in VARIABLES.items() if told.default is REQUIRED}


def test_what_follows_from_others_is_told_in_words() -> None:
    assert [name for name, told in VARIABLES.items() if told.default is FOLLOWS and not told.usual] == []


def test_a_default_that_is_shown_can_be_written() -> None:
    """Operators copy the table into their file, and fill in what they need."""
    shown = {name: configuration.default_of(name) for name, told in VARIABLES.items() if not told.usual}
    assert [name for name, default in shown.items() if not default] == []
    written = {name: default for name, default in shown.items() if default not in {"必填", "空"}}
    refused = {}
    for name, default in written.items():
        try:
            assert VARIABLES[name].parse(default.replace(", ", ",")) == VARIABLES[name].default
        except ValueError as problem:
            refused[name] = str(problem)
    assert refused == {}


def test_no_cell_breaks_the_table() -> None:
    cells = [cell for told in VARIABLES.values() for cell in (told.meaning, told.example, told.usual)]
    assert [cell for cell in cells if "|" in cell or "\n" in cell] == []
    assert [name for name, told in VARIABLES.items() if not re.search("[\u4e00-\u9fff]", told.meaning)] == []


# Commands ---------------------------------------------------------------------------------------------------------------


def sections() -> dict[str, str]:
    text = (ROOT / "docs/operations/commands.md").read_text()
    return dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))


def test_operators_are_told_of_every_command_and_of_no_other() -> None:
    assert sorted(sections().keys() - DJANGOS) == NAMES_OF_OURS


@pytest.mark.parametrize("name", NAMES_OF_OURS)
def test_a_commands_section_has_an_example_and_its_own_options(name: str) -> None:
    text = sections()[name]
    assert f"python manage.py {name}" in text
    parser = ours()[name].create_parser("manage.py", name)
    usual = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color"}
    usual |= {"--force-color", "--skip-checks", "--dry-run"}
    own = {option for action in parser._actions for option in action.option_strings if option.startswith("--")} - usual
    assert {option for option in own if option not in text} == set()
    # And what it shows can be typed.
    shown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))))
    assert shown - own - usual == set()


# Links ------------------------------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """Of its headings, as GitHub makes them: lower case, words joined by hyphens, without punctuation."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = [
        re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line) for line in re.findall(r"^#+ +(.+?) *$", plain, re.MULTILINE)
    ]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(document: Path, text: str) -> list[str]:
    """The relative links that lead to no file, or to a heading that is not there."""
    found = []
    for link in re.findall(r"\[[^]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)", re.sub(r"`[^`\n]*`", "", text)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target.read_text())):
            found.append(link)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    assert broken(document, document.read_text()) == []


def test_a_link_that_leads_nowhere_is_seen() -> None:
    text = "[a](none.md) [b](README.md#没有) [c](#没有) [d](README.md) [e](https://example.cn/#x) `[f](none.md)`"
    assert broken(ROOT / "docs/operations/README.md", text) == ["none.md", "README.md#没有", "#没有"]


def test_every_page_of_the_operators_is_in_their_index() -> None:
    room = ROOT / "docs/operations"
    index = (room / "README.md").read_text()
    assert [path.name for path in room.glob("*.md") if path.name != "README.md" and f"({path.name})" not in index] == []


def test_the_adrs_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs/adr").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
