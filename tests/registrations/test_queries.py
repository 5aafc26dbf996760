"""Lists are asked with one row and with three: the same number of queries, and nothing fetched row by row."""

import pytest
from django.core.exceptions import FieldFetchBlocked
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from plans.models import CommitteeMember, Plan, PlanQuerySet
from registrations.models import Registration, RegistrationQuerySet
from registrations.workflow import Status
from tests import scenes


def queries_of(visitor, page):
    visitor.get(page)  # what is asked once per process is asked now
    with CaptureQueriesContext(connection) as captured:
        answer = visitor.get(page)
    return len(captured), answer.content.decode()


@pytest.fixture
def raising(monkeypatch):
    """Whatever a page forgot to ask for together is refused, instead of being asked for row by row."""
    for queryset, names in [(RegistrationQuerySet, ["owned_by", "reviewable_by"]), (PlanQuerySet, ["published"])]:
        for name in names:
            asked = getattr(queryset, name)
            monkeypatch.setattr(
                queryset, name, lambda self, *a, asked=asked, **k: asked(self, *a, **k).fetch_mode(models.FETCH_RAISE)
            )


@pytest.mark.parametrize("where", ["/registrations/", "/plans/"])
@pytest.mark.parametrize("status", list(Status))
def test_the_applicants_lists(sign_in, applicant, manager, raising, where, status):
    visitor, counts = sign_in(applicant), []
    for _ in range(3):
        occupation = scenes.occupation(scenes.open_plan())
        CommitteeMember.objects.create(plan=occupation.plan, user=manager, role="manager")
        registration = scenes.registration_at(status, applicant, occupation, manager)
        count, content = queries_of(visitor, where)
        counts.append(count)
        assert registration.plan.title in content
    assert counts[0] == counts[2]


def test_the_committees_page_with_a_longer_trail(sign_in, applicant, occupation, manager):
    registration, visitor = scenes.registration_at(Status.RETURNED, applicant, occupation, manager), sign_in(manager)
    page = f"/admin/registrations/registration/{registration.pk}/change/"
    short, _ = queries_of(visitor, page)
    for _ in range(2):
        registration = scenes.take(registration, "submit", applicant)
        registration = scenes.take(registration, "return", manager, "再改一次")
    long, content = queries_of(visitor, page)
    assert (long, content.count("再改一次")) == (short, 2)


@pytest.mark.parametrize("name", ["", "edit/", "occupation/", "check/"])
def test_the_pages_of_a_plan_with_more_occupations(sign_in, applicant, occupation, name):
    draft, visitor = scenes.draft(applicant, occupation), sign_in(applicant)
    page = f"/registrations/{draft.reference}/{name}"
    few, _ = queries_of(visitor, page)
    for _ in range(3):
        scenes.occupation(occupation.plan)
    assert queries_of(visitor, page)[0] == few


def test_a_plan_with_more_occupations(sign_in, applicant, occupation, raising):
    visitor, page = sign_in(applicant), occupation.plan.get_absolute_url()
    few, _ = queries_of(visitor, page)
    names = [scenes.occupation(occupation.plan).name for _ in range(3)]
    more, content = queries_of(visitor, page)
    assert (more, [name for name in names if name not in content]) == (few, [])


def test_the_scene_would_notice(applicant, occupation, raising):
    scenes.draft(applicant, occupation)
    with pytest.raises(FieldFetchBlocked):
        str(Registration.objects.owned_by(applicant).get().plan)
    assert Plan.objects.published().get() == occupation.plan
