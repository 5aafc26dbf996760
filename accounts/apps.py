"""Accounts as a Django app, with the checks of its settings."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.core.signals import got_request_exception


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "账号与身份"

    def ready(self) -> None:
        from accounts import checks, refusals

        got_request_exception.connect(refusals.on_request_exception, dispatch_uid="accounts.refusals")
        for check in checks.CHECKS:
            register(check, Tags.security, deploy=True)
