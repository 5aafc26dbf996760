"""The drill: a full portal is backed up, lost, and restored into an empty place; then everything is compared and goes on."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client

from accounts.models import AuditEntry, User
from competition_portal.backups import snapshot as snapshots
from plans.models import CommitteeMember
from registrations.models import Registration
from registrations.recount import differences
from registrations.trail import ReviewEvent
from registrations.workflow import Action, Status
from tests import scenes
from tests.backups.portal import Full, empty_database, files, named_files, rows, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_drill(tmp_path, new_storage, monkeypatch, sign_in):
    """One long way, because the portal that it begins with takes longer than all the rest."""
    monkeypatch.setattr(snapshots, "SEGMENT", 500)  # many parts of each table
    full = Full()
    rows_before, files_before = rows(), files()
    assert (len(files_before) > 30, named_files() == set(files_before)) == (True, True)
    assert [table for table in rows_before if not rows_before[table]] == []

    backup = tmp_path / "one.backup"
    code, said, failure = run("backup", "--output", backup)
    assert (code, failure) == (0, "")
    number = sum(map(len, rows_before.values()))
    size = backup.stat().st_size
    assert said == [
        f"已备份 {len(rows_before)} 张表、{number} 行、{len(files_before)} 个文件，共 {size} 字节，写在 {backup}。"
    ]
    assert (backup.stat().st_mode & 0o777, list(tmp_path.glob(".backup*"))) == (0o600, [])
    line = AuditEntry.objects.get(verb="backup.made")
    assert (line.actor, line.target) == ("command:backup", "b1")
    assert not any(secret in backup.read_bytes() for secret in ("两边都报的人".encode(), b"head.json", b"JFIF"))

    empty_database()
    new_storage("elsewhere")
    assert (Registration.objects.count(), files()) == (0, {})
    looked_at = run("restore", "--verify", backup)
    assert looked_at[1][-2:] == ["抽查的证件号码都能读出。", "没有改动。备份可以用。"]
    tried = run("restore", "--dry-run", backup)
    assert tried == (0, [*looked_at[1][:2], "没有改动。可以恢复到这里。"], "")
    assert (Registration.objects.count(), files()) == (0, {})
    code, said, failure = run("restore", backup)
    assert (code, failure) == (0, "")
    assert said[2] == f"已恢复 {number} 行、{len(files_before)} 个文件（写入 {len(files_before)} 个，原有 0 个）。"

    restored = rows()
    (added,) = set(restored["accounts_auditentry"]) - set(rows_before["accounts_auditentry"])
    assert "backup.restored" in added
    restored["accounts_auditentry"].remove(added)
    assert restored == rows_before
    assert files() == files_before
    guards_still_bite(full)
    sequences_go_on(full)
    everything_goes_on(full, sign_in)
    assert run("recount", "--dry-run")[0] == 0
    assert run("sweep_photos")[0] == 0
    assert run("rotate_keys", "--dry-run")[0] == 0


def guards_still_bite(full):
    event = ReviewEvent.objects.first()
    if connection.vendor == "postgresql":
        for statement in ("UPDATE registrations_reviewevent SET note = ''", "DELETE FROM accounts_auditentry"):
            refused = pytest.raises(DatabaseError, match="never changed or removed")
            with refused, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
    live = full.side.registrations[Status.SUBMITTED]
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.create(applicant_id=live.applicant_id, plan_id=live.plan_id, reference="TWICE")
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=live.pk).update(submitted_at=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        CommitteeMember.objects.create(plan_id=live.plan_id, user_id=10**9, role="viewer")
        connection.check_constraints()
    assert ReviewEvent.objects.filter(pk=event.pk).exists()


def sequences_go_on(full):
    """The trail of a draft that is gone must not become the trail of somebody else's registration."""
    assert ReviewEvent.objects.filter(registration_id=full.discarded).count() == 2
    assert Registration.objects.order_by("-pk").first().pk < full.discarded
    begun = scenes.draft(scenes.person("后来的人"), full.side.occupation)
    assert begun.pk > full.discarded
    assert not begun.events.exists()


def everything_goes_on(full, sign_in):
    draft = scenes.fresh(full.side.registrations[Status.DRAFT])
    visitor: Client = sign_in(User.objects.get(pk=draft.applicant_id))
    page = visitor.get(draft.get_absolute_url())
    assert (page.status_code, draft.reference in page.content.decode()) == (200, True)
    picture = visitor.get(f"/photos/portraits/{draft.portrait_id}/")
    assert b"".join(picture).startswith(b"\xff\xd8\xff")
    submitted = scenes.take(draft, Action.SUBMIT, draft.applicant)
    approved = scenes.take(submitted, Action.APPROVE, full.side.people["manager"])
    assert (approved.status, approved.events.count()) == (Status.APPROVED, 2)
    assert differences(approved.plan, mend=False) == []
    assert scenes.fresh(full.held).shown_status == Status.SUBMITTED
