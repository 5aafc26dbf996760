"""The portal as a Django app (for its checks and templates) and its admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    name = "competition_portal"
    verbose_name = "报名系统"

    def ready(self) -> None:
        from django.db.models.signals import pre_save
        from django_tasks_db.models import DBTaskResult

        from accounts import retention
        from competition_portal.task_records import FINISHED, keep_places_alone, keep_request_id

        retention.register(FINISHED)
        pre_save.connect(keep_request_id, sender=DBTaskResult, dispatch_uid="competition_portal.task_request_id")
        pre_save.connect(keep_places_alone, sender=DBTaskResult, dispatch_uid="competition_portal.task_records")


class PortalAdminConfig(AdminConfig):
    default_site = "competition_portal.admin.PortalAdminSite"
