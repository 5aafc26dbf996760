"""What the database promises, broken once each; and the records that only grow."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.audit import record
from accounts.models import AppendOnly, AuditEntry, Identity, User
from plans.models import CommitteeMember, Occupation, Plan
from profiles.models import Profile
from registrations.models import Registration
from registrations.trail import ReviewEvent
from registrations.workflow import Status
from tests import scenes

DAY = timedelta(days=1)


def refused_by_database(doing):
    with pytest.raises(IntegrityError) as problem, transaction.atomic():
        doing()
    return str(problem.value).splitlines()[0]


def names(constraint, columns=""):
    """How the two databases say which promise was broken: PostgreSQL by name, SQLite by columns where it can."""
    return {
        "postgresql": f'constraint "{constraint}"',
        "sqlite": f"UNIQUE constraint failed: {columns}" if columns else f"CHECK constraint failed: {constraint}",
    }[connection.vendor]


# Each one: what breaks it (given the row of the scene), the constraint's name, the columns that SQLite names instead.


@pytest.fixture
def scene(applicant, stranger, plan, occupation, manager):
    """One registration that is submitted, and one withdrawn; everything else hangs on them."""
    submitted = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    withdrawn = scenes.registration_at(Status.WITHDRAWN, applicant, scenes.occupation(scenes.open_plan()), manager)
    Profile.of(applicant).save_details(0, {"employer": "北京第二机床厂"})
    return {"submitted": submitted, "withdrawn": withdrawn}


def of(model):
    return model.objects.order_by("pk")


BROKEN = {
    "one_account_per_subject": (
        lambda scene: of(User).update(issuer="https://id.example.cn", subject="same"),
        "accounts_user.issuer, accounts_user.subject",
    ),
    "one_identity_per_document": (
        lambda scene: of(Identity).update(document_index="same"),
        "accounts_identity.document_index",
    ),
    "confirmed_identity_is_complete": (lambda scene: of(Identity).update(legal_name=""), ""),
    "plan_opens_before_it_closes": (
        lambda scene: of(Plan).update(registration_opens_at=F("registration_closes_at")),
        "",
    ),
    "plan_corrections_end_after_registration": (
        lambda scene: of(Plan).update(correction_closes_at=F("registration_opens_at")),
        "",
    ),
    "plan_publishes_what_it_holds": (lambda scene: of(Plan).update(decisions_published_at=timezone.now()), ""),
    "plan_competition_starts_before_it_ends": (
        lambda scene: of(Plan).update(competition_starts_on=date(2026, 9, 2), competition_ends_on=date(2026, 9, 1)),
        "",
    ),
    "one_occupation_per_division": (
        lambda scene: of(Occupation).update(name="电工", plan=scene["submitted"].plan),
        "plans_occupation.plan_id, plans_occupation.name, plans_occupation.division",
    ),
    "seats_taken_within_capacity": (lambda scene: of(Occupation).update(seats_taken=F("capacity") + 1), ""),
    "one_role_per_member_and_plan": (
        lambda scene: CommitteeMember.objects.create(
            plan=scene["submitted"].plan, user=CommitteeMember.objects.get().user, role="viewer"
        ),
        "plans_committeemember.plan_id, plans_committeemember.user_id",
    ),
    "one_live_registration_per_plan": (
        lambda scene: (
            of(Registration)
            .filter(pk=scene["withdrawn"].pk)
            .update(plan=scene["submitted"].plan, status=Status.REJECTED)
        ),
        "registrations_registration.applicant_id, registrations_registration.plan_id",
    ),
    "submitted_has_its_moment": (lambda scene: of(Registration).update(submitted_at=None), ""),
    "held_is_decided": (lambda scene: of(Registration).filter(status=Status.SUBMITTED).update(held=True), ""),
    "status_is_known": (lambda scene: of(Registration).update(status="lost"), ""),
}
# Promised by a column rather than by a named constraint.
COLUMNS = {
    "accounts_user.username": lambda scene: of(User).update(username="u-0"),
    "accounts_identity.user_id": lambda scene: Identity.objects.create(user=scene["submitted"].applicant),
    "plans_plan.code": lambda scene: of(Plan).update(code="BJ"),
    "profiles_profile.user_id": lambda scene: Profile.objects.create(user=scene["submitted"].applicant),
    "registrations_registration.reference": lambda scene: of(Registration).update(reference="BJ26-2222-2222"),
}


@pytest.mark.parametrize("constraint", BROKEN)
def test_the_database_keeps_it(scene, constraint):
    breaks, columns = BROKEN[constraint]
    assert names(constraint, columns) in refused_by_database(lambda: breaks(scene))


@pytest.mark.parametrize("column", COLUMNS)
def test_the_database_keeps_one_each(scene, column):
    table, name = column.split(".")
    said = {"postgresql": f"{table}_{name}", "sqlite": f"UNIQUE constraint failed: {column}"}[connection.vendor]
    assert said in refused_by_database(lambda: COLUMNS[column](scene))


@pytest.mark.parametrize(
    ("model", "column"),
    [(Occupation, "seats_taken"), (Occupation, "capacity"), (Profile, "years_of_service"), (Registration, "version")],
)
def test_no_number_is_below_zero(scene, model, column):
    assert column in refused_by_database(lambda: of(model).update(**{column: -1}))


def test_every_named_constraint_of_ours_is_broken_above():
    ours = {constraint.name for model in (User, Identity, Plan, Occupation, CommitteeMember, Profile, Registration)
            for constraint in model._meta.constraints}  # fmt: skip
    assert ours - set(BROKEN) == {"seats_taken_not_negative"}


def test_a_seat_too_many_given_back_is_refused(occupation):
    assert "seats_taken" in refused_by_database(lambda: Occupation.objects.give_seat_back(occupation.pk))


def test_withdrawn_ones_do_not_count_as_live(scene):
    withdrawn = scene["withdrawn"]
    assert of(Registration).filter(pk=withdrawn.pk).update(plan=scene["submitted"].plan) == 1


# What a form says instead ---------------------------------------------------------------------------------------------


def sentences_of(row):
    with pytest.raises(ValidationError) as problem:
        row.full_clean()
    return problem.value.messages


def same_document(scene):
    held = scenes.person().identity
    held.document_index = scene["submitted"].applicant.identity.document_index
    return held


def plan_with(scene, **values):
    plan = scene["submitted"].plan
    for name, value in values.items():
        setattr(plan, name, value(plan) if callable(value) else value)
    return plan


SENTENCES = {
    "这个证件已经由另一个账户确认过。": same_document,
    "报名截止时间必须晚于报名开始时间。": lambda scene: plan_with(
        scene, registration_opens_at=lambda plan: plan.registration_closes_at
    ),
    "修改截止时间不能早于报名截止时间。": lambda scene: plan_with(
        scene, correction_closes_at=lambda plan: plan.registration_closes_at - DAY
    ),
    "竞赛结束日期不能早于开始日期。": lambda scene: plan_with(
        scene, competition_starts_on=date(2026, 9, 2), competition_ends_on=date(2026, 9, 1)
    ),
    "计划编号只能用字母、数字和连字符。": lambda scene: plan_with(scene, code="BJ 2026/7"),
    "这个竞赛计划里已经有同名同组别的职业（工种）。": lambda scene: Occupation(
        plan=scene["submitted"].plan,
        name=scene["submitted"].occupation.name,
        division=scene["submitted"].occupation.division,
    ),
    "名额不能少于已经占用的名额。": lambda scene: Occupation(
        plan=scene["submitted"].plan, name="焊工", division="worker", capacity=1, seats_taken=2
    ),
    "这个账户已经是该竞赛计划的组委会成员。": lambda scene: CommitteeMember(
        plan=scene["submitted"].plan, user=CommitteeMember.objects.get().user, role="viewer"
    ),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_sentence_for_a_person(scene, sentence):
    assert sentences_of(SENTENCES[sentence](scene)) == [sentence]


def test_the_sentence_for_a_second_live_registration(scene):
    submitted = scene["submitted"]
    second = Registration(applicant=submitted.applicant, plan=submitted.plan)
    with pytest.raises(ValidationError) as problem:
        second.validate_constraints()
    assert problem.value.messages == ["您已报名该竞赛。"]


# Records that only grow -----------------------------------------------------------------------------------------------


@pytest.fixture(params=[ReviewEvent, AuditEntry], ids=["trail", "audit"])
def line(request, scene):
    if request.param is AuditEntry:
        record(scene["submitted"].applicant, "number.shown", scene["submitted"])
    return request.param.objects.first()


def rows_of(model):
    return list(model.objects.values())


@pytest.mark.parametrize(
    ("said", "doing"),
    [
        ("changed", lambda line: line.save()),
        ("removed", lambda line: line.delete()),
        ("changed", lambda line: type(line).objects.update(at=F("at"))),
        ("removed", lambda line: type(line).objects.all().delete()),
        ("changed", lambda line: type(line).objects.bulk_update([line], ["at"])),
        ("changed", lambda line: type(line).objects.update_or_create(pk=line.pk, defaults={"at": line.at})),
    ],
    ids=["save", "delete", "update", "delete all", "bulk_update", "update_or_create"],
)
def test_the_model_refuses_to_touch_a_line(line, said, doing):
    before = rows_of(type(line))
    with pytest.raises(AppendOnly) as refusal, transaction.atomic():
        doing(line)
    assert (str(refusal.value), rows_of(type(line))) == (f"{type(line).__name__} lines are never {said}", before)


@pytest.mark.parametrize("statement", ["UPDATE {} SET at = at", "DELETE FROM {}"])
def test_postgresql_refuses_what_goes_past_the_model(line, statement):
    """By trigger. SQLite has none: there the guard of the model stands alone (and is tested above)."""
    before, table, refusal = rows_of(type(line)), type(line)._meta.db_table, ""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(table))
            transaction.set_rollback(True)
    except DatabaseError as problem:
        refusal = str(problem).splitlines()[0]
    expected = {"postgresql": f"lines of {table} are never changed or removed", "sqlite": ""}
    assert (refusal, rows_of(type(line))) == (expected[connection.vendor], before)
