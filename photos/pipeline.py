"""Turn the bytes of an uploaded file into the bytes of a portrait: open, judge, set upright, crop, encode."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from pi_heif import HeifImageFile
from PIL import Image, ImageCms, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from photos import formats
from photos.findings import Finding
from photos.formats import Format, PhotoRefused
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

logger = logging.getLogger(__name__)

WORKING_SIDE = 2000
WORKING_QUALITY = 90
PREVIEW_SIDE = 1000
PREVIEW_QUALITY = 70
BEST_QUALITY, WORST_QUALITY = 95, 20
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
# The classes themselves instead of Image.open(): nothing else can be tried, an MPO stays its first picture,
# and limits are ours (photos/formats.py), in force before anything is decoded.
OPENERS: dict[Format, Callable[[BytesIO], ImageFile.ImageFile]] = {
    Format.JPEG: JpegImageFile,
    Format.PNG: PngImageFile,
    Format.HEIC: HeifImageFile,
}


DEFAULT_SPEC = PhotoSpec()


@dataclass(frozen=True)
class Box:
    """A frame in pixels of the upright working copy."""

    left: int
    top: int
    width: int
    height: int


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


def read(data: bytes, spec: PhotoSpec = DEFAULT_SPEC) -> WorkingCopy:
    """Open an uploaded file and make the working copy: upright, RGB on white, at most 2,000 pixels a side.

    Raises PhotoRefused, and nothing else, whatever the bytes are.
    """
    image = _upright(data, formats.inspect(data), spec)
    return WorkingCopy(_encode(image, WORKING_QUALITY), *image.size, preview=_preview(image))


def _preview(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    return _encode(small, PREVIEW_QUALITY)


def _upright(data: bytes, format: Format, spec: PhotoSpec) -> Image.Image:
    try:
        image = OPENERS[format](BytesIO(data))
        if format is not Format.JPEG:
            formats.check_pixels(*image.size)
            image.load()  # before its EXIF block is asked for: that would load it, and hide why it could not
        orientation = _orientation(image)
        size = _working_size(*image.size, turned=orientation >= 5, spec=spec)
        image.draft(None, size)  # JPEG only: decodes at 1/2, 1/4 or 1/8 of the size, as close as it gets
        image.load()
        profile = image.info.get("icc_profile")
        flat = _flatten(image).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        if orientation in UPRIGHT:
            flat = flat.transpose(UPRIGHT[orientation])
        return _to_srgb(flat, profile)
    except PhotoRefused:
        raise
    except EOFError as problem:
        raise PhotoRefused(formats.INCOMPLETE) from problem
    except Exception as problem:
        # On hostile bytes decoders raise about anything: OSError, SyntaxError, ValueError, struct.error, MemoryError…
        logger.info("A %s file could not be decoded: %s", format, type(problem).__name__)
        truncated = "truncated" in str(problem)
        raise PhotoRefused(formats.INCOMPLETE if truncated else formats.BROKEN) from problem


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # A broken EXIF block is no reason to refuse the picture; then it stands as it is stored.
        return 1
    return value if value in UPRIGHT else 1


def _working_size(width: int, height: int, *, turned: bool, spec: PhotoSpec) -> tuple[int, int]:
    """The size of the working copy, in the orientation in which the file stores the picture."""
    seen = (height, width) if turned else (width, height)
    if seen[0] < spec.width or seen[1] < spec.height:
        raise PhotoRefused(
            f"您的照片为 {seen[0]}×{seen[1]} 像素，至少需要 {spec.width}×{spec.height} 像素。请换一张更大的照片。"
        )
    scale = min(1.0, WORKING_SIDE / max(seen))
    working = [max(1, round(side * scale)) for side in seen]
    if working[0] < spec.width or working[1] < spec.height:
        raise PhotoRefused(f"您的照片为 {seen[0]}×{seen[1]} 像素，过于狭长，裁不出证件照。请换一张普通比例的照片。")
    return (working[1], working[0]) if turned else (working[0], working[1])


def _flatten(image: Image.Image) -> Image.Image:
    """Without transparency (it becomes white), 8 bits a channel, in a mode that can be resized."""
    if image.mode.startswith("I"):
        # 16 bits of grey; convert("L") would clip instead of scaling
        image = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        image = Image.new("RGB", layered.size, "white")
        image.paste(layered, mask=layered.getchannel("A"))
    return image if image.mode in ("RGB", "CMYK", "L") else image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as the profile means them. A profile that cannot be used is ignored, as viewers do."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            logger.info("A colour profile of %d bytes could not be used.", len(profile))
    return image.convert("RGB")


def _encode(image: Image.Image, quality: int, **options: object) -> bytes:
    # Pillow copies the comment, the profile and more from here into the file it writes.
    image.info.clear()
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality, **options)
    return buffer.getvalue()


def suggest_box(width: int, height: int, spec: PhotoSpec = DEFAULT_SPEC) -> Box:
    """The largest frame of the spec's ratio: in the middle, and nearer the top, where heads are."""
    box_width = min(width, height * spec.width // spec.height)
    box_height = spec.box_height(box_width)
    return Box((width - box_width) // 2, (height - box_height) // 4, box_width, box_height)


def fit_box(box: Box, width: int, height: int, spec: PhotoSpec = DEFAULT_SPEC) -> Box:
    """The frame with its height derived from its width, or PhotoRefused: it must lie inside the picture of
    `width` × `height` pixels and be no smaller than the portrait, which is never blown up."""
    fitted = Box(box.left, box.top, box.width, spec.box_height(box.width))
    if fitted.width < spec.width or fitted.height < spec.height:
        raise PhotoRefused(
            f"裁切框只有 {fitted.width}×{fitted.height} 像素，至少需要 {spec.width}×{spec.height} 像素。"
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
    largest = suggest_box(width, height, spec).width
    box_width = round(box.width * (10 / 9) ** out)
    box_width = min(max(box_width, spec.width), largest)
    box_height = spec.box_height(box_width)
    left = box.left + right * (box.width // 10) + (box.width - box_width) // 2
    top = box.top + down * (height_before // 10) + (height_before - box_height) // 2
    return Box(min(max(left, 0), width - box_width), min(max(top, 0), height - box_height), box_width, box_height)


TURNS = {
    0: None,
    1: Image.Transpose.ROTATE_270,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_90,
}  # quarter turns clockwise


def turned_size(width: int, height: int, turns: int) -> tuple[int, int]:
    """The sides of a picture after `turns` quarter turns clockwise."""
    return (height, width) if turns % 2 else (width, height)


def crop(data: bytes, box: Box, spec: PhotoSpec = DEFAULT_SPEC, turns: int = 0) -> Cropped:
    """The portrait: exactly the spec's pixels, a baseline JPEG with its dpi and nothing else, within its size band.

    `data` is a working copy from read(); `box` is in pixels of it after `turns` quarter turns clockwise.
    The same input gives the same bytes. Raises PhotoRefused.
    """
    try:
        image: Image.Image = JpegImageFile(BytesIO(data))
        image.load()
    except Exception as problem:
        logger.warning("A working copy could not be decoded: %s", type(problem).__name__)
        raise PhotoRefused("已上传的照片无法读取。请重新上传。") from problem
    if (turn := TURNS[turns % 4]) is not None:
        image = image.transpose(turn)
    box = fit_box(box, *image.size, spec)
    edges = (box.left, box.top, box.left + box.width, box.top + box.height)
    portrait = image.convert("RGB").resize((spec.width, spec.height), Image.Resampling.LANCZOS, box=edges)
    return Cropped(_encode_within(portrait, spec), {}, [])


def _encode_within(image: Image.Image, spec: PhotoSpec) -> bytes:
    """The best quality that fits, found by halving."""

    def encode(quality: int) -> bytes:
        return _encode(image, quality, dpi=(spec.dpi, spec.dpi), optimize=True, subsampling="4:4:4")

    best = encode(BEST_QUALITY)
    if len(best) <= spec.max_bytes:
        return best
    best, low, high = b"", WORST_QUALITY, BEST_QUALITY - 1
    while low <= high:
        middle = (low + high) // 2
        attempt = encode(middle)
        if len(attempt) <= spec.max_bytes:
            best, low = attempt, middle + 1
        else:
            high = middle - 1
    if not best:
        raise PhotoRefused(
            f"这张照片细节过多，无法压缩到 {spec.max_kilobytes} KB 以内。请换一张背景简洁、光线充足的照片。"
        )
    return best
