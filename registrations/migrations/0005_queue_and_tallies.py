"""The queue's indexes, and the counts that stand beside the registrations: filled with what there is."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def fill(apps, schema_editor):
    registrations, tallies = (apps.get_model("registrations", name).objects for name in ("Registration", "Tally"))
    counted = registrations.exclude(status="draft").order_by().values("plan", "occupation", "status")
    rows = [
        tallies.model(plan_id=row["plan"], occupation_id=row["occupation"], status=row["status"], count=row["number"])
        for row in counted.annotate(number=models.Count("pk"))
    ]
    tallies.bulk_create(rows, batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [
        ("registrations", "0004_return_reasons"),
        ("photos", "0003_one_row_for_each_file"),
        ("plans", "0002_photo_requirements"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "填写中"),
                            ("submitted", "待审核"),
                            ("returned", "退回修改"),
                            ("approved", "审核通过"),
                            ("rejected", "审核不通过"),
                            ("withdrawn", "已撤回"),
                        ],
                        max_length=10,
                    ),
                ),
                ("count", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.RemoveIndex(
            model_name="registration",
            name="registration_queue",
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["plan", "status", "submitted_at", "id", "occupation"], name="queue_of_status"),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["plan", "submitted_at", "id", "occupation"], name="queue_of_all"),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(
                fields=["plan", "occupation", "status", "submitted_at", "id"], name="queue_of_occupation"
            ),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["plan", "occupation", "submitted_at", "id"], name="queue_of_occupation_all"),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["plan", "legal_name"], name="queue_by_name"),
        ),
        migrations.AddField(
            model_name="tally",
            name="occupation",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="tallies", to="plans.occupation"
            ),
        ),
        migrations.AddField(
            model_name="tally",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="tallies", to="plans.plan"
            ),
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(
                condition=models.Q(("occupation__isnull", False)),
                fields=("plan", "occupation", "status"),
                name="one_tally_per_occupation",
            ),
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(
                condition=models.Q(("occupation__isnull", True)),
                fields=("plan", "status"),
                name="one_tally_without_occupation",
            ),
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.CheckConstraint(condition=models.Q(("count__gte", 0)), name="tally_not_negative"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
