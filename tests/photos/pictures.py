"""Pictures for the tests, made here: four coloured quarters, so that a turned or mirrored one is recognised."""

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

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
