"""The registrations app; it listens to profiles, which do not know it."""

from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = "报名"

    def ready(self) -> None:
        from accounts import personal_data, retention
        from profiles.models import profile_changed
        from registrations.intake import flow
        from registrations.personal_data import HOLDING
        from registrations.removal import PARTS

        personal_data.register(HOLDING)
        retention.register(*PARTS)

        profile_changed.connect(flow, dispatch_uid="registrations.intake.flow")
