"""What the retention table says is what purge_expired does: each kind a second before and a second after its time."""

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.tasks import TaskResultStatus
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts import erasure, retention
from accounts.audit import record
from accounts.models import AuditEntry, Consent, KeptForm
from accounts.session_store import SessionStore
from photos.models import Portrait, Upload
from plans import members
from plans.models import Invitation
from profiles.models import Profile
from registrations import bulk
from registrations.jobs import Job, JobRow, State
from registrations.messages import Message
from registrations.models import Registration
from registrations.trail import ReviewEvent
from registrations.workflow import Action, Status
from tests import scenes
from tests.registrations.reading import every_row
from tests.registrations.test_personal_data import files, files_of

NOW = datetime.fromisoformat("2026-11-25T10:00:00+08:00")
SECOND = timedelta(seconds=1)


def purge(*arguments: str, at: datetime | None = None) -> str:
    with time_machine.travel(at or timezone.now(), tick=False):
        call_command("purge_expired", *arguments, stdout=(said := io.StringIO()))
    return said.getvalue()


def at_the_boundary(since: datetime, days: int, count: Any) -> list[int]:
    """How many there are after a purge one second before the time is over, at that moment, and one second later."""
    found = []
    for moment in (-SECOND, timedelta(0), SECOND):
        purge(at=since + timedelta(days=days) + moment)
        found.append(count())
    return found


@pytest.fixture(autouse=True)
def table(settings: Any) -> Any:
    """Numbers of which no two are alike."""
    settings.RETENTION = {
        "drafts": 20, "jobs": 7, "closed_plans": 40, "uploads": 5, "kept_forms": 2, "sessions": 3, "invitations": 4,
        "consents": 60, "audit": 200, "messages": 30, "tasks": 7,
    }  # fmt: skip
    return settings.RETENTION


def test_kept_forms(applicant) -> None:
    form = KeptForm.objects.create(user=applicant, path="/profile/", content="x")
    assert at_the_boundary(form.kept_at, 2, KeptForm.objects.count) == [1, 1, 0]


def test_jobs_but_not_while_they_are_worked_on(occupation, manager) -> None:
    registration = scenes.registration_at(Status.SUBMITTED, scenes.person("甲一"), occupation, manager)
    chosen = Registration.objects.filter(pk=registration.pk)
    job, busy = (bulk.ask(manager, occupation.plan, Action.APPROVE, chosen, "/") for _ in range(2))
    Job.objects.filter(pk=busy.pk).update(created_at=job.created_at, state=State.RUNNING)
    assert at_the_boundary(job.created_at, 7, Job.objects.count) == [2, 2, 1]
    assert list(JobRow.objects.values_list("job")) == [(busy.pk,)]


def test_sessions(db) -> None:
    store = SessionStore()
    store.create()
    expires = Session.objects.get().expire_date
    assert at_the_boundary(expires, 3, Session.objects.count) == [1, 1, 0]


def test_invitations(plan, manager, applicant) -> None:
    """From the end of their seven days, whatever became of them."""
    (invitation, _), _ = (members.invite(plan, "viewer", manager) for _ in range(2))
    members.accept(invitation, applicant)
    ends = Invitation.objects.latest("expires_at").expires_at
    Invitation.objects.update(expires_at=ends)
    assert at_the_boundary(ends, 4, Invitation.objects.count) == [2, 2, 0]
    assert plan.members.filter(user=applicant).exists()


def test_audit_lines(applicant) -> None:
    line = record(applicant, "login", applicant)
    assert at_the_boundary(line.at, 200, AuditEntry.objects.filter(pk=line.pk).count) == [1, 1, 0]


def test_consents_of_closed_accounts_only(applicant, stranger) -> None:
    erasure.erase(stranger, "command:erase_person")
    since = Consent.objects.get(user=stranger).at
    assert at_the_boundary(since, 60, Consent.objects.filter(user=stranger).count) == [1, 1, 0]
    assert Consent.objects.filter(user=applicant).count() == 1


def test_uploads_that_nothing_uses(applicant) -> None:
    with time_machine.travel(NOW - timedelta(days=1), tick=False):
        used = scenes.portrait_of(applicant)
        Profile.of(applicant).set_portrait(used)
    with time_machine.travel(NOW, tick=False):
        Upload.objects.receive(applicant, scenes.jpeg(colour="#101010"))  # never cropped
        scenes.portrait_of(applicant, "#000000")

    def left() -> tuple[int, int]:
        return Upload.objects.count(), Portrait.objects.count()

    assert at_the_boundary(NOW, 5, left) == [(3, 2), (3, 2), (1, 1)]
    assert list(Portrait.objects.values_list("pk", "upload")) == [(used.pk, used.upload_id)]


@pytest.mark.django_db(transaction=True)
def test_the_files_go_by_themselves(applicant, occupation) -> None:
    """Not as files that no row names: those are what went wrong."""
    scenes.draft(applicant, occupation)
    scenes.portrait_of(applicant)
    assert len(files()) == 6
    assert purge(at=timezone.now() + timedelta(days=21)).splitlines() == [
        "没有再动过的草稿（保存 20 天）：已删除 1 项",
        "没有用到的证件照（保存 5 天）：已删除 1 项",
        "没有用到的照片原件（保存 5 天）：已删除 1 项",
        "共删除 3 项。",
    ]
    assert files() == []


@pytest.mark.django_db(transaction=True)
def test_the_files_go_with_the_rows_and_one_that_stays_is_found_by_the_next_run(applicant, monkeypatch, caplog) -> None:
    portrait = scenes.portrait_of(applicant)
    kept = scenes.portrait_of(applicant, "#111111")
    Profile.of(applicant).set_portrait(kept)
    stubborn = portrait.file.name
    delete, later = default_storage.delete, timezone.now() + timedelta(days=6)

    def refuse(name: str) -> None:
        if name == stubborn:
            raise OSError("read only")
        delete(name)

    with monkeypatch.context() as broken:
        broken.setattr(default_storage, "delete", refuse)
        with pytest.raises(CommandError, match="还有没能删除的：没有记录的照片文件。原因见日志；再执行一次会接着做。"):
            purge(at=later)
    assert f"The file {stubborn} could not be removed" in caplog.text
    assert sorted(files()) == sorted([stubborn, *files_of(kept)])
    assert "没有记录的照片文件（保存 5 天）：已删除 1 项" in purge(at=later)
    assert sorted(files()) == sorted(files_of(kept))


def test_a_file_that_is_about_to_get_its_row_stays(db) -> None:
    name = default_storage.save("uploads/2026/new.jpg", ContentFile(b"..."))
    stored = default_storage.get_modified_time(name)
    purge(at=stored + timedelta(days=1) - SECOND)
    assert files() == [name]
    purge(at=stored + timedelta(days=1) + SECOND)
    assert files() == []


def test_messages(applicant, occupation, manager) -> None:
    scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    last = Message.objects.order_by("-created_at")[0]
    Message.objects.update(created_at=last.created_at)
    assert at_the_boundary(last.created_at, 30, Message.objects.count) == [2, 2, 0]


def test_tasks_that_are_done(db) -> None:
    """What has not been done stays, however old it is."""
    now = timezone.now()
    for status in TaskResultStatus:
        DBTaskResult.objects.create(
            status=status, args_kwargs={}, task_path="x", backend_name="default", run_after=now, finished_at=now
        )
    assert at_the_boundary(now, 7, DBTaskResult.objects.count) == [4, 4, 2]


def test_drafts_that_nobody_touched(applicant, occupation) -> None:
    draft = scenes.draft(applicant, occupation)
    assert at_the_boundary(draft.updated_at, 20, Registration.objects.count) == [1, 1, 0]
    assert (Portrait.objects.count(), Upload.objects.count()) == (0, 0)


def test_a_draft_that_was_touched_meanwhile_stays(applicant, occupation) -> None:
    draft = scenes.draft(applicant, occupation)
    over = draft.updated_at + timedelta(days=21)
    with time_machine.travel(over - timedelta(days=1), tick=False):
        draft.write(draft.version, school="改过")
    purge(at=over)
    assert Registration.objects.count() == 1


def test_the_trail_of_a_draft_that_was_deleted(applicant, occupation, manager) -> None:
    registration = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    scenes.take(registration, Action.RECALL, applicant)
    scenes.fresh(registration).discard(applicant)
    last = ReviewEvent.objects.latest("at").at
    # The line before the last one is a moment older.
    assert at_the_boundary(last, 20, ReviewEvent.objects.count) == [2, 1, 0]


@pytest.mark.parametrize("status", list(Status))
def test_registrations_of_plans_that_are_over(applicant, occupation, manager, stranger, status, table) -> None:
    table["drafts"] = table["uploads"] = 900
    registration = scenes.registration_at(status, applicant, occupation, manager)
    elsewhere = scenes.occupation(scenes.open_plan())
    other = scenes.registration_at(Status.APPROVED, stranger, elsewhere, scenes.member(elsewhere.plan, "manager"))
    plan = registration.plan
    # The corrections of the other plan end later: it is not over yet.
    other.plan.correction_closes_at = plan.registration_closes_at + timedelta(days=2)
    other.plan.save()
    left = Registration.objects.filter(plan=plan).count
    assert at_the_boundary(plan.registration_closes_at, 40, left) == [1, 1, 0]
    occupation.refresh_from_db()
    assert occupation.seats_taken == 0
    assert ReviewEvent.objects.exclude(registration=other).count() == 0
    assert list(Portrait.objects.values_list("pk", flat=True)) == [other.portrait_id]
    assert list(Upload.objects.values_list("pk", flat=True)) == [other.portrait.upload_id]


@pytest.mark.parametrize("status", list(Status))
def test_the_working_copy_of_a_decided_registration_goes_when_its_plan_is_over(
    applicant, occupation, manager, status
) -> None:
    registration = scenes.registration_at(status, applicant, occupation, manager)
    upload, portrait = registration.portrait.upload_id, registration.portrait_id
    left = Upload.objects.filter(pk=upload).count
    decided = status in {Status.APPROVED, Status.REJECTED, Status.WITHDRAWN}
    expected = [1, 1, 0] if decided else [1, 1, 1]
    assert at_the_boundary(registration.plan.registration_closes_at, 5, left) == expected
    assert scenes.fresh(registration).portrait_id == portrait


def test_a_working_copy_that_a_profile_still_uses_stays(applicant, occupation, manager) -> None:
    registration = scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    Profile.of(applicant).set_portrait(registration.portrait)
    purge(at=registration.plan.registration_closes_at + timedelta(days=6))
    assert Upload.objects.filter(pk=registration.portrait.upload_id).count() == 1


@pytest.mark.parametrize("day", ["competition_starts_on", "competition_ends_on"])
def test_a_plan_is_not_over_before_its_competition(applicant, occupation, manager, day) -> None:
    registration = scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    plan = registration.plan
    held = timezone.localdate(plan.registration_closes_at) + timedelta(days=30)
    setattr(plan, day, held)
    plan.save()
    midnight = timezone.make_aware(datetime.combine(held + timedelta(days=1), datetime.min.time()))
    found = []
    for moment in (-SECOND, timedelta(0)):
        purge(at=midnight + timedelta(days=40) + moment)
        found.append(Registration.objects.count())
    assert found == [1, 0]


# The command ------------------------------------------------------------------------------------------------------------


def test_a_rehearsal_counts_and_changes_nothing(applicant, occupation, manager) -> None:
    scenes.registration_at(Status.APPROVED, applicant, occupation, manager)
    KeptForm.objects.create(user=applicant, path="/profile/", content="x")
    before = every_row()
    said = purge("--dry-run", at=timezone.now() + timedelta(days=100))
    assert said.splitlines() == [
        "没有再动过的草稿（保存 20 天）：将删除 0 项",
        "已删除草稿的审核记录（保存 20 天）：将删除 0 项",
        "批量处理的结果（保存 7 天）：将删除 0 项",
        "满 24 小时的导出文件（保存 7 天）：将删除 0 项",
        "没有记录的导出文件（保存 7 天）：将删除 0 项",
        "已结束竞赛的报名（保存 40 天）：将删除 1 项",
        "已结束竞赛的个人延期（保存 40 天）：将删除 0 项",
        "没有用到的证件照（保存 5 天）：将删除 0 项",
        "没有用到的照片原件（保存 5 天）：将删除 0 项",
        "已结束报名的照片原件（保存 5 天）：将删除 1 项",
        "没有记录的照片文件（保存 5 天）：将删除 0 项",
        "没有记录的附件（保存 5 天）：将删除 0 项",
        "没有保存的表单（保存 2 天）：将删除 1 项",
        "已办理的表单（保存 2 天）：将删除 0 项",
        "到期的登录会话（保存 3 天）：将删除 0 项",
        "失效的组委会邀请（保存 4 天）：将删除 0 项",
        "已注销账户的同意记录（保存 60 天）：将删除 0 项",
        "操作记录（保存 200 天）：将删除 0 项",
        "消息（保存 30 天）：将删除 2 项",
        "做完的后台任务（保存 7 天）：将删除 0 项",
        "没有改动。",
    ]
    assert every_row() == before


def test_a_run_leaves_one_line_with_counts(applicant) -> None:
    KeptForm.objects.create(user=applicant, path="/profile/", content="x")
    said = purge(at=timezone.now() + timedelta(days=3))
    assert said.splitlines() == ["没有保存的表单（保存 2 天）：已删除 1 项", "共删除 1 项。"]
    line = AuditEntry.objects.get(verb="data.purged")
    assert (line.actor, line.detail) == ("command:purge_expired", "kept_forms 1")
    purge(at=timezone.now() + timedelta(days=3))
    assert AuditEntry.objects.filter(verb="data.purged").latest("pk").detail == "nothing"


def test_what_comes_due_during_a_run_is_the_next_ones(applicant, monkeypatch) -> None:
    """On a portal that is used, sessions and forms come due every second: none of them is left over."""
    KeptForm.objects.create(user=applicant, path="/old/", content="x")
    young = KeptForm.objects.create(user=applicant, path="/young/", content="x", kept_at=timezone.now() + SECOND)
    begun = timezone.now() + timedelta(days=2, seconds=0.5)
    (part,) = [each for each in retention.REGISTERED if each.label == "没有保存的表单"]
    with time_machine.travel(begun, tick=False) as clock:
        remove = part.remove  # type: ignore[attr-defined]

        def slowly(rows: Any) -> int:
            clock.shift(5)
            return int(remove(rows))

        monkeypatch.setitem(part.__dict__, "remove", slowly)
        call_command("purge_expired", stdout=(said := io.StringIO()))
    assert said.getvalue().splitlines() == ["没有保存的表单（保存 2 天）：已删除 1 项", "共删除 1 项。"]
    assert list(KeptForm.objects.all()) == [young]


def test_it_goes_batch_by_batch_and_on_where_it_was_interrupted(applicant, monkeypatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for serial in range(5):
        KeptForm.objects.create(user=applicant, path=f"/{serial}/", content="x")
    later, remove, calls = timezone.now() + timedelta(days=3), retention.remove_rows, []

    def interrupted(rows: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return remove(rows)

    (part,) = [each for each in retention.REGISTERED if each.label == "没有保存的表单"]
    with monkeypatch.context() as broken:
        broken.setitem(part.__dict__, "remove", interrupted)
        with pytest.raises(KeyboardInterrupt):
            purge(at=later)
    assert KeptForm.objects.count() == 3
    assert AuditEntry.objects.latest("pk").detail == "kept_forms 2, interrupted"
    said = purge(at=later)
    assert said.splitlines() == [
        "没有保存的表单（保存 2 天）：已删除 2 项",
        "没有保存的表单（保存 2 天）：已删除 1 项",
        "共删除 3 项。",
    ]
    assert KeptForm.objects.count() == 0


def test_every_kind_of_the_table_has_its_part(table) -> None:
    assert {part.kind for part in retention.REGISTERED} == set(table)
