"""The migration operation by which PostgreSQL itself refuses to change or remove a line of a record.

One DELETE passes: that of a transaction which says that a retention has ended (accounts/models/append_only.py).
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('portal.retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'lines of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def guard(table: str) -> migrations.RunPython:
    """A trigger on `table` that refuses UPDATE and DELETE, on PostgreSQL; elsewhere the model's guard stands alone."""

    def install(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(FUNCTION, None)  # no parameters at all: its % is plpgsql's own
            schema_editor.execute(
                f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {schema_editor.quote_name(table)} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )

    def remove(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER append_only ON {schema_editor.quote_name(table)}")

    install.bounded = install.brief = True  # type: ignore[attr-defined]  # for scripts/migrations.py: it touches no row
    return migrations.RunPython(install, remove)
