"""Set a decoded picture upright, without ever holding it twice. Pure."""

from dataclasses import dataclass

from PIL import Image

from photos.scaling import Size

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
BAND = 64  # rows that are taken apart or put together at a time; even, as colours are kept for two rows at once


def orientation_of(image: Image.Image) -> int:
    """As EXIF numbers it: 1 stands upright, from 5 on width and height change places."""
    try:
        value = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # A broken EXIF block is no reason to refuse the picture; then it stands as it is stored.
        return 1
    return value if value in UPRIGHT else 1


@dataclass
class Planes:
    """A picture as JPEG keeps it: brightness for each pixel, the two colours for each four. A third of the memory."""

    brightness: Image.Image
    colours: list[Image.Image]

    @classmethod
    def of(cls, image: Image.Image) -> "Planes":
        """Takes `image`, RGB or YCbCr, apart, and closes it."""
        width, height = image.size
        brightness = image.getchannel(0) if image.mode == "YCbCr" else image.convert("L")
        brightness = brightness.crop((0, 0, width, height))  # of what lies behind `image`, an edge may be left out
        colours = [Image.new("L", (-(-width // 2), -(-height // 2))) for _ in range(2)]
        for top in range(0, height, BAND):
            half = image.reduce(2, (0, top, width, min(top + BAND, height)))
            half = half if half.mode == "YCbCr" else half.convert("YCbCr")
            for channel, kept in enumerate(colours, start=1):
                kept.paste(half.getchannel(channel), (0, top // 2))
        image.close()
        return cls(brightness, colours)

    def scale(self, size: Size) -> None:
        """To `size` pixels, by a good filter where that is another."""
        if self.brightness.size == size:
            return
        width, height = self.brightness.size
        half = (-(-size[0] // 2), -(-size[1] // 2))
        whole = (0, 0, width / 2, height / 2)  # of an odd side, the colours reach half a pixel further
        self.brightness = self.brightness.resize(size, Image.Resampling.LANCZOS, reducing_gap=2)
        self.colours = [
            colour.resize(half, Image.Resampling.LANCZOS, box=whole, reducing_gap=2) for colour in self.colours
        ]

    def turn(self, orientation: int) -> None:
        if orientation not in UPRIGHT:
            return
        self.brightness = self.brightness.transpose(UPRIGHT[orientation])
        self.colours = [colour.transpose(UPRIGHT[orientation]) for colour in self.colours]

    def together(self) -> Image.Image:
        """The YCbCr picture."""
        width, height = self.brightness.size
        whole = Image.new("YCbCr", (width, height))
        for top in range(0, height, BAND):
            edges = (0, top, width, min(top + BAND, height))
            band = [self.brightness.crop(edges), *(_doubled(colour, edges) for colour in self.colours)]
            whole.paste(Image.merge("YCbCr", band), (0, top))
        return whole


def _doubled(colour: Image.Image, edges: tuple[int, int, int, int]) -> Image.Image:
    """The part of a colour that belongs to the pixels within `edges`."""
    _, top, width, bottom = edges
    return colour.resize((width, bottom - top), Image.Resampling.NEAREST, box=(0, top / 2, width / 2, bottom / 2))
