"""Draw portraits of nobody: head and shoulders in flat colours on a plain ground."""

from dataclasses import dataclass
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 590, 826  # twice the portrait that is cropped from it
INK = "#2b2320"


@dataclass(frozen=True)
class Look:
    """What tells one figure from another; colours as Pillow names them."""

    skin: str
    hair: str
    clothes: str
    style: str  # short, side, long, bob, bun
    glasses: bool = False
    background: str = "#ffffff"


MEN = (
    Look("#f1c9a5", "#26201d", "#2f4a6d", "short"),
    Look("#e8b98f", "#1d1a19", "#39424e", "side", glasses=True),
    Look("#f3d2b3", "#3a2c24", "#6b7f94", "side"),
    Look("#d9a57c", "#171514", "#4d5b3f", "short"),
    Look("#eec39d", "#77706b", "#24364f", "short", glasses=True),
    Look("#e2b088", "#2a211c", "#7a4a3c", "side"),
)
WOMEN = (
    Look("#f4d3b6", "#241d1b", "#8c3f52", "long"),
    Look("#efc5a0", "#33251f", "#31566b", "bob"),
    Look("#f1cba8", "#1c1918", "#4b4a6e", "bun", glasses=True),
    Look("#e6b791", "#2b201b", "#3f6654", "bob", glasses=True),
    Look("#f5d8bd", "#4a3327", "#5a6b86", "long"),
    Look("#e9bd97", "#6d6662", "#7c5a76", "bun"),
)
GREY_GROUND = Look("#f4d3b6", "#241d1b", "#8c3f52", "long", background="#c3cbd3")


@cache
def draw(look: Look) -> bytes:
    """A JPEG of WIDTH × HEIGHT pixels."""
    image = Image.new("RGB", (WIDTH, HEIGHT), look.background)
    pen = ImageDraw.Draw(image)
    hair_behind(pen, look)
    shoulders(pen, look)
    head(pen, look)
    hair_in_front(pen, look)
    features(pen, look)
    if look.glasses:
        spectacles(pen)
    out = BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


def hair_behind(pen: ImageDraw.ImageDraw, look: Look) -> None:
    if look.style == "long":
        pen.rounded_rectangle((132, 180, 458, 640), 110, fill=look.hair)
    elif look.style == "bob":
        pen.rounded_rectangle((138, 180, 452, 520), 110, fill=look.hair)
    elif look.style == "bun":
        pen.ellipse((235, 62, 355, 182), fill=look.hair)


def shoulders(pen: ImageDraw.ImageDraw, look: Look) -> None:
    pen.rounded_rectangle((62, 618, 528, 1000), 130, fill=look.clothes)
    pen.rounded_rectangle((238, 500, 352, 690), 50, fill=shade(look.skin))
    pen.polygon([(232, 612), (295, 742), (358, 612), (392, 632), (312, 800), (278, 800), (198, 632)], fill="#f7f8fa")
    pen.polygon([(244, 612), (295, 728), (346, 612)], fill=shade(look.skin))


def head(pen: ImageDraw.ImageDraw, look: Look) -> None:
    for left in (140, 412):
        pen.ellipse((left, 338, left + 38, 416), fill=shade(look.skin))
    pen.ellipse((154, 176, 436, 560), fill=look.skin)


def features(pen: ImageDraw.ImageDraw, look: Look) -> None:
    for middle in (233, 357):
        pen.ellipse((middle - 13, 356, middle + 13, 382), fill=INK)
        pen.arc((middle - 34, 312, middle + 34, 362), 205, 335, fill=look.hair, width=9)
    pen.line([(295, 372), (283, 434), (306, 436)], fill=shade(look.skin), width=7, joint="curve")
    pen.arc((248, 440, 342, 500), 25, 155, fill="#b0554c", width=8)


def hair_in_front(pen: ImageDraw.ImageDraw, look: Look) -> None:
    if look.style == "short":
        pen.chord((147, 150, 443, 440), 176, 364, fill=look.hair)
        pen.ellipse((178, 246, 412, 400), fill=look.skin)
    elif look.style == "side":
        pen.pieslice((144, 144, 446, 470), 180, 360, fill=look.hair)
        pen.ellipse((226, 244, 430, 400), fill=look.skin)
    else:
        pen.chord((148, 146, 442, 470), 192, 348, fill=look.hair)


def spectacles(pen: ImageDraw.ImageDraw) -> None:
    for middle in (233, 357):
        pen.rounded_rectangle((middle - 50, 336, middle + 50, 408), 26, outline="#3c4654", width=7)
    pen.line([(283, 362), (307, 362)], fill="#3c4654", width=7)


def shade(colour: str) -> str:
    """The same colour, a tenth darker."""
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{part * 9 // 10:02x}" for part in parts)
