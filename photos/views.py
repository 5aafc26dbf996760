"""Upload, crop and deliver a photo, for any subject that has one."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from accounts import limits
from accounts.limits import LimitReached
from photos import pipeline
from photos.delivery import deliver, deliver_preview
from photos.models import PhotoClosed, Portrait, StorageUnavailable, Upload
from photos.pipeline import Box, PhotoRefused
from photos.spec import PhotoSpec
from photos.uploads import MAX_UPLOAD_BYTES, MEGABYTE, size_refusal

__all__ = ["PhotoClosed", "PhotoPages", "Subject"]

REFUSALS = (PhotoRefused, PhotoClosed, StorageUnavailable, LimitReached)


class Subject(Protocol):
    """What has a photo: a profile, a registration."""

    portrait: Portrait | None

    @property
    def photo_spec(self) -> PhotoSpec: ...

    @property
    def photo_owner(self) -> Any: ...

    @property
    def photo_closed(self) -> str:
        """Why the photo may no longer be changed, as a sentence, or ""."""
        ...

    def get_photo_return_url(self) -> str: ...

    def set_portrait(self, portrait: Portrait) -> None:
        """Use and save this portrait, or raise PhotoClosed."""
        ...


class PhotoPages:
    """The photo pages of one kind of subject.

    A subclass says how to find the subject; its `paths()` go under any prefix and namespace of their own:
    `path("photo/", include((ProfilePhotos().paths(), "photo")))`. Arguments of the prefix reach `find()`.
    """

    def find(self, request: HttpRequest, **kwargs: Any) -> Subject:
        """The subject that belongs to `request.user`, or Http404."""
        raise NotImplementedError

    def paths(self) -> list[URLPattern]:
        pages: list[tuple[str, Callable[..., HttpResponse], list[str], str]] = [
            ("", self.upload, ["GET", "HEAD", "POST"], "upload"),
            ("crop/<uuid:upload>/", self.crop, ["GET", "HEAD", "POST"], "crop"),
            ("crop/<uuid:upload>/image/", self.image, ["GET", "HEAD"], "image"),
            ("portrait/", self.portrait, ["GET", "HEAD"], "portrait"),
        ]
        private = cache_control(private=True, no_store=True)
        return [
            path(route, require_http_methods(allowed)(private(page)), name=name) for route, page, allowed, name in pages
        ]

    def way_back(self, request: HttpRequest, subject: Subject) -> str:
        """Where to go when all is done, or when nothing shall be."""
        return subject.get_photo_return_url()

    # --- The pages ---

    def upload(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        subject = self._subject(request, kwargs)
        if request.method != "POST":
            return self._upload_page(request, subject, kwargs)
        try:
            _refuse_if_closed(subject)
            limits.UPLOAD.claim(subject.photo_owner)
            upload = Upload.objects.receive(subject.photo_owner, _posted_file(request), subject.photo_spec)
        except REFUSALS as refusal:
            return self._upload_page(request, subject, kwargs, refusal)
        return redirect(self._address(request, "crop", kwargs, upload=upload.pk))

    def crop(self, request: HttpRequest, upload: UUID, **kwargs: Any) -> HttpResponse:
        subject = self._subject(request, kwargs)
        working_copy = _own_upload(request, upload)
        if request.method == "POST":
            return self._crop(request, subject, working_copy, kwargs)
        if subject.photo_closed:
            return redirect(self._address(request, "upload", kwargs))
        return self._crop_page(request, subject, working_copy, kwargs, _first_box(subject, working_copy))

    def image(self, request: HttpRequest, upload: UUID, **kwargs: Any) -> HttpResponse:
        self._subject(request, kwargs)
        return deliver_preview(_own_upload(request, upload))

    def portrait(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        portrait = self._subject(request, kwargs).portrait
        if portrait is None:
            raise Http404("no portrait yet")
        return deliver(portrait)

    # --- Their parts ---

    def _subject(self, request: HttpRequest, kwargs: dict[str, Any]) -> Subject:
        subject = self.find(request, **kwargs)
        if subject.photo_owner != request.user:
            raise Http404("somebody else's photo")
        return subject

    def _address(self, request: HttpRequest, name: str, kwargs: dict[str, Any], **more: Any) -> str:
        """The address of a sibling page: the same namespace, the same subject."""
        namespace = request.resolver_match.namespace if request.resolver_match else ""
        address = reverse(f"{namespace}:{name}" if namespace else name, kwargs={**kwargs, **more})
        # What the first page was told of the way back goes along.
        query = request.GET.urlencode()
        return f"{address}?{query}" if query else address

    def _crop(self, request: HttpRequest, subject: Subject, upload: Upload, kwargs: dict[str, Any]) -> HttpResponse:
        spec, box = subject.photo_spec, _first_box(subject, upload)
        try:
            _refuse_if_closed(subject)
            posted = _posted_box(request.POST)
            if (move := request.POST.get("move")) in pipeline.MOVES:
                moved = pipeline.nudge(posted, move, upload.width, upload.height, spec)
                return self._crop_page(request, subject, upload, kwargs, moved)
            box = pipeline.fit_box(posted, upload.width, upload.height, spec)
            _use(subject, upload.crop(box, spec))
        except REFUSALS as refusal:
            return self._crop_page(request, subject, upload, kwargs, box, refusal)
        messages.success(request, "保存成功")
        return redirect(self.way_back(request, subject))

    def _upload_page(
        self, request: HttpRequest, subject: Subject, kwargs: dict[str, Any], refusal: Exception | None = None
    ) -> HttpResponse:
        portrait = subject.portrait
        context = {
            "subject": subject,
            "way_back": self.way_back(request, subject),
            "spec": subject.photo_spec,
            "refusal": refusal,
            "most_megabytes": MAX_UPLOAD_BYTES // MEGABYTE,
            "most_bytes": MAX_UPLOAD_BYTES,
            "portrait_url": self._address(request, "portrait", kwargs) if portrait else "",
        }
        if portrait and portrait.upload_id:
            context["crop_again_url"] = self._address(request, "crop", kwargs, upload=portrait.upload_id)
        response = render(request, "photos/upload.html", context, status=_status(refusal))
        if isinstance(refusal, LimitReached):
            response["Retry-After"] = str(refusal.retry_after)
        return response

    def _crop_page(
        self,
        request: HttpRequest,
        subject: Subject,
        upload: Upload,
        kwargs: dict[str, Any],
        box: Box,
        refusal: Exception | None = None,
    ) -> HttpResponse:
        context = {
            "subject": subject,
            "way_back": self.way_back(request, subject),
            "spec": subject.photo_spec,
            "upload": upload,
            "box": box,
            "refusal": refusal,
            "image_url": self._address(request, "image", kwargs, upload=upload.pk),
            "upload_url": self._address(request, "upload", kwargs),
        }
        return render(request, "photos/crop.html", context, status=_status(refusal))


def _status(refusal: Exception | None) -> HTTPStatus:
    if refusal is None:
        return HTTPStatus.OK
    if isinstance(refusal, StorageUnavailable):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(refusal, LimitReached):
        return HTTPStatus.TOO_MANY_REQUESTS
    return HTTPStatus.UNPROCESSABLE_ENTITY


def _refuse_if_closed(subject: Subject) -> None:
    if subject.photo_closed:
        raise PhotoClosed(subject.photo_closed)


def _own_upload(request: HttpRequest, upload: UUID) -> Upload:
    return get_object_or_404(Upload.objects.owned_by(request.user), pk=upload)


def _posted_file(request: HttpRequest) -> bytes:
    if sentence := size_refusal(request):
        raise PhotoRefused(sentence)
    file = request.FILES.get("photo")
    if file is None:
        raise PhotoRefused("还没有选择照片。请先点“浏览”选一张照片，再点“上传”。")
    return file.read()


def _posted_box(post: QueryDict) -> Box:
    try:
        left, top, width = (int(post.get(name, "")[:9]) for name in ("left", "top", "width"))
    except ValueError:
        raise PhotoRefused("没有收到裁切框的位置。请移动裁切框后再保存一次。") from None
    return Box(left, top, width, 0)


def _first_box(subject: Subject, upload: Upload) -> Box:
    """Where the frame stands at first: where it stood when this upload was last cropped, or as suggested."""
    spec, portrait = subject.photo_spec, subject.portrait
    if portrait and portrait.upload_id == upload.pk and spec.box_height(portrait.box_width) == portrait.box_height:
        return portrait.box
    return pipeline.suggest_box(upload.width, upload.height, spec)


def _use(subject: Subject, portrait: Portrait) -> None:
    try:
        subject.set_portrait(portrait)
    except PhotoClosed:
        portrait.discard()
        raise
