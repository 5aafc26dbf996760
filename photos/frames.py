"""The frame over a working copy: where it stands at first, where it may stand, and how buttons move it. Pure."""

from dataclasses import dataclass

from photos.refusals import PhotoRefused
from photos.spec import PhotoSpec

DEFAULT_SPEC = PhotoSpec()


@dataclass(frozen=True)
class Box:
    """A frame in pixels of the upright working copy."""

    left: int
    top: int
    width: int
    height: int


# From a detector's square, forehead to chin, to the whole head, in sides of the square: measured on drawn heads.
CROWN_ABOVE_FACE = 0.30
HEAD_PER_FACE = 1.25
# As 一寸 and identity card photos have it: the head fills two thirds of the height, a tenth stays free above it.
HEAD_SHARE = 2 / 3
ROOM_ABOVE_HEAD = 0.10


def largest_width(width: int, height: int, spec: PhotoSpec) -> int:
    """How wide a frame of the spec's ratio can be in a picture of `width` × `height` pixels."""
    widest = min(width, height * spec.width // spec.height + 1)
    while spec.box_height(widest) > height:
        widest -= 1
    return widest


def suggest_box(width: int, height: int, spec: PhotoSpec = DEFAULT_SPEC, face: Box | None = None) -> Box:
    """A frame of the spec's ratio: around the head if a face was found; else as large as can be, in the middle and
    nearer the top, where heads are."""
    largest = largest_width(width, height, spec)
    if face is None:
        box_height = spec.box_height(largest)
        return Box((width - largest) // 2, (height - box_height) // 4, largest, box_height)
    tall = face.height * HEAD_PER_FACE / HEAD_SHARE
    box_width = min(max(round(tall * spec.width / spec.height), spec.least_source[0]), largest)
    box_height = spec.box_height(box_width)
    left = face.left + (face.width - box_width) // 2
    top = round(face.top - face.height * CROWN_ABOVE_FACE - box_height * ROOM_ABOVE_HEAD)
    return _inside(left, top, box_width, box_height, width, height)


def _inside(left: int, top: int, box_width: int, box_height: int, width: int, height: int) -> Box:
    return Box(min(max(left, 0), width - box_width), min(max(top, 0), height - box_height), box_width, box_height)


def fit_box(box: Box, width: int, height: int, spec: PhotoSpec = DEFAULT_SPEC) -> Box:
    """The frame with its height derived from its width, or PhotoRefused: it must lie inside the picture of
    `width` × `height` pixels and be no smaller than the spec's least source: a portrait is never blown up."""
    fitted = Box(box.left, box.top, box.width, spec.box_height(box.width))
    least_width, least_height = spec.least_source
    if fitted.width < least_width or fitted.height < least_height:
        raise PhotoRefused(
            f"裁切框只有 {fitted.width}×{fitted.height} 像素，至少需要 {least_width}×{least_height} 像素。"
            "请缩小照片，让裁切框框住更多内容。"
        )
    if min(fitted.left, fitted.top) < 0 or fitted.left + fitted.width > width or fitted.top + fitted.height > height:
        raise PhotoRefused(
            f"裁切框（左 {fitted.left}、上 {fitted.top}、{fitted.width}×{fitted.height} 像素）超出了照片的范围"
            f"（{width}×{height} 像素）。请重新移动裁切框。"
        )
    return fitted


# One press of a button: a tenth of the frame to move, a ninth of its width to zoom.
MOVES = {
    "up": (0, -1, 0),
    "down": (0, 1, 0),
    "left": (-1, 0, 0),
    "right": (1, 0, 0),
    "in": (0, 0, -1),
    "out": (0, 0, 1),
}


def nudge(box: Box, move: str, width: int, height: int, spec: PhotoSpec = DEFAULT_SPEC) -> Box:
    """The frame after one press of the button `move` (a key of MOVES), kept inside the picture of `width` × `height`.

    Zooming keeps the middle of the frame where it is, as far as the picture allows.
    """
    right, down, out = MOVES[move]
    height_before = spec.box_height(box.width)
    box_width = round(box.width * (10 / 9) ** out)
    box_width = min(max(box_width, spec.least_source[0]), largest_width(width, height, spec))
    box_height = spec.box_height(box_width)
    left = box.left + right * (box.width // 10) + (box.width - box_width) // 2
    top = box.top + down * (height_before // 10) + (height_before - box_height) // 2
    return _inside(left, top, box_width, box_height, width, height)


def turned_size(width: int, height: int, turns: int) -> tuple[int, int]:
    """The sides of a picture after `turns` quarter turns clockwise."""
    return (height, width) if turns % 2 else (width, height)
