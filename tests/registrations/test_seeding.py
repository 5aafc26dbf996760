"""A seeded database: its rows are what the steps leave behind, its counts are right, and it goes nowhere by accident."""

import json
import os
from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models
from django.test import Client
from django.utils import timezone

from accounts import identity
from accounts.models import Consent, Identity, User
from photos.models import Portrait
from plans.models import Occupation, Plan
from profiles.models import Profile
from registrations.messages import Message
from registrations.models import Registration
from registrations.recount import differences
from registrations.seeding import make, roads
from registrations.seeding.people import Seeded
from registrations.seeding.roads import ROADS, TO_FIX
from registrations.snapshots import Snapshot
from registrations.tally import Tally
from registrations.trail import ReviewEvent
from registrations.workflow import Action, Status, StepRefused
from tests import scenes
from tests.registrations.reading import changes_since_return

SEEDED = [User, Identity, Consent, Portrait, Profile, Registration, ReviewEvent, Snapshot, Message]


def quiet(made: int) -> None:
    pass


@pytest.fixture
def seeded(db: None) -> Counter[str]:
    return make.seed(200, plans=3, photos=2, progress=quiet)


def of_the_crowd() -> models.QuerySet[Registration]:
    return Registration.objects.for_pages().filter(applicant__username__startswith="seed-0")


def reviewer() -> User:
    return User.objects.get(username="seed-reviewer-1")


def ended_as(fate: str) -> Registration:
    """A registration that has come this way."""
    road = [action.value for action in ROADS[fate]]
    for found in of_the_crowd().order_by("pk"):
        if [event.action for event in found.events.order_by("pk")] == road:
            return found
    raise LookupError(fate)


# The people ------------------------------------------------------------------------------------------------------------


def test_a_million_people_have_numbers_of_their_own_that_the_form_accepts() -> None:
    people = [Seeded(serial) for serial in [*range(3000), *range(400_000, 403_000), *range(999_000, 1_000_000)]]
    today = timezone.localdate()
    made = [person.document() for person in people]
    assert made == [identity.parse(document.type, document.number, today=today) for document in made]
    assert len({document.number for document in made}) == len(people)


def test_names_and_divisions_are_spread() -> None:
    people = [Seeded(serial) for serial in range(2000)]
    assert Counter(person.division.value for person in people) == {"worker": 1400, "student": 400, "teacher": 200}
    assert len({person.name for person in people}) > 500


# What is written -------------------------------------------------------------------------------------------------------


def test_the_answer_says_what_there_is(seeded: Counter[str]) -> None:
    there_is = Counter(Registration.objects.values_list("status", flat=True))
    assert (seeded, seeded.total(), set(seeded)) == (there_is, 200, {status.value for status in Status})


def test_plans_occupations_and_divisions_are_spread(seeded: Counter[str]) -> None:
    plans = Counter(Registration.objects.values_list("plan__code", flat=True))
    assert set(plans) == {"SEED-01", "SEED-02", "SEED-03"} and plans["SEED-01"] > plans["SEED-02"] > 25
    assert set(Registration.objects.values_list("occupation__division", flat=True)) == {"worker", "student", "teacher"}
    of_one = Counter(Counter(Registration.objects.values_list("applicant", flat=True)).values())
    assert set(of_one) == {1, 2, 3}


def test_every_count_is_right(seeded: Counter[str]) -> None:
    assert [differences(plan) for plan in Plan.objects.all()] == [[], [], []]
    assert Tally.objects.aggregate(all=models.Sum("count"))["all"] == 200 - seeded["draft"]
    held = Counter(Registration.objects.exclude(seat=None).values_list("seat", flat=True))
    assert {each.pk: each.seats_taken for each in Occupation.objects.all() if each.seats_taken} == held
    assert held.total() == seeded["submitted"] + seeded["returned"] + seeded["approved"]


def test_recount_finds_nothing_to_change(seeded: Counter[str]) -> None:
    out = StringIO()
    call_command("recount", stdout=out)
    assert out.getvalue() == "核对了 3 个竞赛计划，全部一致。\n"


def test_document_numbers_are_encrypted_and_found(seeded: Counter[str]) -> None:
    table = Registration._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT document_number FROM {table}")
        stored = [number for (number,) in cursor.fetchall()]
    assert {number.split(":")[:2] == ["v1", "test"] for number in stored} == {True}
    assert len(set(stored)) == 200
    for each in of_the_crowd():  # from_db() has compared number and blind index
        held = each.applicant.identity
        assert (each.document_number, each.legal_name) == (held.document_number, held.legal_name)
        assert each.document().birth_date == each.birth_date == each.applicant.profile.birth_date


def test_what_is_read_is_what_was_written(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """COPY takes most values from the instance as they are: the database must not have changed one of them."""
    written: dict[type[models.Model], list[models.Model]] = {}
    through = make.write

    def write(model: type[models.Model], rows: list[models.Model]) -> None:
        written[model] = rows
        through(model, rows)

    monkeypatch.setattr(make, "write", write)
    make.seed(60, plans=2, progress=quiet)
    assert list(written) == SEEDED
    for model, rows in written.items():
        there_is = model._default_manager.in_bulk([row.pk for row in rows])
        assert {row.pk: values(row) for row in rows} == {pk: values(row) for pk, row in there_is.items()} and rows


def values(row: models.Model) -> dict[str, Any]:
    fields = [field for field in row._meta.concrete_fields if not getattr(field, "auto_now", False)]
    return {field.attname: value(field, getattr(row, field.attname)) for field in fields}


def value(field: models.Field, found: Any) -> Any:
    """JSON knows no dates: what is read are their texts."""
    if isinstance(field, models.JSONField):
        return json.loads(json.dumps(found, cls=field.encoder))
    return field.to_python(found)


def test_a_seeded_road_leaves_what_the_steps_leave(seeded: Counter[str]) -> None:
    Portrait.objects.all().mark(None)  # all but two have no file, and say so: a draft would need another picture
    plan = scenes.open_plan(contact="竞赛办公室", contact_phone="010-55550100")
    occupation, manager = scenes.occupation(plan), scenes.member(plan, "manager")
    for fate in ROADS:
        walked = scenes.draft(scenes.person(), occupation)
        for action in ROADS[fate]:
            if walked.status == Status.RETURNED:
                walked.write(walked.version, address=f"{walked.address} 2 单元")
            by = manager if action in roads.COMMITTEES else walked.applicant
            items = [TO_FIX] if action == Action.RETURN else []
            note = roads.REFUSED if action == Action.REJECT else ""
            scenes.fresh(walked).take(action, by=by, items=items, note=note)
            walked = scenes.fresh(walked)
        assert left_by(ended_as(fate)) == left_by(walked)


def left_by(registration: Registration) -> dict[str, Any]:
    events = registration.events.order_by("pk")
    return {
        "status": registration.status,
        "version": registration.version,
        "seat": registration.seat_id == registration.occupation_id and registration.seat_id is not None,
        "submitted": registration.submitted_at is not None,
        "trail": [
            (event.action, event.before, event.after, event.note, event.items, event.version, event.held, event.whole)
            for event in events
        ],
        "whose": [event.by_applicant == (event.by_id == registration.applicant_id) for event in events],
        "portraits": [event.portrait_sha256 == registration.portrait_sha256 for event in events],
        "moments": [event.at for event in events] == sorted(event.at for event in events),
        "snapshots": [set(each.details) for each in registration.snapshots.all()],
        "changes": [(change.field, change.label) for change in changes_since_return(registration)],
        "messages": [
            (message.kind, plain(message.title, registration), plain(message.body, registration))
            for message in registration.messages.order_by("pk")
        ],
        "keys": [message.key for message in registration.messages.order_by("pk")]
        == [f"step-{event.pk}" for event in events if event.action != Action.RECALL],
        "missing": registration.missing(),
    }


def plain(text: str, registration: Registration) -> str:
    """Without what differs from one plan and person to another."""
    deadline = timezone.localtime(registration.plan.corrections_end_at)
    moment = f"{deadline.year}年{deadline.month}月{deadline.day}日 {deadline:%H:%M}"
    named = {registration.reference: "R", registration.plan.title: "P", str(registration.occupation): "O", moment: "D"}
    for name, letter in named.items():
        text = text.replace(name, letter)
    return text


def test_the_steps_go_on_from_there(seeded: Counter[str]) -> None:
    draft = ended_as("draft")
    assert scenes.take(draft, Action.SUBMIT, draft.applicant).status == Status.SUBMITTED
    approved = scenes.take(draft, Action.APPROVE, reviewer())
    assert (approved.status, differences(approved.plan)) == (Status.APPROVED, [])
    returned = ended_as("returned")
    with pytest.raises(StepRefused, match="组委会要求修改的还有 1 处没有完成：通信地址"):
        returned.take(Action.SUBMIT, by=returned.applicant)
    returned.write(returned.version, address="北京市朝阳区团结路 1 号 2 单元 301 室")
    assert scenes.take(returned, Action.SUBMIT, returned.applicant).status == Status.SUBMITTED


def test_the_desk_opens_each(seeded: Counter[str]) -> None:
    client = Client()
    client.force_login(reviewer(), backend="accounts.oidc.PlatformBackend")
    for fate in ("submitted", "resubmitted", "returned", "approved", "rejected"):
        found = ended_as(fate)
        page = client.get(f"/admin/registrations/registration/{found.pk}/change/").content.decode()
        told = [found.reference, found.legal_name, found.masked_number, str(found.occupation)]
        assert [words for words in told if words not in page] == []
        assert ("审核通过 <kbd>A</kbd>" in page) == (found.status == Status.SUBMITTED)


def test_the_queue_finds_it_by_its_number(seeded: Counter[str]) -> None:
    registration, client = ended_as("submitted"), Client()
    client.force_login(reviewer(), backend="accounts.oidc.PlatformBackend")
    address = f"/admin/registrations/registration/queue/{registration.plan.code}/"
    page = client.post(address, {"looked_for": registration.document_number}).content.decode()
    assert (registration.reference in page, registration.document_number in page) == (True, False)


def test_the_first_people_have_a_picture_and_the_others_say_that_theirs_is_lost(seeded: Counter[str]) -> None:
    portraits = list(Portrait.objects.order_by("owner__username"))
    there_is = [default_storage.exists(str(portrait.file)) for portrait in portraits]
    assert there_is == [portrait.lost_at is None for portrait in portraits]
    assert there_is == [True, True] + [False] * (len(portraits) - 2)
    client = Client()
    client.force_login(portraits[0].owner, backend="accounts.oidc.PlatformBackend")
    answer = client.get(f"/photos/portraits/{portraits[0].pk}/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")


# Again, interrupted, in several processes -------------------------------------------------------------------------------


def test_a_second_time_it_goes_on_where_it_ended(seeded: Counter[str]) -> None:
    people = User.objects.filter(username__startswith="seed-0").count()
    make.seed(50, plans=3, progress=quiet)
    names = list(User.objects.filter(username__startswith="seed-0").order_by("pk").values_list("username", flat=True))
    assert names == [f"seed-{serial:09}" for serial in range(len(names))] and len(names) > people
    assert (Registration.objects.count(), Plan.objects.count()) == (250, 3)
    assert [differences(plan) for plan in Plan.objects.all()] == [[], [], []]


def test_what_is_interrupted_leaves_whole_batches(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "BATCH", 40)
    counted, stored = make.count, []

    def interrupted(batch: make.Batch) -> None:
        stored.append([str(portrait.file) for portrait in batch.portraits if portrait.lost_at is None])
        if len(stored) == 3:
            raise KeyboardInterrupt
        counted(batch)

    monkeypatch.setattr(make, "count", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make.seed(200, plans=2, photos=1000, progress=quiet)
    assert Registration.objects.count() == 80
    assert [differences(plan) for plan in Plan.objects.all()] == [[], []]
    assert [all(map(default_storage.exists, files)) for files in stored] == [True, True, False]
    assert not any(map(default_storage.exists, stored[2]))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer, so one process writes there")
@pytest.mark.django_db(transaction=True)
def test_several_processes_write_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others read the environment, which names another database than the one of the tests."""
    name = connection.settings_dict["NAME"]
    monkeypatch.setenv("DATABASE_URL", f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}")
    monkeypatch.setattr(make, "BATCH", 50)
    made = make.seed(200, plans=2, processes=2, progress=quiet)
    assert (made.total(), Registration.objects.count()) == (200, 200)
    assert [differences(plan) for plan in Plan.objects.all()] == [[], []]


# The command -------------------------------------------------------------------------------------------------------------


def seed(*arguments: str) -> str:
    out = StringIO()
    call_command("seed", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_production_database_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="DEBUG 为 false.*--yes-seed"):
        seed("10")
    assert (User.objects.count(), Plan.objects.count()) == (0, 0)


def test_it_needs_no_word_where_debug_is_on(db: None, settings: Any) -> None:
    settings.DEBUG = True
    assert seed("10", "--photos", "0").startswith("已增加 10 份报名（")


def test_a_database_with_real_registrations_is_refused_whatever_is_said(db: None) -> None:
    scenes.draft(scenes.person(), scenes.occupation(scenes.open_plan()))
    with pytest.raises(CommandError, match="已经有 1 份不是测试数据的报名，没有写入任何内容"):
        seed("10", "--yes-seed")
    assert Registration.objects.count() == 1


def test_a_dry_run_says_what_it_would_do_and_does_nothing(db: None) -> None:
    said = seed("12,000", "--plans", "4", "--dry-run", "--yes-seed")
    assert "增加 12,000 份虚构的报名，分布在 4 个竞赛计划里" in said and said.endswith("没有写入任何内容。\n")
    assert (User.objects.count(), Plan.objects.count()) == (0, 0)


@pytest.mark.parametrize("wrong", ["0", "many"])
def test_a_wrong_number_is_explained(wrong: str) -> None:
    with pytest.raises(CommandError, match=f"“{wrong}”不是正整数"):
        seed(wrong)


def test_a_conflict_with_another_writer_is_a_sentence(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*arguments: Any, **options: Any) -> None:
        raise IntegrityError("duplicate key")

    monkeypatch.setattr(make, "write", taken)
    with pytest.raises(CommandError, match="另一个 seed"):
        seed("10", "--yes-seed", "--photos", "0")


def test_it_tells_how_far_it_is(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "BATCH", 10)
    told = StringIO()
    call_command("seed", "20", "--yes-seed", "--photos", "0", stdout=StringIO(), stderr=told)
    assert [line.split("，")[0] for line in told.getvalue().splitlines()] == ["  10 / 20", "  20 / 20"]
