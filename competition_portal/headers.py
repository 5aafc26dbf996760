"""What every answer tells the browser to keep to, whoever made the answer and however early it was refused."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from competition_portal.csp_settings import REPORT_GROUP, REPORT_PATH

# Nothing of this is used: the photo is chosen as a file, not taken by a script.
UNUSED = (
    *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation"),
    *("gyroscope", "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-get"),
    *("screen-wake-lock", "sync-xhr", "usb", "xr-spatial-tracking"),
)
HEADERS = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
    "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
    "Reporting-Endpoints": f'{REPORT_GROUP}="{REPORT_PATH}"',
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": settings.X_FRAME_OPTIONS,
    "Cache-Control": "private, no-store",
}


class HeadersMiddleware:
    """Outside of Django's own middleware for headers: what fails in one of them passes none of those further in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response
