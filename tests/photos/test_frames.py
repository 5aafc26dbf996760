"""The frame over a working copy: where it stands at first, where it may stand, how buttons move it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.frames import CROWN_ABOVE_FACE, HEAD_PER_FACE, MOVES, Box, fit_box, nudge, suggest_box
from photos.refusals import PhotoRefused
from photos.spec import PhotoSpec

SIDES = st.integers(413, 2000)


@given(SIDES, SIDES)
def test_the_suggested_frame_always_fits_and_cannot_be_larger(width, height):
    box = suggest_box(width, height)
    larger = Box(0, 0, box.width + 2, 0)  # one more pixel may be lost to rounding
    assert fit_box(box, width, height) == box
    with pytest.raises(PhotoRefused):
        fit_box(larger, width, height)


def test_the_suggested_frame_leaves_head_room():
    assert suggest_box(1500, 2000) == Box(36, 0, 1428, 1999)
    assert suggest_box(1125, 2000) == Box(0, 106, 1125, 1575)
    assert suggest_box(2000, 1500) == Box(464, 0, 1071, 1499)


@given(st.integers(-3000, 3000), st.integers(-3000, 3000), st.integers(-10, 3000), SIDES, SIDES)
def test_a_frame_that_fits_is_inside_and_large_enough(left, top, box_width, width, height):
    try:
        box = fit_box(Box(left, top, box_width, 7), width, height)
    except PhotoRefused:
        return
    assert (box.left, box.top, box.width) == (left, top, box_width)
    assert abs(box.height - box_width * 413 / 295) <= 0.5
    assert 0 <= left <= left + box_width <= width
    assert 0 <= top <= top + box.height <= height
    assert (box_width >= 295, box.height >= 413) == (True, True)


def test_a_frame_is_refused_with_figures():
    with pytest.raises(PhotoRefused) as small:
        fit_box(Box(0, 0, 200, 280), 600, 800)
    with pytest.raises(PhotoRefused) as outside:
        fit_box(Box(400, 10, 300, 420), 600, 800)
    assert [str(small.value), str(outside.value)] == [
        "裁切框只有 200×280 像素，至少需要 295×413 像素。请缩小照片，让裁切框框住更多内容。",
        "裁切框（左 400、上 10、300×420 像素）超出了照片的范围（600×800 像素）。请重新移动裁切框。",
    ]


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=30), SIDES, SIDES)
def test_no_sequence_of_buttons_leaves_the_picture(moves, width, height):
    box = suggest_box(width, height)
    for move in moves:
        box = nudge(box, move, width, height)
        assert fit_box(box, width, height) == box


def test_buttons_move_and_zoom():
    box = Box(100, 100, 590, 826)
    assert {move: nudge(box, move, 1500, 2000) for move in MOVES} == {
        "up": Box(100, 18, 590, 826),
        "down": Box(100, 182, 590, 826),
        "left": Box(41, 100, 590, 826),
        "right": Box(159, 100, 590, 826),
        "in": Box(129, 141, 531, 743),
        "out": Box(67, 54, 656, 918),
    }


def test_the_frame_stands_around_the_head():
    box = suggest_box(1500, 2000, PhotoSpec(), Box(500, 700, 400, 400))
    head = 400 * HEAD_PER_FACE
    crown = 700 - 400 * CROWN_ABOVE_FACE
    assert abs(head / box.height - 2 / 3) < 0.01
    assert abs((crown - box.top) / box.height - 0.1) < 0.01
    assert abs(box.left + box.width / 2 - 700) <= 1
    assert fit_box(box, 1500, 2000) == box
