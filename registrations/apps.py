"""The registrations app; it listens to profiles, which do not know it."""

from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = "报名"

    def ready(self) -> None:
        from profiles.models import profile_changed
        from registrations.intake import flow

        profile_changed.connect(flow, dispatch_uid="registrations.intake.flow")
