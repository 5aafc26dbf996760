"""Bring pictures of every mode and profile to 8 bits of sRGB on a plain ground. Pure."""

import logging
from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms

from photos.spec import Background

Size = tuple[int, int]
Edges = tuple[int, int, int, int]

logger = logging.getLogger(__name__)

LARGE = 16_000_000  # pixels of which the bounds of a decode allow no second copy
BAND = 128  # rows of the result that are flattened at a time
WHITE = (255, 255, 255)
# What transparent parts become, so that they fit the background that is asked for.
GROUNDS = {Background.BLUE: (67, 142, 219), Background.RED: (212, 34, 31)}
SRGB: Any = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
KEPT = ("RGB", "YCbCr", "CMYK", "L")


def ground_of(background: str) -> tuple[int, int, int]:
    return GROUNDS.get(Background(background), WHITE)


def flat(image: Image.Image, size: tuple[int, int], ground: tuple[int, int, int]) -> Image.Image:
    """Scaled to `size` pixels, without transparency, 8 bits a channel; `image` is closed if that is another.

    Reduced by a whole number first, in bands, because a whole copy in each of the modes on the way would not fit into
    the bounds of a decode.
    """
    reduced = _reduced(image, reduction(image.size, size), ground)
    if reduced is not image:
        image.close()
    return reduced if reduced.size == size else reduced.resize(size, Image.Resampling.LANCZOS)


def reduction(stored: Size, size: Size) -> int:
    """Twice the result in each direction is left for the filter that makes the last step, where memory allows it."""
    whole = min(stored[0] // size[0], stored[1] // size[1])
    return max(1, whole if stored[0] * stored[1] > LARGE else whole // 2)


def _reduced(image: Image.Image, factor: int, ground: tuple[int, int, int]) -> Image.Image:
    if factor == 1 and image.mode in KEPT and not image.has_transparency_data:
        return image
    return reduced_in_bands(image.size, factor, ground, image.crop)


def reduced_in_bands(
    stored: Size, factor: int, ground: tuple[int, int, int], part: Callable[[Edges], Image.Image]
) -> Image.Image:
    """Opaque, with `factor` times fewer pixels in each direction; `part` gives those within edges."""
    width, height = (-(-side // factor) for side in stored)
    made: Image.Image | None = None
    for top in range(0, height, BAND):
        edges = (0, top * factor, stored[0], min((top + BAND) * factor, stored[1]))
        band = _opaque(part(edges), ground).reduce(factor)
        made = made or Image.new(band.mode, (width, height))
        made.paste(band, (0, top))
    if made is None:
        raise ValueError("no rows")
    return made


def _opaque(image: Image.Image, ground: tuple[int, int, int]) -> Image.Image:
    if image.mode.startswith("I"):
        # 16 bits of grey; convert("L") would clip instead of scaling
        image = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        image = Image.new("RGB", layered.size, ground)
        image.paste(layered, mask=layered.getchannel("A"))
    return image if image.mode in KEPT else image.convert("RGB")


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours as the profile means them. A profile that cannot be used is ignored, as viewers do."""
    if changes_colours(profile):
        try:
            image = _converted(image, profile)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            logger.info("A colour profile of %d bytes could not be used.", len(profile))
    return image if image.mode in ("RGB", "YCbCr") else image.convert("RGB")


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    if image.mode == "RGB":  # in its place: there is no memory for a second one
        ImageCms.profileToProfile(image, source, SRGB, inPlace=True)
        return image
    if image.mode == "YCbCr":  # which stands for RGB, and no profile is of it
        image = image.convert("RGB")
    return ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB") or image


def changes_colours(profile: bytes) -> bool:
    """Not where there is none, nor where it says that it is sRGB and its colours are: converting would change nothing."""
    if not profile:
        return False
    try:
        return not _is_srgb(ImageCms.ImageCmsProfile(BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return True


def _is_srgb(profile: Any) -> bool:
    names = ("red_colorant", "green_colorant", "blue_colorant")
    own, standard = ([getattr(each.profile, name) for name in names] for each in (profile, SRGB))
    if None in own or not ImageCms.getProfileDescription(profile).startswith("sRGB"):
        return False
    pairs = zip(own, standard, strict=True)
    return all(abs(a - b) < 0.01 for mine, theirs in pairs for a, b in zip(mine[0], theirs[0], strict=True))
