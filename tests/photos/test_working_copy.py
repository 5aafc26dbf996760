"""How large a working copy and its preview become, whatever the file's format, mode, profile and turn."""

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from photos.pipeline import read
from photos.refusals import TOO_COSTLY
from photos.spec import PhotoSpec
from tests.photos.pictures import HEIC, drawn_portrait, encoded, opened, quarters, seen, swapped_profile
from tests.photos.refused import refusal

UPRIGHT = ["red", "green", "blue", "white"]


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        ((1600, 1200), (1600, 1200)),
        ((2018, 1400), (2000, 1400)),  # a hundredth is left out
        ((2022, 1400), (2000, 1385)),  # more than that is scaled
        ((4032, 3024), (2000, 1512)),
        ((4000, 3000), (2000, 1500)),
        ((4080, 3060), (2000, 1500)),
    ],
)
def test_no_side_of_a_working_copy_is_longer_than_two_thousand_pixels(stored, kept):
    copy = read(encoded(quarters(*stored)))
    assert (copy.width, copy.height, seen(copy.data)) == (*kept, UPRIGHT)
    assert opened(copy.data).size == kept


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_what_is_left_out_is_at_the_right_and_below(mode):
    wide = Image.new("RGB", (2020, 1500), (30, 160, 30))
    wide.paste((200, 30, 30), (0, 0, 8, 1500))
    wide.paste((30, 30, 200), (2012, 0, 2020, 1500))
    image = opened(read(encoded(wide.convert(mode), quality=95)).data)
    row = [image.getpixel((x, 700)) for x in (2, 1000, 1998)]
    assert (image.size, row[1] == row[2], row[0] == row[1]) == ((2000, 1500), True, False)


@pytest.mark.parametrize(("noise", "side"), [(4, 1000), (8, 1000), (12, 500), (200, 334)])
def test_a_preview_is_as_large_as_eighty_kilobytes_allow(noise, side):
    layers = [Image.effect_noise((1000, 1000), noise)] * 3
    preview = read(encoded(Image.merge("RGB", layers), "PNG")).preview
    assert (opened(preview).size, len(preview) <= 80 * 1024) == ((side, side), True)


def test_the_preview_of_an_ordinary_photo_has_a_thousand_pixels():
    preview = read(encoded(drawn_portrait(3024, 4032))).preview
    assert (opened(preview).size, len(preview) <= 80 * 1024) == ((756, 1000), True)


# Where the green quarter, at the upper right as stored, is seen, red now; row by row.
TURNED_GREEN = {1: [False, True, False, False], 3: [False, False, True, False], 2: [True, False, False, False]}


@pytest.mark.parametrize("orientation", sorted(TURNED_GREEN))
def test_a_wide_gamut_keeps_its_colours_however_the_camera_was_held(orientation):
    """Red and green swapped by the profile, as above; it is applied where there is no memory for a second picture."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = opened(read(encoded(quarters(1200, 1600), icc_profile=swapped_profile(), exif=exif)).data)
    corners = [image.getpixel((x, y)) for y in (400, 1200) for x in (300, 900)]
    assert [red > 130 and green < 100 for red, green, _ in corners] == TURNED_GREEN[orientation]


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("size", [(1201, 1603), (1280, 640)])
def test_it_is_turned_as_a_viewer_turns_it(size, orientation):
    """Strip by strip, so that none may be lost, doubled or out of its place."""
    layers = [Image.effect_noise((size[0] // step, size[1] // step), 60).resize(size) for step in (20, 31, 47)]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.merge("RGB", layers), quality=95, exif=exif)
    viewed = ImageOps.exif_transpose(opened(data))
    copy = read(data)
    difference = ImageStat.Stat(ImageChops.difference(opened(copy.data), viewed))
    assert (copy.width, copy.height) == viewed.size
    assert max(difference.mean) < 2, difference.mean
    small = viewed.resize(opened(copy.preview).size, Image.Resampling.BOX)
    assert max(ImageStat.Stat(ImageChops.difference(opened(copy.preview), small)).mean) < 6


def test_what_libheif_has_no_memory_for_is_too_costly(monkeypatch):
    def without_memory(*_args, **_options):
        raise RuntimeError("Memory allocation error: Unspecified: Allocating 119827215 bytes failed")

    monkeypatch.setattr("photos.opening.HeifFile", without_memory)
    assert refusal(HEIC) == TOO_COSTLY


@pytest.mark.parametrize("spec", [PhotoSpec(), PhotoSpec(background="blue")])
def test_a_large_heic_is_reduced_row_by_row_to_the_same_picture(monkeypatch, spec):
    """As large as a file kept here cannot be: what counts as large is made smaller."""
    whole = opened(read(HEIC, spec).data)
    monkeypatch.setattr("photos.colours.LARGE", 1000)
    copy = read(HEIC, spec)
    assert (seen(copy.data), opened(copy.data).size, copy.preview) == (UPRIGHT, whole.size, read(HEIC, spec).preview)
    assert ImageChops.difference(whole, opened(copy.data)).getextrema() == ((0, 0),) * 3


def test_a_copy_that_a_portrait_scales_down_is_kept_smaller_than_one_that_it_needs():
    layers = [Image.effect_noise((900, 1260), 40)] * 3
    data = encoded(Image.merge("RGB", layers), "PNG")
    ample, scarce = (len(read(data, PhotoSpec(width=w, height=h)).data) for w, h in ((295, 413), (480, 640)))
    assert ample < 0.8 * scarce
