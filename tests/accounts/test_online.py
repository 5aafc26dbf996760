"""The operations that run beside a portal that is used do what Django's do, on both databases, and bear an interruption."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import Q

from accounts.online import AddConstraintOnline, AddForeignKeyOnline, AddIndexOnline, RemoveIndexOnline

pytestmark = pytest.mark.django_db(transaction=True)

INDEX = AddIndexOnline("note", models.Index(fields=["text"], name="note_text"))
CHECK = AddConstraintOnline("note", models.CheckConstraint(condition=Q(number__gte=0), name="note_number"))
UNIQUE = AddConstraintOnline("note", models.UniqueConstraint(fields=["text", "number"], name="note_once"))
ONE_OPEN = AddConstraintOnline(
    "note", models.UniqueConstraint(fields=["text"], condition=Q(number=0), name="note_one_open")
)
KEY = AddForeignKeyOnline("note", "plan", models.ForeignKey("plans.Plan", models.CASCADE, null=True))
postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite builds nothing beside")


class Table:
    """A table of its own, with two rows, in a state that goes along with what is applied."""

    def __init__(self) -> None:
        self.state = MigrationLoader(connection).project_state()
        fields = [("id", models.BigAutoField(primary_key=True)), ("text", models.TextField()), ("number", number())]
        self.apply(migrations.CreateModel("Note", fields))
        self.model.objects.create(text="a", number=0)
        self.model.objects.create(text="b", number=1)

    @property
    def model(self) -> Any:
        return self.state.apps.get_model("plans", "Note")

    def apply(self, operation: Operation, again: bool = False) -> None:
        """As the migration of one operation. `again`: as if the first time had not been written down."""
        migration = migrations.Migration("9999_planted", "plans")
        migration.operations, migration.atomic = [operation], False
        before = self.state.clone()
        with connection.schema_editor(atomic=False) as editor:
            self.state = migration.apply(self.state, editor)
        if again:
            self.state = before

    def constraints(self) -> dict[str, Any]:
        with connection.cursor() as cursor:
            return connection.introspection.get_constraints(cursor, "plans_note")


def number() -> models.IntegerField:
    return models.IntegerField(null=True)


@pytest.fixture
def table() -> Iterator[Table]:
    made = Table()
    yield made
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE plans_note")


def refuses(table: Table, **values: Any) -> bool:
    try:
        table.model.objects.create(**values)
    except IntegrityError:
        return True
    return False


WORKS: dict[str, tuple[Operation, Callable[[Table], bool]]] = {
    "index": (INDEX, lambda table: table.constraints()["note_text"]["columns"] == ["text"]),
    "check": (CHECK, lambda table: refuses(table, text="c", number=-1) and not refuses(table, text="c", number=2)),
    "unique": (UNIQUE, lambda table: refuses(table, text="a", number=0) and not refuses(table, text="a", number=5)),
    "unique under a condition": (
        ONE_OPEN,
        lambda table: refuses(table, text="a", number=0) and not refuses(table, text="b", number=1),
    ),
    "foreign key": (
        KEY,
        lambda table: (
            any(
                found["foreign_key"] == ("plans_plan", "id") and found["columns"] == ["plan_id"]
                for found in table.constraints().values()
            )
            and any(found["index"] and found["columns"] == ["plan_id"] for found in table.constraints().values())
        ),
    ),
}


@pytest.mark.parametrize("kind", WORKS)
def test_it_does_what_its_name_says(kind: str, table: Table) -> None:
    operation, works = WORKS[kind]
    table.apply(operation)
    assert works(table)


@postgres
@pytest.mark.parametrize("kind", WORKS)
def test_done_and_not_written_down_it_is_done_again_without_harm(kind: str, table: Table) -> None:
    operation, works = WORKS[kind]
    table.apply(operation, again=True)
    before = table.constraints()
    table.apply(operation)
    assert table.constraints() == before
    assert works(table)


@postgres
@pytest.mark.parametrize("operation", [UNIQUE, ONE_OPEN], ids=["unique", "under a condition"])
def test_an_index_that_was_broken_off_is_removed_and_built_anew(operation: Operation, table: Table) -> None:
    twice = table.model.objects.create(text="a", number=0)
    before = table.state.clone()
    with pytest.raises(IntegrityError):
        table.apply(operation)
    table.state = before
    assert validity(operation) == [(False,)]
    twice.delete()
    table.apply(operation)
    assert validity(operation) == [(True,)]
    assert refuses(table, text="a", number=0)


def validity(operation: Any) -> list[tuple[bool]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [operation.constraint.name]
        )
        return cursor.fetchall()


def test_an_index_goes_as_it_came(table: Table) -> None:
    table.apply(INDEX)
    table.apply(RemoveIndexOnline("note", "note_text"))
    assert "note_text" not in table.constraints()


@postgres
def test_no_check_is_added_that_the_rows_there_break(table: Table) -> None:
    table.model.objects.create(text="c", number=-5)
    with pytest.raises(IntegrityError):
        table.apply(CHECK)
