from django.db import migrations, models

from accounts.online import AddIndexOnline, OnTableOfOthers


class AddIndex(OnTableOfOthers, AddIndexOnline):
    pass


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0007_whose_a_session_is")]
    operations = [AddIndex("Session", models.Index(fields=["account"], name="session_account"))]
