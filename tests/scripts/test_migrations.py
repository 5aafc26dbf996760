"""Planted migrations of each bad kind are named by the linter, and their safe counterparts are let through.

Only PostgreSQL: the SQL that is judged is its own, and the linter asks its tables.
"""

from pathlib import Path

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import F, Q

from accounts.append_only import guard
from accounts.online import AddConstraintOnline, AddForeignKeyOnline, AddIndexOnline, RemoveIndexOnline, in_batches
from scripts import migrations as linter

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        "sqlite" in linter.os.environ.get("DATABASE_URL", "sqlite"), reason="only PostgreSQL: its own SQL"
    ),
]

SHORT = models.Index(fields=["title"], name="plan_title")
BOUNDS = models.CheckConstraint(condition=Q(photo_source_width__gte=0), name="plan_width")
UNIQUE = models.UniqueConstraint(fields=["title"], name="plan_one_title")
ONE_LIVE = models.UniqueConstraint(fields=["title"], condition=Q(code="x"), name="plan_one_live_title")
USER = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")


def number(**options) -> models.IntegerField:
    return models.IntegerField(**options)


def drop(what: str) -> migrations.RunSQL:
    return migrations.RunSQL(f"ALTER TABLE plans_plan DROP COLUMN {what}")


def forget(field: str) -> migrations.SeparateDatabaseAndState:
    return migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("plan", field)])


def rules(*operations: Operation, atomic: bool = True, released=None) -> list[str]:
    """What the linter calls a migration of these, on top of all there are, beside the release as it is now."""
    migration = migrations.Migration("9999_planted", "plans")
    migration.operations, migration.atomic = list(operations), atomic
    loader = MigrationLoader(connection)
    state = loader.project_state()
    lines = list(linter.judge(migration, state, released or state.clone(), connection))
    assert all(line.startswith("plans.9999_planted：") for line in lines)
    return [line.split("：")[1] for line in lines]


BAD = {
    "a required column that the old release does not write": (
        [migrations.AddField("plan", "extra", number(default=3))],
        ["ban-drop-default"],
    ),
    "a default that rewrites the table": (
        [migrations.AddField("plan", "extra", models.UUIDField(db_default=models.Func(function="gen_random_uuid")))],
        ["adding-field-with-default"],
    ),
    "an index that blocks writers": ([migrations.AddIndex("plan", SHORT)], ["require-concurrent-index-creation"]),
    "a check that scans under a lock": ([migrations.AddConstraint("plan", BOUNDS)], ["constraint-missing-not-valid"]),
    "a unique constraint": (
        [migrations.AddConstraint("plan", UNIQUE)],
        ["constraint-missing-not-valid", "disallowed-unique-constraint"],
    ),
    "a unique index": ([migrations.AddConstraint("plan", ONE_LIVE)], ["require-concurrent-index-creation"]),
    "a foreign key": (
        [migrations.AddField("plan", "boss", USER)],
        ["adding-foreign-key-constraint", "require-concurrent-index-creation"],
    ),
    "a changed type": (
        [migrations.AlterField("plan", "title", models.TextField(db_index=True))],
        ["require-concurrent-index-creation"],
    ),
    "a shorter text": (
        [migrations.AlterField("plan", "title", models.CharField(max_length=9))],
        ["changing-column-type"],
    ),
    "a number that becomes a big one": (
        [migrations.AlterField("plan", "photo_height", models.BigIntegerField())],
        ["changing-column-type"],
    ),
    "NOT NULL on what may be null": (
        [migrations.AlterField("plan", "decisions_published_at", models.DateTimeField())],
        ["set-not-null"],
    ),
    "a renamed column": ([migrations.RenameField("plan", "title", "name")], ["renaming", "required-leftover"]),
    "a renamed table": ([migrations.AlterModelTable("invitation", "plans_invite")], ["renaming"]),
    "a removed column": ([migrations.RemoveField("plan", "organiser")], ["still-used"]),
    "a removed table": ([migrations.DeleteModel("Invitation")], ["still-used"]),
    "a removed column by hand": ([drop("organiser")], ["still-used"]),
    "a forgotten column that wants a value": ([forget("organiser")], ["required-leftover"]),
    "a required column by hand": (
        [migrations.RunSQL("ALTER TABLE plans_plan ADD COLUMN extra integer NOT NULL")],
        ["adding-required-field"],
    ),
    "rows changed by SQL in one go": ([migrations.RunSQL("UPDATE plans_plan SET title = ''")], ["data-in-one-go"]),
    "rows changed by Python in one go": (
        [migrations.RunPython(lambda apps, editor: None)],
        ["data-in-one-go"],
    ),
    "batches in one transaction": (
        [in_batches("plans", "Plan", lambda rows: rows.update(title=F("title")))],
        ["one-transaction"],
    ),
    "a lock on a table": ([migrations.RunSQL("LOCK TABLE plans_plan")], ["locks-the-table"]),
    "an index dropped under a lock": (
        [migrations.RunSQL("DROP INDEX plan_title")],
        ["require-concurrent-index-deletion"],
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_would_hurt_is_named(kind: str) -> None:
    operations, expected = BAD[kind]
    assert sorted(rules(*operations)) == expected


@pytest.mark.django_db(transaction=True)  # what is not atomic cannot be looked at inside a transaction
def test_a_half_of_a_migration_without_a_transaction_is_named() -> None:
    field = migrations.AddField("plan", "extra", number(null=True))
    assert rules(field, AddIndexOnline("plan", SHORT), atomic=False) == ["half-done"]


GOOD = {
    "a column that may be empty": [migrations.AddField("plan", "extra", number(null=True))],
    "a column with a default of the database": [migrations.AddField("plan", "extra", number(db_default=3))],
    "a longer text": [migrations.AlterField("plan", "title", models.CharField(max_length=900))],
    "nothing but words": [migrations.AlterField("plan", "photo_height", models.PositiveIntegerField("高"))],
    "a new table with all it needs": [
        migrations.CreateModel(
            "Note",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("plan", models.ForeignKey("plans.Plan", models.CASCADE)),
                ("text", models.TextField()),
            ],
            options={"constraints": [models.UniqueConstraint(fields=["plan", "text"], name="one_note")]},
        ),
        migrations.AddIndex("note", models.Index(fields=["text"], name="note_text")),
        guard("plans_note"),
    ],
    "a column that may be forgotten": [forget("decisions_published_at")],
}


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_safe_is_let_through(kind: str) -> None:
    assert rules(*GOOD[kind]) == []


ONLINE = {
    "index": AddIndexOnline("plan", SHORT),
    "removed index": RemoveIndexOnline("plan", "plan_title"),
    "check": AddConstraintOnline("plan", BOUNDS),
    "unique": AddConstraintOnline("plan", UNIQUE),
    "unique under a condition": AddConstraintOnline("plan", ONE_LIVE),
    "foreign key": AddForeignKeyOnline("plan", "boss", USER),
    "batches": in_batches("plans", "Plan", lambda rows: rows.update(title=F("title"))),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ONLINE)
def test_what_is_done_beside_is_let_through(kind: str) -> None:
    before = [migrations.AddIndex("plan", SHORT)] if kind == "removed index" else []
    state = MigrationLoader(connection).project_state()
    for operation in before:
        operation.state_forwards("plans", state)
    migration = migrations.Migration("9999_planted", "plans")
    migration.operations, migration.atomic = [ONLINE[kind]], False
    assert list(linter.judge(migration, state, state.clone(), connection)) == []


def test_a_column_goes_one_release_after_the_models_have_forgotten_it() -> None:
    later = MigrationLoader(connection).project_state()
    migrations.RemoveField("plan", "organiser").state_forwards("plans", later)
    assert rules(drop("organiser"), released=later) == []
    assert rules(drop("organiser")) == ["still-used"]


def test_what_is_released_is_written_down_in_one_place_and_exists() -> None:
    loader = MigrationLoader(connection)
    first = linter.releases()[0]
    assert set(first["migrations"]) == set(linter.OURS)
    assert linter.ancestors(loader, first) <= set(loader.graph.nodes)
    assert linter.unreleased(loader) == {
        key for key in loader.graph.nodes if key[0] in linter.OURS and key not in linter.ancestors(loader, first)
    }


def test_a_release_is_written_down_and_what_is_older_stays(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "released.toml"
    file.write_text('# kept\n[[release]]\nname = "0.1.0"\n[release.migrations]\nplans = "0001_initial"\n')
    monkeypatch.setattr(linter, "RELEASED", file)
    loader = MigrationLoader(connection)
    linter.write_down("0.2.0", loader)
    old, new = linter.releases()
    assert old == {"name": "0.1.0", "migrations": {"plans": "0001_initial"}}
    assert set(new["migrations"]) == set(linter.OURS)
    assert file.read_text().startswith("# kept\n")
    assert ("plans", "0002_photo_requirements") in linter.unreleased(loader)
