"""What the photos hold about a person: what was uploaded, and the portraits cut from it."""

import base64
from collections.abc import Iterator
from functools import partial

from django.urls import reverse

from accounts.models import User
from accounts.personal_data import Entry, Fact, Holding, days, in_words
from photos.models import Portrait, Upload
from photos.removal import remove

LOST = "照片文件丢失，请联系运营人员"


def tell(user: User) -> Iterator[Entry]:
    """The portraits with their bytes in the download; of a working copy, which is large, where it is to be had."""
    for portrait in Portrait.objects.filter(owner=user):
        address = reverse("photos:portrait", args=[portrait.pk])
        yield Entry(
            [
                Fact("照片", "查看", partial(in_base64, portrait), address),
                Fact("格式", f"JPEG，{portrait.width}×{portrait.height} 像素"),
                Fact("SHA-256", portrait.sha256),
                Fact("裁切时间", in_words(portrait.created_at)),
            ],
            "证件照",
        )
    for upload in Upload.objects.owned_by(user):
        address = reverse("photos:upload", args=[upload.pk])
        yield Entry(
            [
                Fact("照片", "查看", f"登录后在 {address} 下载", address),
                Fact("格式", f"JPEG，{upload.width}×{upload.height} 像素"),
                Fact("上传时间", in_words(upload.created_at)),
            ],
            "照片原件",
        )


def in_base64(portrait: Portrait) -> str:
    """Raises OSError of a storage that is away: a download without its portraits would look complete."""
    try:
        with portrait.file.open("rb") as file:
            return base64.b64encode(file.read()).decode()
    except FileNotFoundError:
        return LOST


def count(user: User) -> dict[str, int]:
    return {
        "证件照": Portrait.objects.filter(owner=user).count(),
        "照片原件": Upload.objects.owned_by(user).count(),
    }


def erase(user: User) -> None:
    remove(Portrait.objects.filter(owner=user))
    remove(Upload.objects.owned_by(user))


HOLDING = Holding(
    place=50,
    title="照片",
    why="证件照用来核对参赛的是不是本人；照片原件让您可以重新裁切。照片里的拍摄地点、设备等信息上传时就已去掉。",
    how_long=lambda: f"没有用到的 {days('uploads')} 天；用在报名里的与报名一同删除。",
    covers=["photos.Portrait", "photos.Upload"],
    tell=tell,
    count=count,
    erase=erase,
)
