"""The portal as a Django app (for its checks and templates) and its admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    name = "competition_portal"


class PortalAdminConfig(AdminConfig):
    default_site = "competition_portal.admin.PortalAdminSite"
