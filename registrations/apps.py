"""The registrations app; it listens to profiles and plans, which do not know it."""

from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = "报名"

    def ready(self) -> None:
        from django.core import checks

        from accounts import personal_data, retention
        from plans.signals import deadlines_moved, decisions_published, photo_requirements_changed, plan_copied
        from profiles.models import profile_changed
        from registrations import (  # noqa: F401  (bulk, export_jobs: the worker must know what a job does)
            bulk,
            carried,
            deadlines,
            export_jobs,
            message_data,
            photo_fit,
            publishing,
            return_reasons,
            telling_checks,
        )
        from registrations.intake import flow
        from registrations.personal_data import EXTENSIONS, HOLDING, JOBS
        from registrations.removal import PARTS

        personal_data.register(HOLDING, EXTENSIONS, JOBS, message_data.HOLDING)
        retention.register(*PARTS, *carried.PARTS, message_data.PART)

        profile_changed.connect(flow, dispatch_uid="registrations.intake.flow")
        deadlines_moved.connect(deadlines.tell, dispatch_uid="registrations.deadlines.tell")
        decisions_published.connect(publishing.published, dispatch_uid="registrations.publishing.published")
        plan_copied.connect(return_reasons.copy, dispatch_uid="registrations.return_reasons.copy")
        photo_requirements_changed.connect(photo_fit.tell, dispatch_uid="registrations.photo_fit.tell")
        checks.register(telling_checks.check, checks.Tags.security, deploy=True)
