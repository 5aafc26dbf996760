"""Hostile and odd pictures: each is judged as it deserves, at a bounded cost, and none ends in anything else."""

import re
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts import limits
from photos import bounded
from photos.decoder import MEGABYTE
from photos.pipeline import DEFAULT_SPEC
from tests.photos.hostile import cases
from tests.photos.pictures import opened, seen

CASES = cases()
NAMES = ("me.jpg", "../../etc/passwd", "照片\u202egpj.exe", "a" * 300 + ".png", "photo.php\0.jpg", ".htaccess", "COM1")


def verdict(answer: bounded.Answer) -> tuple[str, ...] | str:
    """What the case's own verdict is compared with."""
    if answer.ended or not answer.facts:
        return "killed"
    if "refused" in answer.facts:
        return str(answer.facts["refused"])
    image = opened(answer.blobs[0])
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (answer.facts["width"], answer.facts["height"]))
    return tuple(seen(answer.blobs[0]))


def right(case, found) -> bool:
    if isinstance(found, tuple):
        return case.either or case.verdict in (found, "grey")
    return isinstance(case.verdict, str) and re.search(case.verdict, found) is not None


def test_there_are_two_hundred_and_each_has_a_name_of_its_own():
    assert len({case.name for case in CASES}) == len(CASES) >= 200


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_is_judged_right_and_costs_little(case):
    answer = bounded.ask("read", case.data, spec=DEFAULT_SPEC.as_dict())
    found = verdict(answer)
    assert (right(case, found), answer.ended) == (True, 0), found
    assert (answer.cost.cpu < 2, answer.cost.memory < 200 * MEGABYTE) == (True, True), answer.cost


@pytest.mark.urls("tests.photos.subjects")
def test_none_ends_in_an_error_of_the_server(client, person, badge, monkeypatch):
    """Every third, under odd names and declared types, through the page itself; the limit on uploads is another test's."""
    monkeypatch.setattr("accounts.limits.UPLOAD", replace(limits.UPLOAD, times=len(CASES)))
    client.force_login(person)
    found = {}
    for number, case in enumerate(CASES[::3]):
        photo = SimpleUploadedFile(NAMES[number % len(NAMES)], case.data, "text/html")
        found[case.name] = client.post("/badges/mine/photo/", {"photo": photo}).status_code
    assert set(found.values()) == {302, 422}, found
