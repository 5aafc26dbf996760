"""The photo requirements as columns: what a plan asks of its portraits, the settings' own unless it says otherwise."""

from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from photos.spec import NOTE_LENGTH, Background, PhotoSpec

NAMES = {
    "width": "photo_width",
    "height": "photo_height",
    "dpi": "photo_dpi",
    "source_width": "photo_source_width",
    "source_height": "photo_source_height",
    "min_kilobytes": "photo_min_kilobytes",
    "max_kilobytes": "photo_max_kilobytes",
    "background": "photo_background",
    "note": "photo_note",
}


def usual(name: str) -> Any:
    return getattr(settings.PHOTO_SPEC, name)


class PhotoRequirements(models.Model):
    """Abstract. The columns of a PhotoSpec, under their names with `photo_` before them."""

    photo_width = models.PositiveIntegerField("照片宽（像素）", default=partial(usual, "width"))
    photo_height = models.PositiveIntegerField("照片高（像素）", default=partial(usual, "height"))
    photo_dpi = models.PositiveIntegerField(
        "分辨率（dpi）", default=partial(usual, "dpi"), help_text="写在文件里，不影响像素。"
    )
    photo_source_width = models.PositiveIntegerField(
        "裁切框至少宽（像素）",
        default=partial(usual, "source_width"),
        help_text="0 表示和照片一样宽。要更清晰时填大一些。",
    )
    photo_source_height = models.PositiveIntegerField(
        "裁切框至少高（像素）", default=partial(usual, "source_height"), help_text="0 表示和照片一样高。"
    )
    photo_min_kilobytes = models.PositiveIntegerField(
        "最小（KB）", default=partial(usual, "min_kilobytes"), help_text="0 表示不限。"
    )
    photo_max_kilobytes = models.PositiveIntegerField("最大（KB）", default=partial(usual, "max_kilobytes"))
    photo_background = models.CharField(
        "背景",
        max_length=8,
        choices=[(background.value, background.label) for background in Background],
        default=partial(usual, "background"),
    )
    photo_note = models.CharField(
        "其他要求",
        max_length=NOTE_LENGTH,
        blank=True,
        default=partial(usual, "note"),
        help_text="写给报名人员看，例如免冠、不戴墨镜。",
    )

    class Meta:
        abstract = True

    @property
    def photo_spec(self) -> PhotoSpec:
        return PhotoSpec(**{name: getattr(self, column) for name, column in NAMES.items()})

    def clean(self) -> None:
        """The sentences of PhotoSpec.problems() at their fields."""
        super().clean()
        given = {name: getattr(self, column) for name, column in NAMES.items()}
        if None in given.values():
            return  # the field's own sentence says that it is empty
        if problems := PhotoSpec(**given).problems():
            raise ValidationError({NAMES[name]: sentence for name, sentence in problems.items()})
