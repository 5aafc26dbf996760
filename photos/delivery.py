"""Deliver a picture from the private storage. Who may see it is the caller's question, asked before."""

import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import HttpResponse, HttpResponseRedirect

from photos.models import Portrait, Upload

logger = logging.getLogger(__name__)

KIND = "image/jpeg"
PRIVATE = "private, no-store"
SIGNED_SECONDS = 60


def deliver(portrait: Portrait) -> HttpResponse:
    """The portrait as a private picture. Who may see it is the caller's question, asked before."""
    return _deliver_file(portrait.file)


def deliver_upload(upload: Upload) -> HttpResponse:
    """The working copy as a private picture. It is its owner's alone, which the caller has made sure of."""
    return _deliver_file(upload.file)


def deliver_preview(upload: Upload) -> HttpResponse:
    """The small picture that the crop page shows; the working copy where there is none yet.

    Never from another origin: a canvas with such a picture on it cannot be read any more.
    """
    return _deliver_file(upload.preview or upload.file, same_origin=True)


def delivered(answer: HttpResponse) -> bool:
    """Whether the person gets the picture, be it by a second request: not the sentence that there is none."""
    return answer.status_code in {HTTPStatus.OK, HTTPStatus.FOUND}


def _deliver_file(file: FieldFile, *, same_origin: bool = False) -> HttpResponse:
    way = settings.PHOTO_DELIVERY
    if way == "signed" and same_origin:
        way = "app"
    try:
        response = WAYS[way](file)
    except FileNotFoundError:
        logger.error("The photo file %s is missing from the storage.", file.name)
        response = _unavailable("找不到这张照片的文件，请联系组委会。", HTTPStatus.NOT_FOUND)
    except Exception:
        logger.exception("The photo file %s could not be read from the storage.", file.name)
        response = _unavailable("照片暂时无法显示，请过几分钟再试。", HTTPStatus.SERVICE_UNAVAILABLE)
    response["Content-Disposition"] = "inline"
    response["Cache-Control"] = PRIVATE
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _by_the_portal(file: FieldFile) -> HttpResponse:
    with file.open("rb") as opened:
        return HttpResponse(opened.read(), content_type=KIND)


def _by_the_proxy(file: FieldFile) -> HttpResponse:
    """nginx replaces this empty answer by the file: X-Accel-Redirect, to a location that it marks as internal."""
    if not file.storage.exists(str(file.name)):
        raise FileNotFoundError(file.name)
    response = HttpResponse(content_type=KIND)
    response["X-Accel-Redirect"] = settings.PHOTO_ACCEL_PREFIX + quote(str(file.name))
    return response


def _by_the_store(file: FieldFile) -> HttpResponse:
    """An address of the object store that ends in a minute. Whether the file is there is the store's answer."""
    store: Any = file.storage
    address = store.signed_url(
        str(file.name),
        SIGNED_SECONDS,
        ResponseContentType=KIND,
        ResponseContentDisposition="inline",
        ResponseCacheControl=PRIVATE,
    )
    return HttpResponseRedirect(address)


WAYS = {"app": _by_the_portal, "accel": _by_the_proxy, "signed": _by_the_store}


def _unavailable(sentence: str, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
