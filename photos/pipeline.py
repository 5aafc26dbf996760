"""Turn the bytes of an uploaded file into the bytes of a portrait: open, judge, set upright, crop, encode.

Pure: knows Pillow, no model, no request. The portal calls it through photos/bounded.py, in a process of its own.
"""

from dataclasses import dataclass
from io import BytesIO
from mmap import ACCESS_READ, mmap
from typing import BinaryIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from photos import encoding, faces, formats, opening, quality
from photos.findings import Finding
from photos.formats import Format
from photos.frames import DEFAULT_SPEC, MOVES, Box, fit_box, nudge, suggest_box, turned_size
from photos.refusals import PhotoRefused
from photos.spec import PhotoSpec

__all__ = [
    "DEFAULT_SPEC",
    "MOVES",
    "Box",
    "Cropped",
    "PhotoRefused",
    "PhotoSpec",
    "WorkingCopy",
    "crop",
    "fit_box",
    "nudge",
    "read",
    "suggest_box",
    "turned_size",
]


@dataclass(frozen=True)
class WorkingCopy:
    """The upright picture from which portraits are cropped: a JPEG without metadata, its sides in pixels."""

    data: bytes
    width: int
    height: int
    preview: bytes  # the same picture, smaller: what the crop page shows
    face: Box | None = None  # where a face seems to be, in pixels of the working copy


@dataclass(frozen=True)
class Cropped:
    """A portrait: the bytes of the JPEG, what was measured of it, and what there is to say about it."""

    data: bytes
    measured: dict[str, float]
    findings: list[Finding]


def read(source: bytes | BinaryIO, spec: PhotoSpec = DEFAULT_SPEC) -> WorkingCopy:
    """Open an uploaded file and make the working copy: upright, sRGB on the spec's background, at most 2,000 pixels a side.

    Raises PhotoRefused, and nothing else, whatever the bytes are.
    """
    image, half = opening.opened(source, _inspected(source), spec)
    preview, found = _glance(image, half)
    del half
    face = found[0] if found else None
    return WorkingCopy(encoding.working_copy(image, spec), *image.size, preview=preview, face=face)


def _inspected(source: bytes | BinaryIO) -> Format:
    """Files are looked at page by page, so that twenty megabytes are not held twice."""
    if isinstance(source, bytes):
        return formats.inspect(source)
    if not source.seek(0, 2):
        return formats.inspect(b"")
    source.seek(0)
    with mmap(source.fileno(), 0, access=ACCESS_READ) as view:
        return formats.inspect(view)


def _glance(image: Image.Image, half: Image.Image | None) -> tuple[bytes, list[Box]]:
    """The preview and the faces, both from one smaller copy, which is gone before the working copy is encoded."""
    small = encoding.preview_size(image, half)
    scale = image.width / small.width
    faces_found = [_scaled(face, scale) for face in faces.find(small) or []]
    return encoding.preview(small), faces_found


def _scaled(face: Box, scale: float) -> Box:
    return Box(*(round(value * scale) for value in (face.left, face.top, face.width, face.height)))


TURNS = {
    0: None,
    1: Image.Transpose.ROTATE_270,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_90,
}  # quarter turns clockwise


def crop(source: bytes | BinaryIO, box: Box, spec: PhotoSpec = DEFAULT_SPEC, turns: int = 0) -> Cropped:
    """The portrait: exactly the spec's pixels, a baseline JPEG with its dpi and nothing else, within its size band.

    `source` is a working copy from read(); `box` is in pixels of it after `turns` quarter turns clockwise.
    The same input gives the same bytes. Raises PhotoRefused.
    """
    try:
        image: Image.Image = JpegImageFile(BytesIO(source) if isinstance(source, bytes) else source)
        box = fit_box(box, *turned_size(*image.size, turns), spec)
        scale = _crop_scale(box, spec)
        if scale > 1:
            image.draft(None, (image.width // scale, image.height // scale))
        image.load()
    except PhotoRefused:
        raise
    except Exception as problem:
        raise PhotoRefused("已上传的照片无法读取。请重新上传。") from problem
    if image.mode != "RGB":  # kept before working copies were all made alike
        image = image.convert("RGB")
    if (turn := TURNS[turns % 4]) is not None:
        image = image.transpose(turn)
    edges = (box.left / scale, box.top / scale, (box.left + box.width) / scale, (box.top + box.height) / scale)
    portrait = image.resize((spec.width, spec.height), Image.Resampling.BICUBIC, box=edges)
    measured, findings = quality.judge(portrait, spec)
    of_faces, about_faces = faces.judge(portrait)
    return Cropped(encoding.portrait(portrait, spec), measured | of_faces, findings + about_faces)


def _crop_scale(box: Box, spec: PhotoSpec) -> int:
    """At what part of its size the working copy is decoded: half as much again as the portrait is left to the filter."""
    return max(scale for scale in (1, 2, 4) if scale == 1 or box.width >= 1.5 * scale * spec.width)
