"""Decode an uploaded file to an upright sRGB picture of a working copy's size, or refuse it with a sentence. Pure."""

from collections.abc import Callable
from io import BytesIO
from math import prod
from typing import BinaryIO

from pi_heif import HeifFile, HeifImageFile
from pi_heif import options as heif_options
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from photos import colours, containers, webp
from photos.formats import Format
from photos.orientation import Planes, Upright, orientation_of
from photos.refusals import (
    BROKEN,
    INCOMPLETE,
    MAX_PROFILE,
    MEGAPIXEL,
    TOO_COSTLY,
    PhotoRefused,
    check_extra,
    check_pixels,
)
from photos.scaling import JPEG_SCALES, Size, scaling_of
from photos.spec import PhotoSpec

PIXELS = {
    Format.JPEG: containers.JPEG_PIXELS,
    Format.PNG: containers.PNG_PIXELS,
    Format.WEBP: containers.WEBP_PIXELS,
    Format.HEIC: containers.HEIC_PIXELS,
}
# Transparent WebP pictures of up to so many pixels are laid on their ground with colours of full size, by Pillow. There is no
# memory for that in larger ones: their colours are at half the size (photos/webp.py), and they are scaled down afterwards.
LAYERED_WEBP_PIXELS = 8 * MEGAPIXEL
# A head start for the decoder of HEIC would be threads, each with memory of its own; the time of one is bounded better.
heif_options.DECODE_THREADS = 1


class ScaledJpeg(JpegImageFile):
    """A JPEG that is decoded at a part of its size, and of which an edge can be left out."""

    def decode_at(self, scale: int, mode: str | None) -> None:
        """At 1/`scale`, as `mode` where JPEG can (YCbCr is what it stores)."""
        self.draft(mode, (self.width // scale, self.height // scale))
        self.load()

    def upper_left(self, size: Size) -> Image.Image:
        """That part of it. Three channels are not copied for it: all that is done to them goes by the size."""
        if self.mode not in ("RGB", "YCbCr"):
            return self.crop((0, 0, *size))
        self._size = size
        return self


def _open_webp(file: BinaryIO) -> Image.Image:
    """As WebPImageFile itself loads, but its decoder, which holds the picture twice, is let go before the next copy."""
    image = WebPImageFile(file)
    check_pixels(*image.size, LAYERED_WEBP_PIXELS)
    frame = image._decoder.get_next()
    if frame is None:
        raise EOFError
    loaded = Image.frombuffer(image.mode, image.size, frame[0], "raw", image.rawmode, 0, 1)
    loaded.info = image.info
    return loaded


# The classes themselves instead of Image.open(): nothing else can be tried, an MPO stays its first picture,
# and limits are ours (photos/containers.py), in force before anything is decoded.
OPENERS: dict[Format, Callable[[BinaryIO], Image.Image]] = {
    Format.PNG: PngImageFile,
    Format.WEBP: _open_webp,
    Format.HEIC: HeifImageFile,
}


def opened(source: bytes | BinaryIO, format: Format, spec: PhotoSpec) -> Upright:
    """RGB or YCbCr, without its metadata. Raises PhotoRefused and nothing else."""
    file = BytesIO(source) if isinstance(source, bytes) else source
    try:
        return _upright(file, format, spec)
    except PhotoRefused:
        raise
    except MemoryError as problem:
        raise PhotoRefused(TOO_COSTLY) from problem
    except EOFError as problem:
        raise PhotoRefused(INCOMPLETE) from problem
    except Exception as problem:
        # On hostile bytes decoders raise about anything: OSError, SyntaxError, ValueError, struct.error…
        raise PhotoRefused(_sentence(str(problem))) from problem


def _sentence(said: str) -> str:
    """The refusal that is meant by what Pillow (truncated) or libheif (out of memory) said."""
    if "Memory allocation" in said:
        return TOO_COSTLY
    return INCOMPLETE if "truncated" in said else BROKEN


def _upright(file: BinaryIO, format: Format, spec: PhotoSpec) -> Upright:
    image, orientation, size = LOADERS.get(format, _other)(file, format, spec)
    profile = _profile(image)
    image = colours.to_srgb(colours.flat(image, size, colours.ground_of(spec.background)), profile)
    if orientation == 1:
        return Upright(image)
    return Planes.of(image).together(orientation)


def _jpeg(file: BinaryIO, _format: Format, spec: PhotoSpec) -> tuple[Image.Image, int, Size]:
    image = ScaledJpeg(file)
    orientation = orientation_of(image)
    scaling = scaling_of(image.size, orientation, spec, JPEG_SCALES)
    # What is turned is taken apart into brightness and colours: then they need not be put together before.
    stays_apart = orientation > 1 and not colours.changes_colours(_profile(image))
    image.decode_at(scaling.scale, "YCbCr" if stays_apart else None)
    return image.upper_left(scaling.decoded), orientation, scaling.size


def _other(file: BinaryIO, format: Format, spec: PhotoSpec) -> tuple[Image.Image, int, Size]:
    image = OPENERS[format](file)
    check_pixels(*image.size, PIXELS[format])
    image.load()  # before its EXIF block is asked for: that would load it, and hide why it could not
    orientation = orientation_of(image)
    return image, orientation, scaling_of(image.size, orientation, spec).size


def _heic(file: BinaryIO, format: Format, spec: PhotoSpec) -> tuple[Image.Image, int, Size]:
    """Of a large one what the decoder holds is reduced row by row: as a picture of Pillow's it would be there twice."""
    heic = HeifFile(file, convert_hdr_to_8bit=True, hdr_to_16bit=True, remove_stride=False)
    picture = heic[heic.primary_index]
    width, height = picture.size
    check_pixels(width, height, containers.HEIC_PIXELS)
    if width * height <= colours.LARGE:
        file.seek(0)
        return _other(file, format, spec)
    data = memoryview(picture.data)  # decodes; only then the size is the true one
    width, height = picture.size
    check_pixels(width, height, containers.HEIC_PIXELS)

    def part(edges: colours.Edges) -> Image.Image:
        _, top, _, bottom = edges
        rows = data[top * picture.stride : bottom * picture.stride]
        return Image.frombytes(picture.mode, (width, bottom - top), rows, "raw", picture.mode, picture.stride)

    size = scaling_of((width, height), 1, spec).size  # upright already: its decoder has seen to that
    factor = colours.reduction((width, height), size)
    image = colours.reduced_in_bands((width, height), factor, colours.ground_of(spec.background), part)
    image.info["icc_profile"] = picture.info.get("icc_profile")
    return image, 1, size


def _webp(file: BinaryIO, format: Format, spec: PhotoSpec) -> tuple[Image.Image, int, Size]:
    """By its planes: Pillow's own way has no room for 30 million pixels."""
    data = webp.mapped(file)
    if containers.webp_is_transparent(data) and prod(webp.size_of(data)) <= LAYERED_WEBP_PIXELS:
        data.close()
        file.seek(0)
        return _other(file, format, spec)
    stored, notes = webp.stored(data).on(colours.ground_of(spec.background)), webp.notes(data)
    orientation = orientation_of(notes)
    planes = stored.scaled(scaling_of(stored.brightness.size, orientation, spec).size)
    image, _half = planes.together(orientation)
    image.info["icc_profile"] = notes.info.get("icc_profile")
    return image, 1, image.size


LOADERS = {Format.JPEG: _jpeg, Format.HEIC: _heic, Format.WEBP: _webp}


def _profile(image: Image.Image) -> bytes:
    profile = image.info.get("icc_profile") or b""
    check_extra(len(profile), MAX_PROFILE, "颜色描述文件")
    return profile
