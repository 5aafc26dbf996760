"""Where an audit line came from, who may read it, who agreed to what, and what was typed when a session ended."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.fields
from accounts.append_only import guard


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_guard_audit"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="address",
            field=models.CharField(blank=True, editable=False, max_length=45, verbose_name="来源地址"),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="request_id",
            field=models.CharField(blank=True, editable=False, max_length=32, verbose_name="请求编号"),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="subject",
            field=models.CharField(blank=True, db_index=True, editable=False, max_length=64, verbose_name="当事人"),
        ),
        migrations.AddField(
            model_name="user",
            name="is_auditor",
            field=models.BooleanField(
                default=False, help_text="可以在工作台查看操作记录，别的都不能做。", verbose_name="审计人员"
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="actor",
            field=models.CharField(db_index=True, editable=False, max_length=64, verbose_name="操作人"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="at",
            field=models.DateTimeField(
                db_index=True, default=django.utils.timezone.now, editable=False, verbose_name="时间"
            ),
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("notice", models.CharField(editable=False, max_length=20, verbose_name="告知的版本")),
                (
                    "at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="同意时间"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "同意记录",
                "verbose_name_plural": "同意记录",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="KeptForm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=200)),
                ("content", accounts.fields.EncryptedTextField()),
                ("kept_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kept_forms",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "没有保存的表单",
                "verbose_name_plural": "没有保存的表单",
                "constraints": [models.UniqueConstraint(fields=("user", "path"), name="one_kept_form_per_page")],
            },
        ),
        guard("accounts_consent"),
    ]
