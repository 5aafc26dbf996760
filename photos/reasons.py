"""Why a portrait is sent back: a code, its sentence for the person and its drawing. Pure."""

from collections.abc import Iterable
from enum import StrEnum


class Reason(StrEnum):
    """The committee's reasons, in the order in which it is offered them. The values stand in the trail: never rename one."""

    BLURRED = "blurred"
    BACKGROUND = "background"
    HEADWEAR = "headwear"
    HEAD_LARGE = "head_large"
    HEAD_SMALL = "head_small"
    NOT_SELF = "not_self"
    RETAKEN = "retaken"
    EXPOSURE = "exposure"
    COVERED = "covered"
    DISTORTED = "distorted"

    @property
    def label(self) -> str:
        return WORDS[self][0]

    @property
    def sentence(self) -> str:
        """What is wrong and what to do, as the person reads it."""
        return WORDS[self][1]

    @property
    def drawn(self) -> str:
        """What the drawing shows, for whoever cannot see it."""
        return WORDS[self][2]

    @property
    def drawing(self) -> str:
        """The static file of the drawing."""
        return f"img/photo/{self.value}.svg"

    @property
    def by_cropping(self) -> bool:
        """Whether another frame in the same picture can mend it; for the rest another picture is needed."""
        return self in {Reason.HEAD_LARGE, Reason.HEAD_SMALL}


WORDS = {
    Reason.BLURRED: ("模糊", "照片模糊，看不清五官，请换一张清晰的照片。", "五官和轮廓都不清楚"),
    Reason.BACKGROUND: (
        "背景不符",
        "背景不是要求的颜色，或者有杂物、阴影，请换一张背景符合要求的照片。",
        "背景不是纯色，身后有柜子和窗户",
    ),
    Reason.HEADWEAR: ("非免冠", "照片里戴着帽子或头饰，请换一张免冠的照片。", "戴着帽子"),
    Reason.HEAD_LARGE: (
        "头部过大",
        "头部太大，请重新裁切，把框放大，头顶上方留一点空白；原来的照片不够大的，请换一张。",
        "头部占满画面，头顶和下巴被切掉",
    ),
    Reason.HEAD_SMALL: (
        "头部过小",
        "头部太小，请重新裁切，把框缩小，让头部和肩部充满画面。",
        "人只占画面下方的一小部分",
    ),
    Reason.NOT_SELF: ("非本人", "照片与身份信息对不上，请上传报名人员本人近期的照片。", "照片里的人与证件上的人不同"),
    Reason.RETAKEN: (
        "翻拍",
        "照片是对着屏幕或纸质照片拍的，请上传原来的照片文件，或重新拍一张。",
        "手机屏幕里的一张照片，带着边框和反光",
    ),
    Reason.EXPOSURE: ("过暗或过亮", "照片太暗或太亮，看不清五官，请在光线均匀的地方重新拍一张。", "一半太暗，一半太亮"),
    Reason.COVERED: (
        "遮挡面部",
        "面部被墨镜、口罩、头发或手挡住，请换一张五官完整露出的照片。",
        "戴着墨镜和口罩",
    ),
    Reason.DISTORTED: ("变形", "照片被拉宽或压扁，人像变形，请换一张没有改过长宽比例的照片。", "人像被横向拉宽"),
}


def known(codes: Iterable[str]) -> list[Reason]:
    """The reasons of these codes; what is none, or none any more, is left out."""
    return [Reason(code) for code in codes if code in set(Reason)]
