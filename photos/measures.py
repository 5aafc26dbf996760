"""What was measured of a portrait, in words and units. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

KILOBYTE = 1024


class Measure(NamedTuple):
    """How a number of Portrait.measured is called, and how it is said."""

    label: str
    form: str = "{:g}"


# In the order in which they are shown. A name that is not here is shown as it is.
MEASURES = {
    "bytes": Measure("文件大小"),
    "faces": Measure("人脸", "{:g} 张"),
    "head": Measure("头部占照片的高度", "{:g}%"),
    "background_share": Measure("边缘符合背景的比例", "{:g}%"),
    "brightness": Measure("面部亮度", "{:g}%"),
    "sharpness": Measure("清晰度"),
}


def told(measured: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(label, figure with its unit) of all that was measured."""
    names = [*(name for name in MEASURES if name in measured), *(name for name in measured if name not in MEASURES)]
    return [(MEASURES.get(name, Measure(name)).label, figure(name, measured[name])) for name in names]


def figure(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "没有测出" if value is None else str(value)
    if name == "bytes":
        return f"{value / KILOBYTE:.1f} KB（{value:,.0f} 字节）"
    return MEASURES.get(name, Measure(name)).form.format(value)
