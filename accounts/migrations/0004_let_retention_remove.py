"""PostgreSQL lets the end of a retention remove lines of a record; nothing else, and a change never."""

from django.db import migrations

from accounts.append_only import FUNCTION


def replace(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION, None)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_who_did_what_from_where")]
    operations = [migrations.RunPython(replace, migrations.RunPython.noop)]
