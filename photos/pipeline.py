"""Turn the bytes of an uploaded file into the bytes of a portrait: open, judge, set upright, crop, encode.

Pure: knows Pillow, no model, no request. The portal calls it through photos/bounded.py, in a process of its own.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from mmap import ACCESS_READ, mmap
from typing import Any, BinaryIO

from pi_heif import HeifImageFile
from pi_heif import options as heif_options
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from photos import containers, encoding, faces, formats, quality
from photos.findings import Finding
from photos.formats import Format
from photos.frames import DEFAULT_SPEC, MOVES, Box, fit_box, nudge, suggest_box, turned_size
from photos.refusals import BROKEN, INCOMPLETE, MAX_PROFILE, TOO_COSTLY, PhotoRefused, check_extra, check_pixels
from photos.spec import Background, PhotoSpec

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

logger = logging.getLogger(__name__)

# Pixels of the longer side of a working copy. What a JPEG decoder gives at a half, a quarter or an eighth is taken as
# it is when it lies between the two; everything else is scaled to the last.
LEAST_WORKING_SIDE, MOST_WORKING_SIDE = 1500, 2048
WORKING_SIDE = 2000
EXIF_ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
PIXELS = {
    Format.JPEG: containers.JPEG_PIXELS,
    Format.PNG: containers.PNG_PIXELS,
    Format.WEBP: containers.WEBP_PIXELS,
    Format.HEIC: containers.HEIC_PIXELS,
}
LARGE = 16_000_000  # pixels of which the bounds of a decode allow no second copy
BAND = 128  # rows of the result that are flattened at a time
# What transparent parts become, so that they fit the background that is asked for.
GROUNDS = {Background.BLUE: (67, 142, 219), Background.RED: (212, 34, 31)}
# A head start for the decoder of HEIC would be threads, each with memory of its own; the time of one is bounded better.
heif_options.DECODE_THREADS = 1


def _open_webp(file: BinaryIO) -> Image.Image:
    """As WebPImageFile itself loads, but its decoder, which holds the picture twice, is let go before the next copy."""
    image = WebPImageFile(file)
    check_pixels(*image.size, containers.WEBP_PIXELS)
    frame = image._decoder.get_next()
    if frame is None:
        raise EOFError
    loaded = Image.frombuffer(image.mode, image.size, frame[0], "raw", image.rawmode, 0, 1)
    loaded.info = image.info
    return loaded


# The classes themselves instead of Image.open(): nothing else can be tried, an MPO stays its first picture,
# and limits are ours (photos/containers.py), in force before anything is decoded.
OPENERS: dict[Format, Callable[[BinaryIO], Image.Image]] = {
    Format.JPEG: JpegImageFile,
    Format.PNG: PngImageFile,
    Format.WEBP: _open_webp,
    Format.HEIC: HeifImageFile,
}


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
    """Open an uploaded file and make the working copy: upright, sRGB on the spec's background, about 2,000 pixels a side.

    Raises PhotoRefused, and nothing else, whatever the bytes are.
    """
    file = BytesIO(source) if isinstance(source, bytes) else source
    image = _upright(file, _inspected(source), spec)
    data, size = encoding.working_copy(image), image.size
    small = encoding.preview_size(image)
    del image  # the larger of the two is not needed any more
    found = faces.find(small)
    face = _scaled(found[0], size[0] / small.width) if found else None
    return WorkingCopy(data, *size, preview=encoding.preview(small), face=face)


def _inspected(source: bytes | BinaryIO) -> Format:
    """Files are looked at page by page, so that twenty megabytes are not held twice."""
    if isinstance(source, bytes):
        return formats.inspect(source)
    if not source.seek(0, 2):
        return formats.inspect(b"")
    source.seek(0)
    with mmap(source.fileno(), 0, access=ACCESS_READ) as view:
        return formats.inspect(view)  # type: ignore[arg-type]  # sliced and searched as bytes are


def _scaled(face: Box, scale: float) -> Box:
    return Box(*(round(value * scale) for value in (face.left, face.top, face.width, face.height)))


def _upright(file: BinaryIO, format: Format, spec: PhotoSpec) -> Image.Image:
    try:
        return _opened(file, format, spec)
    except PhotoRefused:
        raise
    except MemoryError as problem:
        raise PhotoRefused(TOO_COSTLY) from problem
    except EOFError as problem:
        raise PhotoRefused(INCOMPLETE) from problem
    except Exception as problem:
        # On hostile bytes decoders raise about anything: OSError, SyntaxError, ValueError, struct.error…
        truncated = "truncated" in str(problem)
        raise PhotoRefused(INCOMPLETE if truncated else BROKEN) from problem


def _opened(file: BinaryIO, format: Format, spec: PhotoSpec) -> Image.Image:
    image: Image.Image = OPENERS[format](file)
    if format is not Format.JPEG:
        check_pixels(*image.size, PIXELS[format])
        image.load()  # before its EXIF block is asked for: that would load it, and hide why it could not
    orientation = _orientation(image)
    size = _working_size(image, turned=orientation >= 5, spec=spec)
    image.load()
    profile = image.info.get("icc_profile") or b""
    check_extra(len(profile), MAX_PROFILE, "颜色描述文件")
    image = _flat(image, _reduction(image, size), GROUNDS.get(Background(spec.background), (255, 255, 255)))
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    if orientation in UPRIGHT:
        image = image.transpose(UPRIGHT[orientation])
    return _to_srgb(image, profile)


def _reduction(image: Image.Image, size: tuple[int, int]) -> int:
    """Twice the result in each direction is left for the filter that makes the last step, where memory allows it."""
    whole = min(image.width // size[0], image.height // size[1])
    return max(1, whole if image.width * image.height > LARGE else whole // 2)


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # A broken EXIF block is no reason to refuse the picture; then it stands as it is stored.
        return 1
    return value if value in UPRIGHT else 1


def _working_size(image: Image.Image, *, turned: bool, spec: PhotoSpec) -> tuple[int, int]:
    """The size of the working copy, in the orientation in which the file stores the picture. A JPEG that has a scale
    to decode at is set to it."""
    stored, least = image.size, spec.least_source
    seen = stored[::-1] if turned else stored
    if seen[0] < least[0] or seen[1] < least[1]:
        raise PhotoRefused(
            f"您的照片为 {seen[0]}×{seen[1]} 像素，至少需要 {least[0]}×{least[1]} 像素。请换一张更大的照片。"
        )
    for scale in (1, 2, 4, 8):
        sides = [-(-side // scale) for side in stored]
        if _fits(sides, least[::-1] if turned else least):
            if scale > 1:
                image.draft(None, (stored[0] // scale, stored[1] // scale))
            if list(image.size) == sides:
                return image.size
    share = min(1.0, max(WORKING_SIDE, *least) / max(seen))
    working = [max(1, round(side * share)) for side in seen]
    if working[0] < least[0] or working[1] < least[1]:
        raise PhotoRefused(f"您的照片为 {seen[0]}×{seen[1]} 像素，过于狭长，裁不出证件照。请换一张普通比例的照片。")
    size = (working[1], working[0]) if turned else (working[0], working[1])
    image.draft(None, size)  # JPEG only: decodes at 1/2, 1/4 or 1/8 of the size, as close as it gets
    return size


def _fits(sides: list[int], least: tuple[int, int]) -> bool:
    large = sides[0] >= least[0] and sides[1] >= least[1]
    return large and LEAST_WORKING_SIDE <= max(sides) <= max(MOST_WORKING_SIDE, *least)


def _flat(image: Image.Image, reduction: int, ground: tuple[int, int, int]) -> Image.Image:
    """Reduced by a whole number, without transparency, 8 bits a channel, in a mode that can be resized.

    In bands, because a whole copy in each of the modes on the way would not fit into the bounds of a decode.
    """
    if reduction == 1 and image.mode in ("RGB", "CMYK", "L") and not image.has_transparency_data:
        return image
    width, height = (-(-side // reduction) for side in image.size)
    flat: Image.Image | None = None
    for top in range(0, height, BAND):
        edges = (0, top * reduction, image.width, min((top + BAND) * reduction, image.height))
        band = _opaque(image.crop(edges), ground).reduce(reduction)
        flat = flat or Image.new(band.mode, (width, height))
        flat.paste(band, (0, top))
    return flat or image


def _opaque(image: Image.Image, ground: tuple[int, int, int]) -> Image.Image:
    if image.mode.startswith("I"):
        # 16 bits of grey; convert("L") would clip instead of scaling
        image = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        image = Image.new("RGB", layered.size, ground)
        image.paste(layered, mask=layered.getchannel("A"))
    return image if image.mode in ("RGB", "CMYK", "L") else image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours as the profile means them. A profile that cannot be used is ignored, as viewers do."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            if not _is_srgb(source):
                image = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB") or image
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            logger.info("A colour profile of %d bytes could not be used.", len(profile))
    return image.convert("RGB") if image.mode != "RGB" else image


def _is_srgb(profile: Any) -> bool:
    """Whether the profile says so, and its colours are: then converting would take a while and change nothing."""
    names = ("red_colorant", "green_colorant", "blue_colorant")
    own, standard = ([getattr(each.profile, name) for name in names] for each in (profile, SRGB))
    if None in own or not ImageCms.getProfileDescription(profile).startswith("sRGB"):
        return False
    pairs = zip(own, standard, strict=True)
    return all(abs(a - b) < 0.01 for mine, theirs in pairs for a, b in zip(mine[0], theirs[0], strict=True))


SRGB: Any = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
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
    portrait = image.resize((spec.width, spec.height), Image.Resampling.LANCZOS, box=edges)
    measured, findings = quality.judge(portrait, spec)
    of_faces, about_faces = faces.judge(portrait)
    return Cropped(encoding.portrait(portrait, spec), measured | of_faces, findings + about_faces)


def _crop_scale(box: Box, spec: PhotoSpec) -> int:
    """At what part of its size the working copy is decoded: half as much again as the portrait is left to the filter."""
    return max(scale for scale in (1, 2, 4) if scale == 1 or box.width >= 1.5 * scale * spec.width)
