"""The committee's eye: what the desk shows of a portrait, and sending one back with reasons."""

import html
import re

import pytest
from django.utils import timezone

from accounts import audit_words
from accounts.models import AuditEntry
from photos.findings import Doubt, Finding
from photos.models import Portrait, Upload
from photos.reasons import Reason
from plans.models import Plan
from registrations.decisions import DecisionForm
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.reading import situation, tasks, text_of
from tests.registrations.test_admin import done, of, said, sealed

CHANGED = "已换过照片，请看过新照片后再决定。"


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


def with_facts(user, **facts):
    """A portrait of which something was measured or said."""
    made = scenes.portrait_of(user)
    names = ["owner", "upload", "file", "sha256", "width", "height", "box_left", "box_top", "box_width", "box_height"]
    Portrait.objects.filter(pk=made.pk).delete()  # one file, one row
    return Portrait.objects.create(**{name: getattr(made, name) for name in names}, **{"spec": made.spec, **facts})


def submitted_with(applicant, occupation, **facts):
    draft = scenes.draft(applicant, occupation, portrait=with_facts(applicant, **facts))
    return scenes.take(draft, Action.SUBMIT, applicant)


def eye(answer):
    """The part of the desk that shows the photo."""
    return re.search(r'<section class="eye".*?</section>', answer.content.decode(), re.DOTALL)[0]


def figures(answer):
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", eye(answer), re.DOTALL)
    return [(text_of(label), text_of(figure)) for label, figure in found]


def notes(answer):
    return [
        text_of(note) for _, note in re.findall(r'<(p|div) class="eye-note[^>]*>(.*?)</\1>', eye(answer), re.DOTALL)
    ]


def pictures(answer):
    return re.findall(r'<img src="([^"]*)" width="(\d+)" height="(\d+)"', eye(answer))


# What the desk shows --------------------------------------------------------------------------------------------------


def test_a_portrait_at_its_true_size_with_its_figures(sign_in, applicant, occupation, reviewer):
    measured = {"bytes": 46301, "background_share": 97.4, "sharpness": 57, "something_new": 3}
    registration = submitted_with(applicant, occupation, measured=measured)
    answer = sign_in(reviewer).get(of(registration))
    assert pictures(answer) == [(of(registration, "portrait"), "295", "413")]
    assert figures(answer) == [
        ("尺寸", "295×413 像素，300 dpi"),
        ("文件大小", "45.2 KB（46,301 字节）"),
        ("边缘符合背景的比例", "97.4%"),
        ("清晰度", "57"),
        ("something_new", "3"),
        ("取自原件", "600×840 像素"),
        ("裁切时的要求", "295×413 像素，300 dpi，白色背景，不超过 200 KB"),
    ]
    assert notes(answer) == ["裁切时系统没有发现问题。"]


def test_how_large_the_file_is_was_measured_when_it_was_made(submitted):
    assert submitted.portrait.measured["bytes"] == submitted.portrait.file.size


def test_what_the_applicant_was_warned_of(sign_in, applicant, occupation, reviewer):
    found = [Finding(Doubt.DARK, "亮度 <38%>，偏暗。"), Finding(Doubt.HEAD_SIZE, "头部占 40%。")]
    registration = submitted_with(applicant, occupation, findings=[finding.as_dict() for finding in found])
    assert [html.unescape(note) for note in notes(sign_in(reviewer).get(of(registration)))] == [
        "系统提示过，报名人员确认无误： 过暗：亮度 <38%>，偏暗。头部大小：头部占 40%。"
    ]


def test_a_portrait_that_no_longer_fits_the_plan(sign_in, applicant, occupation, reviewer):
    submitted = submitted_with(applicant, occupation, measured={"bytes": 46301})
    plan = submitted.plan
    plan.photo_min_kilobytes, plan.photo_max_kilobytes, plan.photo_background = 10, 100, "blue"
    plan.save()
    assert notes(sign_in(reviewer).get(of(submitted))) == [
        "不符合现在的照片要求：295×413 像素，300 dpi，蓝色背景，10–100 KB。",
        "系统没有测量过这张照片，请仔细看清楚。",
    ]


def test_a_portrait_whose_file_is_lost(sign_in, submitted, reviewer):
    Portrait.objects.filter(pk=submitted.portrait_id).mark(timezone.now())
    lost = "照片的文件找不到了，现在看不到：请退回修改，让报名人员重新上传。"
    assert lost in notes(sign_in(reviewer).get(of(submitted)))


def test_without_a_portrait(sign_in, applicant, occupation, manager, reviewer):
    returned = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    returned.write(returned.version, portrait=None)
    answer = sign_in(reviewer).get(of(returned))
    assert ("没有照片" in eye(answer), figures(answer), pictures(answer)) == (True, [], [])


# The photo that was sent back -----------------------------------------------------------------------------------------


@pytest.fixture
def mended(applicant, occupation, manager):
    """Sent back and submitted again with another photo; the former portrait is an attribute of its own."""
    returned = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    former = returned.portrait
    returned.set_portrait(scenes.portrait_of(applicant, "#dfe9f5"))
    mended = scenes.take(returned, Action.SUBMIT, applicant)
    mended.former = former
    return mended


def test_the_photo_that_was_sent_back_stands_beside_the_new_one(sign_in, mended, reviewer):
    answer = sign_in(reviewer).get(of(mended))
    places = [place for place, *_ in pictures(answer)]
    assert places == [of(mended, "portrait"), of(mended, "portrait/former")]
    assert notes(answer)[0] == "退回后换过照片：请与退回时的照片对照。"


def test_as_long_as_it_is_not_submitted_again_it_says_so(sign_in, applicant, occupation, manager):
    returned = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    returned.set_portrait(scenes.portrait_of(applicant, "#dfe9f5"))
    assert notes(sign_in(manager).get(of(returned)))[0] == "退回后换过照片：报名人员还没有重新提交。"


def test_the_same_photo_again_is_no_other_photo(sign_in, applicant, occupation, manager):
    returned = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    again = scenes.take(returned, Action.SUBMIT, applicant)
    visitor = sign_in(manager)
    answer = visitor.get(of(again))
    assert ([place for place, *_ in pictures(answer)], "退回后" in eye(answer)) == ([of(again, "portrait")], False)
    assert visitor.get(of(again, "portrait/former")).status_code == 404
    assert AuditEntry.objects.count() == 0


def test_a_photo_that_is_no_longer_kept_is_said_to_be_gone(sign_in, mended, reviewer):
    Portrait.objects.filter(pk=mended.former.pk).delete()
    visitor = sign_in(reviewer)
    answer = visitor.get(of(mended))
    assert [place for place, *_ in pictures(answer)] == [of(mended, "portrait")]
    assert notes(answer)[0] == "退回后换过照片：退回时的照片已按保存期限删除，不能再对照。"
    assert visitor.get(of(mended, "portrait/former")).status_code == 404


def test_somebody_elses_photo_with_the_same_bytes_is_not_the_former_one(sign_in, mended, stranger, reviewer):
    scenes.portrait_of(stranger)  # the same plain picture
    Portrait.objects.filter(pk=mended.former.pk).delete()
    assert sign_in(reviewer).get(of(mended, "portrait/former")).status_code == 404


def test_each_view_of_the_former_photo_leaves_a_line(sign_in, mended, applicant, viewer):
    visitor = sign_in(viewer)
    visitor.head(of(mended, "portrait/former"))
    assert AuditEntry.objects.count() == 0
    answer = visitor.get(of(mended, "portrait/former"))
    with mended.former.file.open("rb") as file:
        assert (answer["Content-Type"], answer.content == file.read()) == ("image/jpeg", True)
    found = AuditEntry.objects.values_list("actor", "verb", "target", "subject", "detail", "request_id")
    assert list(found) == [
        (viewer.username, "photo.viewed", f"registrations.registration:{mended.pk}", applicant.username,
         "photo sent back", answer["X-Request-ID"])
    ]  # fmt: skip
    assert audit_words.detail("photo.viewed", "photo sent back") == "退回时的照片"


# Sent back with reasons -----------------------------------------------------------------------------------------------


def sent(registration, *reasons, **more):
    return {"versions": DecisionForm.seal([registration]), "reasons": reasons, "note": "", **more}


def test_reasons_are_sentences_for_the_applicant(sign_in, submitted, applicant, reviewer):
    text = "请用原来的照片。"
    answer = sign_in(reviewer).post(
        of(submitted, "return"), sent(submitted, "blurred", "retaken", fix_portrait=f" {text} "), follow=True
    )
    assert done(answer).startswith(f"{submitted.reference} 王晓明：退回修改。")
    sentence = Reason.BLURRED.sentence + Reason.RETAKEN.sentence + text
    assert submitted.events.first().items == [
        {"field": "portrait", "label": "证件照", "codes": ["blurred", "retaken"], "sentence": sentence}
    ]
    for page in ("", "edit/", "check/"):
        seen = sign_in(applicant).get(f"{submitted.get_absolute_url()}{page}")
        assert tasks(seen) == [f"待修改 证件照：{sentence} ✗ 模糊 ✗ 翻拍 ✓ 合格 重新上传"]
        drawings = re.findall(r'<img src="[^"]*img/photo/([a-z_]+)\.svg"[^>]* alt="([^"]*)"', seen.content.decode())
        assert drawings == [
            ("blurred", "不合格示例：五官和轮廓都不清楚"),
            ("retaken", "不合格示例：手机屏幕里的一张照片，带着边框和反光"),
            ("good", "合格示例：正面免冠，头部居中，肩部完整，背景干净"),
        ]


@pytest.mark.parametrize(
    ("reasons", "ways"),
    [
        (["head_small"], ["重新上传", "重新裁切"]),
        (["head_large", "head_small"], ["重新上传", "重新裁切"]),
        (["head_small", "covered"], ["重新上传"]),
    ],
)
def test_cropping_again_is_offered_where_it_helps(sign_in, submitted, applicant, reviewer, reasons, ways):
    sign_in(reviewer).post(of(submitted, "return"), sent(submitted, *reasons))
    page = sign_in(applicant).get(submitted.get_absolute_url()).content.decode()
    found = re.findall(r'<a class="btn btn-outline-primary btn-sm" href="([^"]*)">(.*?)</a>', page)
    photo = f"{submitted.get_absolute_url()}photo/"
    places = {"重新上传": photo, "重新裁切": f"{photo}crop/{submitted.portrait.upload_id}/"}
    assert found == [(places[way], way) for way in ways]
    assert [sign_in(applicant).get(place).status_code for place, _ in found] == [200] * len(ways)


@pytest.mark.parametrize("lost", ["marked", "removed", "too small"])
def test_cropping_again_is_not_offered_where_there_is_nothing_to_crop(sign_in, submitted, applicant, reviewer, lost):
    sign_in(reviewer).post(of(submitted, "return"), sent(submitted, "head_large"))
    if lost == "marked":
        Upload.objects.mark(timezone.now())
    elif lost == "removed":
        Upload.objects.all().delete()
    else:
        Plan.objects.update(photo_width=1000, photo_height=1400)
    page = sign_in(applicant).get(submitted.get_absolute_url())
    why = (
        "原来上传的照片不够大，不能重新裁切，请重新上传一张照片。"
        if lost == "too small"
        else "原来上传的照片已经找不到了，不能重新裁切，请重新上传一张照片。"
    )
    (task,) = tasks(page)
    assert task.endswith(f"✓ 合格 {why} 重新上传")


def test_of_a_photo_that_must_be_another_one_nobody_is_told_that_it_is_lost(sign_in, submitted, applicant, reviewer):
    sign_in(reviewer).post(of(submitted, "return"), sent(submitted, "blurred"))
    Upload.objects.mark(timezone.now())
    (task,) = tasks(sign_in(applicant).get(submitted.get_absolute_url()))
    assert task.endswith("✓ 合格 重新上传")


def test_whoever_has_changed_the_photo_is_told_so(sign_in, submitted, applicant, reviewer):
    sign_in(reviewer).post(of(submitted, "return"), sent(submitted, "blurred"))
    scenes.fresh(submitted).set_portrait(scenes.portrait_of(applicant, "#dfe9f5"))
    (task,) = tasks(sign_in(applicant).get(submitted.get_absolute_url()))
    assert task.endswith("✓ 合格 您已经换过照片，核对无误就可以重新提交。 重新上传")


def test_the_record_on_both_sides_says_the_sentence(sign_in, submitted, applicant, reviewer):
    sign_in(reviewer).post(of(submitted, "return"), sent(submitted, "covered"))
    pages = [sign_in(reviewer).get(of(submitted)), sign_in(applicant).get(submitted.get_absolute_url())]
    assert [f"证件照：{Reason.COVERED.sentence}" in text_of(page.content.decode()) for page in pages] == [True, True]


def test_a_code_that_there_is_none_of_is_refused_and_the_rest_stays(sign_in, submitted, reviewer):
    was = situation(submitted)
    answer = sign_in(reviewer).post(
        of(submitted, "return"),
        sent(submitted, "retaken", "<ugly>", fix_portrait="请重拍", fix_phone="打不通", note="谢谢"),
    )
    page = answer.content.decode()
    assert re.findall(r'<ul class="errorlist" id="reasons-error"><li>(.*?)</li>', page) == [
        "勾选的照片问题里有一项不在列表里，请重新勾选。"
    ]
    checked = re.findall(r'<input type="checkbox" name="reasons" value="(\w+)"[^>]* checked', page)
    kept = [f'value="{text}"' in page for text in ("请重拍", "打不通")] + [">\n谢谢</textarea>" in page]
    assert (checked, kept, "ugly" in page, situation(submitted)) == (["retaken"], [True] * 3, False, was)


def test_too_long_a_sentence_is_refused_and_stays(sign_in, submitted, reviewer):
    was = situation(submitted)
    answer = sign_in(reviewer).post(of(submitted, "return"), sent(submitted, "blurred", fix_portrait="长" * 201))
    page = answer.content.decode()
    assert "每一项最多 200 个字，请缩短；说不完的写在总的意见里。" in page
    assert ("长" * 201 in page, "请写明退回修改的原因" in page, situation(submitted)) == (True, False, was)


def test_reasons_belong_to_sending_back_alone(sign_in, submitted, reviewer):
    sign_in(reviewer).post(of(submitted, "reject"), sent(submitted, "blurred", note="不符合"))
    assert (submitted.events.first().action, submitted.events.first().items) == ("reject", [])
    assert "reasons" not in sign_in(reviewer).get(of(submitted, "approve")).content.decode()


# The photo that was seen ----------------------------------------------------------------------------------------------


def exchange(registration, colour="#112233"):
    """The applicant takes it back, changes the photo and submits again."""
    owner = registration.applicant
    again = scenes.take(registration, Action.RECALL, owner)
    again.set_portrait(scenes.portrait_of(owner, colour))
    return scenes.take(again, Action.SUBMIT, owner)


@pytest.mark.parametrize("action", ["approve", "return", "reject"])
def test_a_decision_about_another_photo_is_refused(sign_in, submitted, reviewer, action):
    visitor, page = sign_in(reviewer), of(submitted, action)
    seal = sealed(visitor.get(page))
    exchange(submitted)
    was = situation(submitted)
    answer = visitor.post(page, {"versions": seal, "note": "原因"}, follow=True)
    assert (said(answer), situation(submitted)) == ([f"{submitted.reference} 王晓明：{CHANGED}"], was)


def test_the_step_is_about_the_photo_on_the_page_on_which_it_was_chosen(sign_in, submitted, reviewer):
    visitor = sign_in(reviewer)
    page = visitor.get(of(submitted)).content.decode()
    link = html.unescape(re.search(r'class="step step-reject" href="([^"]*)"', page)[1])
    exchange(submitted)
    was = situation(submitted)
    answer = visitor.post(link, {"versions": sealed(visitor.get(link)), "note": "不符合"}, follow=True)
    assert (said(answer), situation(submitted)) == ([f"{submitted.reference} 王晓明：{CHANGED}"], was)
    assert submitted.portrait.sha256 not in link


@pytest.mark.parametrize("query", ["?version=", "?version=x", f"?version={'9' * 40}", "?portrait=", "?portrait=x"])
def test_a_mistyped_link_decides_nothing_it_should_not(sign_in, submitted, reviewer, query):
    visitor, was = sign_in(reviewer), situation(submitted)
    asked = visitor.get(of(submitted, "approve") + query)
    answer = visitor.post(of(submitted, "approve"), {"versions": sealed(asked), "note": ""}, follow=True)
    if "portrait" in query:
        assert (said(answer), situation(submitted)) == ([f"{submitted.reference} 王晓明：{CHANGED}"], was)
    else:
        assert done(answer).startswith(f"{submitted.reference} 王晓明：审核通过。")
