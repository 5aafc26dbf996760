"""The sandbox as a Django app."""

from django.apps import AppConfig


class IdentitySandboxConfig(AppConfig):
    name = "identity_sandbox"
    default_auto_field = "django.db.models.BigAutoField"
