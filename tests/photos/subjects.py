"""A subject with a photo that is neither a profile nor a registration, and the addresses of its pages."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import include, path

from photos.models import PhotoClosed, Portrait
from photos.pipeline import DEFAULT_SPEC
from photos.spec import PhotoSpec
from photos.views import PhotoPages


@dataclass
class Badge:
    """Somebody's badge, kept in memory. `closing` closes it between the question and the answer."""

    name: str
    photo_owner: Any
    portrait: Portrait | None = None
    photo_closed: str = ""
    closing: str = ""
    photo_spec: PhotoSpec = DEFAULT_SPEC
    other_portrait: Portrait | None = None

    def get_photo_return_url(self) -> str:
        return f"/badges/{self.name}/"

    def set_portrait(self, portrait: Portrait) -> None:
        if self.closing:
            raise PhotoClosed(self.closing)
        self.portrait = portrait


BADGES: dict[str, Badge] = {}


class BadgePhotos(PhotoPages):
    def find(self, request: HttpRequest, **kwargs: Any) -> Badge:
        badge = BADGES.get(kwargs["name"])
        if badge is None or badge.photo_owner != request.user:
            raise Http404("no such badge")
        return badge


urlpatterns = [
    path("badges/<slug:name>/photo/", include((BadgePhotos().paths(), "photo"))),
    path("", include("competition_portal.urls")),  # base.html links to the portal's own pages
]
