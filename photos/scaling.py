"""How large a working copy becomes, and at which part of its size the file is decoded for it. Pure."""

from dataclasses import dataclass

from photos.orientation import SIDEWAYS
from photos.refusals import PhotoRefused
from photos.spec import PhotoSpec

# Pixels of the longer side of a working copy. What a JPEG decoder gives at a half, a quarter or an eighth is taken as
# it is when it lies between the two; of what is a hundredth larger (the 4032 pixels of a phone, halved, are 2016) that
# hundredth at the right or lower edge is left out, which costs nothing; everything else is scaled.
LEAST_WORKING_SIDE, WORKING_SIDE = 1500, 2000
LEFT_OUT = 0.01
JPEG_SCALES = (1, 2, 4, 8)

Size = tuple[int, int]


@dataclass(frozen=True)
class Scaling:
    """Decode at 1/`scale` the `decoded` pixels from the upper left corner, and scale them to `size`; all as stored."""

    scale: int
    decoded: Size
    size: Size


def scaling_of(stored: Size, orientation: int, spec: PhotoSpec, scales: tuple[int, ...] = (1,)) -> Scaling:
    """For a file with `stored` pixels. Raises PhotoRefused where no portrait of the spec could be cropped from it."""
    turned = orientation >= SIDEWAYS
    seen, least = _turned(stored, turned), spec.least_source
    if seen[0] < least[0] or seen[1] < least[1]:
        raise PhotoRefused(
            f"您的照片为 {seen[0]}×{seen[1]} 像素，至少需要 {least[0]}×{least[1]} 像素。请换一张更大的照片。"
        )
    for scale in scales:
        size = _as_decoded(stored, scale, several=len(scales) > 1)
        if size and _holds(_turned(size, turned), least):
            return Scaling(scale, size, size)
    share = min(1.0, WORKING_SIDE / max(seen))
    working = (max(1, round(seen[0] * share)), max(1, round(seen[1] * share)))
    if not _holds(working, least):
        raise PhotoRefused(f"您的照片为 {seen[0]}×{seen[1]} 像素，过于狭长，裁不出证件照。请换一张普通比例的照片。")
    size = _turned(working, turned)
    scale = max(scale for scale in scales if scale == 1 or _holds((stored[0] // scale, stored[1] // scale), size))
    return Scaling(scale, _divided(stored, scale), size)


def _as_decoded(stored: Size, scale: int, *, several: bool) -> Size | None:
    """What is decoded at that scale, if it is a working copy as it is."""
    width, height = _divided(stored, scale)
    most = WORKING_SIDE * (1 + LEFT_OUT) if several else WORKING_SIDE
    fits = LEAST_WORKING_SIDE <= max(width, height) <= most
    return (min(width, WORKING_SIDE), min(height, WORKING_SIDE)) if fits else None


def _divided(size: Size, scale: int) -> Size:
    return -(-size[0] // scale), -(-size[1] // scale)


def _holds(size: Size, least: Size) -> bool:
    return size[0] >= least[0] and size[1] >= least[1]


def _turned(size: Size, turned: bool) -> Size:
    return (size[1], size[0]) if turned else size
