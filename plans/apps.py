"""The plans app."""

from django.apps import AppConfig


class PlansConfig(AppConfig):
    name = "plans"
    verbose_name = "竞赛计划"

    def ready(self) -> None:
        from accounts.personal_data import register
        from plans.personal_data import HOLDING

        register(HOLDING)
