"""Operations for migrations that run while the portal is being used: on PostgreSQL they stop nobody from writing.

On SQLite, which has no second writer, each does what Django's own does. All of them bear being run again after they were
interrupted, and need `atomic = False`; scripts/migrations.py asks for them once a release is out.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.postgres.operations import NotInTransactionMixin
from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import CheckConstraint, QuerySet, UniqueConstraint

PIECE = 1000  # rows that one transaction of a data migration changes


def online(editor: BaseDatabaseSchemaEditor) -> bool:
    return editor.connection.vendor == "postgresql"


def found(editor: BaseDatabaseSchemaEditor, question: str, *values: Any) -> bool:
    """What an interrupted run has left. Whoever only collects the SQL is shown all of it."""
    if editor.collect_sql:
        return False
    with editor.connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchone() is not None


def build_index(editor: BaseDatabaseSchemaEditor, name: str, statement: Any) -> None:
    """CREATE INDEX CONCURRENTLY, unless it is there. One that was broken off lies there invalid and goes first.

    It waits for whatever transaction was there before it, and holds nobody up meanwhile: no lock_timeout here.
    """
    index = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid = %s"
    if found(editor, index, editor.quote_name(name), True):
        return
    editor.execute("SET lock_timeout = 0")
    if found(editor, index, editor.quote_name(name), False):
        editor.execute(f"DROP INDEX CONCURRENTLY {editor.quote_name(name)}")
    editor.execute(statement)


def bounded_again(editor: BaseDatabaseSchemaEditor) -> None:
    """What `migrate` has set for the session (competition_portal/migrating.py) holds once more."""
    from django.conf import settings

    editor.execute(f"SET lock_timeout = {settings.MIGRATION_LOCK_TIMEOUT * 1000}")


class OnTableOfOthers:
    """Before an operation: it is carried out although the model is not managed, that is, its table is made elsewhere."""

    def allow_migrate_model(self, connection_alias: str, model: Any) -> bool:
        return True


class AddIndexOnline(NotInTransactionMixin, migrations.AddIndex):
    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not online(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        elif self.allow_migrate_model(schema_editor.connection.alias, model):
            self._ensure_not_in_transaction(schema_editor)
            statement = self.index.create_sql(model, schema_editor, concurrently=True)
            build_index(schema_editor, self.index.name, statement)
            bounded_again(schema_editor)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if online(schema_editor):
            self._ensure_not_in_transaction(schema_editor)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}")
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class RemoveIndexOnline(NotInTransactionMixin, migrations.RemoveIndex):
    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if online(schema_editor):
            self._ensure_not_in_transaction(schema_editor)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.name)}")
        else:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddConstraintOnline(NotInTransactionMixin, migrations.AddConstraint):
    """A check is added NOT VALID, then validated: two short steps. A unique one is first an index, built beside."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not online(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        elif self.allow_migrate_model(schema_editor.connection.alias, model):
            self._ensure_not_in_transaction(schema_editor)
            if isinstance(self.constraint, CheckConstraint):
                self.check(model, schema_editor)
            elif isinstance(self.constraint, UniqueConstraint):
                self.unique(model, self.constraint, schema_editor)
            else:
                raise NotImplementedError(f"{type(self.constraint).__name__} cannot be added while the portal runs")

    def there(self, editor: Any) -> bool:
        return found(editor, "SELECT 1 FROM pg_constraint WHERE conname = %s", self.constraint.name)

    def check(self, model: Any, editor: Any) -> None:
        if not self.there(editor):
            editor.execute(f"{self.constraint.create_sql(model, editor)} NOT VALID")
        table, name = map(editor.quote_name, (model._meta.db_table, self.constraint.name))
        editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")

    def unique(self, model: Any, constraint: UniqueConstraint, editor: Any) -> None:
        if self.there(editor):
            return
        table, name = map(editor.quote_name, (model._meta.db_table, constraint.name))
        statement = str(constraint.create_sql(model, editor))
        begun = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} "
        if statement.startswith("CREATE UNIQUE INDEX "):
            build_index(editor, constraint.name, begun + statement.split(f" ON {table} ", 1)[1])
        else:
            columns = [editor.quote_name(model._meta.get_field(each).column) for each in constraint.fields]
            build_index(editor, constraint.name, f"{begun}({', '.join(columns)})")
            editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")
        bounded_again(editor)


class AddForeignKeyOnline(NotInTransactionMixin, migrations.AddField):
    """A nullable foreign key: the bare column, its constraint NOT VALID, validated, then its index built beside."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not online(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        elif self.allow_migrate_model(schema_editor.connection.alias, model):
            self._ensure_not_in_transaction(schema_editor)
            self.build(model, model._meta.get_field(self.name), schema_editor)

    def build(self, model: Any, field: Any, editor: Any) -> None:
        if not field.null:
            raise NotImplementedError("a foreign key that is added while the portal runs begins nullable")
        table, column = map(editor.quote_name, (model._meta.db_table, field.column))
        kind = field.db_parameters(editor.connection)["type"]
        editor.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {kind} NULL")
        key = editor._create_fk_sql(model, field, "_fk_%(to_table)s_%(to_column)s")
        name = str(key.parts["name"])
        if not found(editor, "SELECT 1 FROM pg_constraint WHERE conname = %s", name.strip('"')):
            editor.execute(f"{key} NOT VALID")
        editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        if field.db_index:
            statement = editor._create_index_sql(model, fields=[field], concurrently=True)
            build_index(editor, str(statement.parts["name"]).strip('"'), statement)
            bounded_again(editor)


def in_batches(
    app_label: str, model_name: str, change: Callable[[QuerySet[Any]], object], *, size: int = PIECE
) -> migrations.RunPython:
    """`change(rows)` for `size` rows at a time in the order of the primary key, each time in a transaction of its own.

    An interrupted one begins anew, so `change` must bear being given rows that it has changed: let it filter.
    """

    def forwards(apps: Any, schema_editor: Any) -> None:
        alias = schema_editor.connection.alias
        rows = apps.get_model(app_label, model_name)._base_manager.using(alias)
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:size])
        while keys:
            with transaction.atomic(using=alias):
                change(rows.filter(pk__gte=keys[0], pk__lte=keys[-1]))
            keys = list(rows.order_by("pk").filter(pk__gt=keys[-1]).values_list("pk", flat=True)[:size])

    forwards.bounded = True  # type: ignore[attr-defined]  # what the linter asks
    return migrations.RunPython(forwards, migrations.RunPython.noop)
