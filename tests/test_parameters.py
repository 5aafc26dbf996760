"""A parameter counts where it belongs, once: not from the address instead of the form, nor from a cookie."""

import pytest
from django.test import Client
from django.urls import reverse

from registrations.models import Registration
from registrations.workflow import Status
from tests import scenes
from tests.pages import form_of


@pytest.fixture
def client(applicant, sign_in):
    return sign_in(applicant)


def school(client):
    return form_of(client.get("/profile/"))["school"]


def test_a_field_of_a_form_is_not_taken_from_the_address_or_a_cookie(client):
    client.post("/profile/", {"version": 0, "school": "甲校"})
    client.cookies["school"], client.cookies["major"] = "cookie", "cookie"
    form = {name: value for name, value in form_of(client.get("/profile/")).items() if name != "school"}
    assert client.post("/profile/?school=address&version=7", form).status_code == 302
    assert school(client) == ""


def test_of_a_field_that_comes_twice_the_last_one_counts(client):
    """What is checked is what is saved: there is one reading of it."""
    client.post("/profile/", {"version": 0, "school": ["甲<校", "乙校"]})
    assert school(client) == "乙校"
    response = client.post("/profile/", {"version": 1, "school": ["甲校", "乙<校"]})
    assert (response.status_code, "含有不能使用的字符“&lt;”，请删去它再保存。" in response.content.decode()) == (
        200,
        True,
    )
    assert school(client) == "乙校"


def test_a_step_is_not_taken_by_what_the_address_says(applicant, occupation, manager, sign_in):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    desk = sign_in(manager)
    approve = reverse("admin:registrations_registration_approve", args=[registration.pk])
    desk.get(approve, {"csrfmiddlewaretoken": "x", "post": "yes", "note": "…", "seal": "…"})
    desk.post(f"/admin/registrations/registration/?action=approve&_selected_action={registration.pk}")
    assert Registration.objects.get().status == Status.SUBMITTED


def test_an_answer_of_the_platform_is_read_from_the_address_alone(db):
    client = Client()
    location = client.get("/accounts/login/").headers["Location"]
    state = location.partition("state=")[2].partition("&")[0]
    client.cookies["state"], client.cookies["code"] = state, "a-code"
    assert client.post("/accounts/callback/", {"state": state, "code": "a-code"}).status_code == 405
    assert "这次登录已经失效" in client.get("/accounts/callback/").content.decode()
    assert "这次登录已经失效" in client.get(f"/accounts/callback/?code=a-code&state={state}&state=x").content.decode()
