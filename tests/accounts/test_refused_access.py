"""Whoever is signed in and asks for what is not theirs leaves a line in the log: who, which page, which answer."""

import logging

import pytest
from django.test import Client
from django.urls import reverse

from registrations.workflow import Status
from tests import scenes


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records if record.name == "accounts.refused_access"]


def test_what_belongs_to_somebody_else(applicant, stranger, occupation, sign_in, lines):
    draft = scenes.draft(applicant, occupation)
    client = sign_in(stranger)
    for page in ("detail", "edit", "check", "submit"):
        assert client.get(reverse(f"registrations:{page}", args=[draft.reference])).status_code == 404
    name = stranger.username
    assert lines() == [
        f"access refused: {name} asked for registrations:{page}: 404" for page in ("detail", "edit", "check", "submit")
    ]


def test_the_desk_of_another_committee(applicant, occupation, plan, manager, sign_in, lines):
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    other = scenes.member(scenes.open_plan(), "manager")
    client, name = sign_in(other), other.username
    pages = {"registration_change": registration, "registration_number": registration, "plan_change": plan}
    for page, thing in pages.items():
        address = reverse(f"admin:{thing._meta.app_label}_{page}", args=[thing.pk])
        (client.post if page == "registration_number" else client.get)(address)
    assert lines() == [
        f"access refused: {name} asked for admin:registrations_registration_change: 404",
        f"access refused: {name} asked for admin:registrations_registration_number: 404",
        f"access refused: {name} asked for admin:plans_plan_change: not found",
    ]


def test_a_page_that_is_not_for_this_role(applicant, manager, viewer, sign_in, lines):
    sign_in(manager).get("/admin/accounts/user/")
    sign_in(viewer).get("/admin/plans/plan/add/")
    sign_in(applicant).get("/admin/login/")
    assert lines() == [
        f"access refused: {manager.username} asked for admin:accounts_user_changelist: 403",
        f"access refused: {viewer.username} asked for admin:plans_plan_add: 403",
        f"access refused: {applicant.username} asked for admin:login: 403",
    ]


def test_a_form_without_its_token(applicant, lines):
    client = Client(enforce_csrf_checks=True)
    client.force_login(applicant, backend="accounts.oidc.PlatformBackend")
    assert client.post("/profile/", {"version": 0}).status_code == 403
    assert lines() == [f"access refused: {applicant.username} asked for profiles:edit: 403"]


def test_who_is_nobody_and_what_is_nothing_leave_none(applicant, plan, sign_in, lines):
    Client().get("/plans/NOT-THERE/")
    Client().get("/profile/")
    sign_in(applicant).get("/nothing/here/")
    sign_in(applicant).get("/plans/")
    assert lines() == []
