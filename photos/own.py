"""A person's own pictures, each by its number: what 我的数据 links to. Everybody else's do not exist."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.middleware import before_confirmation
from accounts.requests import signed_in
from photos.delivery import deliver, deliver_upload
from photos.models import Portrait, Upload


@require_safe
@before_confirmation
def upload(request: HttpRequest, upload: UUID) -> HttpResponse:
    return deliver_upload(get_object_or_404(Upload.objects.owned_by(signed_in(request)), pk=upload))


@require_safe
@before_confirmation
def portrait(request: HttpRequest, portrait: UUID) -> HttpResponse:
    return deliver(get_object_or_404(Portrait, owner=signed_in(request), pk=portrait))
