"""What is measured of a portrait, and the words for it: on drawn portraits with known blur, light and background."""

import pytest
from PIL import Image, ImageEnhance, ImageFilter

from photos import quality
from photos.spec import PhotoSpec
from tests.photos.pictures import drawn_portrait


def portrait(background: str = "white", blur: float = 0) -> Image.Image:
    small = drawn_portrait(background=background).resize((295, 413), Image.Resampling.LANCZOS)
    return small.filter(ImageFilter.GaussianBlur(blur)) if blur else small


def codes(image: Image.Image, background: str = "white") -> list[tuple[str, bool]]:
    _measured, findings = quality.judge(image, PhotoSpec(background=background))
    return [(finding.code, finding.blocking) for finding in findings]


def sentences(image: Image.Image, background: str = "white") -> list[str]:
    return [finding.sentence for finding in quality.judge(image, PhotoSpec(background=background))[1]]


@pytest.mark.parametrize(("blur", "found"), [(0, []), (1, []), (2, [("blurred", False)]), (3, [("blurred", False)])])
def test_blur(blur, found):
    assert codes(portrait(blur=blur)) == found


def test_sharpness_falls_with_every_step_of_blur():
    measured = [quality.judge(portrait(blur=blur), PhotoSpec())[0]["sharpness"] for blur in (0, 0.5, 1, 1.5, 2, 3)]
    assert measured == sorted(measured, reverse=True)
    assert (measured[0] > 68, 9 < measured[2] < 27, 3 < measured[3] < 9, 1.5 < measured[4] < 4.4) == (True,) * 4


@pytest.mark.parametrize(
    ("factor", "found"),
    [(1, []), (0.5, []), (0.3, [("dark", False)]), (0.05, [("dark", True)])],
)
def test_dark(factor, found):
    assert codes(ImageEnhance.Brightness(portrait()).enhance(factor), "any") == found


def test_bright_and_white():
    assert codes(ImageEnhance.Brightness(portrait()).enhance(1.5), "any") == [("bright", False)]
    assert codes(Image.new("RGB", (295, 413), "white"), "any") == [("blurred", False), ("bright", True)]


@pytest.mark.parametrize("asked", ["white", "blue", "red", "any"])
@pytest.mark.parametrize("given", ["white", "blue", "red", "#c3cbd3", "#80a060"])
def test_background(asked, given):
    assert codes(portrait(given), asked) == ([] if asked in {given, "any"} else [("background", False)])


def test_sentences_have_the_measured_and_the_wanted_figures():
    dark = ImageEnhance.Brightness(portrait("blue")).enhance(0.3)
    assert sentences(dark)[0] == "照片偏暗：脸部平均亮度 22.2%，合适的是 30% 到 88%。请在明亮的地方重新拍摄。"
    expected = "照片上方和两侧只有 0% 是白色，合适的是 75% 以上。请在白色背景前重新拍摄，或换一张照片。"
    assert sentences(portrait("blue")) == [f"背景不像白色：{expected}"]
