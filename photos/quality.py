"""Measure a cropped portrait, blur, light and background, and say in plain words what is doubtful. Pure.

The figures were found on drawn portraits of 295 × 413 pixels and one real one; tests/photos/test_quality.py holds them:

- sharpness: the variance of the Laplacian of the head, in thousandths of the variance of its brightness, which takes
  the contrast out. Sharp ones have 68 to 250 (a small head that was magnified, 24), after a Gaussian blur of 1 pixel 9
  to 27, of 1.5 pixels 3 to 9, of 2 pixels 1.5 to 4.4, of 3 pixels 0.9 to 1.8. Below 6 the blur is seen at arm's length.
- brightness: the mean of the middle of the face in percent of white. Faces of every colour stand well above 30 in
  ordinary light; beyond 88 the light areas have no drawing left.
- background: the share of the strip along the top and the upper sides that has the asked colour.
"""

from collections.abc import Callable

from PIL import Image, ImageChops, ImageFilter, ImageStat

from photos.findings import Doubt, Finding
from photos.spec import Background, PhotoSpec

NORMAL_WIDTH = 295
LEAST_SHARPNESS = 6.0
BRIGHTNESS = (30.0, 88.0)
# Beyond these nobody can be recognised, and nothing is left to confirm.
RECOGNISABLE = (8.0, 98.0)
LEAST_BACKGROUND = 75.0

LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
# Parts of the portrait as shares of its sides: left, top, right, bottom.
HEAD = (0.15, 0.08, 0.85, 0.78)
FACE = (0.32, 0.30, 0.68, 0.70)
STRIPS = ((0.0, 0.0, 1.0, 0.06), (0.0, 0.06, 0.08, 0.45), (0.92, 0.06, 1.0, 0.45))


def judge(portrait: Image.Image, spec: PhotoSpec) -> tuple[dict[str, float], list[Finding]]:
    """What was measured of an RGB portrait of the spec's pixels, and what there is to say about it."""
    grey = portrait.convert("L")
    measured = {"sharpness": round(sharpness(grey), 1), "brightness": round(brightness(grey), 1)}
    findings = [*_blur(measured["sharpness"]), *_light(measured["brightness"])]
    if spec.background != Background.ANY:
        measured["background_share"] = round(background_share(portrait, Background(spec.background)), 1)
        findings += _background(measured["background_share"], spec)
    return measured, findings


def sharpness(grey: Image.Image) -> float:
    """0 for a picture without a single edge; see above for the rest."""
    head = _part(grey, HEAD)
    if grey.width > NORMAL_WIDTH:
        scale = NORMAL_WIDTH / grey.width
        head = head.resize((round(head.width * scale), round(head.height * scale)), Image.Resampling.BOX)
    edges = head.filter(LAPLACIAN).crop((1, 1, head.width - 1, head.height - 1))  # a filter leaves the rim as it is
    contrast = ImageStat.Stat(head).var[0]
    return 1000 * ImageStat.Stat(edges).var[0] / contrast if contrast > 1 else 0.0


def brightness(grey: Image.Image) -> float:
    return ImageStat.Stat(_part(grey, FACE)).mean[0] / 2.55


def background_share(portrait: Image.Image, background: Background) -> float:
    """Percent of the strip's pixels that have the colour."""
    fitting = total = 0
    for strip in STRIPS:
        mask = COLOURS[background](*_part(portrait, strip).convert("HSV").split())
        fitting += mask.histogram()[255]
        total += mask.width * mask.height
    return 100 * fitting / total


def _part(image: Image.Image, shares: tuple[float, float, float, float]) -> Image.Image:
    left, top, right, bottom = shares
    return image.crop(
        (round(left * image.width), round(top * image.height), round(right * image.width), round(bottom * image.height))
    )


def _within(channel: Image.Image, least: float, most: float) -> Image.Image:
    """255 where a channel of 0 to 255 lies between two shares of it."""
    return channel.point([255 if least * 255 <= value <= most * 255 else 0 for value in range(256)])


# Hue goes round in a circle of 360 degrees; white walls are seldom whiter than this, and grey ones darker.
def _white(_hue: Image.Image, saturation: Image.Image, value: Image.Image) -> Image.Image:
    return ImageChops.multiply(_within(saturation, 0, 0.12), _within(value, 0.86, 1))


def _blue(hue: Image.Image, saturation: Image.Image, value: Image.Image) -> Image.Image:
    coloured = ImageChops.multiply(_within(saturation, 0.25, 1), _within(value, 0.3, 1))
    return ImageChops.multiply(_within(hue, 185 / 360, 250 / 360), coloured)


def _red(hue: Image.Image, saturation: Image.Image, value: Image.Image) -> Image.Image:
    coloured = ImageChops.multiply(_within(saturation, 0.45, 1), _within(value, 0.3, 1))
    reddish = ImageChops.lighter(_within(hue, 340 / 360, 1), _within(hue, 0, 15 / 360))
    return ImageChops.multiply(reddish, coloured)


COLOURS: dict[Background, Callable[[Image.Image, Image.Image, Image.Image], Image.Image]] = {
    Background.WHITE: _white,
    Background.BLUE: _blue,
    Background.RED: _red,
}


# --- The words -----------------------------------------------------------------------------------------------------


def _blur(measured: float) -> list[Finding]:
    if measured >= LEAST_SHARPNESS:
        return []
    advice = "请擦净镜头、对准脸部对焦、拿稳后重新拍摄，或换一张清晰的照片。"
    return [Finding(Doubt.BLURRED, f"照片看起来模糊：清晰度 {measured:g}，合适的是 {LEAST_SHARPNESS:g} 以上。{advice}")]


def _light(measured: float) -> list[Finding]:
    least, most = BRIGHTNESS
    if least <= measured <= most:
        return []
    blocking = not RECOGNISABLE[0] <= measured <= RECOGNISABLE[1]
    dark = measured < least
    doubt, word = (Doubt.DARK, "偏暗") if dark else (Doubt.BRIGHT, "偏亮")
    advice = "请在明亮的地方重新拍摄。" if dark else "请避开直射的强光重新拍摄。"
    figures = f"脸部平均亮度 {measured:g}%，合适的是 {least:g}% 到 {most:g}%。"
    if blocking:
        return [Finding(doubt, f"照片{word.replace('偏', '过')}，看不清人：{figures}{advice}", blocking=True)]
    return [Finding(doubt, f"照片{word}：{figures}{advice}")]


def _background(measured: float, spec: PhotoSpec) -> list[Finding]:
    if measured >= LEAST_BACKGROUND:
        return []
    name = spec.background_label
    figures = f"照片上方和两侧只有 {measured:g}% 是{name}，合适的是 {LEAST_BACKGROUND:g}% 以上。"
    return [Finding(Doubt.BACKGROUND, f"背景不像{name}：{figures}请在{name}背景前重新拍摄，或换一张照片。")]
