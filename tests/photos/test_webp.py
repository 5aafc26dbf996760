"""WebP by its planes: the same picture as from any other format, in little memory, and no file that lies gets through."""

import struct

import pytest
from PIL import Image, ImageChops, ImageStat

from photos import bounded, containers
from photos.decoder import MEGABYTE
from photos.pipeline import DEFAULT_SPEC, read
from photos.refusals import BROKEN
from tests.photos.builders import TURNED, riff
from tests.photos.pictures import drawn_portrait, encoded, opened, quarters, seen, swapped_profile
from tests.photos.refused import refusal

KINDS = {"lossy": {"quality": 95}, "lossless": {"lossless": True}}


def stored(kind: str, image: Image.Image, **more: object) -> bytes:
    return encoded(image, "WEBP", **KINDS[kind], method=0, **more)


def chunks_of(data: bytes) -> dict[bytes, bytes]:
    return {kind: data[start : start + length] for kind, start, length in containers.webp_chunks(data)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(600, 800), (601, 799), (2000, 1501), (2600, 3701)])
def test_it_is_the_picture_that_a_png_gives(kind, size):
    """To one or two of 256 levels on average: working copies are JPEG."""
    person = drawn_portrait(*size)
    ours, of_png = (opened(read(data).data) for data in (stored(kind, person), encoded(person, "PNG")))
    assert ours.size == of_png.size
    difference = ImageStat.Stat(ImageChops.difference(ours, of_png))
    assert (max(difference.mean) < 2, max(high for _, high in difference.extrema) < 48) == (True, True), difference.mean


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0, 1, 128, 254, 255])
def test_black_stays_black_and_white_stays_white(kind, level):
    grey = Image.new("RGB", (600, 800), (level,) * 3)
    (low, high) = opened(read(stored(kind, grey)).data).convert("L").getextrema()
    assert (abs(low - level) <= 1, abs(high - level) <= 1) == (True, True), (low, high)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_stands_upright_with_the_colours_that_its_profile_means(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = quarters(1201, 1600)
    held = picture.transpose(TURNED[orientation]) if orientation in TURNED else picture
    image = opened(read(stored(kind, held, icc_profile=swapped_profile(), exif=exif)).data)
    corners = [image.getpixel((x, y)) for y in (400, 1200) for x in (300, 900)]
    assert image.size == (1201, 1600)
    assert [red > 130 and green < 100 for red, green, _ in corners] == [False, True, False, False]


@pytest.mark.parametrize("kind", KINDS)
def test_it_stands_upright_where_only_its_xmp_says_how(kind):
    """As a JPEG does: Pillow reads it there, too."""
    said = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert seen(read(stored(kind, quarters().transpose(TURNED[6]), xmp=said)).data) == seen(
        read(encoded(quarters())).data
    )


def test_transparent_becomes_white():
    layered = quarters().convert("RGBA")
    layered.paste((0, 0, 0, 0), (0, 0, 300, 400))
    for kind in KINDS:
        data = stored(kind, layered)
        assert containers.webp_is_transparent(data)
        assert seen(read(data).data) == ["white", "green", "blue", "white"]


@pytest.mark.parametrize("kind", KINDS)
def test_thirty_million_pixels_fit_into_the_bounds_of_a_decode(kind):
    answer = bounded.ask("read", stored(kind, quarters(4472, 6708)), spec=DEFAULT_SPEC.as_dict())
    facts = answer.checked().facts
    assert (facts["width"], facts["height"], seen(answer.blobs[0])) == (1333, 2000, ["red", "green", "blue", "white"])
    assert (answer.cost.cpu < 2, answer.cost.memory < 180 * MEGABYTE) == (True, True), answer.cost


def test_more_is_refused_and_half_as_much_where_it_is_transparent():
    head = struct.pack("<I", 5999 | 5999 << 14)
    assert "最多 30 百万像素" in refusal(riff((b"VP8L", b"\x2f" + head + b"\0" * 60)))
    head = struct.pack("<I", 3999 | 3999 << 14 | 1 << 28)
    assert "最多 14 百万像素" in refusal(riff((b"VP8L", b"\x2f" + head + b"\0" * 60)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_ends_within_a_whole_file_is_broken(kind):
    (name, picture) = next(iter(chunks_of(stored(kind, drawn_portrait())).items()))
    for share in (0.1, 0.5, 0.9):
        assert refusal(riff((name, picture[: int(len(picture) * share)]))) == BROKEN


@pytest.mark.parametrize("kind", KINDS)
def test_a_canvas_of_another_size_than_its_picture_is_broken(kind):
    (name, picture) = next(iter(chunks_of(stored(kind, drawn_portrait())).items()))
    for width, height in ((2000, 2000), (900, 1000), (400, 500)):
        canvas = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        assert refusal(riff((b"VP8X", canvas), (name, picture))) == BROKEN


def test_a_small_picture_before_the_large_one_that_is_announced_is_broken():
    """libwebp is asked for the size and decodes by itself: both must look at the same chunk."""
    (name, picture) = next(iter(chunks_of(stored("lossy", quarters(600, 800))).items()))
    (_, larger) = next(iter(chunks_of(stored("lossy", quarters(1200, 1600))).items()))
    assert refusal(riff((name, picture), (name, larger))) == BROKEN
