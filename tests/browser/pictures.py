"""A photo for the walks: a drawn person before a white wall."""

from io import BytesIO

from PIL import Image, ImageDraw


def drawn_photo(width: int = 900, height: int = 1200) -> bytes:
    """A JPEG, so large in pixels."""
    image = Image.new("RGB", (width, height), "#fbfbfb")
    draw = ImageDraw.Draw(image)
    middle, unit = width / 2, min(width, height) / 10

    def ellipse(x: float, y: float, across: float, down: float, colour: str) -> None:
        left, top = middle + (x - across / 2) * unit, height * 0.4 + (y - down / 2) * unit
        draw.ellipse((left, top, left + across * unit, top + down * unit), fill=colour)

    ellipse(0, 6.5, 8, 7, "#33475f")
    draw.rectangle((middle - unit, height * 0.4, middle + unit, height * 0.4 + 3.6 * unit), fill="#e0b48f")
    ellipse(0, -0.4, 4.2, 5.2, "#2a2422")
    ellipse(0, 0.2, 3.6, 4.6, "#efc6a2")
    for x in (-0.8, 0.8):
        ellipse(x, 0, 0.35, 0.35, "#2a2422")
    ellipse(0, 1.4, 1.2, 0.3, "#b4574f")
    out = BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()
