"""What the demonstration holds once it is made. It is made once for this module, and taken back at its end."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from accounts import identity
from accounts.models import AuditEntry, Identity, User
from identity_sandbox import people as sandbox
from photos.formats import inspect
from photos.models import Portrait
from plans import decisions
from plans.attachments import refusal
from plans.models import CommitteeMember, Occupation, Plan, PlanState
from profiles.forms import PersonalDetailsForm
from profiles.models import Profile
from registrations import publishing
from registrations.demonstration import make
from registrations.demonstration.people import KNOWN
from registrations.demonstration.plans import PLANS
from registrations.models import Registration
from registrations.trail import ReviewEvent
from registrations.workflow import EDITABLE, Status
from tests import scenes

pytestmark = pytest.mark.django_db  # without it, run alone, this module would be given no test database
DAY = timedelta(days=1)


@pytest.fixture(scope="module", autouse=True)
def made(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[datetime]:
    """The moment at which the demonstration was made."""
    now = timezone.localtime()
    own = {**settings.STORAGES, "default": {**settings.STORAGES["default"]}}
    own["default"]["OPTIONS"] = {"location": tmp_path_factory.mktemp("demonstration")}
    with django_db_blocker.unblock(), override_settings(STORAGES=own), transaction.atomic():
        assert make.prepare(now) is None
        yield now
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def own_storage() -> None:
    """The module's storage instead of one for each test."""


def user(username: str) -> User:
    return User.objects.select_related("identity").get(subject=f"demo-{username}")


def own(username: str) -> dict[str, str]:
    return {found.plan.code: found.status for found in user(username).registrations.select_related("plan")}


def everything() -> dict[str, list[dict[str, Any]]]:
    models = (Plan, Occupation, CommitteeMember, User, Profile, Registration, ReviewEvent, AuditEntry, Portrait)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def test_registrations_are_in_every_status() -> None:
    found = Counter(Registration.objects.values_list("status", flat=True))
    assert found == {"draft": 6, "submitted": 27, "returned": 4, "approved": 23, "rejected": 3, "withdrawn": 3}
    assert set(found) == set(Status)
    assert Registration.objects.values("applicant").distinct().count() == 63


def test_plans_are_in_every_state(made: datetime) -> None:
    published = Plan.objects.published(made)
    states = {state: [p.code for p in published.in_state(state, made).order_by("code")] for state in PlanState}
    assert states == {
        PlanState.OPEN: ["JNJS-QGXB", "JNJS-YLHL", "JNJS-ZBZZ"],
        PlanState.SOON: ["JNJS-WLXX"],
        PlanState.CLOSED: ["JNJS-PRJN"],
    }
    assert set(Plan.objects.values_list("code", flat=True)) - set(published.values_list("code", flat=True)) == {
        "JNJS-RGZN"
    }
    seats = {str(trade): trade.seats_left for trade in Occupation.objects.filter(plan__code="JNJS-QGXB")}
    assert seats == {"焊工（职工组）": 1, "电工（职工组）": 0}


def test_plans_pass_the_rules_of_their_form_and_are_complete() -> None:
    for plan in Plan.objects.prefetch_related("occupations", "attachments"):
        plan.full_clean()
        for trade in plan.occupations.all():
            trade.full_clean()
        blank = {field.name for field in Plan._meta.fields if getattr(plan, field.name) in {"", None}}
        assert blank <= {"correction_closes_at", "category", "published_at", "decisions_published_at"}
        assert "<h3>报名材料</h3>" in plan.description_html()
        (attachment,) = plan.attachments.all()
        with attachment.file.open("rb") as file:
            assert refusal(attachment.title, file) == ""
            assert load_workbook(file).active["A1"].value == f"{plan.title}竞赛规程"


def test_taken_seats_are_those_of_the_registrations() -> None:
    seated = Counter(Registration.objects.exclude(seat=None).values_list("seat", flat=True))
    assert dict(Occupation.objects.exclude(seats_taken=0).values_list("pk", "seats_taken")) == seated


def test_every_number_is_valid_and_nobody_appears_twice() -> None:
    today = timezone.localdate()
    held = list(Identity.objects.exclude(confirmed_at=None))
    assert len(held) == 68 == User.objects.count()
    assert len({found.legal_name for found in held}) == 68
    for found in held:
        assert identity.parse(found.document_type, found.document_number, today=today).number == found.document_number
    kinds = Counter(found.document_type for found in held)
    assert kinds == {"resident_id": 65, "hk_macao_permit": 1, "taiwan_permit": 1, "passport": 1}


def test_faces_and_sex_agree_for_documents_that_name_a_sex() -> None:
    """A crowd's sex comes from its serial, a document's from its number."""
    for profile in Profile.objects.select_related("user__identity"):
        assert profile.sex == (profile.user.identity.document().sex or profile.sex)
    given = {
        found.user.legal_name: found.sex for found in Profile.objects.filter(user__identity__document_type="passport")
    }
    assert given == {"DAVID BROWN": "male"}


def test_what_people_filled_in_passes_the_form() -> None:
    for profile in Profile.objects.select_related("user__identity"):
        form = PersonalDetailsForm(profile.user.identity, {"version": 0, **clean(profile.details())}, instance=profile)
        assert form.errors == {}


def clean(details: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if value is None else value for name, value in details.items()}


def test_only_drafts_have_anything_missing() -> None:
    gaps = {
        registration.status
        for registration in Registration.objects.for_pages()
        if registration.status != Status.WITHDRAWN and registration.missing()
    }
    assert gaps == {Status.DRAFT}


def test_every_step_lies_between_opening_and_the_end_and_follows_the_one_before(made: datetime) -> None:
    for registration in Registration.objects.select_related("plan"):
        events = list(registration.events.exclude(action__in=["extend", "propose"]).order_by("pk"))  # arranged today
        times = [registration.created_at, *(event.at for event in events)]
        plan = registration.plan
        assert times == sorted(set(times))
        assert plan.registration_opens_at < times[0]
        assert times[-1] < min(made, plan.registration_closes_at)
        assert events == [] or events[-1].after == registration.status


def test_the_committee_has_said_why_field_by_field() -> None:
    returned = [event.items for event in ReviewEvent.objects.filter(action="return")]
    assert all(items and all({"field", "label", "sentence"} <= set(item) for item in items) for items in returned)
    codes = {code for items in returned for item in items for code in item.get("codes", [])}
    assert codes == {"background", "head_small"}
    assert all(event.note for event in ReviewEvent.objects.filter(action__in=["reject", "reopen"]))
    assert set(ReviewEvent.objects.values_list("action", flat=True)) == {
        *("submit", "recall", "withdraw", "return", "approve", "reject", "reopen"),
        *("extend", "propose"),
    }


def test_lifang_has_portrait_and_employer_to_fix() -> None:
    returned = user("lifang").registrations.for_pages().get()
    correction = returned.correction()
    assert correction is not None
    assert returned.unseen and returned.closed_reason() == ""
    assert correction.line.items == [
        {
            "field": "portrait",
            "label": "证件照",
            "codes": ["background"],
            "sentence": "背景不是要求的颜色，或者有杂物、阴影，请换一张背景符合要求的照片。现在是灰色背景，这个竞赛要白色的。",
        },
        {"field": "employer", "label": "工作单位", "code": "", "sentence": "请填写营业执照上的单位全称。"},
    ]


def test_what_the_other_applicants_find() -> None:
    assert own("zhaolei") == {"JNJS-QGXB": "approved", "JNJS-ZBZZ": "approved", "JNJS-PRJN": "approved"}
    assert list(user("zhaolei").registrations.filter(unseen=True).values_list("plan__code")) == [("JNJS-ZBZZ",)]
    assert own("chenjing") == {"JNJS-ZBZZ": "submitted", "JNJS-YLHL": "draft"}
    draft = user("chenjing").registrations.for_pages().get(status="draft")
    assert [gap.sentence for gap in draft.missing()] == ["请选择参赛的职业（工种）"]
    assert own("wangxiaoming") == {}
    profile = Profile.of(user("wangxiaoming"))
    assert profile.portrait is not None and profile.missing() == []
    assert not User.objects.filter(subject__in=["demo-newcomer", "demo-zhangwei", "demo-liuyang", "demo-anna"]).exists()


def test_one_plan_has_decisions_to_publish_and_nobody_knows_them_yet() -> None:
    plan = Plan.objects.get(code="JNJS-PRJN")
    assert (list(Plan.objects.filter(holds_decisions=True)), plan.is_holding) == ([plan], True)
    assert decisions.held(plan) == decisions.Held(approved=7, rejected=2, waiting=2)
    shown = Counter(found.shown_status for found in plan.registrations.for_pages())
    assert shown == {"submitted": 11, "withdrawn": 1, "draft": 1}
    waiting = user("zhaolei").registrations.for_pages().get(plan=plan)
    assert (waiting.held, waiting.shown_status, waiting.unseen) == (True, "submitted", False)
    with transaction.atomic():
        decisions.publish(plan, user("zhoumin"))
        assert publishing.tell_some().done == 9
        assert scenes.fresh(waiting).shown_status == "approved"
        transaction.set_rollback(True)


def test_committees_and_operator() -> None:
    members = CommitteeMember.objects.order_by("plan__code").values_list("user__subject", "role", "plan__code")
    roles: dict[str, set[str]] = {}
    places: dict[str, list[str]] = {}
    for subject, role, code in members:
        roles.setdefault(subject, set()).add(role)
        places.setdefault(subject, []).append(code)
    assert roles == {"demo-zhoumin": {"manager"}, "demo-hanmei": {"reviewer"}, "demo-gaoyuan": {"viewer"}}
    assert places == {
        "demo-zhoumin": ["JNJS-PRJN", "JNJS-RGZN", "JNJS-WLXX", "JNJS-YLHL", "JNJS-ZBZZ"],
        "demo-hanmei": ["JNJS-QGXB", "JNJS-YLHL", "JNJS-ZBZZ"],
        "demo-gaoyuan": ["JNJS-PRJN", "JNJS-QGXB", "JNJS-ZBZZ"],
    }
    assert [found.subject for found in User.objects.filter(is_superuser=True)] == ["demo-operator"]


def test_the_known_are_who_the_sandbox_says() -> None:
    vouched = {person.subject: person for person in sandbox.PEOPLE}
    for known in KNOWN.values():
        other = vouched[known.subject]
        assert (known.name, known.document_type.value, known.number, known.phone) == (
            other.name,
            other.id_type,
            other.id_number,
            other.phone_number,
        )


def test_portraits_are_real_pictures_in_more_than_a_dozen_variants() -> None:
    portraits = list(Portrait.objects.all())
    assert len({portrait.sha256 for portrait in portraits}) == 13
    for portrait in portraits[:3]:
        with default_storage.open(portrait.file.name, "rb") as file:
            assert inspect(file.read()) == "JPEG"


def test_a_second_run_changes_nothing_and_asks_little(made: datetime) -> None:
    before = everything()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert make.prepare(made + timedelta(hours=2)) == 0
    assert everything() == before
    assert len(asked) <= 4


def test_a_run_days_later_moves_what_has_gone_stale_and_nothing_else(made: datetime) -> None:
    later = made + 5 * DAY
    before = everything()
    with transaction.atomic():
        assert make.prepare(later) == 3
        after = everything()
        moved = {
            new["code"]: {name for name in new if new[name] != old[name]}
            for old, new in zip(before["Plan"], after["Plan"], strict=True)
            if old != new
        }
        ends = {"registration_closes_at", "correction_closes_at", "competition_starts_on", "competition_ends_on"}
        assert moved == {
            "JNJS-ZBZZ": ends,
            "JNJS-YLHL": ends,
            "JNJS-WLXX": {"registration_opens_at", *ends},
        }
        assert Plan.objects.get(code="JNJS-YLHL").state_at(later) == PlanState.OPEN
        assert {name: rows for name, rows in after.items() if name not in {"Plan", "AuditEntry"}} == {
            name: rows for name, rows in before.items() if name not in {"Plan", "AuditEntry"}
        }
        assert make.prepare(later) == 0
        transaction.set_rollback(True)


def test_what_can_be_edited_is_in_time(made: datetime) -> None:
    """But for the draft that its owner never finished before the plan closed."""
    late = [
        registration.plan.code
        for registration in Registration.objects.filter(status__in=EDITABLE).select_related("plan")
        if registration.closed_reason(made)
    ]
    assert late == ["JNJS-PRJN"]


def test_the_six_plans_have_distinct_codes_and_titles() -> None:
    assert len({plan.code for plan in PLANS}) == len({plan.title for plan in PLANS}) == 6
