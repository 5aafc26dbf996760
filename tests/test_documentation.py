"""What the documentation says about the code is true: variables, commands, links."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from competition_portal.environment import DECLARED, REQUIRED

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("identity_sandbox/*.md")])
SETTINGS = re.findall(r'env\.read\(\s*"([A-Z0-9_]+)"', (ROOT / "competition_portal/settings.py").read_text())
# Only what the settings read: a test of read() itself declares more.
VARIABLES = {name: DECLARED[name] for name in SETTINGS}
OURS = {"accounts", "competition_portal", "photos", "plans", "profiles", "registrations"}


def rows() -> dict[str, str]:
    """The default of each variable in the table, in the table's order."""
    text = (ROOT / "docs/operations/configuration.md").read_text()
    return {
        name: default.strip()
        for name, default in re.findall(r"^\| `([A-Z0-9_]+)` \|[^|]*\|([^|]*)\|", text, re.MULTILINE)
    }


def test_the_table_of_variables_is_the_one_that_the_settings_read() -> None:
    assert list(rows()) == SETTINGS


def test_the_table_says_which_variables_must_be_set() -> None:
    said = {name for name, default in rows().items() if default.startswith("必填")}
    assert said == {name for name, variable in VARIABLES.items() if variable.default is REQUIRED}


def test_the_table_says_the_defaults_that_are_plain_values() -> None:
    plain = {
        name: str(variable.default).lower() if isinstance(variable.default, bool) else str(variable.default)
        for name, variable in VARIABLES.items()
        if isinstance(variable.default, (bool, int, str)) and name != "USE_HTTPS"
    }
    assert {name: rows()[name] for name in plain} == {name: value or "空" for name, value in plain.items()}


def test_operators_are_told_of_every_command() -> None:
    ours = {name for name, app in get_commands().items() if app in OURS}
    text = (ROOT / "docs/operations/README.md").read_text()
    assert ours == {name for name in ours if f"python manage.py {name}" in text}
    assert {"add_committee_member", "correct_identity", "demo", "grant_staff"} <= ours


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"(?<!!)\[[^]]*\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_the_adrs_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs/adr").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
