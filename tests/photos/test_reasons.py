"""Why a photo is sent back: each reason has a sentence of its own and a drawing."""

import pytest
from django.contrib.staticfiles import finders

from photos.reasons import Reason, known


def test_these_are_the_reasons():
    assert [reason.label for reason in Reason] == [
        *("模糊", "背景不符", "非免冠", "头部过大", "头部过小", "非本人", "翻拍", "过暗或过亮", "遮挡面部", "变形")
    ]


@pytest.mark.parametrize("reason", Reason)
def test_each_says_what_to_do_and_is_drawn(reason):
    assert reason.sentence.endswith("。")
    assert "请" in reason.sentence
    assert reason.drawn
    with open(finders.find(reason.drawing)) as file:
        assert file.read().startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 295 413">')


def test_no_two_are_alike():
    for name in ("label", "sentence", "drawn", "drawing"):
        assert len({getattr(reason, name) for reason in Reason}) == len(Reason)


def test_another_frame_mends_the_size_of_a_head_alone():
    assert [reason for reason in Reason if reason.by_cropping] == [Reason.HEAD_LARGE, Reason.HEAD_SMALL]


def test_a_code_that_is_none_any_more_is_left_out():
    assert known(["retaken", "ugly", "", "blurred"]) == [Reason.RETAKEN, Reason.BLURRED]
