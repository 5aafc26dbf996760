"""What each page may ask of the database, as numbers, with one row and with many; and its bytes on the wire.

What is rendered once and kept is kept by all that it says: a change is seen by the next look.
"""

import gzip
import re

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from plans.models import CommitteeMember
from registrations import return_reasons
from registrations.return_reasons import ReturnReason
from registrations.workflow import Action, Status
from tests import scenes

DESK = "/admin/registrations/registration"
# Three of each are the frame's: the session, the account, and the person's own news or committees.
BUDGETS = {"plan list": 5, "plan page": 6, "own list": 5, "own registration": 6, "queue": 8, "desk": 9}
LATER_PAGE, FIRST_VISIT = 15_000, 120_000


def places(scene):
    plan, registration = scene["plan"], scene["registration"]
    return {
        "plan list": ("applicant", "/plans/"),
        "plan page": ("applicant", plan.get_absolute_url()),
        "own list": ("applicant", "/registrations/"),
        "own registration": ("applicant", registration.get_absolute_url()),
        "queue": ("reviewer", f"{DESK}/queue/{plan.code}/?status=submitted"),
        "desk": ("reviewer", f"{DESK}/{registration.pk}/change/?status=submitted"),
    }


@pytest.fixture
def scene(sign_in, applicant, occupation, manager):
    reviewer = scenes.member(occupation.plan, "reviewer", "李审")
    returned = scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    returned.write(returned.version, phone="13900001111")
    registration = scenes.take(returned, Action.SUBMIT, applicant)
    people = {"applicant": sign_in(applicant), "reviewer": sign_in(reviewer)}
    return {"plan": occupation.plan, "registration": registration, "manager": manager, **people}


def grow(scene, applicant, occupation):
    """More than one page of plans and of one's own, fifty in the queue, a longer trail."""
    manager, colleague = scene["manager"], scenes.person("钱七")
    for _ in range(21):
        CommitteeMember.objects.create(plan=(plan := scenes.open_plan()), user=manager, role="manager")
        scenes.draft(applicant, scenes.occupation(plan))
    for _ in range(5):
        scenes.occupation(occupation.plan)
    for number in range(3):
        scenes.registration_at(Status.SUBMITTED, scenes.person(f"赵{number}"), occupation, manager)
    scenes.registration_at(Status.SUBMITTED, colleague, occupation, manager)
    registration = scene["registration"]
    registration = scenes.take(registration, Action.RETURN, manager, "再改一次")
    scene["registration"] = scenes.take(registration, Action.SUBMIT, applicant)


def asked(scene):
    counts = {}
    for name, (who, page) in places(scene).items():
        scene[who].get(page)  # what is asked once per process is asked now
        with CaptureQueriesContext(connection) as captured:
            answer = scene[who].get(page)
        assert answer.status_code == 200
        counts[name] = len(captured)
    return counts


def test_the_queries_of_each_page(scene, applicant, occupation):
    one = asked(scene)
    assert {name: count for name, count in one.items() if count > BUDGETS[name]} == {}
    grow(scene, applicant, occupation)
    many = asked(scene)
    assert {name: count for name, count in many.items() if count > BUDGETS[name]} == {}
    # Only a list that has a second page counts what there is.
    assert {name: many[name] - one[name] for name in many if many[name] != one[name]} == {"plan list": 1, "own list": 1}


def test_the_bytes_of_each_page(scene, applicant, occupation):
    grow(scene, applicant, occupation)
    sizes = {name: len(gzip.compress(scene[who].get(page).content, 6)) for name, (who, page) in places(scene).items()}
    assert {name: size for name, size in sizes.items() if size > LATER_PAGE} == {}


@pytest.mark.parametrize("page", ["/", "/plans/"])
def test_the_bytes_of_a_first_visit(db, page):
    """The page and all that it names, compressed as deploy/nginx.conf and WhiteNoise send them."""
    scenes.open_plan()
    html = Client().get(page).content
    named = set(re.findall(r'(?:href|src)="/static/([^"]+)"', html.decode()))
    assert any(name.endswith(".css") for name in named)
    whole = len(gzip.compress(html, 6))
    for name in named:
        found = finders.find(re.sub(r"\.[0-9a-f]{12}(\.\w+)$", r"\1", name))
        with open(found, "rb") as file:
            whole += len(gzip.compress(file.read(), 9))
    assert whole <= FIRST_VISIT


# What is kept, and never old -------------------------------------------------------------------------------------------


def test_a_changed_plan_is_seen_at_once(scene, occupation):
    plan, visitor = scene["plan"], scene["applicant"]
    for page in ("/plans/", plan.get_absolute_url()):
        visitor.get(page)
    plan.title, plan.description = "改名以后的竞赛", "改过的 **说明**"
    plan.save()
    type(occupation).objects.filter(pk=occupation.pk).update(capacity=77)
    assert "改名以后的竞赛" in visitor.get("/plans/").content.decode()
    content = visitor.get(plan.get_absolute_url()).content.decode()
    assert ("改过的 <strong>说明</strong>" in content, "/ 77 个名额" in content) == (True, True)


def test_a_changed_list_of_reasons_is_seen_at_once(scene):
    _, page = places(scene)["desk"]
    assert "不要用简称" in scene["reviewer"].get(page).content.decode()
    new = ReturnReason(field="school", code="own_1", label="新的原因", sentence="请写校名 <全称>。")
    return_reasons.replace(scene["plan"], [new])
    content = scene["reviewer"].get(page).content.decode()
    assert ("请写校名 &lt;全称&gt;。" in content, "不要用简称" in content) == (True, False)


def test_nobody_gets_what_was_kept_for_another(scene, sign_in, manager):
    """The manager's fields have a link to the list of reasons; the reviewer's, of the same plan, have none."""
    _, page = places(scene)["desk"]
    address = f"{DESK}/reasons/{scene['plan'].code}/"
    found = [address in visitor.get(page).content.decode() for visitor in (sign_in(manager), scene["reviewer"])]
    assert found == [True, False]
