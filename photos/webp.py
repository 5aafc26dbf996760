"""Decode opaque WebP pictures into what they store, brightness and colours, with the libwebp that Pillow brings. Pure.

Pillow's own way there is libwebp's interface for animations, which holds twelve bytes for each pixel, and four more of a
lossless picture. This one holds one and a half, and those four. Two functions are called; neither takes a structure.
"""

import ctypes
from dataclasses import dataclass

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
_decode = _libwebp.WebPDecodeYUVInto
_decode.argtypes = (ctypes.c_char_p, ctypes.c_size_t, *_plane, *_plane, *_plane)
_decode.restype = ctypes.c_void_p

# Brightness is stored as 16 to 235 and colours as 16 to 240 (ITU-R BT.601), where JPEG and Pillow have 0 to 255.
BRIGHTNESS = [min(255, max(0, round((level - 16) * 255 / 219))) for level in range(256)]
COLOUR = [min(255, max(0, round((level - 128) * 255 / 224 + 128))) for level in range(256)]


@dataclass
class Stored:
    """What the file holds: brightness, and the two colours at half the size, each of its narrow range."""

    brightness: Image.Image
    colours: list[Image.Image]

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


def stored(data: bytes) -> Stored:
    """Raises PhotoRefused."""
    width, height = ctypes.c_int(), ctypes.c_int()
    if not _get_info(data, len(data), width, height):
        raise PhotoRefused(BROKEN)
    size = (width.value, height.value)
    check_pixels(*size, containers.WEBP_PIXELS)
    sizes = [size] + [(-(-size[0] // 2), -(-size[1] // 2))] * 2
    memory = [bytearray(across * down) for across, down in sizes]
    places: list[object] = []
    for plane, (across, _) in zip(memory, sizes, strict=True):
        places += [(ctypes.c_char * len(plane)).from_buffer(plane), len(plane), across]
    if not _decode(data, len(data), *places):
        raise PhotoRefused(BROKEN)
    images = [Image.frombuffer("L", of, plane, "raw", "L", 0, 1) for plane, of in zip(memory, sizes, strict=True)]
    return Stored(images[0], images[1:])


NOTES = {b"ICCP": "icc_profile", b"EXIF": "exif", b"XMP ": "xmp"}


def notes(data: bytes) -> Image.Image:
    """No picture: what Pillow would know of it, so that Pillow can be asked."""
    known = Image.new("L", (1, 1))
    for kind, start, length in containers.webp_chunks(data):
        if kind in NOTES:
            known.info.setdefault(NOTES[kind], data[start : start + length])
    return known
