"""Django's SECURE_CSP: nothing but our own, and the two strangers whom the portal needs."""

from urllib.parse import urlsplit

from django.utils.csp import CSP

REPORT_PATH = "/csp-report/"  # competition_portal/csp_reports.py
REPORT_GROUP = "csp"


def origin_of(address: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(address))


def policy_of(platform_origin: str, store_origins: list[str]) -> dict[str, list[str]]:
    """`store_origins` is where browsers fetch photos from, beside us."""
    return {
        "default-src": [CSP.SELF],
        "script-src": [CSP.SELF],
        "style-src": [CSP.SELF],
        # data: for the icons in Bootstrap's style sheet; blob: for the photo that is shown before it is sent
        "img-src": [CSP.SELF, "data:", "blob:", *store_origins],
        "object-src": [CSP.NONE],
        "base-uri": [CSP.NONE],
        "frame-ancestors": [CSP.NONE],
        # signing out posts here and is sent on to the platform
        "form-action": [CSP.SELF, platform_origin],
        # the older way to report and the newer one: browsers that know the second ignore the first
        "report-uri": [REPORT_PATH],
        "report-to": [REPORT_GROUP],
    }
