"""The plans app."""

from django.apps import AppConfig


class PlansConfig(AppConfig):
    name = "plans"
    verbose_name = "竞赛计划"

    def ready(self) -> None:
        from accounts import personal_data, retention
        from plans.personal_data import HOLDING, PARTS

        personal_data.register(HOLDING)
        retention.register(*PARTS)
