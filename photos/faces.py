"""Find faces, where OpenCV is installed: a hint for the frame and for the person, and nothing depends on it.

The dependency group `faces` brings OpenCV (230 MB on the disk with NumPy), which the portal does without: then nothing is found and
nothing is said. It is imported in the decoder alone (photos/decoder.py), a process that holds no secrets.
"""

import os
from collections.abc import Callable
from functools import cache

from PIL import Image

from photos.findings import Doubt, Finding
from photos.frames import HEAD_PER_FACE, Box

SIDE = 400  # pixels of the longer side that is searched: a head in a usable frame is then some 100 pixels high
LEAST_SHARE = 0.12  # of the shorter side: smaller ones are pictures on the wall
SAME = 0.3  # of the smaller square: more in common is the same face found twice
HEAD = (45.0, 85.0)  # percent of a portrait's height; 二分之一 to 四分之三 is what is asked for, measured roughly

Detector = Callable[[Image.Image], list[Box]]


@cache
def detector() -> Detector | None:
    """What finds faces in a grey picture, or None where there is nothing to find them with, or PHOTO_FACES is off."""
    if os.environ.get("PHOTO_FACES", "").strip().lower() == "off":
        return None
    try:
        import cv2
        import numpy
    except ImportError:
        return None
    cv2.setNumThreads(1)  # threads do not survive a fork
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")  # type: ignore[attr-defined]

    def find(grey: Image.Image) -> list[Box]:
        least = round(LEAST_SHARE * min(grey.size))
        found = cascade.detectMultiScale(numpy.asarray(grey), 1.1, 6, minSize=(least, least))
        return [Box(*(int(value) for value in square)) for square in found]

    return find


def find(image: Image.Image) -> list[Box] | None:
    """The faces, the largest first, in pixels of `image`; None where nothing can find them."""
    search = detector()
    if search is None:
        return None
    grey = image.convert("L")
    grey.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    scale = image.width / grey.width
    faces: list[Box] = []
    for box in sorted(search(grey), key=lambda box: (-box.width, box.left, box.top)):
        if not any(_overlap(box, face) for face in faces):
            faces.append(box)
    return [Box(*(round(value * scale) for value in (box.left, box.top, box.width, box.height))) for box in faces]


def _overlap(one: Box, other: Box) -> bool:
    across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    return min(across, down) > 0 and across * down > SAME * min(one.width * one.height, other.width * other.height)


def judge(portrait: Image.Image) -> tuple[dict[str, float], list[Finding]]:
    """How many faces a portrait has and how large the head is; nothing where nothing can find them."""
    faces = find(portrait)
    if faces is None:
        return {}, []
    measured: dict[str, float] = {"faces": len(faces)}
    if not faces:
        sentence = "没有在照片里找到人脸。请核对裁切框是否框住了正面的头部。"
        return measured, [Finding(Doubt.NO_FACE, sentence)]
    measured["head"] = round(100 * faces[0].height * HEAD_PER_FACE / portrait.height, 1)
    if len(faces) > 1:
        return measured, [Finding(Doubt.SEVERAL_FACES, f"照片里好像有 {len(faces)} 张人脸。请只框住本人的头部。")]
    return measured, _size(measured["head"])


def _size(head: float) -> list[Finding]:
    least, most = HEAD
    if least <= head <= most:
        return []
    word, advice = ("偏小", "放大照片") if head < least else ("偏大", "缩小照片")
    figures = f"头部约占照片高度的 {head:g}%，合适的是 {least:g}% 到 {most:g}%"
    return [Finding(Doubt.HEAD_SIZE, f"头部{word}：{figures}。请{advice}，重新裁切。")]
