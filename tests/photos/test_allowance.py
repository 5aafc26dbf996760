"""A day's allowance: by number and by bytes, and the moment from which on there is room again."""

from datetime import datetime, timedelta

import pytest
import time_machine

from photos.allowance import DAY, DayIsUp
from photos.models import Upload
from tests.photos.pictures import encoded, quarters

NOW = datetime.fromisoformat("2026-11-25T10:00:00+08:00")
HOUR = timedelta(hours=1)
SENTENCE = (
    "24 小时内最多上传 {} 张、共 {} MB 照片，已经用完了。请在 {} 以后再上传；已上传的照片和您填写的内容不受影响。"
)


def send(person, at, size=0):
    data = encoded(quarters())
    with time_machine.travel(at, tick=False):
        return Upload.objects.receive(person, data + b"\0" * max(size - len(data), 0))


def refused(person, at, size=0):
    with pytest.raises(DayIsUp) as refusal:
        send(person, at, size)
    return str(refusal.value), refusal.value.until


def test_so_many_in_a_day_and_the_oldest_makes_room(person, stranger, storage, settings):
    settings.PHOTO_DAILY_UPLOADS = 2
    send(person, NOW)
    send(person, NOW + HOUR)
    assert refused(person, NOW + 2 * HOUR) == (SENTENCE.format(2, 300, "11 月 26 日 10:00"), NOW + DAY)
    send(stranger, NOW + 2 * HOUR)
    send(person, NOW + DAY)
    assert refused(person, NOW + DAY)[1] == NOW + HOUR + DAY
    assert Upload.objects.owned_by(person).count() == 3


def test_so_many_bytes_in_a_day(person, storage, settings):
    settings.PHOTO_DAILY_MEGABYTES = 1
    send(person, NOW, 500_000)
    send(person, NOW + HOUR, 500_000)
    assert refused(person, NOW + 2 * HOUR, 100_000) == (SENTENCE.format(60, 1, "11 月 26 日 10:00"), NOW + DAY)
    send(person, NOW + 2 * HOUR, 1024 * 1024 - 1_000_000)
    assert Upload.objects.count() == 3


@pytest.mark.urls("tests.photos.subjects")
def test_the_page_says_when_to_come_back(client, person, badge, settings):
    from django.core.files.uploadedfile import SimpleUploadedFile

    settings.PHOTO_DAILY_UPLOADS = 1
    send(person, NOW)
    client.force_login(person)
    with time_machine.travel(NOW + HOUR, tick=False):
        answer = client.post("/badges/mine/photo/", {"photo": SimpleUploadedFile("me.jpg", encoded(quarters()))})
    assert (answer.status_code, answer["Retry-After"]) == (429, str(23 * 3600))
    assert SENTENCE.format(1, 300, "11 月 26 日 10:00") in answer.content.decode()
