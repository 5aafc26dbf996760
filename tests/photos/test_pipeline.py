"""The pipeline on real and on hostile bytes: what comes out, and with which sentence it refuses."""

import hashlib
import math
import random
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageStat

from photos.pipeline import Box, PhotoRefused, crop, read, suggest_box
from photos.spec import PhotoSpec
from tests.photos.builders import TURNED, chunk, png, resized_frame, scan_for_each_colour, scans_of
from tests.photos.pictures import HEIC, encoded, opened, quarters, seen, swapped_profile
from tests.photos.refused import refusal

UPRIGHT = ["red", "green", "blue", "white"]
ADVICE = "请选择 JPEG、PNG、WebP 或 HEIC 格式的照片。"
BROKEN = "这张照片的文件已损坏，无法打开。请重新拍摄或换一张照片。"
INCOMPLETE = "这张照片的文件不完整，可能没有传完或保存完。请重新选择原来的照片再上传。"


# --- What is read --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_exif_orientation_comes_out_upright(orientation):
    stored = quarters().transpose(TURNED[orientation]) if orientation in TURNED else quarters()
    exif = Image.Exif()
    exif[0x0112] = orientation
    copy = read(encoded(stored, exif=exif))
    assert (copy.width, copy.height, seen(copy.data)) == (600, 800, UPRIGHT)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encoded(quarters(), progressive=True), id="progressive JPEG"),
        pytest.param(encoded(quarters().convert("CMYK")), id="CMYK JPEG"),
        pytest.param(encoded(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (600, 800))]), id="MPO"),
        pytest.param(encoded(quarters(), "PNG"), id="PNG"),
        pytest.param(encoded(quarters().quantize(8), "PNG"), id="palette PNG"),
        pytest.param(encoded(quarters().convert("RGBA"), "PNG"), id="RGBA PNG"),
        pytest.param(encoded(quarters(), "WEBP"), id="WebP"),
        pytest.param(encoded(quarters(), "WEBP", lossless=True), id="lossless WebP"),
        pytest.param(encoded(quarters().convert("RGBA"), "WEBP"), id="RGBA WebP"),
        pytest.param(HEIC, id="HEIC"),
        pytest.param(encoded(quarters()) + b"a clip that the phone has appended" * 99, id="JPEG with a tail"),
    ],
)
def test_each_kind_of_photo_becomes_an_rgb_jpeg_with_the_same_picture(data):
    copy = read(data)
    image = opened(copy.data)
    assert (image.format, image.mode, image.size, seen(copy.data)) == ("JPEG", "RGB", (600, 800), UPRIGHT)


def test_transparent_becomes_white():
    layered = quarters().convert("RGBA")
    layered.paste((0, 0, 0, 0), (0, 0, 300, 400))
    assert seen(read(encoded(layered, "PNG")).data) == ["white", "green", "blue", "white"]


def test_a_transparent_palette_colour_becomes_white():
    indexed = Image.new("P", (600, 800), 0)
    indexed.putpalette([0, 0, 0, 30, 30, 200])
    indexed.paste(1, (0, 400, 300, 800))
    assert seen(read(encoded(indexed, "PNG", transparency=0)).data) == ["white", "white", "blue", "white"]


def test_sixteen_bits_of_grey_are_scaled_not_clipped():
    deep = Image.new("I;16", (600, 800), 0x8000)
    assert opened(read(encoded(deep, "PNG")).data).getpixel((300, 400)) == (128, 128, 128)


def test_a_profile_is_applied_and_removed():
    """Red and green swapped by the profile: a reader that ignores profiles would show the wrong colour."""
    image = opened(read(encoded(Image.new("RGB", (600, 800), (250, 0, 0)), icc_profile=swapped_profile())).data)
    red_value, green_value, _ = image.getpixel((300, 400))
    assert (red_value < 60, green_value > 200, "icc_profile" in image.info) == (True, True, False)


def test_a_broken_profile_is_ignored():
    assert seen(read(encoded(quarters(), icc_profile=b"not a profile" * 20)).data) == UPRIGHT


def test_a_large_photo_is_scaled_to_two_thousand_pixels():
    copy = read(encoded(quarters(3000, 4000)))
    assert (copy.width, copy.height, opened(copy.data).size, seen(copy.data)) == (1500, 2000, (1500, 2000), UPRIGHT)


def test_nothing_but_the_picture_is_left():
    exif = Image.Exif()
    exif[0x010F] = "CANARY maker"
    exif.get_ifd(0x8825)[1] = "CANARY north"
    xmp = b"<x:xmpmeta>CANARY</x:xmpmeta>"
    data = encoded(quarters(), exif=exif, xmp=xmp, comment=b"CANARY comment", icc_profile=b"CANARY profile")
    copy = read(data)
    portrait = crop(copy.data, suggest_box(copy.width, copy.height)).data
    assert [b"CANARY" in made for made in (data, copy.data, portrait)] == [True, False, False]
    assert [sorted(opened(made).info) for made in (copy.data, portrait)] == [
        ["jfif", "jfif_density", "jfif_unit", "jfif_version"],
        ["dpi", "jfif", "jfif_density", "jfif_unit", "jfif_version"],
    ]


# --- What is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "这个文件是空的（0 字节）。" + ADVICE),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "这个文件不是照片（看起来是 PDF 文件）。" + ADVICE),
        (encoded(quarters(), "GIF"), "不支持这种格式的图片（看起来是 GIF 动图）。" + ADVICE),
        (encoded(quarters(), "AVIF"), "不支持这种格式的图片（看起来是 AVIF 图片）。" + ADVICE),
        (encoded(quarters(), "BMP"), "不支持这种格式的图片（看起来是 BMP 图片）。" + ADVICE),
        (encoded(quarters(), "TIFF"), "不支持这种格式的图片（看起来是 TIFF 图片）。" + ADVICE),
        (
            b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
            "这个文件不是照片（看起来是 SVG 矢量图）。" + ADVICE,
        ),
        (b"<!DOCTYPE html><script>alert(1)</script>", "这个文件不是照片（看起来是网页文件）。" + ADVICE),
        (b"PK\x03\x04\x14\0\0\0", "这个文件不是照片（看起来是压缩包或 Office 文档）。" + ADVICE),
        (b"\0\0\0\x18ftypmp42", "这个文件不是照片（看起来是视频文件）。" + ADVICE),
        (b"MZ\x90\0\x03", "这个文件不是照片（看起来是程序文件）。" + ADVICE),
        ("我的照片".encode(), "这个文件不是照片（看起来是文本文件）。" + ADVICE),
        (bytes(range(256)), "这个文件不是照片，或者已经损坏。" + ADVICE),
    ],
    ids=lambda value: value[-50:] if isinstance(value, str) else "",
)
def test_what_is_no_photo_is_named(data, sentence):
    assert refusal(data) == sentence


@pytest.mark.parametrize(
    ("image", "orientation", "measured"),
    [(quarters(200, 280), 1, "200×280"), (quarters(294, 2000), 1, "294×2000"), (quarters(412, 600), 6, "600×412")],
)
def test_too_small_is_refused_with_the_measured_pixels_as_the_person_sees_them(image, orientation, measured):
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = f"您的照片为 {measured} 像素，至少需要 295×413 像素。请换一张更大的照片。"
    assert refusal(encoded(image, exif=exif)) == expected


def test_too_narrow_is_refused():
    expected = "您的照片为 6000×500 像素，过于狭长，裁不出证件照。请换一张普通比例的照片。"
    assert refusal(encoded(quarters(6000, 500))) == expected


def test_too_many_pixels_are_refused_before_decoding():
    def sentence(size: str, millions: int, most: int) -> str:
        limits = f"最多 {most} 百万像素、每边 30000 像素"
        return f"您的照片为 {size} 像素（约 {millions} 百万像素），{limits}。请缩小后再上传，或换一张照片。"

    huge = resized_frame(encoded(quarters(1000, 1000)), 11000, 12000)
    assert [refusal(png(12000, 12000)), refusal(png(40000, 500)), refusal(huge)] == [
        sentence("12000×12000", 144, 30),
        sentence("40000×500", 20, 30),
        sentence("11000×12000", 132, 120),
    ]


def test_too_many_scans_are_refused_before_decoding():
    data = encoded(quarters(), progressive=True)
    assert seen(read(scans_of(data, 60)).data) == UPRIGHT
    expected = "这张 JPEG 照片分 61 次扫描存储，处理起来过于费时。请用看图软件另存为普通 JPEG 后再上传。"
    assert refusal(scans_of(data, 61)) == expected


def test_scans_that_follow_one_of_everything_are_not_decoded():
    """The decoder takes the first for the whole picture: there is nothing to count, and more is a broken file."""
    data = encoded(quarters())
    assert refusal(scans_of(data, 200)) == BROKEN
    assert (
        seen(read(data + scans_of(encoded(quarters(), progressive=True), 200)[2:]).data) == UPRIGHT
    )  # a second picture


def test_scans_of_one_colour_each_are_counted():
    data = scan_for_each_colour(quarters())
    assert seen(read(data).data) == UPRIGHT
    assert "分 61 次扫描存储" in refusal(scans_of(data, 61))


def test_animated_png_is_refused():
    data = encoded(quarters(), "PNG", save_all=True, append_images=[Image.new("RGB", (600, 800))])
    assert refusal(data) == "这是一张 PNG 动图，不能用作证件照。请换一张普通照片。"


@pytest.mark.parametrize("whole", [encoded(quarters()), encoded(quarters(), "PNG"), HEIC], ids=["JPEG", "PNG", "HEIC"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_truncated_is_refused(whole, share):
    assert refusal(whole[: int(len(whole) * share)]) in {INCOMPLETE, BROKEN}


def test_a_jpeg_that_ends_in_the_middle_of_its_picture_is_incomplete():
    data = encoded(quarters())
    assert refusal(data[: len(data) // 2]) == INCOMPLETE
    assert refusal(data[:-2]) == INCOMPLETE


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xd9",
        encoded(quarters())[:-2] + encoded(quarters())[2:],
        png(600, 800),
        png(600, 800, chunk(b"IDAT", b"not zlib")),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 500,
    ],
    ids=["empty JPEG", "two frames", "PNG without data", "PNG of noise", "HEIC of nothing"],
)
def test_broken_is_refused(data):
    assert refusal(data) in {BROKEN, INCOMPLETE}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\0\0\0\x18ftypheic"]), st.binary(max_size=400))
def test_random_bytes_are_only_ever_refused(start, rest):
    with pytest.raises(PhotoRefused):
        read(start + rest)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "HEIC"])
def test_flipped_bits_are_read_or_refused(name):
    whole = {"JPEG": encoded(quarters(), quality=50, progressive=True), "PNG": encoded(quarters(), "PNG"), "HEIC": HEIC}
    chance = random.Random(20)  # noqa: S311  the same flips every time
    for _ in range(60):
        data = bytearray(whole[name])
        for _ in range(chance.choice([1, 3, 20])):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            copy = read(bytes(data))
        except PhotoRefused as refused:
            assert str(refused).endswith("。")
        else:
            assert opened(copy.data).size == (copy.width, copy.height)


# --- The portrait --------------------------------------------------------------------------------------------------


def test_a_portrait_has_exactly_the_pixels_and_dpi_of_its_spec():
    copy = read(encoded(quarters(1000, 1400)))
    portrait = crop(copy.data, Box(100, 141, 800, 1120)).data
    image = opened(portrait)
    assert (image.format, image.mode, image.size, image.info["dpi"], "progressive" in image.info) == (
        "JPEG",
        "RGB",
        (295, 413),
        (300, 300),
        False,
    )
    assert seen(portrait) == UPRIGHT


def test_the_frame_decides_what_is_kept():
    copy = read(encoded(quarters(1000, 1400)))
    assert seen(crop(copy.data, Box(0, 0, 500, 700)).data) == ["red"] * 4


def contrast_left(sides: int, cycles: float) -> float:
    """Of stripes, so many across a working copy of so many portraits' widths: what the portrait keeps of their contrast."""
    spec = PhotoSpec(max_kilobytes=500)
    width, height = sides * spec.width, sides * spec.height
    row = bytes(round(127 + 90 * math.sin(math.tau * cycles * x / width)) for x in range(width))
    striped = Image.frombytes("L", (width, 1), row).resize((width, height), Image.Resampling.NEAREST)
    portrait = opened(crop(encoded(striped.convert("RGB"), quality=92), Box(0, 0, width, height), spec).data)
    middle = portrait.convert("L").crop((8, 8, spec.width - 8, 200))  # away from the edges, where a filter has less
    return ImageStat.Stat(middle).stddev[0] / (90 / math.sqrt(2))


@pytest.mark.parametrize("sides", [2, 3, 4])
def test_the_filter_keeps_what_the_portrait_can_show_and_makes_no_false_stripes_of_what_is_finer(sides):
    """A portrait of 295 pixels can show 147 stripes; of finer ones a bad filter makes broader ones (moiré)."""
    assert contrast_left(sides, 80) > 0.85
    assert contrast_left(sides, 105) > 0.7
    assert contrast_left(sides, 190) < 0.3
    assert contrast_left(sides, 240) < 0.1


def test_noise_is_squeezed_into_the_size_cap_with_the_best_quality_that_fits():
    noise = random.Random(1).randbytes(400 * 560 * 3)  # noqa: S311  the same noise every time
    copy = read(encoded(Image.frombytes("RGB", (400, 560), noise), quality=95))
    sizes = [len(crop(copy.data, Box(0, 0, 300, 420), PhotoSpec(max_kilobytes=cap)).data) for cap in (60, 100, 200)]
    assert [cap * 1024 * 0.95 < size <= cap * 1024 for cap, size in zip((60, 100), sizes, strict=False)] == [True, True]
    assert sizes[2] <= 200 * 1024
    with pytest.raises(PhotoRefused) as refused:
        crop(copy.data, Box(0, 0, 300, 420), PhotoSpec(max_kilobytes=10))
    assert str(refused.value) == "这张照片细节过多，无法压缩到 10 KB 以内。请换一张背景简洁、光线充足的照片。"


def test_the_same_input_gives_the_same_bytes():
    def made() -> str:
        copy = read(encoded(quarters(3000, 4000)))
        return hashlib.sha256(crop(copy.data, Box(10, 20, 700, 0)).data).hexdigest()

    assert made() == made()


def test_a_torn_working_copy_is_refused():
    copy = read(encoded(quarters()))
    with pytest.raises(PhotoRefused) as refused:
        crop(copy.data[:1000], suggest_box(600, 800))
    assert str(refused.value) == "已上传的照片无法读取。请重新上传。"


def test_a_working_copy_is_a_file_that_any_viewer_opens():
    assert Image.open(BytesIO(read(HEIC).data)).size == (600, 800)
