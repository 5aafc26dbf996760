"""WebP by its planes: the same picture as from any other format, in little memory, and no file that lies gets through."""

import random
import struct
from dataclasses import replace

import pytest
from PIL import Image, ImageChops, ImageStat

from photos import bounded, containers, opening, webp
from photos.colours import ground_of
from photos.decoder import MEGABYTE
from photos.pipeline import DEFAULT_SPEC, read
from photos.refusals import BROKEN, TOO_COSTLY
from photos.spec import Background
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


@pytest.fixture(params=["by Pillow", "by its planes"])
def either_way(request, monkeypatch):
    """Transparent pictures go the one way or the other by their size; small ones are quicker to make."""
    if request.param == "by its planes":
        monkeypatch.setattr(opening, "LAYERED_WEBP_PIXELS", 0)


def fading(width: int, height: int) -> Image.Image:
    """A person who is opaque in the middle and gone at the edges."""
    person = drawn_portrait(width, height, background="#20a040")
    person.putalpha(ImageChops.invert(Image.radial_gradient("L")).resize((width, height)))
    return person


@pytest.mark.parametrize("kind", KINDS)
def test_transparent_becomes_white(kind, either_way):
    layered = quarters().convert("RGBA")
    layered.paste((0, 0, 0, 0), (0, 0, 300, 400))
    data = stored(kind, layered)
    assert containers.webp_is_transparent(data)
    assert seen(read(data).data) == ["white", "green", "blue", "white"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("background", [Background.WHITE, Background.BLUE, Background.RED])
@pytest.mark.parametrize("size", [(600, 800), (601, 799), (2600, 3701)])
def test_what_is_half_transparent_is_laid_on_the_ground_as_a_png_is(kind, background, size, either_way):
    spec, person = replace(DEFAULT_SPEC, background=background), fading(*size)
    data = stored(kind, person, exact=True)
    ours, of_png = (opened(read(each, spec).data) for each in (data, encoded(person, "PNG")))
    difference = ImageStat.Stat(ImageChops.difference(ours, of_png))
    assert (max(difference.mean) < 2, max(high for _, high in difference.extrema) < 48) == (True, True), difference.mean


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("background", [Background.WHITE, Background.BLUE, Background.RED])
def test_nothing_of_what_is_hidden_is_seen(kind, background, either_way):
    hidden = Image.new("RGBA", (600, 800), (0, 255, 0, 0))
    image = opened(read(stored(kind, hidden, exact=True), replace(DEFAULT_SPEC, background=background)).data)
    wanted = ground_of(background)
    for (low, high), level in zip(image.getextrema(), wanted, strict=True):
        assert (abs(low - level) <= 3, abs(high - level) <= 3) == (True, True), (low, high, level)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_transparent_one_stands_upright_too(kind, orientation, either_way):
    exif = Image.Exif()
    exif[0x0112] = orientation
    layered = quarters(601, 800).convert("RGBA")
    layered.paste((0, 0, 0, 0), (0, 0, 300, 400))
    image = opened(read(stored(kind, layered.transpose(TURNED[orientation]), exif=exif)).data)
    assert (image.size, seen(encoded(image, "PNG"))) == ((601, 800), ["white", "green", "blue", "white"])


@pytest.mark.parametrize("kind", KINDS)
def test_thirty_million_pixels_fit_into_the_bounds_of_a_decode(kind):
    answer = bounded.ask("read", stored(kind, quarters(4472, 6708)), spec=DEFAULT_SPEC.as_dict())
    facts = answer.checked().facts
    assert (facts["width"], facts["height"], seen(answer.blobs[0])) == (1333, 2000, ["red", "green", "blue", "white"])
    assert (answer.cost.cpu < 2, answer.cost.memory < 180 * MEGABYTE) == (True, True), answer.cost


def noisy(width: int, height: int, rows: int) -> Image.Image:
    """Half transparent, with `rows` of what no compression makes smaller."""
    picture = quarters(width, height).convert("RGBA")
    noise = Image.frombytes("RGB", (width, rows), random.Random(7).randbytes(width * rows * 3))
    picture.paste(noise, (0, 0))
    picture.putalpha(128)
    return picture


@pytest.mark.parametrize("kind", KINDS)
def test_thirty_million_transparent_pixels_do_too(kind):
    answer = bounded.ask("read", stored(kind, fading(4472, 6708)), spec=DEFAULT_SPEC.as_dict())
    facts = answer.checked().facts
    assert (facts["width"], facts["height"]) == (1333, 2000)
    assert (answer.cost.cpu < 2, answer.cost.memory < 200 * MEGABYTE) == (True, True), answer.cost


def test_the_largest_that_pillow_lays_on_its_ground_fits_into_the_bounds():
    side = int(opening.LAYERED_WEBP_PIXELS**0.5)
    answer = bounded.ask("read", stored("lossless", noisy(side, side, side)), spec=DEFAULT_SPEC.as_dict())
    assert answer.checked().facts["height"] == 2000
    assert (answer.cost.cpu < 2, answer.cost.memory < 200 * MEGABYTE) == (True, True), answer.cost


@pytest.mark.parametrize(("width", "height", "noise"), [(4200, 6900, 800), (16_000, 1811, 150)])
def test_a_lossless_transparent_one_has_room_beside_its_file(width, height, noise):
    """28 million pixels beside 20 MB: the most is decoded, in bounds that the system enforces, and more is refused."""
    data = stored("lossless", noisy(width, height, noise))
    rows = int((containers.TRANSPARENT_WEBP_BYTES - len(data)) / containers.BYTES_OF_PIXEL) // width
    assert 18_000_000 < len(data) < 20 * MEGABYTE
    assert f"{width}×{height} 像素（约 29 百万像素），最多 28 百万像素" in refusal(data)
    answer = bounded.ask("read", stored("lossless", noisy(width, rows - 2, noise)), spec=DEFAULT_SPEC.as_dict())
    assert answer.facts.get("height") == 2000 or "过于狭长" in answer.facts["refused"]
    assert answer.cost.memory < 200 * MEGABYTE, answer.cost


def test_memory_that_the_system_refuses_is_no_fault_of_the_file_either():
    """mmap() says it with an OSError."""
    with pytest.raises(MemoryError):
        webp._memory(1 << 60)


@pytest.mark.parametrize("opaque", [0, 1 << 28])
def test_more_is_refused(opaque):
    head = struct.pack("<I", 5999 | 5999 << 14 | opaque)
    assert "最多 30 百万像素" in refusal(riff((b"VP8L", b"\x2f" + head + b"\0" * 60)))


@pytest.mark.parametrize(("function", "says"), [("_new_decoder", None), ("_decode", webp.OUT_OF_MEMORY)])
def test_memory_that_ran_out_is_no_fault_of_the_file(function, says, monkeypatch):
    monkeypatch.setattr(webp, function, lambda *_: says)
    assert refusal(stored("lossy", drawn_portrait())) == TOO_COSTLY


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_ends_within_a_whole_file_is_broken(kind):
    (name, picture) = next(iter(chunks_of(stored(kind, drawn_portrait())).items()))
    for share in (0.1, 0.5, 0.9):
        assert refusal(riff((name, picture[: int(len(picture) * share)]))) == BROKEN


@pytest.mark.parametrize("short", [b"ALPH", b"VP8 ", b"VP8L"])
def test_so_is_a_transparent_one_of_which_a_part_ends_too_soon(short, either_way):
    chunks = chunks_of(stored("lossless" if short == b"VP8L" else "lossy", fading(600, 800)))
    for share in (0.1, 0.5, 0.9):
        cut = {**chunks, short: chunks[short][: int(len(chunks[short]) * share)]}
        assert refusal(riff(*cut.items())) == BROKEN


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
