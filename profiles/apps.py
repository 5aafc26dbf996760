"""The profiles app."""

from django.apps import AppConfig


class ProfilesConfig(AppConfig):
    name = "profiles"
    verbose_name = "个人基本信息"

    def ready(self) -> None:
        from accounts.personal_data import register
        from profiles.personal_data import HOLDING

        register(HOLDING)
