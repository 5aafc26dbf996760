"""Every page for somebody who is signed in has the way out on it: one 退出, sent by POST."""

import re

import pytest

from tests.test_access_matrix import ADDRESSES, ROLES, Scene

BUTTON = re.compile(
    r'<form id="logout-form" method="post" action="/accounts/logout/"><input type="hidden" name="csrfmiddlewaretoken" '
    r'value="\w+"><button(?: type="submit")?>退出</button></form>'
)


@pytest.mark.parametrize("role", [role for role in ROLES if role != "anonymous"])
def test_every_page_has_one(db, role):
    scene = Scene()
    found = {}
    for name, route in ADDRESSES.items():
        response = scene.client(role).get(scene.address(route))
        if response.status_code == 200 and response.headers.get("Content-Type", "").startswith("text/html"):
            found[name] = len(BUTTON.findall(response.content.decode()))
        list(response)
    assert len(found) >= 8
    assert {name: number for name, number in found.items() if number != 1} == {}


def test_strangers_have_none(db, client):
    assert BUTTON.findall(client.get("/").content.decode()) == []
