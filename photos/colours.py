"""Bring pictures of every mode and profile to 8 bits of sRGB on a plain ground. Pure."""

import logging
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms

from photos.spec import Background

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
    reduced = _reduced(image, _reduction(image, size), ground)
    if reduced is not image:
        image.close()
    return reduced if reduced.size == size else reduced.resize(size, Image.Resampling.LANCZOS)


def _reduction(image: Image.Image, size: tuple[int, int]) -> int:
    """Twice the result in each direction is left for the filter that makes the last step, where memory allows it."""
    whole = min(image.width // size[0], image.height // size[1])
    return max(1, whole if image.width * image.height > LARGE else whole // 2)


def _reduced(image: Image.Image, reduction: int, ground: tuple[int, int, int]) -> Image.Image:
    if reduction == 1 and image.mode in KEPT and not image.has_transparency_data:
        return image
    width, height = (-(-side // reduction) for side in image.size)
    made: Image.Image | None = None
    for top in range(0, height, BAND):
        edges = (0, top * reduction, image.width, min((top + BAND) * reduction, image.height))
        band = _opaque(image.crop(edges), ground).reduce(reduction)
        made = made or Image.new(band.mode, (width, height))
        made.paste(band, (0, top))
    return made or image


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
