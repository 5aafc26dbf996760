"""What no browser sends, to every address: refused or ignored, never a failure of ours."""

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from tests.test_access_matrix import ADDRESSES, Scene

LONG = "x" * 60_000
QUERIES = {
    "NUL": "q=%00&page=%00&next=%00&plan__id__exact=%00&o=%00&state=%00&code=%00",
    "invalid UTF-8": "q=%ff%fe&page=%c3%28&next=%ed%a0%80&e=%ff&status=%ff",
    "lone surrogates": "q=%ED%A0%80&_changelist_filters=%ED%B0%80",
    "too long": f"q={LONG}",
    "as long as may be": f"q={'x' * 4000}",
    "a long way back": f"next=/{LONG}",
    "huge numbers": "page=99999999999999999999999999&p=99999999999999999999&o=99999999999999999999&id__exact=9"
    + "9" * 40,
    "negative numbers": "page=-1&p=-1&o=-9",
    "digits that are none": "page=²&p=²&o=²",
    "many fields": "&".join(f"a{number}=1" for number in range(2000)),
    "broken escapes": "q=%&page=%zz&next=%2",
    "header lines": "next=/%0d%0aSet-Cookie:%20a=b&back=%0d%0a",
    "brackets": "next=http://[&back=[[[&q=[]{}()%22%27",
    "another site": "next=//evil.example/&next=https:evil.example",
    "lookups": "user__password__startswith=p&identity__document_index=1&plan__reviewable=1",
}
COOKIES = {
    "a NUL that is quoted": 'portal_session="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\000"',
    "a long session": f"portal_session={'a' * 8000}",
    "no ASCII": "portal_session=\xff\xfe\xfd\xfc\xff\xff\xff\xff; portal_csrf=\xff",
    "broken": 'portal_session="; =; ;;; portal_csrf',
}
MOST = ["anonymous", "owner", "superuser"]
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
BODIES = {
    "NUL": (b"version=%00&then=%00&move=%00&left=%00&note=%00&action=%00&q=%00", FORM),
    "huge numbers": (
        b"version=999999999999999999999&left=9999999999&width=%EF%BC%99&occupation=99999999999999999999",
        FORM,
    ),
    "no UTF-8": (b"\xff\xfe\x00=%ff&version=%ff", FORM),
    "many fields": (b"a=1&" * settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + b"a=1", FORM),
    "no parts": (b"--y\r\n\xff", PARTS),
    "no boundary": (b"a=1", "multipart/form-data"),
}


def failures(role, asked):
    """{(address, kind): status} of every answer that is a failure of ours; `asked(client, address)` yields (kind, answer)."""
    scene = Scene()
    client = scene.client(role)
    client.raise_request_exception = False
    found = {}
    for name, route in ADDRESSES.items():
        if name in {"accounts:logout", "admin:logout"}:
            continue  # it would end the session; tests of its own know it
        address = scene.address(route)
        with transaction.atomic():
            for kind, response in asked(client, address):
                list(response)
                if response.status_code >= 500:
                    found[name, kind] = response.status_code
            transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("role", MOST)
def test_a_nasty_query(db, role):
    def ask(client, address):
        for kind, query in QUERIES.items():
            yield kind, client.get(address, QUERY_STRING=query)

    assert failures(role, ask) == {}


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_a_nasty_body(db, role):
    def ask(client, address):
        for kind, (body, content_type) in BODIES.items():
            yield kind, client.post(address, body, content_type)

    assert failures(role, ask) == {}


@pytest.mark.parametrize("kind", COOKIES)
def test_a_nasty_cookie(db, kind):
    for address in ("/", "/profile/", "/admin/", "/accounts/login/", "/nothing/"):
        response = Client(raise_request_exception=False).get(address, HTTP_COOKIE=COOKIES[kind])
        assert response.status_code < 500, address


@pytest.mark.parametrize(
    "path",
    ["/%00/", "/plans/%00/", "/admin/plans/plan/%00/change/", "/%ff/", "/plans/%ff%fe/", "/registrations/%ED%A0%80/"]
    + [
        "/admin/plans/plan/99999999999999999999999999/change/",
        f"/plans/{LONG}/",
        "/plans/../../etc/passwd",
        "/.//evil/",
    ]
    + [
        "/admin/accounts/user/_00/change/",
        "/static/",
        "/static/css/",
        "/static/%00",
        "/static/../settings.py",
        "/static/%2e%2e/manage.py",
    ],
)
@pytest.mark.parametrize("role", MOST)
def test_a_nasty_path(db, role, path):
    client = Scene().client(role)
    client.raise_request_exception = False
    assert client.get(path).status_code in {301, 302, 400, 404, 405}
