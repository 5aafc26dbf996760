"""What a portrait must be: its bounds, its sentences, its way through settings and plans."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from photos.requirements import NAMES
from photos.spec import Background, PhotoSpec, parse
from tests import scenes

BIG = PhotoSpec(width=413, height=626)


def test_the_usual_portrait_is_one_inch_at_300_dpi():
    spec = PhotoSpec()
    assert (spec.width, spec.height, spec.dpi, spec.max_bytes, spec.background_label) == (
        295,
        413,
        300,
        204_800,
        "白色",
    )
    assert spec.problems() == {}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"width": 99, "height": 150}, {"width": "请填 100 到 1500 之间的整数（像素）。"}),
        ({"width": 1501, "height": 1501}, dict.fromkeys(("width", "height"), "请填 100 到 1500 之间的整数（像素）。")),
        ({"height": 1501}, {"height": "请填 100 到 1500 之间的整数（像素）。"}),
        ({"width": 413, "height": 295}, {"height": "高应是宽的 1 到 2 倍，请核对两个数有没有写反。"}),
        ({"height": 591}, {"height": "高应是宽的 1 到 2 倍，请核对两个数有没有写反。"}),
        ({"dpi": 71}, {"dpi": "请填 72 到 600 之间的整数（dpi）。"}),
        ({"source_width": 2001}, {"source_width": "请填 0 到 2000 之间的整数（像素）。"}),
        ({"source_height": 2001}, {"source_height": "请填 0 到 2000 之间的整数（像素）。"}),
        (
            {"source_width": 1429},
            {"source_width": "按这个比例，裁切框会高过 2000 像素，系统保存的照片没有这么大。请改小。"},
        ),
        ({"max_kilobytes": 4}, {"max_kilobytes": "请填 5 到 2048 之间的整数（KB）。"}),
        ({"min_kilobytes": 200}, {"min_kilobytes": "最小的 KB 数必须小于最大的 KB 数。"}),
        ({"background": "green"}, {"background": "请选择白色、蓝色、红色或不限颜色。"}),
        ({"note": "免" * 201}, {"note": "其他要求最多 200 个字。"}),
    ],
)
def test_what_is_wrong_with_it(values, said):
    assert PhotoSpec(**values).problems() == said


@pytest.mark.parametrize(
    ("values", "least"),
    [
        ({}, (295, 413)),
        ({"source_width": 590}, (590, 826)),
        ({"source_height": 826}, (590, 826)),
        ({"source_width": 100, "source_height": 100}, (295, 413)),
        ({"source_width": 300, "source_height": 826}, (590, 826)),
    ],
)
def test_the_smallest_frame_keeps_the_ratio(values, least):
    assert PhotoSpec(**values).least_source == least


@given(st.integers(100, 1500), st.integers(100, 1500), st.integers(0, 2000), st.integers(0, 2000))
def test_the_smallest_frame_is_no_smaller_than_anything_asked_for(width, height, source_width, source_height):
    spec = PhotoSpec(width=width, height=height, source_width=source_width, source_height=source_height)
    least = spec.least_source
    assert least[0] >= max(width, source_width)
    assert least[1] >= max(height, source_height)
    assert least[1] == spec.box_height(least[0])


@pytest.mark.parametrize(
    ("made_for", "fits"),
    [
        ({}, True),
        ({"note": "别的话"}, True),
        ({"max_kilobytes": 100}, True),
        ({"max_kilobytes": 300}, False),
        ({"source_width": 590}, True),
        ({"width": 413, "height": 626}, False),
        ({"dpi": 350}, False),
        ({"background": Background.BLUE}, False),
        ({"background": Background.ANY}, False),
    ],
)
def test_which_portraits_fit(made_for, fits):
    assert PhotoSpec().same_picture(PhotoSpec(**made_for)) is fits


def test_where_any_background_will_do_every_background_does():
    anything = PhotoSpec(background=Background.ANY)
    assert [anything.same_picture(PhotoSpec(background=background)) for background in Background] == [True] * 4


def test_a_finer_source_or_a_fuller_file_is_not_had_from_a_lesser_one():
    assert not PhotoSpec(source_width=590).same_picture(PhotoSpec())
    assert not PhotoSpec(min_kilobytes=20).same_picture(PhotoSpec(min_kilobytes=10))


def test_it_is_kept_as_it_is_and_read_again_after_years():
    assert PhotoSpec.from_dict(BIG.as_dict()) == BIG
    assert PhotoSpec.from_dict({**BIG.as_dict(), "was": "once"}) == BIG
    assert PhotoSpec.from_dict({}) == PhotoSpec()


def test_it_is_written_as_one_variable():
    assert parse("width:413, height:626,background:blue,min_kilobytes:20") == PhotoSpec(
        width=413, height=626, background="blue", min_kilobytes=20
    )
    assert parse("") == PhotoSpec()


@pytest.mark.parametrize(
    "text", ["width", "width:x", "width:413,height:295", "depth:3", "width:300,width:301", "background:绿"]
)
def test_a_wrong_variable_is_refused(text):
    with pytest.raises(ValueError):
        parse(text)


def test_a_new_plan_asks_what_the_settings_ask(db, settings):
    settings.PHOTO_SPEC = BIG
    assert scenes.open_plan().photo_spec == BIG


def test_a_plan_asks_for_its_own(db):
    plan = scenes.open_plan(**{column: getattr(BIG, name) for name, column in NAMES.items()})
    plan.refresh_from_db()
    assert plan.photo_spec == BIG


def test_a_plan_says_what_is_wrong_at_its_field(db):
    plan = scenes.open_plan(photo_width=413, photo_height=295)
    with pytest.raises(ValidationError) as refusal:
        plan.full_clean()
    assert refusal.value.message_dict == {"photo_height": ["高应是宽的 1 到 2 倍，请核对两个数有没有写反。"]}
