"""Upload, crop, take over and deliver a photo, for any subject that has one."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from accounts import limits
from accounts.limits import LimitReached
from photos import cropping, pipeline, subjects
from photos.cropping import Frame
from photos.delivery import deliver, deliver_preview
from photos.findings import PhotoDoubtful
from photos.models import PhotoClosed, Portrait, StorageUnavailable, Upload
from photos.pipeline import PhotoRefused
from photos.subjects import Subject, refuse_if_closed
from photos.uploads import MAX_UPLOAD_BYTES, MEGABYTE, size_refusal

__all__ = ["PhotoClosed", "PhotoPages", "Subject"]

REFUSALS = (PhotoRefused, PhotoClosed, StorageUnavailable, LimitReached, PhotoDoubtful)
SAVED = "保存成功"
# The picture as it lies in the file, turned clockwise into the place that it then takes: SVG's `transform`.
TRANSFORMS = ["", "translate({height} 0) rotate(90)", "translate({width} {height}) rotate(180)",
              "translate(0 {width}) rotate(-90)"]  # fmt: skip


class PhotoPages:
    """The photo pages of one kind of subject.

    A subclass says how to find the subject; its `paths()` go under any prefix and namespace of their own:
    `path("photo/", include((ProfilePhotos().paths(), "photo")))`. Arguments of the prefix reach `find()`.
    """

    def find(self, request: HttpRequest, **kwargs: Any) -> Subject:
        """The subject that belongs to `request.user`, or Http404."""
        raise NotImplementedError

    def paths(self) -> list[URLPattern]:
        read = ["GET", "HEAD"]
        pages: list[tuple[str, Callable[..., HttpResponse], list[str], str]] = [
            ("", self.upload, [*read, "POST"], "upload"),
            ("again/", self.again, read, "again"),
            ("other/", self.use_other, ["POST"], "use_other"),
            ("crop/<uuid:upload>/", self.crop, [*read, "POST"], "crop"),
            ("crop/<uuid:upload>/image/", self.image, read, "image"),
            ("portrait/", self.portrait, read, "portrait"),
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
        """The form without a script, or the same form sent by static/js/upload.js, which asks for JSON."""
        subject = self._subject(request, kwargs)
        if request.method != "POST":
            return self._upload_page(request, subject, kwargs)
        by_script = request.get_preferred_type(["text/html", "application/json"]) == "application/json"
        try:
            refuse_if_closed(subject)
            upload = _received(request, subject)
        except REFUSALS as refusal:
            return _told(refusal) if by_script else self._upload_page(request, subject, kwargs, refusal)
        address = self._address(request, "crop", kwargs, upload=upload.pk)
        return JsonResponse({"next": address}) if by_script else redirect(address)

    def again(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """To the crop page of what there is already, or to the upload page where that is of no use."""
        subject = self._subject(request, kwargs)
        portrait = None if subject.photo_closed else subjects.cropped_again(subject)
        if portrait is None:
            return redirect(self._address(request, "upload", kwargs))
        return redirect(self._address(request, "crop", kwargs, upload=portrait.upload_id))

    def use_other(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The portrait that the person has elsewhere, as it is."""
        subject = self._subject(request, kwargs)
        other = subjects.other_portrait(subject)
        if other is None:
            raise Http404("no other portrait")
        try:
            refuse_if_closed(subject)
            if not subjects.fits(other, subject.photo_spec):
                raise PhotoRefused(subjects.unfit(other, subject.photo_spec))
            subject.set_portrait(other)
        except REFUSALS as refusal:
            return self._upload_page(request, subject, kwargs, refusal)
        return self._done(request, subject)

    def crop(self, request: HttpRequest, upload: UUID, **kwargs: Any) -> HttpResponse:
        subject = self._subject(request, kwargs)
        working_copy = _own_upload(request, upload)
        if request.method == "POST":
            return self._crop(request, subject, working_copy, kwargs)
        if subject.photo_closed:
            return redirect(self._address(request, "upload", kwargs))
        frame = cropping.first(subject, working_copy)
        try:
            working_copy.refuse_if_lost()
            cropping.refuse_if_small(working_copy, frame.turns, subject.photo_spec)
        except PhotoRefused as refusal:
            return self._upload_page(request, subject, kwargs, refusal)
        return self._crop_page(request, subject, working_copy, kwargs, frame)

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
        spec, frame, move = subject.photo_spec, cropping.first(subject, upload), request.POST.get("move")
        try:
            refuse_if_closed(subject)
            posted = cropping.posted(request.POST, upload, spec)
            if move in pipeline.MOVES or move in cropping.TURNS:
                frame = cropping.held(posted, upload, spec)  # stays where it cannot be turned
                return self._crop_page(request, subject, upload, kwargs, cropping.moved(frame, move, upload, spec))
            frame = cropping.fitted(posted, upload, spec)
            limits.CROP.claim(subject.photo_owner)
            _use(subject, upload.crop(frame.box, spec, frame.turns, cropping.confirmed(request.POST)))
        except REFUSALS as refusal:
            return self._crop_page(request, subject, upload, kwargs, frame, refusal)
        return self._done(request, subject)

    def _done(self, request: HttpRequest, subject: Subject) -> HttpResponse:
        messages.success(request, SAVED)
        return redirect(self.way_back(request, subject))

    def _upload_page(
        self, request: HttpRequest, subject: Subject, kwargs: dict[str, Any], refusal: Exception | None = None
    ) -> HttpResponse:
        portrait, other, waiting = subject.portrait, subjects.other_portrait(subject), subjects.waiting(subject)
        context = {
            "subject": subject,
            "way_back": self.way_back(request, subject),
            "spec": subject.photo_spec,
            "refusal": refusal,
            "file_refused": isinstance(refusal, PhotoRefused),
            "most_megabytes": MAX_UPLOAD_BYTES // MEGABYTE,
            "most_bytes": MAX_UPLOAD_BYTES,
            "upload_url": self._address(request, "upload", kwargs),
            "portrait_url": self._address(request, "portrait", kwargs) if portrait else "",
            "crop_again_url": self._crop_url(request, subject, portrait, kwargs),
            "other": other,
        }
        if waiting:
            context["waiting_image_url"] = self._address(request, "image", kwargs, upload=waiting.pk)
            context["crop_waiting_url"] = self._address(request, "crop", kwargs, upload=waiting.pk)
        if other and subjects.fits(other, subject.photo_spec):
            context["use_other_url"] = self._address(request, "use_other", kwargs)
        else:
            context["crop_other_url"] = self._crop_url(request, subject, other, kwargs)
        return _bearing(refusal, render(request, "photos/upload.html", context, status=_status(refusal)))

    def _crop_url(
        self, request: HttpRequest, subject: Subject, portrait: Portrait | None, kwargs: dict[str, Any]
    ) -> str:
        """Where to crop what this portrait was cropped from, or ""."""
        if portrait is None or not subjects.can_be_cropped(portrait, subject.photo_spec):
            return ""
        return self._address(request, "crop", kwargs, upload=portrait.upload_id)

    def _crop_page(
        self,
        request: HttpRequest,
        subject: Subject,
        upload: Upload,
        kwargs: dict[str, Any],
        frame: Frame,
        refusal: Exception | None = None,
    ) -> HttpResponse:
        width, height = pipeline.turned_size(upload.width, upload.height, frame.turns)
        context = {
            "subject": subject,
            "way_back": self.way_back(request, subject),
            "spec": subject.photo_spec,
            "least": subject.photo_spec.least_source,
            "upload": upload,
            "box": frame.box,
            "turns": frame.turns,
            "transform": TRANSFORMS[frame.turns].format(width=upload.width, height=upload.height),
            "width": width,
            "height": height,
            "refusal": refusal,
            "image_url": self._address(request, "image", kwargs, upload=upload.pk),
            "upload_url": self._address(request, "upload", kwargs),
        }
        if isinstance(refusal, PhotoDoubtful):
            codes = {finding.code for finding in refusal.findings} | cropping.confirmed(request.POST)
            context["doubts"] = refusal.findings
            blocked = any(finding.blocking for finding in refusal.findings)
            context["confirming"] = "" if blocked else ",".join(sorted(codes))
        return _bearing(refusal, render(request, "photos/crop.html", context, status=_status(refusal)))


def _status(refusal: Exception | None) -> HTTPStatus:
    if refusal is None:
        return HTTPStatus.OK
    if isinstance(refusal, StorageUnavailable):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(refusal, LimitReached):
        return HTTPStatus.TOO_MANY_REQUESTS
    return HTTPStatus.UNPROCESSABLE_ENTITY


def _told(refusal: Exception) -> HttpResponse:
    return _bearing(refusal, JsonResponse({"refusal": str(refusal)}, status=_status(refusal)))


def _bearing(refusal: Exception | None, response: HttpResponse) -> HttpResponse:
    if isinstance(refusal, LimitReached):
        response["Retry-After"] = str(refusal.retry_after)
    return response


def _own_upload(request: HttpRequest, upload: UUID) -> Upload:
    return get_object_or_404(Upload.objects.owned_by(request.user), pk=upload)


def _received(request: HttpRequest, subject: Subject) -> Upload:
    """The upload, or the one that has arrived under this number already. Raises one of REFUSALS."""
    owner, number = subject.photo_owner, _posted_number(request)
    if arrived := Upload.objects.arrived(owner, number):
        return arrived
    if request.FILES or size_refusal(request):
        limits.UPLOAD.claim(owner)
    return Upload.objects.receive(owner, _posted_file(request), subject.photo_spec, number)


def _posted_number(request: HttpRequest) -> UUID | None:
    """Made by static/js/upload.js; without it there is none, and garbage is none."""
    try:
        return UUID(request.POST.get("number", ""))
    except ValueError:
        return None


def _posted_file(request: HttpRequest) -> bytes:
    if sentence := size_refusal(request):
        raise PhotoRefused(sentence)
    file = request.FILES.get("photo")
    if file is None:
        raise PhotoRefused("还没有选择照片。请先点“浏览”选一张照片，再点“上传”。")
    return file.read()


def _use(subject: Subject, portrait: Portrait) -> None:
    try:
        subject.set_portrait(portrait)
    except PhotoClosed:
        portrait.discard()
        raise
