"""What has a photo, and what it may take over from another photo of the same person."""

from typing import Any, Protocol

from django.utils import timezone

from photos.allowance import DAY
from photos.models import PhotoClosed, Portrait, Upload
from photos.pipeline import turned_size
from photos.spec import PhotoSpec


class Subject(Protocol):
    """What has a photo: a profile, a registration.

    It may also have an `other_portrait`: one that the same person has elsewhere and might want to use here.
    """

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


def refuse_if_closed(subject: Subject) -> None:
    if subject.photo_closed:
        raise PhotoClosed(subject.photo_closed)


def other_portrait(subject: Subject) -> Portrait | None:
    """The person's portrait elsewhere, unless it is in use here already."""
    other: Portrait | None = getattr(subject, "other_portrait", None)
    return None if other == subject.portrait else other


def fits(portrait: Portrait, spec: PhotoSpec) -> bool:
    """Whether it can be used as it is: made for such a spec, and its file not known to be lost."""
    return portrait.lost_at is None and spec.same_picture(portrait.made_for)


def unfit(portrait: Portrait, spec: PhotoSpec) -> str:
    """Why it cannot be used as it is, as a sentence, and what can be done instead."""
    what = "的文件找不到了" if portrait.lost_at else "不符合这里的要求"
    again = "重新裁切，或" if can_be_cropped(portrait, spec) else ""
    return f"这张照片{what}，没有使用。请{again}上传另一张照片。"


def can_be_cropped(portrait: Portrait, spec: PhotoSpec) -> bool:
    """Whether another portrait, for this spec, can be cut out of what it was cut from, which may be gone or lost."""
    upload = portrait.upload
    return upload is not None and upload.lost_at is None and large_enough(upload, portrait.turns, spec)


def large_enough(upload: Upload, turns: int, spec: PhotoSpec) -> bool:
    size = turned_size(upload.width, upload.height, turns)
    return all(side >= least for side, least in zip(size, spec.least_source, strict=True))


def waiting(subject: Subject) -> Upload | None:
    """What the person sent last, today, and has not cropped yet: a line that broke afterwards costs no second upload."""
    sent = Upload.objects.owned_by(subject.photo_owner).filter(created_at__gt=timezone.now() - DAY)
    last: Upload | None = sent.order_by("-created_at").first()
    if last is None or last.lost_at or last.portraits.exists() or not large_enough(last, 0, subject.photo_spec):
        return None
    return last


def cropped_again(subject: Subject) -> Portrait | None:
    """The portrait whose upload to crop (again) for this subject without uploading anything: its own, or the other."""
    for portrait in (subject.portrait, other_portrait(subject)):
        if portrait and can_be_cropped(portrait, subject.photo_spec):
            return portrait
    return None
