"""PostgreSQL refuses to change or remove a line of the trail."""

from django.db import migrations

from accounts.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("registrations", "0001_initial"), ("accounts", "0002_guard_audit")]
    operations = [guard("registrations_reviewevent")]
