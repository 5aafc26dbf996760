"""Every address of the portal, room by room."""

from django.contrib import admin
from django.urls import include, path

from competition_portal import health, metrics
from competition_portal.csp_reports import csp_report
from plans.views import front_door

urlpatterns = [
    path("", front_door, name="front"),
    path("accounts/", include("accounts.urls")),
    path("messages/", include("registrations.message_urls")),
    path("photos/", include("photos.urls")),
    path("plans/", include("plans.urls")),
    path("profile/", include("profiles.urls")),
    path("registrations/", include("registrations.urls")),
    path("admin/", admin.site.urls),
    path("csp-report/", csp_report, name="csp_report"),
    # In fact answered further out, by HealthMiddleware.
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics.page, name="metrics"),
]

handler400 = "competition_portal.errors.bad_request"
handler403 = "competition_portal.errors.permission_denied"
handler404 = "competition_portal.errors.not_found"
handler500 = "competition_portal.errors.server_error"
