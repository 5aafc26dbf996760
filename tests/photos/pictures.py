"""Pictures for the tests, made here: four coloured quarters that show how they were turned, and a drawn person."""

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageDraw

HEIC = (Path(__file__).parent / "fixtures" / "quarters.heic").read_bytes()  # 600×800, the same quarters

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 160, 30), (30, 30, 200), (255, 255, 255)
NAMES = {RED: "red", GREEN: "green", BLUE: "blue", WHITE: "white"}


def quarters(width: int = 600, height: int = 800) -> Image.Image:
    """Red and green above blue and white."""
    image = Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=RED)
    draw.rectangle((width // 2, 0, width - 1, height // 2 - 1), fill=GREEN)
    draw.rectangle((0, height // 2, width // 2 - 1, height - 1), fill=BLUE)
    return image


GROUNDS = {"white": "#fbfbfb", "blue": "#438edb", "red": "#d4221f"}


def drawn_portrait(
    width: int = 900, height: int = 1260, background: str = "white", clothes: str = "#33475f"
) -> Image.Image:
    """Head and shoulders of nobody before a plain ground (a key of GROUNDS or a colour): nothing to be said against it."""
    image = Image.new("RGB", (width, height), GROUNDS.get(background, background))
    draw = ImageDraw.Draw(image)
    unit = min(width / 295, height / 413)  # all figures below are pixels of a portrait of 295 × 413

    def area(x: float, y: float, across: float, down: float) -> tuple[float, ...]:
        """Around (x, y), counted from the middle and from the top."""
        left, top = width / 2 + (x - across / 2) * unit, (y - down / 2) * unit
        return left, top, left + across * unit, top + down * unit

    draw.rounded_rectangle((*area(0, 444, 270, 220)[:3], height * 2), 105 * unit, fill=clothes)
    draw.polygon([(width / 2 + x * unit, y * unit) for x, y in ((-46, 338), (0, 400), (46, 338))], fill="#f4f6f8")
    draw.rounded_rectangle(area(0, 320, 70, 90), 20 * unit, fill="#d8ab86")
    draw.ellipse(area(0, 160, 186, 236), fill="#2a2422")
    for x in (-84, 84):
        draw.ellipse(area(x, 196, 22, 50), fill="#dcae88")
    draw.ellipse(area(0, 194, 160, 212), fill="#efc6a2")
    draw.chord(area(0, 134, 164, 150), 184, 356, fill="#2a2422")
    for x in (-34, 34):
        draw.arc(area(x, 176, 46, 30), 205, 335, fill="#3a2e29", width=max(1, round(5 * unit)))
        draw.ellipse(area(x, 190, 32, 15), fill="#fdfbf8")
        draw.ellipse(area(x, 190, 14, 14), fill="#2a2422")
    draw.line(area(-3, 222, 8, 34), fill="#c99c78", width=max(1, round(4 * unit)))
    draw.arc(area(0, 238, 26, 12), 20, 160, fill="#c08f6c", width=max(1, round(3 * unit)))
    draw.ellipse(area(0, 264, 48, 13), fill="#b4574f")
    return image


def encoded(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def seen(data: bytes) -> list[str]:
    """The nearest named colour in the middle of each quarter, row by row."""
    image = opened(data).convert("RGB")
    width, height = image.size
    points = [(width // 4, height // 4), (3 * width // 4, height // 4)]
    points += [(x, 3 * height // 4) for x, _ in points]
    return [_nearest(image.getpixel(point)) for point in points]


def _nearest(pixel: Any) -> str:
    def distance(colour: tuple[int, int, int]) -> int:
        return sum(abs(a - b) for a, b in zip(pixel, colour, strict=True))

    colour = min(NAMES, key=distance)
    return NAMES[colour] if distance(colour) < 40 else f"none of them: {pixel}"


def swapped_profile() -> bytes:
    """Of a device whose red and green are the other way round."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.find(b"rXYZ"), profile.find(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)
