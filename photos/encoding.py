"""Encode pictures as JPEG without metadata, with as many bytes as are wanted: working copy, preview, portrait. Pure."""

from functools import partial
from io import BytesIO
from typing import Any

from PIL import Image

from photos.refusals import KILOBYTE, PhotoRefused
from photos.spec import PhotoSpec

# Of a copy with so many times the portrait's pixels in each direction, the filter that scales it down leaves nothing to be
# seen of the difference, and a better quality costs time twice, to write and to read.
AMPLE = 3
AMPLE_QUALITY, SCARCE_QUALITY = 75, 92
PREVIEW_SIDE = 1024
LEAST_OF_SIDE = 0.7
MAX_PREVIEW_BYTES = 80 * KILOBYTE
# (divisor of the sides, quality), tried in this order; a photo is content with the first, pure noise with a later one.
PREVIEWS = ((1, 70), (1, 50), (2, 60), (2, 40), (3, 40), (6, 20))
SAMPLED = 8  # a part of the rows
TABLES = 600  # bytes at the head of every JPEG
BEST_QUALITY, USUAL_QUALITY, WORST_QUALITY = 100, 95, 20


def jpeg(image: Image.Image, quality: int, **options: Any) -> bytes:
    # Pillow copies the comment, the profile and more from here into the file it writes.
    image.info.clear()
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality, **options)
    return buffer.getvalue()


def working_copy(image: Image.Image, spec: PhotoSpec) -> bytes:
    ample = image.width >= AMPLE * spec.width and image.height >= AMPLE * spec.height
    return jpeg(image, AMPLE_QUALITY if ample else SCARCE_QUALITY)


def preview_size(image: Image.Image, half: Image.Image | None = None) -> Image.Image:
    """A smaller copy, at most 1,024 pixels a side; somewhat fewer where a whole number of pixels becomes one: it is cheap.

    `half` is the picture reduced by two, where that is there already.
    """
    factor = -(-max(image.size) // PREVIEW_SIDE)
    if half and factor == 2:
        return half
    if max(image.size) >= LEAST_OF_SIDE * PREVIEW_SIDE * factor:
        return image.reduce(factor)
    if factor == 1:
        return image.copy()
    scale = PREVIEW_SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BICUBIC)


def preview(image: Image.Image) -> bytes:
    """At most 80 KB: as good as that allows."""
    made = b""
    for divisor, quality in PREVIEWS:
        if divisor == 1 and _estimated(image, quality) > MAX_PREVIEW_BYTES:
            continue
        made = jpeg(image if divisor == 1 else image.reduce(divisor), quality)
        if len(made) <= MAX_PREVIEW_BYTES:
            break
    return made


def _estimated(image: Image.Image, quality: int) -> int:
    """How many bytes it would take, by some of its rows from the middle: a third of a millisecond instead of three."""
    rows = max(1, image.height // SAMPLED)
    top = (image.height - rows) // 2
    return (len(jpeg(image.crop((0, top, image.width, top + rows)), quality)) - TABLES) * image.height // rows


def portrait(image: Image.Image, spec: PhotoSpec) -> bytes:
    """The best of the usual qualities that fits the spec's band of sizes, or a better one where that is too small.

    Raises PhotoRefused where no quality fits: nothing is ever filled up with empty bytes.
    """

    def encode(quality: int, *, optimize: bool = False) -> bytes:
        return jpeg(image, quality, dpi=(spec.dpi, spec.dpi), optimize=optimize, subsampling="4:4:4")

    made = encode(USUAL_QUALITY)
    if len(made) > spec.max_bytes:
        # Tables of its own make it a twentieth smaller, for three times the work: where bytes are scarce.
        made = _best(partial(encode, optimize=True), WORST_QUALITY, USUAL_QUALITY, spec.max_bytes)
        if not made:
            raise PhotoRefused(
                f"这张照片细节过多，无法压缩到 {spec.max_kilobytes} KB 以内。请换一张背景简洁、光线充足的照片。"
            )
    quality = USUAL_QUALITY
    while len(made) < spec.min_bytes and quality < BEST_QUALITY:
        quality += 1
        better = encode(quality)
        if len(better) > spec.max_bytes:
            break
        made = better
    if len(made) < spec.min_bytes:
        raise PhotoRefused(
            f"这张照片内容太简单，保存成最好的质量也只有 {len(made) / KILOBYTE:.1f} KB，要求至少 {spec.min_kilobytes} KB。"
            "请换一张更清晰、细节更多的照片。"
        )
    return made


def _best(encode: Any, low: int, high: int, most: int) -> bytes:
    """The best quality between `low` and `high` that fits into `most` bytes, found by halving; b"" if none does."""
    best = b""
    while low <= high:
        middle = (low + high) // 2
        attempt = encode(middle)
        if len(attempt) <= most:
            best, low = attempt, middle + 1
        else:
            high = middle - 1
    return best
