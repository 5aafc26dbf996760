"""A column in Django's table of sessions. The release of before does not know it, and leaves it NULL in the rows that it writes."""

from django.db import migrations, models

from accounts.online import OnTableOfOthers


class AddField(OnTableOfOthers, migrations.AddField):
    pass


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_sent_forms"), ("sessions", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "db_table": "django_session",
                "abstract": False,
                "managed": False,
            },
        ),
        AddField("Session", "account", models.BigIntegerField(editable=False, null=True)),
    ]
