"""The record of who did what: pseudonyms, and lines that nobody changes or removes."""

import pytest
from django.core.serializers import deserialize
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse

from accounts.audit import record
from accounts.models import AppendOnly, AuditEntry
from registrations.trail import ReviewEvent
from tests import scenes


@pytest.fixture
def entry(applicant):
    return record(applicant, "login", applicant)


def test_a_line_names_people_by_pseudonym(applicant, plan):
    entry = record(applicant, "plan.changed", plan, detail="…")
    assert (entry.actor, entry.verb, entry.target, entry.detail) == (
        applicant.username,
        "plan.changed",
        f"plans.plan:{plan.pk}",
        "…",
    )
    line = record("command:grant_staff", "staff.granted", applicant)
    assert (line.actor, line.target) == ("command:grant_staff", applicant.username)
    assert applicant.legal_name not in f"{entry} {line}"
    assert str(line) == f"{line.at:%Y-%m-%d %H:%M:%S} command:grant_staff staff.granted {applicant.username}"


def test_a_line_without_a_target(applicant):
    assert record(applicant, "logout").target == ""


def test_a_line_is_never_changed_or_removed(entry):
    before = list(AuditEntry.objects.values())
    entry.actor = "somebody"
    with pytest.raises(AppendOnly, match="AuditEntry lines are never changed"):
        entry.save()
    with pytest.raises(AppendOnly, match="AuditEntry lines are never removed"):
        entry.delete()
    with pytest.raises(AppendOnly, match="AuditEntry lines are never changed"):
        AuditEntry.objects.filter(pk=entry.pk).update(actor="somebody")
    with pytest.raises(AppendOnly, match="AuditEntry lines are never removed"):
        AuditEntry.objects.all().delete()
    with pytest.raises(AppendOnly, match="AuditEntry lines are never changed"), transaction.atomic():
        AuditEntry.objects.bulk_update([entry], ["actor"])
    assert list(AuditEntry.objects.values()) == before


FORGED = {"actor": "somebody", "verb": "login"}


@pytest.mark.parametrize(
    "attempt",
    [
        lambda pk: AuditEntry.objects.bulk_create(
            [AuditEntry(pk=pk, **FORGED)], update_conflicts=True, unique_fields=["pk"], update_fields=["actor"]
        ),
        lambda pk: AuditEntry.objects.bulk_create([AuditEntry(pk=pk, **FORGED)], None, False, True, ["actor"], ["pk"]),
        lambda pk: AuditEntry.objects.update_or_create(pk=pk, defaults=FORGED),
        lambda pk: AuditEntry.objects.filter(pk=pk)._raw_delete("default"),
        lambda pk: AuditEntry.objects.get(pk=pk).save(update_fields=["actor"]),
        lambda pk: AuditEntry.objects.get(pk=pk).save(force_update=True),
    ],
)
def test_nor_by_the_back_door(entry, attempt):
    before = list(AuditEntry.objects.values())
    with pytest.raises(AppendOnly, match="AuditEntry lines are never"), transaction.atomic():
        attempt(entry.pk)
    assert list(AuditEntry.objects.values()) == before


def test_a_new_line_cannot_take_the_place_of_another(entry):
    """Django would update the row that has its key."""
    before = list(AuditEntry.objects.values())
    fixture = [{"model": "accounts.auditentry", "pk": entry.pk, "fields": {**FORGED, "at": "2026-05-20T00:00:00Z"}}]
    (loaded,) = deserialize("python", fixture)
    for save in (AuditEntry(pk=entry.pk, **FORGED).save, loaded.save):
        with pytest.raises(IntegrityError), transaction.atomic():
            save()
    AuditEntry.objects.bulk_create([AuditEntry(pk=entry.pk, **FORGED)], ignore_conflicts=True)
    assert list(AuditEntry.objects.values()) == before


def test_new_lines_come_in_by_every_way(entry):
    AuditEntry(pk=entry.pk + 1, **FORGED).save()
    AuditEntry.objects.bulk_create([AuditEntry(pk=entry.pk + 2, **FORGED)])
    fixture = [{"model": "accounts.auditentry", "pk": entry.pk + 3, "fields": {**FORGED, "at": "2026-05-20T00:00:00Z"}}]
    for loaded in deserialize("python", fixture):
        loaded.save()
    assert AuditEntry.objects.count() == 4


@pytest.mark.parametrize("table", [AuditEntry._meta.db_table, ReviewEvent._meta.db_table])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = at", "DELETE FROM {}"])
def test_postgresql_itself_refuses(entry, applicant, occupation, manager, table, statement):
    """SQLite has no such guard (docs/adr/0002): there the model's own stands alone."""
    scenes.registration_at(scenes.Status.SUBMITTED, applicant, occupation, manager)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            refused = pytest.raises(DatabaseError, match=f"lines of {table} are never changed or removed")
            with refused, transaction.atomic():
                cursor.execute(statement.format(table))
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  (a table of ours)
        assert cursor.fetchone()[0] >= 1


def test_a_superuser_reads_it_in_the_admin_and_changes_nothing(entry, applicant, sign_in):
    applicant.is_staff = applicant.is_superuser = True
    applicant.save()
    client = sign_in(applicant)
    page = client.get(reverse("admin:accounts_auditentry_changelist")).content.decode()
    assert (
        f'<td class="field-verb_in_words">登录</td><td class="field-actor_in_words">{applicant.username}</td>' in page
    )
    address = reverse("admin:accounts_auditentry_change", args=[entry.pk])
    assert 'name="_save"' not in client.get(address).content.decode()
    assert client.post(address, {"actor": "somebody"}).status_code == 403
    gone = f"/admin/accounts/auditentry/{entry.pk}/delete/"  # there is no such page
    assert client.post(gone, {"post": "yes"}).status_code == 404
    assert AuditEntry.objects.filter(actor=applicant.username, verb="login").count() == 1


def test_staff_alone_does_not_read_it(entry, stranger, sign_in):
    stranger.is_staff = True
    stranger.save()
    client = sign_in(stranger)
    assert client.get(reverse("admin:accounts_auditentry_changelist")).status_code == 403
    assert "操作记录" not in client.get(reverse("admin:index")).content.decode()
