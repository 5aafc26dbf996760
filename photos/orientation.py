"""Set a decoded picture upright, without ever holding all of it twice. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

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
SIDEWAYS = 5  # from here on width and height change places
BACKWARD = {3, 4, 6, 7}  # the first row becomes the last row or column
STRIP = 32  # rows that are turned at a time: a strip stays in the processor's cache


class Upright(NamedTuple):
    """A picture that stands upright and, where its making gave that for nothing, the same reduced by two."""

    image: Image.Image
    half: Image.Image | None = None


def orientation_of(image: Image.Image) -> int:
    """As EXIF numbers it: 1 stands upright."""
    try:
        value = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # A broken EXIF block is no reason to refuse the picture; then it stands as it is stored.
        return 1
    return value if value in UPRIGHT else 1


@dataclass
class Planes:
    """A picture in half its memory: the brightness of each pixel, and for its colours all of it reduced by two."""

    brightness: Image.Image  # L
    half: Image.Image  # YCbCr

    @classmethod
    def of(cls, image: Image.Image) -> "Planes":
        """Takes `image`, RGB or YCbCr, apart, and closes it."""
        whole = (0, 0, *image.size)
        brightness = image.getchannel(0) if image.mode == "YCbCr" else image.convert("L")
        brightness = brightness.crop(whole)  # of what lies behind `image`, an edge may be left out
        half = image.reduce(2, whole)
        image.close()
        return cls(brightness, half if half.mode == "YCbCr" else half.convert("YCbCr"))

    def together(self, orientation: int) -> Upright:
        """Upright, as YCbCr. Strip by strip: turned whole, it would be there twice for a moment."""
        width, height = self.brightness.size
        sideways = orientation >= SIDEWAYS
        image = Image.new("YCbCr", (height, width) if sideways else (width, height))
        for top in range(0, height, STRIP):
            edges = (0, top, width, min(top + STRIP, height))
            place = height - edges[3] if orientation in BACKWARD else top
            image.paste(_turned(self._strip(edges), orientation), (place, 0) if sideways else (0, place))
        self.brightness.close()
        return Upright(image, _turned(self.half, orientation))

    def _strip(self, edges: tuple[int, int, int, int]) -> Image.Image:
        left, top, right, bottom = edges
        halved = (left / 2, top / 2, right / 2, bottom / 2)
        strip = self.half.resize((right - left, bottom - top), Image.Resampling.NEAREST, box=halved)
        # As Image.merge() does, which would copy the colours once more.
        strip.im.putband(self.brightness.crop(edges).im, 0)
        return strip


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image
