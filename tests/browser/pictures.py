"""A photo for the walks: a drawn person before a white wall."""

from tests.photos.pictures import drawn_portrait, encoded


def drawn_photo(width: int = 900, height: int = 1200) -> bytes:
    """A JPEG, so large in pixels."""
    return encoded(drawn_portrait(width, height), quality=85)
