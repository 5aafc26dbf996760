"""What a portrait must be: pixels, dots per inch, kilobytes, background. Pure; page, pipeline, admin and export share it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

__all__ = ["Background", "PhotoSpec"]

KILOBYTE = 1024
SIDES = (100, 1500)  # pixels of a portrait: 1500 leaves room in a working copy of 2,000
SOURCE_SIDES = (0, 2000)
DPI = (72, 600)
# Below 5 KB no portrait of 100 pixels is worth looking at; above 2 MB nobody asks for one.
KILOBYTES = (5, 2048)
NOTE_LENGTH = 200


class Background(StrEnum):
    WHITE = "white"
    BLUE = "blue"
    RED = "red"
    ANY = "any"

    @property
    def label(self) -> str:
        return {self.WHITE: "白色", self.BLUE: "蓝色", self.RED: "红色", self.ANY: "不限颜色"}[self]


@dataclass(frozen=True)
class PhotoSpec:
    """Sides in pixels, `dpi` as written into the file, the band of its size in kilobytes (1024 bytes).

    `source_width` and `source_height` are the smallest frame that may be cropped, in pixels of what was uploaded; a
    portrait is never blown up, so that less than its own sides means its own sides.
    The default is the common 一寸 at 300 dpi.
    """

    width: int = 295
    height: int = 413
    dpi: int = 300
    source_width: int = 0
    source_height: int = 0
    min_kilobytes: int = 0
    max_kilobytes: int = 200
    background: str = Background.WHITE
    note: str = "本人近期免冠正面照，五官清晰，不戴墨镜"

    @property
    def min_bytes(self) -> int:
        return self.min_kilobytes * KILOBYTE

    @property
    def max_bytes(self) -> int:
        return self.max_kilobytes * KILOBYTE

    @property
    def background_label(self) -> str:
        return Background(self.background).label

    @property
    def least_source(self) -> tuple[int, int]:
        """The smallest picture, in pixels, from which this portrait can be cropped: the ratio is kept."""
        width = max(self.width, self.source_width)
        while self.box_height(width) < max(self.height, self.source_height):
            width += 1
        return width, self.box_height(width)

    def box_height(self, width: int) -> int:
        """The height in pixels of a frame of this ratio that is `width` pixels wide, rounded half up."""
        return (2 * width * self.height + self.width) // (2 * self.width)

    def same_picture(self, other: "PhotoSpec") -> bool:
        """Whether a portrait made for `other` fits this one as it is, whatever else the words say."""
        return (
            (self.width, self.height, self.dpi) == (other.width, other.height, other.dpi)
            and self.background in {Background.ANY, other.background}
            and self.min_kilobytes <= other.min_kilobytes
            and other.max_kilobytes <= self.max_kilobytes
            and all(mine <= theirs for mine, theirs in zip(self.least_source, other.least_source, strict=True))
        )

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "background": str(self.background)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PhotoSpec":
        """What as_dict() wrote, also with fields that are no more or not yet."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def problems(self) -> dict[str, str]:
        """What is wrong with it, a sentence for each field; empty where nothing is."""
        found = {}
        for name, (least, most), unit in BOUNDS:
            if not least <= getattr(self, name) <= most:
                found[name] = f"请填 {least} 到 {most} 之间的整数（{unit}）。"
        if not 1 <= self.height / max(self.width, 1) <= 2 and "height" not in found:
            found["height"] = "高应是宽的 1 到 2 倍，请核对两个数有没有写反。"
        if not found and self.least_source[1] > SOURCE_SIDES[1]:
            found["source_width"] = (
                f"按这个比例，裁切框会高过 {SOURCE_SIDES[1]} 像素，系统保存的照片没有这么大。请改小。"
            )
        if self.min_kilobytes >= self.max_kilobytes and "max_kilobytes" not in found:
            found["min_kilobytes"] = "最小的 KB 数必须小于最大的 KB 数。"
        if self.background not in set(Background):
            found["background"] = "请选择白色、蓝色、红色或不限颜色。"
        if len(self.note) > NOTE_LENGTH:
            found["note"] = f"其他要求最多 {NOTE_LENGTH} 个字。"
        return found


BOUNDS = [
    ("width", SIDES, "像素"),
    ("height", SIDES, "像素"),
    ("dpi", DPI, "dpi"),
    ("source_width", SOURCE_SIDES, "像素"),
    ("source_height", SOURCE_SIDES, "像素"),
    ("min_kilobytes", (0, KILOBYTES[1]), "KB"),
    ("max_kilobytes", KILOBYTES, "KB"),
]


def parse(text: str) -> PhotoSpec:
    """`name:value,name:value` as a spec, the default for what is not named. ValueError for what is wrong."""
    known = {field.name: field.type for field in fields(PhotoSpec)}
    given: dict[str, Any] = {}
    for word in filter(None, (word.strip() for word in text.split(","))):
        name, value = (part.strip() for part in word.split(":", 1))
        if name not in known or name in given:
            raise ValueError(name)
        given[name] = value if name in {"background", "note"} else int(value)
    spec = PhotoSpec(**given)
    if spec.problems():
        raise ValueError("photo spec")
    return spec
