"""What holds of every photo, every requirement and every turn; and that damaged files are refused in one way only."""

from io import BytesIO

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from photos.encoding import MAX_PREVIEW_BYTES
from photos.frames import Box, fit_box, suggest_box, turned_size
from photos.pipeline import PhotoRefused, crop, read
from photos.scaling import JPEG_SCALES, WORKING_SIDE, scaling_of
from photos.spec import Background, PhotoSpec
from tests.photos.builders import TURNED
from tests.photos.hostile import WHOLE
from tests.photos.pictures import drawn_portrait, encoded, opened

MODES = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "WEBP": ("RGB", "RGBA", "L"),
}
KINDS = [(format, mode) for format, modes in MODES.items() for mode in modes]
LEFT_IN = {"dpi", "jfif", "jfif_density", "jfif_unit", "jfif_version"}  # what a JPEG file is, not what it shows


@st.composite
def specs(draw, sides: int = 600) -> PhotoSpec:
    """Requirements that a committee could write."""
    width = draw(st.integers(100, sides))
    height = draw(st.integers(width, min(2 * width, sides)))
    least = draw(st.integers(0, 20))
    spec = PhotoSpec(
        width=width,
        height=height,
        dpi=draw(st.integers(72, 600)),
        source_width=draw(st.integers(0, 900)),
        source_height=draw(st.integers(0, 900)),
        min_kilobytes=least,
        max_kilobytes=draw(st.integers(max(5, least + 1), 400)),
        background=draw(st.sampled_from(Background)),
    )
    assume(not spec.problems())
    return spec


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    return image.convert("L").convert(mode) if mode == "I;16" else image.convert(mode)


def photo(kind: tuple[str, str], size: tuple[int, int], orientation: int) -> bytes:
    """Somebody, in a file that knows who took it and where, stored as a camera that was turned would."""
    format, mode = kind
    seen = drawn_portrait(*size)
    stored = in_mode(seen.transpose(TURNED[orientation]) if orientation in TURNED else seen, mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "CANARY maker"
    exif.get_ifd(0x8825)[1] = "CANARY north"
    return encoded(stored, format, exif=exif)


SIZES = st.tuples(st.integers(500, 1300), st.integers(700, 1300))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(KINDS), SIZES, st.integers(1, 8), specs(), st.integers(-4, 7))
@example(("JPEG", "RGB"), (2018, 1400), 6, PhotoSpec(), 1)
@example(("JPEG", "CMYK"), (2018, 1401), 8, PhotoSpec(), 3)
@example(("JPEG", "L"), (1401, 2019), 5, PhotoSpec(), 2)
@example(("PNG", "I;16"), (2300, 2000), 7, PhotoSpec(source_width=900), 0)
def test_every_photo_becomes_what_was_asked_for_or_is_refused_with_a_sentence(kind, size, orientation, spec, turns):
    data = photo(kind, size, orientation)
    try:
        copy = read(data, spec)
        box = suggest_box(*turned_size(copy.width, copy.height, turns), spec)
        made = crop(copy.data, box, spec, turns)
    except PhotoRefused as refused:
        assert str(refused).endswith("。")
        return
    assert (opened(copy.data).size, max(copy.width, copy.height) <= WORKING_SIDE) == ((copy.width, copy.height), True)
    assert abs(copy.width / copy.height - size[0] / size[1]) < 0.02 * size[0] / size[1]
    image = opened(made.data)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (spec.width, spec.height))
    assert image.info["dpi"] == (spec.dpi, spec.dpi)
    assert spec.min_bytes <= len(made.data) <= spec.max_bytes
    assert len(copy.preview) <= MAX_PREVIEW_BYTES
    for kept in (copy.data, copy.preview, made.data):
        assert b"CANARY" not in kept
        assert set(opened(kept).info) <= LEFT_IN
    assert (read(data, spec), crop(copy.data, box, spec, turns)) == (copy, made)


COPY = read(encoded(drawn_portrait()))


@settings(max_examples=150, deadline=None)
@given(
    st.integers(-2000, 2000),
    st.integers(-2000, 2000),
    st.integers(-100, 2000),
    st.integers(0, 3),
    st.builds(PhotoSpec, source_width=st.integers(0, 800)),
)
def test_a_frame_that_does_not_fit_is_refused_with_its_sentence_and_any_other_is_cropped(left, top, width, turns, spec):
    seen = turned_size(COPY.width, COPY.height, turns)
    height, least = spec.box_height(width), spec.least_source
    expected = None
    if width < least[0] or height < least[1]:
        expected = (
            f"裁切框只有 {width}×{height} 像素，至少需要 {least[0]}×{least[1]} 像素。请缩小照片，让裁切框框住更多内容。"
        )
    elif min(left, top) < 0 or left + width > seen[0] or top + height > seen[1]:
        expected = (
            f"裁切框（左 {left}、上 {top}、{width}×{height} 像素）超出了照片的范围（{seen[0]}×{seen[1]} 像素）。"
            "请重新移动裁切框。"
        )
    try:
        made = crop(COPY.data, Box(left, top, width, 0), spec, turns)
    except PhotoRefused as refused:
        assert str(refused) == expected
    else:
        assert (opened(made.data).size, expected) == ((spec.width, spec.height), None)


@given(
    st.tuples(st.integers(1, 30_000), st.integers(1, 30_000)),
    st.integers(1, 8),
    specs(1500),
    st.sampled_from([(1,), JPEG_SCALES]),
)
def test_a_working_copy_is_never_larger_than_its_most_nor_too_small_for_its_portrait(stored, orientation, spec, scales):
    try:
        scaling = scaling_of(stored, orientation, spec, scales)
    except PhotoRefused:
        return
    size, decoded = scaling.size, scaling.decoded
    assert max(size) <= WORKING_SIDE
    assert all(most >= least for most, least in zip(decoded, size, strict=True))
    if decoded == size:  # taken as it is decoded, but for a hundredth
        whole = [-(-side // scaling.scale) for side in stored]
        assert all(side <= full <= side * 1.01 for side, full in zip(size, whole, strict=True))
    seen = size[::-1] if orientation >= 5 else size
    assert fit_box(suggest_box(*seen, spec), *seen, spec)


# --- Damage --------------------------------------------------------------------------------------------------------


@st.composite
def damaged(draw) -> bytes:
    """A whole file in which some places were overwritten, cut out, doubled or put elsewhere."""
    data = draw(st.sampled_from(sorted(WHOLE.items())))[1]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, min(len(data), 4000)) | st.integers(0, len(data)))
        size = draw(st.integers(0, 64))
        put = draw(st.sampled_from(["over", "out", "in", "twice"]))
        new = {"over": draw(st.binary(min_size=size, max_size=size)), "out": b"", "in": data[start : start + size] * 2}
        middle = new.get(put, data[start : start + size] + data[:size])
        data = data[:start] + middle + data[start + size :]
    return data


@settings(max_examples=300, deadline=None)
@given(damaged())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data):
    for source in (data, BytesIO(data)) if not data else (data,):
        try:
            copy = read(source)
        except PhotoRefused as refused:
            assert str(refused).endswith("。")
        else:
            assert opened(copy.data).size == (copy.width, copy.height)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(COPY.data) - 1), st.binary(min_size=1, max_size=40), st.booleans())
def test_a_damaged_working_copy_is_cropped_or_refused_and_nothing_else(at, new, cut):
    bent = COPY.data[:at] + (b"" if cut else new + COPY.data[at + len(new) :])
    try:
        made = crop(bent, suggest_box(COPY.width, COPY.height))
    except PhotoRefused as refused:
        assert str(refused).endswith("。")
    else:
        assert opened(made.data).size == (295, 413)


# --- Bounds of the file's size and of its source -------------------------------------------------------------------


def test_a_portrait_that_cannot_be_as_large_as_asked_is_refused_with_figures():
    copy = read(encoded(Image.new("RGB", (600, 840), "white")))
    with pytest.raises(PhotoRefused) as refused:
        crop(copy.data, suggest_box(600, 840), PhotoSpec(min_kilobytes=100))
    sentence = "这张照片内容太简单，保存成最好的质量也只有 3.9 KB，要求至少 100 KB。请换一张更清晰、细节更多的照片。"
    assert str(refused.value) == sentence


def test_a_portrait_that_is_too_small_a_file_gets_a_better_quality_until_it_is_not():
    box = suggest_box(COPY.width, COPY.height)
    usual = len(crop(COPY.data, box, PhotoSpec(width=413, height=578)).data)
    least = usual // 1024 + 3
    made = crop(COPY.data, box, PhotoSpec(width=413, height=578, min_kilobytes=least)).data
    assert usual < least * 1024 <= len(made) <= 200 * 1024
    assert opened(made).size == (413, 578)


FINE = PhotoSpec(source_width=590)  # twice the portrait in each direction


def test_a_photo_below_the_smallest_source_is_refused_though_it_holds_the_portrait():
    with pytest.raises(PhotoRefused) as refused:
        read(encoded(drawn_portrait(589, 826)), FINE)
    assert str(refused.value) == "您的照片为 589×826 像素，至少需要 590×826 像素。请换一张更大的照片。"
    copy = read(encoded(drawn_portrait(590, 826)), FINE)
    assert opened(crop(copy.data, suggest_box(590, 826, FINE), FINE).data).size == (295, 413)


def test_a_frame_below_the_smallest_source_is_refused_and_the_smallest_is_not():
    with pytest.raises(PhotoRefused) as refused:
        crop(COPY.data, Box(100, 100, 589, 0), FINE)
    assert str(refused.value) == ("裁切框只有 589×825 像素，至少需要 590×826 像素。请缩小照片，让裁切框框住更多内容。")
    assert opened(crop(COPY.data, Box(100, 100, 590, 0), FINE).data).size == (295, 413)
