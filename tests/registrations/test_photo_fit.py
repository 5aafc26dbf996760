"""A plan asks for other photos while registrations are under way: how many portraits no longer fit, and who is told."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from photos.findings import Doubt
from photos.pipeline import suggest_box
from photos.spec import PhotoSpec
from registrations.photo_fit import misfits
from registrations.workflow import Status
from tests import scenes
from tests.plans.test_admin import errors, said, save

LARGER = {"photo_width": 413, "photo_height": 626}


@pytest.fixture
def one_of_each(occupation, manager):
    return [scenes.registration_at(status, scenes.person(), occupation, manager) for status in Status]


def ask_for(plan, **values):
    for name, value in values.items():
        setattr(plan, name, value)
    plan.save()


def test_portraits_that_were_made_for_what_is_asked_fit(plan, one_of_each):
    assert misfits(plan) == (0, 0)


def test_those_that_can_be_edited_and_those_that_were_submitted_are_counted_apart(plan, one_of_each, occupation):
    scenes.draft(scenes.person(), occupation, portrait=None)
    ask_for(plan, **LARGER)
    assert misfits(plan) == (2, 2)  # draft and returned, submitted and approved; nobody waits for the others


def test_a_portrait_that_was_made_for_the_new_requirements_fits(plan, occupation):
    drafts = [scenes.draft(scenes.person(), occupation) for _ in range(2)]
    ask_for(plan, **LARGER)
    first = drafts[0]
    upload = first.portrait.upload
    wanted = PhotoSpec(width=413, height=626)
    assert first.plan.pk == plan.pk
    first.set_portrait(upload.crop(suggest_box(upload.width, upload.height, wanted), wanted, confirmed=list(Doubt)))
    assert misfits(plan) == (1, 0)


def test_other_words_and_a_wider_band_leave_every_portrait_as_it_is(plan, one_of_each):
    ask_for(plan, photo_note="请穿深色衣服", photo_max_kilobytes=500, photo_background="any")
    assert misfits(plan) == (0, 0)


def test_portraits_of_another_plan_are_not_counted(plan, manager):
    other = scenes.occupation(scenes.open_plan())
    scenes.draft(scenes.person(), other)
    ask_for(plan, **LARGER)
    assert misfits(plan) == (0, 0)


def test_however_many_there_are_it_is_one_query(plan, occupation):
    ask_for(plan, **LARGER)
    counts = []
    for _ in range(3):
        scenes.draft(scenes.person(), occupation)
        with CaptureQueriesContext(connection) as captured:
            misfits(plan)
        counts.append(len(captured))
    assert counts == [1, 1, 1]


# In the plan's form ---------------------------------------------------------------------------------------------------

ADVICE = "这些照片不会自动改变：需要换的，请在审核时退回修改。"


def test_whoever_changes_the_requirements_is_told(sign_in, plan, one_of_each, manager):
    answer = save(sign_in(manager), plan, follow=True, **LARGER)
    assert said(answer)[0] == f"照片要求改过以后，2 份还能修改的报名、2 份已提交的报名里的证件照不再符合。{ADVICE}"


def test_only_what_there_is_is_told(sign_in, plan, occupation, manager):
    scenes.draft(scenes.person(), occupation)
    answer = save(sign_in(manager), plan, follow=True, photo_max_kilobytes=100)
    assert said(answer)[0] == f"照片要求改过以后，1 份还能修改的报名里的证件照不再符合。{ADVICE}"


@pytest.mark.parametrize(
    "values", [{"title": "改过的名称"}, {"photo_note": "请穿深色衣服"}, {"photo_max_kilobytes": 500}]
)
def test_where_every_portrait_still_fits_nothing_is_said(sign_in, plan, one_of_each, manager, values):
    answer = save(sign_in(manager), plan, follow=True, **values)
    assert [sentence for sentence in said(answer) if "照片" in sentence] == []
    assert len(said(answer)) == 1


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        ({"photo_width": 413, "photo_height": 295}, ["高应是宽的 1 到 2 倍，请核对两个数有没有写反。"]),
        (
            {"photo_width": 99},
            ["请填 100 到 1500 之间的整数（像素）。", "高应是宽的 1 到 2 倍，请核对两个数有没有写反。"],
        ),
        ({"photo_dpi": 30}, ["请填 72 到 600 之间的整数（dpi）。"]),
        ({"photo_min_kilobytes": 200}, ["最小的 KB 数必须小于最大的 KB 数。"]),
        ({"photo_max_kilobytes": 4096}, ["请填 5 到 2048 之间的整数（KB）。"]),
        ({"photo_source_width": 9000}, ["请填 0 到 2000 之间的整数（像素）。"]),
        ({"photo_width": "三百"}, ["请填整数，只写数字，不带单位。"]),
        ({"photo_width": "-295"}, ["请填整数，只写数字，不带单位。"]),
        ({"photo_height": ""}, ["请填写这一项。"]),
    ],
)
def test_requirements_that_cannot_be_are_refused_at_their_field(sign_in, plan, manager, values, sentences):
    was = plan.photo_spec
    answer = save(sign_in(manager), plan, **values)
    plan.refresh_from_db()
    assert (errors(answer), plan.photo_spec) == (sentences, was)
    assert all(f'name="{name}" value="{value}"' in answer.content.decode() for name, value in values.items() if value)


# On the plan's page ---------------------------------------------------------------------------------------------------


def photo_line(answer):
    page = answer.content.decode()
    return page.partition("<dt>证件照</dt><dd>")[2].partition("</dd>")[0]


def test_the_plans_page_says_what_photo_is_asked(sign_in, plan, applicant):
    visitor = sign_in(applicant)
    usual = "295×413 像素，背景白色，不超过 200 KB；本人近期免冠正面照，五官清晰，不戴墨镜"
    assert photo_line(visitor.get(plan.get_absolute_url())) == usual
    ask_for(plan, **LARGER, photo_min_kilobytes=20, photo_background="any", photo_note="")
    assert photo_line(visitor.get(plan.get_absolute_url())) == "413×626 像素，背景不限颜色，20–200 KB"
