"""The photo pages: owner, stranger, anonymous, wrong method, bad input, and the way from file to portrait."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.messages import get_messages
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts import limits
from photos import bounded
from photos.delivery import deliver
from photos.findings import Doubt, Finding
from photos.models import Portrait, Upload, UploadQuerySet
from photos.pipeline import Box
from photos.spec import PhotoSpec
from tests.photos.pictures import HEIC, drawn_portrait, encoded, opened, quarters, seen

pytestmark = pytest.mark.urls("tests.photos.subjects")

PAGE = "/badges/mine/photo/"


@pytest.fixture
def visitor(client, person, badge):
    client.force_login(person)
    return client


def photo(data: bytes = b"", name: str = "me.jpg", kind: str = "image/jpeg") -> dict[str, SimpleUploadedFile]:
    return {"photo": SimpleUploadedFile(name, data or encoded(quarters()), kind)}


def uploaded(person, width: int = 600, height: int = 840) -> Upload:
    return Upload.objects.receive(person, encoded(quarters(width, height)))


def refusals(response) -> list[str]:
    """The sentences that the page shows, in its summary and at the field."""
    text = response.content.decode()
    found = re.findall(r'class="alert-link"[^>]*>(.*?)</a>|id="photo-error">(.*?)</p>', text)
    return [html.unescape(summary or field) for summary, field in found]


def frame(response) -> tuple[int, ...]:
    """The frame in the page's hidden fields."""
    text = response.content.decode()
    return tuple(int(re.search(rf'name="{name}" value="(-?\d+)"', text)[1]) for name in ("left", "top", "width"))


# --- The way from file to portrait ---------------------------------------------------------------------------------


def test_from_file_to_portrait(visitor, person, badge):
    answer = visitor.post(PAGE, photo(encoded(drawn_portrait(1000, 1400))))
    upload = Upload.objects.get()
    crop = f"{PAGE}crop/{upload.pk}/"
    assert (answer.status_code, answer["Location"], upload.owner) == (302, crop, person)
    assert frame(visitor.get(crop)) == (0, 0, 1000)
    answer = visitor.post(crop, {"left": 0, "top": 0, "width": 990})
    assert (answer.status_code, answer["Location"]) == (302, "/badges/mine/")
    assert [str(message) for message in get_messages(answer.wsgi_request)] == ["保存成功"]
    assert (badge.portrait, badge.portrait.box) == (Portrait.objects.get(), Box(0, 0, 990, 1386))
    assert opened(visitor.get(f"{PAGE}portrait/").content).size == (295, 413)


def test_heic_goes_the_same_way(visitor):
    visitor.post(PAGE, photo(HEIC, "IMG_0001.HEIC", "application/octet-stream"))
    upload = Upload.objects.get()
    assert seen(visitor.get(f"{PAGE}crop/{upload.pk}/image/").content) == ["red", "green", "blue", "white"]


def test_the_frame_stands_where_it_stood_when_cropping_again(visitor, person, badge):
    upload = uploaded(person)
    badge.portrait = upload.crop(Box(100, 50, 400, 0), confirmed=list(Doubt))
    assert frame(visitor.get(f"{PAGE}crop/{upload.pk}/")) == (100, 50, 400)
    badge.photo_spec = PhotoSpec(width=300, height=300)
    assert frame(visitor.get(f"{PAGE}crop/{upload.pk}/")) == (100, 50, 400)
    badge.photo_spec = PhotoSpec(width=500, height=800)  # wants more than the frame has, and a picture so high
    assert frame(visitor.get(f"{PAGE}crop/{upload.pk}/")) == (100, 40, 500)


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        ("up", (100, 44, 400)),
        ("down", (100, 156, 400)),
        ("left", (60, 100, 400)),
        ("right", (140, 100, 400)),
        ("in", (120, 128, 360)),
        ("out", (78, 69, 444)),
    ],
)
def test_without_a_script_buttons_move_the_frame_and_save_nothing(visitor, person, badge, move, expected):
    crop = f"{PAGE}crop/{uploaded(person).pk}/"
    answer = visitor.post(crop, {"left": 100, "top": 100, "width": 400, "move": move})
    assert (answer.status_code, frame(answer), Portrait.objects.count(), badge.portrait) == (200, expected, 0, None)


def turned(response) -> tuple[int, ...]:
    return (*frame(response), int(re.search(r'name="turns" value="(\d)"', response.content.decode())[1]))


@pytest.mark.parametrize(
    ("move", "expected"), [("turn-right", (410, 90, 300, 1)), ("turn-left", (130, 90, 300, 3))], ids=["right", "left"]
)
def test_without_a_script_buttons_turn_the_picture(visitor, person, move, expected):
    """The middle of the frame stays in the middle: (300, 280) of 600×840."""
    crop = f"{PAGE}crop/{uploaded(person).pk}/"
    answer = visitor.post(crop, {"left": 150, "top": 70, "width": 300, "move": move})
    assert (answer.status_code, turned(answer), Portrait.objects.count()) == (200, expected, 0)


def test_a_picture_that_would_be_too_small_is_not_turned(visitor, person):
    crop = f"{PAGE}crop/{uploaded(person, 300, 840).pk}/"
    answer = visitor.post(crop, {"left": 0, "top": 10, "width": 300, "move": "turn-left"})
    sentence = "这张照片转过来是 840×300 像素，至少需要 295×413 像素。请换一张更大的照片。"
    assert (answer.status_code, refusals(answer), turned(answer)) == (422, [sentence], (0, 10, 300, 0))


def test_the_turned_picture_is_what_is_cropped(visitor, person, badge):
    crop = f"{PAGE}crop/{uploaded(person).pk}/"
    visitor.post(crop, {"left": 120, "top": 0, "width": 420, "turns": 1, "confirmed": ",".join(Doubt)})
    assert (badge.portrait.turns, badge.portrait.box) == (1, Box(120, 0, 420, 588))
    assert seen(visitor.get(f"{PAGE}portrait/").content) == ["blue", "red", "white", "green"]
    assert turned(visitor.get(crop)) == (120, 0, 420, 1)


# --- Doubts ---


def test_a_doubt_is_confirmed_by_the_codes_that_were_shown_and_no_others(visitor, person, badge, monkeypatch):
    dark, blurred = Finding("dark", "照片过暗：亮度 41。"), Finding("blurred", "照片模糊：清晰度 12。")
    sincere = bounded.crop
    monkeypatch.setattr(bounded, "crop", lambda *given: replace(sincere(*given), findings=[dark, blurred]))
    crop, posted = f"{PAGE}crop/{uploaded(person).pk}/", {"left": 9, "top": 7, "width": 400, "turns": 0}
    for codes in ("", "dark", "bright,nonsense"):
        answer = visitor.post(crop, {**posted, "confirmed": codes})
        assert (answer.status_code, turned(answer), badge.portrait) == (422, (9, 7, 400, 0), None)
    answer = visitor.post(crop, posted)
    text = answer.content.decode()
    assert [finding.sentence in text for finding in (dark, blurred)] == [True, True]
    assert re.findall(r'name="confirmed" value="(.*?)"', text) == ["blurred,dark"]
    visitor.post(crop, {**posted, "confirmed": "blurred,dark"})
    assert badge.portrait.doubts == [dark, blurred]


def test_a_blocking_doubt_offers_no_way_round(visitor, person, monkeypatch):
    several = Finding("several_faces", "照片上有 2 张人脸。", blocking=True)
    dark = Finding("dark", "照片偏暗：亮度 29。")
    found = [dark, several]
    sincere = bounded.crop
    monkeypatch.setattr(bounded, "crop", lambda *given: replace(sincere(*given), findings=found))
    crop, posted = f"{PAGE}crop/{uploaded(person).pk}/", {"left": 0, "top": 0, "width": 400}
    text = visitor.post(crop, posted).content.decode()
    assert ("调整或换一张" in text, "仍然使用" in text, "照片不能这样保存" in text) == (True, False, True)
    listed = re.findall(r"<li>(.*?)</li>", text)
    assert [line for line in listed if "照片" in line] == [
        f"<strong>必须更正：</strong>{several.sentence}", f"<strong>提示：</strong>{dark.sentence}",
    ]  # fmt: skip
    found.remove(several)
    text = visitor.post(crop, posted).content.decode()
    assert (f"<li>{dark.sentence}</li>" in text, "仍然使用" in text, "照片不能这样保存" in text) == (True, True, False)


# --- The portrait that the person has elsewhere ---


def test_what_fits_is_used_as_it_is(visitor, person, badge):
    badge.other_portrait = other = uploaded(person).crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    assert f'action="{PAGE}other/"' in visitor.get(PAGE).content.decode()
    answer = visitor.post(f"{PAGE}other/")
    assert (answer.status_code, answer["Location"], badge.portrait) == (302, "/badges/mine/", other)
    assert visitor.post(f"{PAGE}other/").status_code == 404  # it is in use


def test_what_does_not_fit_leads_to_its_crop_or_is_not_offered(visitor, person, badge):
    badge.other_portrait = other = uploaded(person).crop(Box(30, 20, 300, 0), confirmed=list(Doubt))
    badge.photo_spec = PhotoSpec(width=413, height=626, background="blue")
    crop = f"{PAGE}crop/{other.upload_id}/"
    assert f'href="{crop}"' in visitor.get(PAGE).content.decode()
    assert (visitor.get(f"{PAGE}again/")["Location"], frame(visitor.get(crop))) == (crop, (30, 20, 413))
    answer = visitor.post(f"{PAGE}other/")
    sentence = "这张照片不符合这里的要求，没有使用。请重新裁切，或上传另一张照片。"
    assert (answer.status_code, refusals(answer), badge.portrait) == (422, [sentence] * 2, None)
    badge.photo_spec = PhotoSpec(width=700, height=900)
    assert "从个人信息使用照片" not in visitor.get(PAGE).content.decode()
    assert visitor.get(f"{PAGE}again/")["Location"] == PAGE
    answer = visitor.get(crop)
    assert (answer.status_code, refusals(answer)[0]) == (
        422, "这张照片为 600×840 像素，至少需要 700×900 像素。请换一张更大的照片。",
    )  # fmt: skip


def test_what_is_lost_is_cropped_again_or_not_offered(visitor, person, badge):
    badge.other_portrait = other = uploaded(person).crop(Box(30, 20, 300, 0), confirmed=list(Doubt))
    Portrait.objects.filter(pk=other.pk).mark(timezone.now())
    other.refresh_from_db()
    crop, text = f"{PAGE}crop/{other.upload_id}/", visitor.get(PAGE).content.decode()
    assert (f'action="{PAGE}other/"' in text, f'href="{crop}"' in text) == (False, True)
    assert (visitor.post(f"{PAGE}other/").status_code, badge.portrait) == (422, None)
    Upload.objects.mark(timezone.now())
    other.refresh_from_db()
    assert "从个人信息使用照片" not in visitor.get(PAGE).content.decode()
    assert visitor.get(f"{PAGE}again/")["Location"] == PAGE


def test_of_what_is_lost_the_crop_page_is_not_opened(visitor, person):
    crop = f"{PAGE}crop/{uploaded(person).pk}/"
    Upload.objects.mark(timezone.now())
    answer = visitor.get(crop)
    sentence = "这张照片的原件已经找不到了，不能再裁切。请重新上传照片。"
    assert (answer.status_code, refusals(answer)[0]) == (422, sentence)
    assert 'id="upload-form"' in answer.content.decode()


@pytest.mark.parametrize(
    ("lost", "sentence"),
    [
        ([Portrait], "这张照片的文件找不到了，没有使用。请重新裁切，或上传另一张照片。"),
        ([Portrait, Upload], "这张照片的文件找不到了，没有使用。请上传另一张照片。"),
    ],
)
def test_what_was_lost_meanwhile_is_not_called_unfit(visitor, person, badge, lost, sentence):
    badge.other_portrait = other = uploaded(person).crop(Box(30, 20, 300, 0), confirmed=list(Doubt))
    for model in lost:
        model.objects.all().mark(timezone.now())
    other.refresh_from_db()
    answer = visitor.post(f"{PAGE}other/")
    assert (answer.status_code, refusals(answer)[0]) == (422, sentence)


def test_closed_takes_over_nothing(visitor, person, badge):
    badge.other_portrait = uploaded(person).crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    badge.photo_closed = "报名已截止，照片不能再更换。"
    answer = visitor.post(f"{PAGE}other/")
    assert (answer.status_code, badge.photo_closed in answer.content.decode(), badge.portrait) == (422, True, None)


# --- What the script is told ---


def test_the_script_is_told_where_to_go_on_or_what_is_wrong(visitor):
    good, bad = (visitor.post(PAGE, file, headers={"Accept": "application/json"}) for file in (photo(), {}))
    assert (good.status_code, good.json()) == (200, {"next": f"{PAGE}crop/{Upload.objects.get().pk}/"})
    sentence = "还没有选择照片。请先点“浏览”选一张照片，再点“上传”。"
    assert (bad.status_code, bad.json()) == (422, {"refusal": sentence})


# --- Bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({}, "还没有选择照片。请先点“浏览”选一张照片，再点“上传”。"),
        ({"photo": "text"}, "还没有选择照片。请先点“浏览”选一张照片，再点“上传”。"),
        (
            photo(b"%PDF-1.7\n", "photo.jpg"),
            "这个文件不是照片（看起来是 PDF 文件）。请选择 JPEG、PNG、WebP 或 HEIC 格式的照片。",
        ),
        (
            photo(encoded(quarters(200, 280))),
            "您的照片为 200×280 像素，至少需要 295×413 像素。请换一张更大的照片。",
        ),
    ],
)
def test_a_refused_file_is_explained_and_the_portrait_stays(visitor, person, badge, posted, sentence):
    badge.portrait = uploaded(person).crop(Box(0, 0, 300, 0), confirmed=list(Doubt))
    answer = visitor.post(PAGE, posted)
    assert (answer.status_code, refusals(answer)) == (422, [sentence, sentence])
    assert (f'src="{PAGE}portrait/"' in answer.content.decode(), Upload.objects.count()) == (True, 1)


@pytest.mark.parametrize(("megabytes", "measured"), [(30, "30"), (20, "20.1")])
def test_a_photo_that_is_too_large_is_refused_with_its_size(visitor, files, megabytes, measured):
    answer = visitor.post(PAGE, photo(b"\xff\xd8\xff" + b"\0" * (megabytes * 1024 * 1024)))
    sentence = f"您的照片有 {measured} MB，最多 20 MB。请用手机或看图软件把照片缩小后再上传，或换一张照片。"
    assert (answer.status_code, refusals(answer), files()) == (422, [sentence] * 2, {"uploads": 0, "portraits": 0})


def test_just_under_the_limit_is_read(visitor):
    whole = encoded(quarters())
    answer = visitor.post(PAGE, photo(whole + b"\0" * (20 * 1024 * 1024 - len(whole))))
    assert (answer.status_code, Upload.objects.count()) == (302, 1)


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({}, "没有收到裁切框的位置。请移动裁切框后再保存一次。"),
        ({"left": "a", "top": "<script>", "width": "😀"}, "没有收到裁切框的位置。请移动裁切框后再保存一次。"),
        (
            {"left": 0, "top": 0, "width": 100},
            "裁切框只有 100×140 像素，至少需要 295×413 像素。请缩小照片，让裁切框框住更多内容。",
        ),
        (
            {"left": 500, "top": 0, "width": 300},
            "裁切框（左 500、上 0、300×420 像素）超出了照片的范围（600×840 像素）。请重新移动裁切框。",
        ),
        (
            {"left": -1, "top": "9" * 5000, "width": 300},
            "裁切框（左 -1、上 999999999、300×420 像素）超出了照片的范围（600×840 像素）。请重新移动裁切框。",
        ),
    ],
)
def test_a_refused_frame_is_explained_and_the_suggested_one_offered(visitor, person, badge, posted, sentence):
    answer = visitor.post(f"{PAGE}crop/{uploaded(person).pk}/", posted)
    assert (answer.status_code, refusals(answer), frame(answer)) == (422, [sentence], (0, 0, 600))
    assert (badge.portrait, Portrait.objects.count()) == (None, 0)


def test_what_is_closed_stays_as_it_is(visitor, person, badge):
    upload = uploaded(person)
    badge.photo_closed = "报名已提交，照片不能再更换。需要更换请先撤回修改。"
    shown = [visitor.get(PAGE), visitor.post(PAGE, photo())]
    assert [badge.photo_closed in answer.content.decode() for answer in shown] == [True, True]
    assert [(answer.status_code, b'name="photo"' in answer.content) for answer in shown] == [(200, False), (422, False)]
    crop = f"{PAGE}crop/{upload.pk}/"
    answers = [visitor.get(crop), visitor.post(crop, {"left": 0, "top": 0, "width": 400})]
    assert [(answer.status_code, answer.get("Location")) for answer in answers] == [(302, PAGE), (422, None)]
    assert (badge.portrait, Upload.objects.count(), Portrait.objects.count()) == (None, 1, 0)


def test_what_closes_while_cropping_leaves_no_portrait(
    visitor, person, badge, files, django_capture_on_commit_callbacks
):
    badge.closing = "报名已截止，照片不能再更换。"
    with django_capture_on_commit_callbacks(execute=True):
        upload = Upload.objects.receive(person, encoded(drawn_portrait(600, 840)))
        answer = visitor.post(f"{PAGE}crop/{upload.pk}/", {"left": 0, "top": 0, "width": 600})
    assert (answer.status_code, refusals(answer)) == (422, ["报名已截止，照片不能再更换。"])
    assert (badge.portrait, Portrait.objects.count(), files()) == (None, 0, {"uploads": 1, "portraits": 0})


def test_a_storage_that_is_away_is_a_sentence(visitor, person, monkeypatch):
    upload = uploaded(person)

    def away(*arguments, **options):
        raise OSError("the object store is away")

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage._save", away)
    monkeypatch.setattr("django.core.files.storage.FileSystemStorage._open", away)
    sentence = "照片暂时无法保存，您填写的内容没有受影响。请过几分钟再试；如果仍然不行，请联系组委会。"
    answers = [
        visitor.post(PAGE, photo()),
        visitor.post(f"{PAGE}crop/{upload.pk}/", {"left": 0, "top": 0, "width": 400}),
    ]
    assert [(answer.status_code, refusals(answer)[0]) for answer in answers] == [(503, sentence)] * 2
    assert "aria-invalid" not in answers[0].content.decode()  # it is not the file's fault
    answer = visitor.get(f"{PAGE}crop/{upload.pk}/image/")
    assert (answer.status_code, answer.content.decode()) == (503, "照片暂时无法显示，请过几分钟再试。")


# --- Who and how ---------------------------------------------------------------------------------------------------


def addresses(upload: Upload, name: str = "mine") -> list[str]:
    page = f"/badges/{name}/photo/"
    return [page, f"{page}crop/{upload.pk}/", f"{page}crop/{upload.pk}/image/", f"{page}portrait/"]


# --- A line that breaks ---------------------------------------------------------------------------------------------

NUMBER = "5a1f4c0e9b7d4e0f8a6b3c2d1e0f9a8b"
NO_FILE = "还没有选择照片。请先点“浏览”选一张照片，再点“上传”。"


def told(visitor, **posted):
    answer = visitor.post(PAGE, posted, headers={"accept": "application/json"})
    return answer.status_code, answer.json()


def test_what_has_arrived_is_not_taken_twice(visitor, person, files):
    assert told(visitor, number=NUMBER) == (422, {"refusal": NO_FILE})
    first = told(visitor, number=NUMBER, **photo())
    assert first == (200, {"next": f"{PAGE}crop/{UUID(NUMBER)}/"})
    assert told(visitor, number=NUMBER) == told(visitor, number=NUMBER, **photo()) == first
    assert (Upload.objects.count(), files()["uploads"]) == (1, 1)


def test_what_has_arrived_is_found_by_whom_the_limit_stops(visitor, monkeypatch):
    monkeypatch.setattr("accounts.limits.UPLOAD", replace(limits.UPLOAD, times=1))
    assert told(visitor, number=NUMBER) == (422, {"refusal": NO_FILE})  # to ask is not to send
    arrived = told(visitor, number=NUMBER, **photo())
    assert (told(visitor, number=NUMBER), told(visitor, number=uuid4().hex, **photo())[0]) == (arrived, 429)


def test_another_persons_number_is_not_taken_and_tells_nothing(visitor, person, stranger):
    Upload.objects.receive(stranger, encoded(quarters()), number=UUID(NUMBER))
    assert told(visitor, number=NUMBER) == (422, {"refusal": NO_FILE})
    status, answer = told(visitor, number=NUMBER, **photo())
    own = Upload.objects.get(owner=person)
    assert (status, answer, own.pk == UUID(NUMBER)) == (200, {"next": f"{PAGE}crop/{own.pk}/"}, False)


@pytest.mark.parametrize("number", ["", "1", "../../etc", "x" * 5000], ids=["none", "short", "path", "long"])
def test_a_number_that_is_none(visitor, number):
    assert told(visitor, number=number, **photo())[1] == {"next": f"{PAGE}crop/{Upload.objects.get().pk}/"}


def test_sent_twice_at_once_it_is_kept_once(visitor, person, monkeypatch, files):
    def slow(*arguments):
        copy = sincere(*arguments)
        monkeypatch.setattr(bounded, "read", sincere)
        Upload.objects.receive(person, encoded(quarters()), number=UUID(NUMBER))
        return copy

    sincere = bounded.read
    monkeypatch.setattr(bounded, "read", slow)
    monkeypatch.setattr(UploadQuerySet, "exists", lambda rows: False)  # it was not there yet
    assert told(visitor, number=NUMBER, **photo()) == (200, {"next": f"{PAGE}crop/{UUID(NUMBER)}/"})
    assert (Upload.objects.count(), files()["uploads"]) == (1, 1)


def waiting(visitor) -> list[str]:
    """Where the upload page says that what was sent last is to be cropped."""
    return re.findall(r'<a class="btn btn-primary" href="([^"]*)">继续裁切</a>', visitor.get(PAGE).content.decode())


def test_what_was_sent_last_is_offered_until_it_is_cropped(visitor, person, stranger, badge):
    uploaded(stranger)
    assert waiting(visitor) == []
    uploaded(person)
    last = uploaded(person)
    assert waiting(visitor) == [f"{PAGE}crop/{last.pk}/"]
    badge.photo_spec = PhotoSpec(width=700, height=980)
    assert waiting(visitor) == []  # too small for this one
    badge.photo_spec = PhotoSpec()
    Upload.objects.filter(pk=last.pk).mark(timezone.now())
    assert waiting(visitor) == []  # its file is lost
    Upload.objects.filter(pk=last.pk).mark(None)
    badge.photo_closed = "已经提交。"
    assert waiting(visitor) == []
    badge.photo_closed = ""
    assert waiting(visitor) == [f"{PAGE}crop/{last.pk}/"]
    last.crop(Box(0, 0, 400, 0), confirmed=list(Doubt))
    assert waiting(visitor) == []  # nor the one before it


def test_what_was_sent_yesterday_is_not_offered(visitor, person):
    last = uploaded(person)
    Upload.objects.filter(pk=last.pk).update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    assert waiting(visitor) == []


def test_a_strangers_photo_does_not_exist(visitor, person, stranger):
    theirs = uploaded(stranger)
    asked = [*addresses(uploaded(person), "theirs"), *addresses(theirs)[1:3], f"{PAGE}crop/{uuid4()}/"]
    assert [visitor.get(address).status_code for address in asked] == [404] * 7
    assert visitor.post(addresses(theirs)[1], {"left": 0, "top": 0, "width": 400}).status_code == 404


def test_a_subject_of_somebody_else_is_refused_even_when_it_is_found(visitor, badge, stranger, monkeypatch):
    monkeypatch.setattr("tests.photos.subjects.BadgePhotos.find", lambda self, request, **kwargs: badge)
    badge.photo_owner = stranger
    assert visitor.get(PAGE).status_code == 404


def test_anonymous_goes_to_the_login(client, person, badge):
    found = [client.get(address) for address in addresses(uploaded(person))]
    assert [(answer.status_code, "next=" in answer["Location"]) for answer in found] == [(302, True)] * 4


def test_wrong_methods_are_refused(visitor, person):
    upload, crop, image, portrait = addresses(uploaded(person))
    answers = [visitor.put(upload), visitor.delete(crop), visitor.post(image), visitor.post(portrait)]
    assert [(answer.status_code, answer["Allow"]) for answer in answers] == [
        (405, "GET, HEAD, POST"),
        (405, "GET, HEAD, POST"),
        (405, "GET, HEAD"),
        (405, "GET, HEAD"),
    ]


def test_reading_writes_nothing(visitor, person, badge, files, django_assert_max_num_queries):
    upload = uploaded(person)
    with django_assert_max_num_queries(20) as queries:
        statuses = [visitor.get(address).status_code for address in addresses(upload)]
    written = [
        query["sql"]
        for query in queries.captured_queries
        if not query["sql"].rpartition(" */ ")[2].lstrip("(").startswith("SELECT")
    ]
    assert (statuses, written, files()) == ([200, 200, 200, 404], [], {"uploads": 1, "portraits": 0})


# --- Delivery ------------------------------------------------------------------------------------------------------


def test_a_portrait_is_delivered_privately_as_a_picture_and_nothing_else(person, storage):
    portrait = uploaded(person).crop(Box(0, 0, 400, 0), confirmed=list(Doubt))
    answer = deliver(portrait)
    assert (answer.status_code, dict(answer.items()), opened(answer.content).size) == (
        200,
        {
            "Content-Type": "image/jpeg",
            "Content-Disposition": "inline",
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
        (295, 413),
    )


def test_a_portrait_whose_file_is_gone_is_not_found(person, storage):
    portrait = uploaded(person).crop(Box(0, 0, 400, 0), confirmed=list(Doubt))
    default_storage.delete(portrait.file.name)
    answer = deliver(portrait)
    assert (answer.status_code, answer.content.decode()) == (404, "找不到这张照片的文件，请联系组委会。")


def test_the_pages_are_private(visitor, person):
    found = [visitor.get(address) for address in addresses(uploaded(person))[:3]]
    assert [answer["Cache-Control"] for answer in found] == ["private, no-store"] * 3
