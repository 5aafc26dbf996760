"""Decode WebP pictures into what they store, brightness, colours and transparency, with the libwebp that Pillow brings. Pure.

Pillow's own way there is libwebp's interface for animations, which holds twelve bytes for each pixel, and four more of a
lossless picture. This one holds one and a half, one more for transparency, and those four. Its functions take no structure.
"""

import ctypes
from dataclasses import dataclass
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
from os import SEEK_END
from typing import BinaryIO

from PIL import Image, _webp

from photos import containers
from photos.orientation import Planes
from photos.refusals import BROKEN, PhotoRefused, check_pixels
from photos.scaling import Size

_libwebp = ctypes.CDLL(_webp.__file__)  # what Pillow's module is linked with is found through it
_size = ctypes.POINTER(ctypes.c_int)
_plane = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)  # where to, how many bytes there are, bytes of a row
_get_info = _libwebp.WebPGetInfo
_get_info.argtypes = (ctypes.c_char_p, ctypes.c_size_t, _size, _size)
_new_decoder = _libwebp.WebPINewYUVA
_new_decoder.argtypes = _plane * 4
_new_decoder.restype = ctypes.c_void_p
_decode = _libwebp.WebPIUpdate  # takes the file as it lies there; WebPIAppend would copy it
_decode.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
_delete = _libwebp.WebPIDelete
_delete.argtypes = (ctypes.c_void_p,)
_delete.restype = None
DECODED, OUT_OF_MEMORY = 0, 1  # of VP8StatusCode

# Brightness is stored as 16 to 235 and colours as 16 to 240 (ITU-R BT.601), where JPEG and Pillow have 0 to 255.
BRIGHTNESS = [min(255, max(0, round((level - 16) * 255 / 219))) for level in range(256)]
COLOUR = [min(255, max(0, round((level - 128) * 255 / 224 + 128))) for level in range(256)]


@dataclass
class Stored:
    """What the file holds: brightness, and the two colours at half the size, each of its narrow range; how opaque it is."""

    brightness: Image.Image
    colours: list[Image.Image]
    opacity: Image.Image | None = None

    def on(self, ground: tuple[int, int, int]) -> "Stored":
        """Opaque: where it is transparent, `ground` (RGB) is seen."""
        if self.opacity is None:
            return self
        brightness, *colours = Image.new("RGB", (1, 1), ground).convert("YCbCr").tobytes()
        narrow = [16 + brightness * 219 / 255, *(128 + (colour - 128) * 224 / 255 for colour in colours)]
        planes = [self.brightness, *self.colours]
        opacities = [self.opacity, *[self.opacity.reduce(2)] * 2]
        laid = [
            Image.composite(plane, Image.new("L", plane.size, round(level)), opacity)
            for plane, level, opacity in zip(planes, narrow, opacities, strict=True)
        ]
        return Stored(laid[0], laid[1:])

    def scaled(self, size: Size) -> Planes:
        """Of `size` pixels, by a good filter where that is another, and of the range that Pillow has."""
        width, height = self.brightness.size
        brightness, colours = self.brightness, self.colours
        if (width, height) != size:
            half, edges = (-(-size[0] // 2), -(-size[1] // 2)), (0, 0, width / 2, height / 2)
            brightness = brightness.resize(size, Image.Resampling.LANCZOS, reducing_gap=2)
            colours = [each.resize(half, Image.Resampling.LANCZOS, edges, reducing_gap=2) for each in colours]
        brightness = brightness.point(BRIGHTNESS)
        half_planes = [brightness.reduce(2), *(each.point(COLOUR) for each in colours)]
        return Planes(brightness, Image.merge("YCbCr", half_planes))


def mapped(file: BinaryIO) -> mmap:
    """All that is in it. Raises MemoryError."""
    memory = _memory(file.seek(0, SEEK_END))
    file.seek(0)
    file.readinto(memory)  # type: ignore[attr-defined]  # missing in BinaryIO, not in what is one
    return memory


def _memory(size: int) -> mmap:
    """So many bytes, and no more: pieces of the heap come with a reserve, for which there is no room. Raises MemoryError."""
    try:
        return mmap(-1, size, MAP_PRIVATE | MAP_ANONYMOUS)
    except OSError as problem:
        raise MemoryError from problem


def size_of(data: mmap) -> Size:
    """Width and height in pixels, as libwebp will decode them. Raises PhotoRefused."""
    width, height = ctypes.c_int(), ctypes.c_int()
    if not _get_info(_place(data), len(data), width, height):
        raise PhotoRefused(BROKEN)
    return width.value, height.value


def stored(data: mmap) -> Stored:
    """Raises PhotoRefused and MemoryError."""
    size = size_of(data)
    check_pixels(*size, containers.WEBP_PIXELS)
    half = (-(-size[0] // 2), -(-size[1] // 2))
    sizes = [size, half, half] + [size] * containers.webp_is_transparent(data)
    planes = [_memory(across * down) for across, down in sizes]
    _decode_into(planes, [across for across, _ in sizes], data)
    images = [_image(plane, of) for plane, of in zip(planes, sizes, strict=True)]
    return Stored(images[0], images[1:3], *images[3:])


def _decode_into(planes: list[mmap], rows: list[int], data: mmap) -> None:
    """Into three planes, or four, with rows of so many bytes. libwebp checks them against what it decodes."""
    places: list[object] = []
    for plane, across in zip(planes, rows, strict=True):
        places += [_place(plane), len(plane), across]
    decoder = _new_decoder(*places, *[None, 0, 0] * (4 - len(planes)))
    if not decoder:
        raise MemoryError
    status = _decode(decoder, _place(data), len(data))
    _delete(decoder)
    if status == OUT_OF_MEMORY:
        raise MemoryError
    if status != DECODED:
        raise PhotoRefused(BROKEN)


def _image(plane: mmap, size: Size) -> Image.Image:
    return Image.frombuffer("L", size, plane, "raw", "L", 0, 1)  # type: ignore[arg-type]  # any buffer will do


def _place(memory: mmap) -> object:
    return (ctypes.c_char * len(memory)).from_buffer(memory)


NOTES = {b"ICCP": "icc_profile", b"EXIF": "exif", b"XMP ": "xmp"}


def notes(data: mmap) -> Image.Image:
    """No picture: what Pillow would know of it, so that Pillow can be asked."""
    known = Image.new("L", (1, 1))
    for kind, start, length in containers.webp_chunks(data):
        if kind in NOTES:
            known.info.setdefault(NOTES[kind], data[start : start + length])
    return known
