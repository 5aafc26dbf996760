"""Faces: counted and measured whatever finds them, and found by the real cascade in drawn people."""

import sys

import pytest
from PIL import Image, ImageOps

from photos import bounded, faces
from photos.findings import Doubt
from photos.frames import Box
from photos.pipeline import crop, read, suggest_box
from tests.photos.pictures import drawn_portrait, encoded, quarters


@pytest.fixture(autouse=True)
def switched_on(monkeypatch):
    """Elsewhere in the tests faces are not looked for (tests/environment.py)."""
    monkeypatch.setenv("PHOTO_FACES", "on")
    forget = faces.detector.cache_clear  # a test may put another in its place
    forget()
    yield
    forget()


def portrait() -> Image.Image:
    return drawn_portrait().resize((295, 413), Image.Resampling.LANCZOS)


def two_people(width: int = 900, height: int = 1260) -> Image.Image:
    """Two of them side by side, before one wall."""
    both = Image.new("RGB", (2 * width, height))
    for left in (0, width):
        both.paste(drawn_portrait(width, height), (left, 0))
    return both


def found(monkeypatch, *boxes: Box) -> None:
    monkeypatch.setattr(faces, "detector", lambda: lambda grey: list(boxes))


def test_without_a_detector_nothing_is_said(monkeypatch):
    monkeypatch.setattr(faces, "detector", lambda: None)
    assert (faces.find(portrait()), faces.judge(portrait())) == (None, ({}, []))


@pytest.mark.parametrize(
    ("boxes", "code"),
    [
        ([], [Doubt.NO_FACE]),
        ([Box(45, 104, 206, 206)], []),
        ([Box(45, 104, 206, 206), Box(60, 120, 170, 170)], []),
        ([Box(45, 104, 206, 206), Box(0, 300, 60, 60)], [Doubt.SEVERAL_FACES]),
        ([Box(100, 100, 80, 80)], [Doubt.HEAD_SIZE]),
    ],
)
def test_faces_are_counted_once_and_measured(monkeypatch, boxes, code):
    found(monkeypatch, *boxes)
    assert [finding.code for finding in faces.judge(portrait().resize((286, 400)))[1]] == code


# --- The real detector ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("picture", "number"),
    [
        pytest.param(portrait(), 1, id="a portrait"),
        pytest.param(drawn_portrait(), 1, id="a working copy"),
        pytest.param(drawn_portrait(background="blue"), 1, id="before blue"),
        pytest.param(two_people(), 2, id="two people"),
        pytest.param(quarters(), 0, id="coloured areas"),
        pytest.param(Image.new("RGB", (295, 413), "white"), 0, id="a white wall"),
    ],
)
def test_the_cascade_finds_the_faces_that_were_drawn(picture, number):
    found = faces.find(picture)
    assert found is not None
    assert len(found) == number


def test_the_cascade_finds_a_face_where_it_was_drawn():
    """The drawn face is an ellipse around the middle, 160 by 212 units, 194 units from the top; 900 pixels are 295."""
    [face] = faces.find(drawn_portrait()) or []
    unit = 900 / 295
    assert abs(face.left + face.width / 2 - 450) < 10 * unit
    assert abs(face.top + face.height / 2 - 194 * unit) < 40 * unit
    assert 160 * unit < face.width < 260 * unit


def test_a_small_head_in_a_wide_picture_gets_the_frame_around_it():
    scene = Image.new("RGB", (1800, 1260), "#fbfbfb")
    scene.paste(drawn_portrait(590, 826), (900, 434))
    copy = read(encoded(scene))
    assert copy.face is not None
    portrait = crop(copy.data, suggest_box(copy.width, copy.height, face=copy.face))
    assert ([finding.code for finding in portrait.findings], portrait.measured["faces"]) == ([], 1)
    assert 60 < portrait.measured["head"] < 72


@pytest.mark.parametrize(
    ("picture", "codes"),
    [(drawn_portrait(), []), (two_people(), [Doubt.SEVERAL_FACES]), (quarters(), [Doubt.NO_FACE])],
    ids=["one", "two", "none"],
)
def test_what_the_cascade_finds_is_said_of_the_portrait(picture, codes):
    made = ImageOps.pad(picture, (295, 413), color="white")
    assert [finding.code for finding in faces.judge(made)[1]] == codes


def test_without_opencv_nothing_is_found_and_nothing_breaks(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert (faces.detector(), faces.find(portrait()), faces.judge(portrait())) == (None, None, ({}, []))


def test_it_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("PHOTO_FACES", "off")
    assert (faces.detector(), faces.find(portrait())) == (None, None)


@pytest.mark.parametrize("switch", ["on", "off"])
def test_the_decoder_looks_for_faces_as_it_is_told(monkeypatch, switch):
    monkeypatch.setenv("PHOTO_FACES", switch)
    faces.detector.cache_clear()
    bounded.end()
    try:
        copy = bounded.read(encoded(drawn_portrait()))
        made = bounded.crop(copy.data, suggest_box(copy.width, copy.height, face=copy.face))
        assert (copy.face is not None, made.measured.get("faces")) == ((True, 1.0) if switch == "on" else (False, None))
        assert bounded.read(encoded(drawn_portrait())) == read(encoded(drawn_portrait()))
    finally:
        bounded.end()  # the next test's has its own environment
