"""The registrations app; it listens to profiles and plans, which do not know it."""

from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = "报名"

    def ready(self) -> None:
        from accounts import personal_data, retention
        from plans.models import photo_requirements_changed
        from profiles.models import profile_changed
        from registrations import bulk, photo_fit  # noqa: F401  (bulk: the worker must know what a job does)
        from registrations.intake import flow
        from registrations.personal_data import HOLDING, JOBS
        from registrations.removal import PARTS

        personal_data.register(HOLDING, JOBS)
        retention.register(*PARTS)

        profile_changed.connect(flow, dispatch_uid="registrations.intake.flow")
        photo_requirements_changed.connect(photo_fit.tell, dispatch_uid="registrations.photo_fit.tell")
