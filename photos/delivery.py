"""Deliver a picture from the private storage. Who may see it is the caller's question, asked before."""

import logging
from http import HTTPStatus

from django.db.models.fields.files import FieldFile
from django.http import HttpResponse

from photos.models import Portrait, Upload

logger = logging.getLogger(__name__)


def deliver(portrait: Portrait) -> HttpResponse:
    """The portrait as a private picture. Who may see it is the caller's question, asked before."""
    return _deliver_file(portrait.file)


def deliver_upload(upload: Upload) -> HttpResponse:
    """The working copy as a private picture. It is its owner's alone, which the caller has made sure of."""
    return _deliver_file(upload.file)


def deliver_preview(upload: Upload) -> HttpResponse:
    """The small picture that the crop page shows; the working copy where there is none yet."""
    return _deliver_file(upload.preview or upload.file)


def _deliver_file(file: FieldFile) -> HttpResponse:
    try:
        with file.open("rb") as opened:
            response = HttpResponse(opened.read(), content_type="image/jpeg")
    except FileNotFoundError:
        logger.error("The photo file %s is missing from the storage.", file.name)
        response = _unavailable("找不到这张照片的文件，请联系组委会。", HTTPStatus.NOT_FOUND)
    except Exception:
        logger.exception("The photo file %s could not be read from the storage.", file.name)
        response = _unavailable("照片暂时无法显示，请过几分钟再试。", HTTPStatus.SERVICE_UNAVAILABLE)
    response["Content-Disposition"] = "inline"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _unavailable(sentence: str, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
