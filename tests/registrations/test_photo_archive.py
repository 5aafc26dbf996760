"""The photos as a ZIP: their names, the list that reconciles them, and a storage that is away."""

import csv
import hashlib
import io
import zipfile

import pytest
from django.core.files.storage import default_storage

from accounts.models import AuditEntry
from photos.models import Portrait
from registrations import export_jobs, export_pages, jobs, photo_archive
from registrations.jobs import Job
from registrations.photo_names import MOST_STEM, Names, pattern_problem, safe
from registrations.workflow import Status
from tests import scenes


def named(pattern, *facts):
    names = Names(pattern)
    return [names.next({"姓名": text, "报名编号": text, "序号": text}) for text in facts]


# Names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("王晓明", "王晓明"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a\\b:c*d?e"f<g>h|i', "a_b_c_d_e_f_g_h_i"),
        ("CON", "_CON"),
        ("com1.txt", "_com1.txt"),
        ("nul", "_nul"),
        (".hidden", "hidden"),
        ("结尾. ", "结尾"),
        ("王\u202e\u200b\x00明", "王明"),
        ("", "_"),
        ("...", "_"),
        ("长" * 300, "长" * MOST_STEM),
        ("买买提·艾力", "买买提·艾力"),
    ],
)
def test_a_name_that_every_machine_takes(text, name):
    assert safe(text) == name
    assert len(f"{name}(10000).jpg".encode()) <= 255


def test_the_same_name_gets_a_number():
    assert named("{姓名}", "王明", "王明", "王明(2)", "Ann", "ANN") == [
        "王明.jpg",
        "王明(2).jpg",
        "王明(2)(2).jpg",
        "Ann.jpg",
        "ANN(2).jpg",
    ]


def test_a_name_that_all_of_them_have():
    """{职业} for everybody of one occupation: each asks for a name or two, not for all that were given before."""

    class Asked(set):
        times = 0

        def __contains__(self, name):
            self.times += 1
            return super().__contains__(name)

    names = Names("{职业}", taken=Asked())
    given = [names.next({"职业": "电工"}) for _ in range(2000)]
    assert (given[:2], given[-1], len(set(given))) == (["电工.jpg", "电工(2).jpg"], "电工(2000).jpg", 2000)
    assert names.taken.times <= 2 * len(given)


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("{报名编号}", ""),
        ("{序号}-{姓名}", ""),
        ("照片", "请至少用一项来区分每个人。"),
        ("{姓名}/{报名编号}", "文件名里不能有 / "),
        ("{年龄}", "不认识 {年龄}。"),
        ("{姓名", "大括号没有成对。"),
        ("{姓名}" + "长" * 60, "文件名的写法最多 60 个字"),
    ],
)
def test_patterns(pattern, sentence):
    assert pattern_problem(pattern).startswith(sentence)
    assert bool(pattern_problem(pattern)) == bool(sentence)


# The archive --------------------------------------------------------------------------------------------------------


@pytest.fixture
def submitted(applicant, occupation, manager):
    return scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)


def ask(visitor, plan, **values):
    return visitor.post(
        f"/admin/registrations/registration/export/{plan.code}/photos/", {"pattern": "{报名编号}", **values}
    )


def unpacked(answer):
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def listed(found):
    data = found[photo_archive.LIST_NAME]
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def lines():
    return list(AuditEntry.objects.filter(verb="photos.exported").values_list("actor", "detail"))


def stored(registration):
    with registration.portrait.file.open("rb") as file:
        return file.read()


def test_the_archive_and_its_list(sign_in, submitted, reviewer, occupation, manager):
    other = scenes.registration_at(Status.SUBMITTED, scenes.person("李芳"), occupation, manager)
    default_storage.delete(other.portrait.file.name)
    answer = ask(sign_in(reviewer), submitted.plan)
    assert answer["Content-Type"] == "application/zip"
    found, photo = unpacked(answer), stored(submitted)
    assert {name: data for name, data in found.items() if name.endswith(".jpg")} == {
        f"{submitted.reference}.jpg": photo
    }
    digest = hashlib.sha256(photo).hexdigest()
    assert listed(found) == [
        list(photo_archive.LIST_HEADINGS),
        [f"{submitted.reference}.jpg", submitted.reference, "王晓明", digest, str(len(photo)), ""],
        ["", other.reference, "李芳", other.portrait.sha256, "", photo_archive.LOST],
    ]
    assert lines() == [(reviewer.username, f"{submitted.plan.code} photos 1 masked")]


def test_a_photo_that_is_not_what_was_submitted_stays_out(sign_in, submitted, reviewer):
    with open(default_storage.path(submitted.portrait.file.name), "wb") as file:
        file.write(b"another")
    found = unpacked(ask(sign_in(reviewer), submitted.plan))
    assert (list(found), listed(found)[1][5]) == ([photo_archive.LIST_NAME], photo_archive.DIFFERENT)


def test_a_pattern_of_the_committees(sign_in, submitted, reviewer):
    found = unpacked(ask(sign_in(reviewer), submitted.plan, pattern="{序号}-{职业}-{组别}-{姓名}"))
    group = submitted.occupation.get_division_display()
    assert [name for name in found if name.endswith(".jpg")] == [
        f"00001-{submitted.occupation.name}-{group}-王晓明.jpg"
    ]


def test_numbers_in_names_are_the_managers_with_a_reason(sign_in, submitted, reviewer, manager):
    pattern = "{证件号码}"
    refused = ask(sign_in(reviewer), submitted.plan, pattern=pattern, reason="上报市级组委会")
    assert "只能由“管理”角色导出" in refused.content.decode()
    visitor = sign_in(manager)
    assert "请写明为什么需要完整的证件号码。" in ask(visitor, submitted.plan, pattern=pattern).content.decode()
    found = unpacked(ask(visitor, submitted.plan, pattern=pattern, reason="上报市级组委会"))
    assert f"{submitted.document_number}.jpg" in found
    assert lines() == [(manager.username, f"{submitted.plan.code} photos 1 full: 上报市级组委会")]


def test_storage_away(sign_in, submitted, reviewer, monkeypatch):
    def away(*arguments, **named):
        raise OSError("away")

    monkeypatch.setattr(photo_archive, "read", away)
    answer = ask(sign_in(reviewer), submitted.plan, pattern="{姓名}")
    page = answer.content.decode()
    assert (answer.status_code, export_pages.AWAY in page, 'value="{姓名}"' in page, lines()) == (200, True, True, [])


def test_many_are_packed_in_the_background(sign_in, submitted, reviewer, monkeypatch):
    what = export_jobs.WHATS["photos"]
    monkeypatch.setitem(
        export_jobs.WHATS, "photos", export_jobs.What(what.title, what.unit, what.make, 0, what.most, what.too_many)
    )
    monkeypatch.setattr(jobs.run_job.__class__, "enqueue", lambda self, *args, **kwargs: None)
    visitor = sign_in(reviewer)
    ask(visitor, submitted.plan)
    job = Job.objects.get()
    jobs.run_job.func(str(job.public_id))
    job.refresh_from_db()
    found = unpacked(visitor.get(f"{job.get_absolute_url()}file/"))
    assert (job.state, job.done, job.refused, sorted(found)) == (
        "done",
        1,
        0,
        sorted([f"{submitted.reference}.jpg", photo_archive.LIST_NAME]),
    )


def test_as_many_queries_for_three_as_for_one(submitted, occupation, manager, django_assert_num_queries):
    from registrations import exports

    for _ in range(2):
        scenes.registration_at(Status.SUBMITTED, scenes.person(), occupation, manager)
    with django_assert_num_queries(1):
        packed = photo_archive.write(io.BytesIO(), exports.listed(submitted.plan), "{报名编号}", export_pages.idle)
    assert (packed.photos, packed.missing, Portrait.objects.count()) == (3, 0, 3)
