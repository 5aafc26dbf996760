"""The releases of an upgrade under load (bench/rolling.py): this tree, and one to come with a schema of its own."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = [
    "accounts",
    "competition_portal",
    "photos",
    "plans",
    "profiles",
    "registrations",
    "templates",
    "static",
    "deploy",
]
# The later release: a column that its pages read, filled in batches, and an index beside.
LATER_MODEL = '    later_note = models.TextField(default="", db_default="", editable=False)\n'
LATER = {
    "plans/migrations/9001_later_note.py": """
from django.db import migrations, models
class Migration(migrations.Migration):
    dependencies = [("plans", "{plans}")]
    operations = [migrations.AddField("plan", "later_note", models.TextField(default="", db_default="", editable=False))]
""",
    "plans/migrations/9002_fill_later_note.py": """
from django.db import migrations
from django.db.models import F
from accounts.online import in_batches
class Migration(migrations.Migration):
    atomic = False
    dependencies = [("plans", "9001_later_note")]
    operations = [in_batches("plans", "Plan", lambda rows: rows.filter(later_note="").update(later_note=F("title")))]
""",
    "registrations/migrations/9001_later_index.py": """
from django.db import migrations, models
from accounts.online import AddIndexOnline
class Migration(migrations.Migration):
    atomic = False
    dependencies = [("registrations", "{registrations}")]
    operations = [AddIndexOnline("registration", models.Index(fields=["version", "id"], name="later_index"))]
""",
}


def later_release(folder: Path) -> Path:
    """A copy of this tree as a release to come has it."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "manage.py", folder)
    leaves = {app: newest_migration(app) for app in ("plans", "registrations")}
    for name, text in LATER.items():
        (folder / name).write_text(text.format(**leaves))
    models = folder / "plans/models/plans.py"
    text, number = re.subn(
        r"(?m)^(class Plan\(.*\n(?:.*\n)*?)(    title = )", rf"\1{LATER_MODEL}\2", models.read_text()
    )
    if number != 1:
        raise SystemExit(
            "plans/models/plans.py has no Plan.title any more: say in bench/releases.py where the column goes"
        )
    models.write_text(text)
    return folder


def newest_migration(app: str) -> str:
    return max(path.stem for path in (ROOT / app / "migrations").glob("0*.py"))


def migrate(release: Path) -> None:
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=release, check=True)  # noqa: S603
