"""What was measured of a portrait and what is to be said about it. Pure: the words and shapes, not the measuring."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Doubt(StrEnum):
    """What may be wrong with a portrait; also the key by which an applicant confirms a warning."""

    BLURRED = "blurred"
    DARK = "dark"
    BRIGHT = "bright"
    BACKGROUND = "background"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    HEAD_SIZE = "head_size"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Doubt.BLURRED: "模糊",
    Doubt.DARK: "过暗",
    Doubt.BRIGHT: "过亮",
    Doubt.BACKGROUND: "背景不符",
    Doubt.NO_FACE: "没有找到人脸",
    Doubt.SEVERAL_FACES: "不止一张人脸",
    Doubt.HEAD_SIZE: "头部大小",
}


@dataclass(frozen=True)
class Finding:
    """One thing to say about a portrait. A blocking one ends the crop; any other can be confirmed by the applicant."""

    code: str
    sentence: str
    blocking: bool = False

    @property
    def label(self) -> str:
        return Doubt(self.code).label

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Finding":
        return cls(str(values["code"]), str(values["sentence"]), bool(values.get("blocking")))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class PhotoDoubtful(Exception):
    """The portrait can be had, but something about it is doubtful: the person is asked first."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = sorted(findings, key=lambda finding: not finding.blocking)  # what has to be mended comes first
        super().__init__(" ".join(finding.sentence for finding in self.findings))
