"""What a committee may offer for download: known by its content, refused with a sentence."""

import io
import zipfile

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from plans import attachments
from plans.models import Attachment
from tests import scenes
from tests.pages import form_of
from tests.plans.test_admin import errors, new_row

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


def zipped(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "…")
    return out.getvalue()


RIGHT = {
    "规程.pdf": b"%PDF-1.7\n",
    "规程.PDF": b"%PDF-1.7\n",
    "通知.doc": OLE,
    "名单.xls": OLE,
    "通知.docx": zipped("[Content_Types].xml", "word/document.xml"),
    "名单.xlsx": zipped("[Content_Types].xml", "xl/workbook.xml"),
    "场地.jpg": scenes.jpeg(8, 8),
    "场地.jpeg": scenes.jpeg(8, 8),
    "场地.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "样题.zip": zipped("样题.txt"),
}
HTML = b"<!doctype html><script>alert(1)</script>"
WRONG = {
    **{f"a{extension}": HTML for extension in attachments.KINDS},
    "empty.pdf": b"\0",
    "later.pdf": HTML + b"%PDF-1.7",
    "a.docx": zipped("[Content_Types].xml", "xl/workbook.xml"),
    "a.xlsx": zipped("word/document.xml"),
    "plain-zip.docx": zipped("样题.txt"),
    "torn.zip": zipped("样题.txt")[:-10],
    "picture.png": scenes.jpeg(8, 8),
    "program.zip": b"MZ\x90\0",
    "strange.zip": zipped("a").replace(b"PK\x01\x02\x14\x03\x14\x00", b"PK\x01\x02\x14\x03\xff\x00"),
}
OF_NO_KIND = ["page.html", "picture.svg", "program.exe", "macros.docm", "规程.txt", "规程", "规程.pdf.js", ".pdf"]


@pytest.fixture
def desk(manager, sign_in):
    return sign_in(manager)


def attach(client, plan, name, content):
    """Open the plan's form, add this file, press 保存."""
    page = reverse("admin:plans_plan_change", args=[plan.pk])
    form = form_of(client.get(page))
    return client.post(
        page, {**form, **new_row("attachments", form, title="附件", file=SimpleUploadedFile(name, content))}
    )


@pytest.mark.parametrize("name", RIGHT)
def test_a_file_that_is_what_it_says(desk, plan, name):
    assert attach(desk, plan, name, RIGHT[name]).headers["Location"] == "/admin/plans/plan/"
    with Attachment.objects.get().file.open() as kept:
        assert kept.read() == RIGHT[name]


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_something_else(desk, plan, name):
    response = attach(desk, plan, name, WRONG[name])
    extension = name[name.rindex(".") :]
    assert response.status_code == 200
    assert errors(response) == [
        f"“{name}”的内容与扩展名 {extension} 不符，可能改过名或已损坏。请用原来的程序重新保存，再上传。"
    ]
    assert Attachment.objects.count() == 0


@pytest.mark.parametrize("name", OF_NO_KIND)
def test_a_file_of_another_kind(desk, plan, name):
    response = attach(desk, plan, name, b"%PDF-1.7\n")
    assert response.status_code == 200
    assert errors(response) == [
        "附件只收 PDF、Word（doc、docx）、Excel（xls、xlsx）、图片（jpg、png）和 zip。"
        f"请把“{name}”另存为其中一种，再上传。"
    ]
    assert Attachment.objects.count() == 0


def test_what_lies_there_already_does_not_stand_in_the_way(desk, plan):
    """From before this rule, or made by a command: its title can still be changed."""
    old = Attachment(plan=plan, title="旧")
    old.file.save("old.txt", ContentFile(b"..."))
    page = reverse("admin:plans_plan_change", args=[plan.pk])
    response = desk.post(page, {**form_of(desk.get(page)), "attachments-0-title": "新"})
    assert response.headers["Location"] == "/admin/plans/plan/"
    assert list(Attachment.objects.values_list("title", "file")) == [("新", old.file.name)]


def test_the_page_says_which_kinds_there_are(desk, plan):
    page = desk.get(reverse("admin:plans_plan_change", args=[plan.pk])).content.decode()
    assert "只收 PDF、Word（doc、docx）、Excel（xls、xlsx）、图片（jpg、png）和 zip。" in page
    assert 'accept=".pdf,.doc,.xls,.docx,.xlsx,.jpg,.jpeg,.png,.zip"' in page


def test_nothing_is_unpacked():
    """A list of contents that promises a terabyte is only a list."""
    whole = io.BytesIO(zipped("[Content_Types].xml", "word/document.xml"))
    assert attachments.refusal("a.docx", whole) == ""
    assert whole.tell() == 0
