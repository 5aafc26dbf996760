"""Where the frame of the crop page stands: at first, as it was posted, and after a button was pressed."""

from dataclasses import dataclass

from django.http import QueryDict

from photos import pipeline
from photos.findings import Doubt
from photos.models import Upload
from photos.pipeline import Box, PhotoRefused, turned_size
from photos.spec import PhotoSpec
from photos.subjects import Subject, large_enough, other_portrait

# Buttons that turn the picture, in quarter turns clockwise; those that move the frame are pipeline.MOVES.
TURNS = {"turn-left": -1, "turn-right": 1}


@dataclass(frozen=True)
class Frame:
    """`box` in pixels of the working copy after `turns` quarter turns clockwise."""

    box: Box
    turns: int = 0


def first(subject: Subject, upload: Upload) -> Frame:
    """Where it stood when this upload was last cropped, also for another spec; else as suggested."""
    spec = subject.photo_spec
    for portrait in (subject.portrait, other_portrait(subject)):
        if portrait and portrait.upload_id == upload.pk and large_enough(upload, portrait.turns, spec):
            return Frame(_held(portrait.box, upload, portrait.turns, spec), portrait.turns)
    face = Box(*upload.face) if upload.face else None
    return Frame(pipeline.suggest_box(upload.width, upload.height, spec, face))


def posted(post: QueryDict, upload: Upload, spec: PhotoSpec) -> Frame:
    """The frame as the form has it, not yet fitted. PhotoRefused where there is none."""
    try:
        left, top, width = (int(post.get(name, "")[:9]) for name in ("left", "top", "width"))
        turns = int(post.get("turns", "0")[:9]) % 4
    except ValueError:
        raise PhotoRefused("没有收到裁切框的位置。请移动裁切框后再保存一次。") from None
    refuse_if_small(upload, turns, spec)
    return Frame(Box(left, top, width, 0), turns)


def fitted(frame: Frame, upload: Upload, spec: PhotoSpec) -> Frame:
    """With its height, inside the picture; else PhotoRefused."""
    size = turned_size(upload.width, upload.height, frame.turns)
    return Frame(pipeline.fit_box(frame.box, *size, spec), frame.turns)


def held(frame: Frame, upload: Upload, spec: PhotoSpec) -> Frame:
    """The nearest frame that lies inside the picture and is large enough."""
    return Frame(_held(frame.box, upload, frame.turns, spec), frame.turns)


def moved(frame: Frame, move: str, upload: Upload, spec: PhotoSpec) -> Frame:
    """After one press of a button: a key of pipeline.MOVES or of TURNS. PhotoRefused where it cannot be turned."""
    if move in TURNS:
        return _turned(frame, TURNS[move], upload, spec)
    size = turned_size(upload.width, upload.height, frame.turns)
    return Frame(pipeline.nudge(frame.box, move, *size, spec), frame.turns)


def confirmed(post: QueryDict) -> frozenset[str]:
    """The codes of the doubts that were shown and are stood by; what no doubt is called has no effect."""
    return frozenset(post.get("confirmed", "").split(",")) & frozenset(Doubt)


def refuse_if_small(upload: Upload, turns: int, spec: PhotoSpec) -> None:
    if not large_enough(upload, turns, spec):
        width, height = turned_size(upload.width, upload.height, turns)
        least = "×".join(map(str, spec.least_source))
        way = "转过来是" if turns else "为"
        raise PhotoRefused(f"这张照片{way} {width}×{height} 像素，至少需要 {least} 像素。请换一张更大的照片。")


def _turned(frame: Frame, quarters: int, upload: Upload, spec: PhotoSpec) -> Frame:
    """What is in the middle of the frame stays there."""
    width, height = turned_size(upload.width, upload.height, frame.turns)
    turns = (frame.turns + quarters) % 4
    refuse_if_small(upload, turns, spec)
    box_height = spec.box_height(frame.box.width)
    x, y = frame.box.left + frame.box.width // 2, frame.box.top + box_height // 2
    x, y = (height - y, x) if quarters == 1 else (y, width - x)
    box = Box(x - frame.box.width // 2, y - box_height // 2, frame.box.width, 0)
    return Frame(_held(box, upload, turns, spec), turns)


def _held(box: Box, upload: Upload, turns: int, spec: PhotoSpec) -> Box:
    width, height = turned_size(upload.width, upload.height, turns)
    largest = min(width, height * spec.width // spec.height)
    box_width = max(min(box.width, largest), spec.least_source[0])
    box_height = spec.box_height(box_width)
    left, top = (max(0, min(*pair)) for pair in ((box.left, width - box_width), (box.top, height - box_height)))
    return Box(left, top, box_width, box_height)
