"""Accounts as a Django app, with the checks of its settings."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.core.checks import Tags, register
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.db.models.signals import post_migrate


def make_cache_table(using: str, **kwargs: Any) -> None:
    """Whoever has migrated has the table of the shared cache, where that is in the database; no step to forget."""
    call_command("createcachetable", database=using, verbosity=0)


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "账号与身份"

    def ready(self) -> None:
        from accounts import checks, holdings, personal_data, refusals, retention, sessions

        got_request_exception.connect(refusals.on_request_exception, dispatch_uid="accounts.refusals")
        personal_data.register(*holdings.HOLDINGS)
        retention.register(*retention.PARTS)
        post_migrate.connect(make_cache_table, sender=self, dispatch_uid="accounts.cache_table")
        user_logged_in.connect(sessions.begin, dispatch_uid="accounts.sessions")
        for check in checks.CHECKS:
            register(check, Tags.security, deploy=True)
