"""Plan B's committee learns nothing of plan A and changes nothing in it, at whatever address, by whatever form."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.http import HttpResponse
from django.urls import get_resolver, path

from accounts.models import AuditEntry, User
from plans.models import Occupation, Plan
from registrations import admin as desk
from registrations import desk_rows, queue_pages
from registrations.facets import Facets
from registrations.models import Registration
from registrations.workflow import Status
from tests.isolation.canaries import Canaries
from tests.isolation.crawler import Visitor, addresses
from tests.isolation.two_plans import TwoPlans

ROLES = ["viewer", "reviewer", "manager"]
# Tables of a plan that may be empty in the scene. A new one belongs into tests/isolation/two_plans.py, not here.
EMPTY: set[str] = set()


@pytest.fixture
def scene(db: None) -> TwoPlans:
    return TwoPlans()


@pytest.fixture
def canaries(scene: TwoPlans) -> Canaries:
    return Canaries(scene, scene.others)


def test_every_table_of_a_plan_is_in_the_scene(scene: TwoPlans, canaries: Canaries) -> None:
    """And so is every column of theirs that holds words: what is not planted cannot be found."""
    ours = {model for room in ("plans", "registrations") for model in apps.get_app_config(room).get_models()}
    assert {model._meta.label for model in ours - set(scene.rows)} == EMPTY
    planted = {
        *("plans.Plan.title", "plans.Plan.code", "plans.Plan.contact_phone", "plans.Plan.description"),
        *("plans.Occupation.name", "plans.Attachment.title", "plans.Attachment.file", "registrations.ReviewEvent.note"),
        *(
            "registrations.ReviewEvent.items",
            "registrations.Registration.reference",
            "registrations.Registration.phone",
        ),
        *(
            "registrations.Registration.legal_name",
            "registrations.Registration.document_number",
            "photos.Portrait.file",
        ),
        *(
            "accounts.AuditEntry.detail",
            "accounts.User.username",
            "admin.LogEntry.object_repr",
            "profiles.Profile.phone",
        ),
    }
    assert planted - canaries.places == set()


@pytest.mark.parametrize("role", ROLES)
def test_no_page_tells_of_another_plan(scene: TwoPlans, canaries: Canaries, role: str) -> None:
    visitor = Visitor(scene, canaries, role)
    assert list(visitor.crawl()) == []
    assert visitor.answers > 300
    own = "".join(str(page.links) for page in visitor.pages.values())
    assert f"/admin/plans/plan/{scene.b.plan.code}/members/" in own  # B's own is there to be seen


@pytest.mark.parametrize("role", ROLES)
def test_nothing_that_is_sent_changes_another_plan(scene: TwoPlans, canaries: Canaries, role: str) -> None:
    visitor = Visitor(scene, canaries, role)
    assert list(visitor.forge()) == []
    assert visitor.answers > 300


def test_nobody_of_the_own_plan_sees_a_draft(scene: TwoPlans) -> None:
    """A's own manager walks as well, for once: the drafts' words are in no answer."""
    draft = scene.a.registrations[Status.DRAFT]
    visitor = Visitor(scene, Canaries(scene, scene.others), "manager")
    visitor.client.force_login(scene.a.people["manager"], backend="accounts.oidc.PlatformBackend")
    found = {word for finding in visitor.crawl() for word in finding.found}
    assert scene.a.shared.reference in found  # so it looked
    assert found & {draft.reference, draft.phone, draft.applicant.username, str(draft.portrait_id)} == set()


# The crawl can see ---------------------------------------------------------------------------------------------------


def everybody(*arguments: Any) -> Any:
    return Registration.objects.all().for_pages().order_by("pk")


def anybodys(user: User, pk: int) -> Registration | None:
    return Registration.objects.all().for_desk(user).filter(pk=pk).first()


def titles_of_all(request: Any, code: str) -> HttpResponse:
    return HttpResponse("，".join(Plan.objects.filter(code=code).values_list("title", flat=True)))


def header_of_all(request: Any, pk: int) -> HttpResponse:
    return HttpResponse(headers={"X-Code": ",".join(Plan.objects.filter(pk=pk).values_list("code", flat=True))})


def approve_any(request: Any, pk: int) -> HttpResponse:
    if request.method == "POST":
        Registration.objects.filter(pk=pk).update(unseen=True)
    return HttpResponse("done")


def add_to_any(request: Any) -> HttpResponse:
    for plan in Plan.objects.filter(pk=request.POST.get("plan") or 0):
        plan.occupations.create(name="伪造", division="worker")
    return HttpResponse("done")


@pytest.fixture
def new_address() -> Iterator[Any]:
    """`new_address(route, view)` is one more page of the admin."""
    (inside,) = [entry for entry in get_resolver().url_patterns if getattr(entry, "app_name", "") == "admin"]
    before = list(inside.url_patterns)

    def add(route: str, view: Any) -> None:
        inside.url_patterns.insert(0, path(route, admin.site.admin_view(view), name="leaky"))

    yield add
    inside.url_patterns[:] = before


LEAKS = {
    "a question that is not narrowed": lambda patch, add: patch.setattr(desk_rows, "found", anybodys),
    "a filter that offers all": lambda patch, add: patch.setattr(
        queue_pages, "Facets", lambda asked, occupations: Facets(asked, list(Occupation.objects.all()))
    ),
    "a photo for everybody": lambda patch, add: patch.setattr(
        desk.RegistrationAdmin, "find", lambda self, request, pk: everybody().filter(pk=pk).get()
    ),
    "a new page by code": lambda patch, add: add("new/<slug:code>/", titles_of_all),
    "a header": lambda patch, add: add("new/<int:pk>/", header_of_all),
}
FORGERIES = {
    "a step without asking whose": lambda patch, add: add("new/<int:pk>/", approve_any),
    "a row for any plan": lambda patch, add: add("new/", add_to_any),
    "a decision on anything": lambda patch, add: patch.setattr(desk_rows, "found", anybodys),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_the_crawl_sees_a_leak(
    scene: TwoPlans, canaries: Canaries, monkeypatch: pytest.MonkeyPatch, new_address: Any, leak: str
) -> None:
    LEAKS[leak](monkeypatch, new_address)
    assert next(Visitor(scene, canaries, "manager").crawl(), None) is not None


@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_forger_sees_what_it_has_done(
    scene: TwoPlans, canaries: Canaries, monkeypatch: pytest.MonkeyPatch, new_address: Any, forgery: str
) -> None:
    FORGERIES[forgery](monkeypatch, new_address)
    assert next(Visitor(scene, canaries, "manager").forge(), None) is not None


def test_the_crawl_knows_every_address_of_the_admin() -> None:
    names = {name for name, _ in addresses(get_resolver()) if name.startswith("admin")}
    assert {"admin:index", "admin:plans_plan_members", "admin:registrations_registration_portrait"} <= names


def test_what_is_refused_leaves_its_line_and_nothing_else(scene: TwoPlans, canaries: Canaries) -> None:
    """The audit lines of those who try name nobody of A's."""
    before = AuditEntry.objects.count()
    visitor = Visitor(scene, canaries, "viewer")
    visitor.client.post(f"/admin/plans/plan/{scene.a.plan.code}/members/invite/", {"role": "manager"})
    visitor.client.get(f"/admin/registrations/registration/{scene.a.shared.pk}/portrait/")
    assert AuditEntry.objects.count() == before
