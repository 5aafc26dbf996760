"""What is held about a person is told, and can be removed: every table with a relation to an account is asked."""

import base64
import io
import json
import re
import subprocess
import sys
import tracemalloc
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.sessions.models import Session
from django.core.files.storage import Storage, default_storage
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.http import QueryDict
from django.utils import timezone

from accounts import erasure, kept_forms, personal_data
from accounts.audit import record
from accounts.models import AuditEntry, Consent, Identity, User
from photos.models import Portrait, Upload
from plans import members
from plans.models import CommitteeMember, Occupation
from profiles.models import Profile
from registrations.models import Registration
from registrations.trail import ReviewEvent
from registrations.workflow import Action, Status
from tests import scenes

NAME, PHONE, ADDRESS, MAIL = "欧阳牧野笙", "13677718293", "北京市延庆区松针胡同 77 号", "muyesheng@example.cn"
CONTACT, CONTACT_PHONE, SUBJECT = "欧阳溪亭客", "13699918294", "subject-of-muyesheng"
EMPLOYER, SCHOOL, CERTIFICATE = "北京松针泉木器厂", "延庆松针泉技工学校", "S000077718295"
DETAILS = {
    "employer": EMPLOYER,
    "school": SCHOOL,
    "certificate_number": CERTIFICATE,
    "phone": PHONE,
    "address": ADDRESS,
    "email": MAIL,
    "emergency_contact": CONTACT,
    "emergency_phone": CONTACT_PHONE,
}
# Born on a day of their own, so that the date is found.
BORN = timezone.datetime(1971, 11, 29).date()


def related() -> dict[str, list[Any]]:
    """Every table, tables between two included, with the fields that point to an account."""
    found: dict[str, list[Any]] = {}
    for model in apps.get_models(include_auto_created=True):
        fields = [
            field
            for field in model._meta.get_fields(include_hidden=True)
            if isinstance(field, models.ForeignKey) and field.related_model is User
        ]
        if fields:
            found[model._meta.label] = fields
    return found


def covered() -> list[str]:
    return [label for holding in personal_data.REGISTERED for label in holding.covers]


def test_every_table_with_a_relation_to_an_account_is_told_and_erased() -> None:
    assert {"accounts.Identity", "profiles.Profile", "accounts.Consent", "registrations.ReviewEvent"} <= set(related())
    assert set(related()) - set(covered()) == set(), "say in a personal_data.py what it holds, and how it is erased"
    known = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    assert [label for label in covered() if label not in known] == []
    assert len(covered()) == len(set(covered()))
    stays = {label: reason for holding in personal_data.REGISTERED for label, reason in holding.stays.items()}
    assert set(stays) <= set(covered())
    assert all(len(reason) > 10 for reason in stays.values())


def test_the_way_out_of_the_records_is_used_by_the_removal_alone() -> None:
    root = Path(__file__).resolve().parents[2]
    rooms = ("accounts", "photos", "plans", "profiles", "registrations", "competition_portal")
    sources = [path for room in rooms for path in (root / room).rglob("*.py")]
    using = {
        word: sorted(str(path.relative_to(root)) for path in sources if word in path.read_text())
        for word in ("delete_although_append_only", "remove_lines", "portal.retention")
    }
    assert using == {
        "delete_although_append_only": ["accounts/erasure.py", "accounts/models/append_only.py"],
        "remove_lines": [
            "accounts/erasure.py",
            "accounts/retention.py",
            "registrations/personal_data.py",
            "registrations/removal.py",
        ],
        "portal.retention": ["accounts/append_only.py", "accounts/models/append_only.py"],
    }


def test_the_way_out_is_for_records_only(applicant) -> None:
    with pytest.raises(TypeError, match="no lines of an append-only record"):
        erasure.remove_lines(User.objects.all())


# A whole journey -----------------------------------------------------------------------------------------------------


@pytest.fixture
def somebody(db: None) -> User:
    user = scenes.person(NAME, born=BORN)
    user.subject = SUBJECT
    user.save()
    Identity.objects.filter(user=user).update(phone=PHONE)
    return User.objects.get(pk=user.pk)


def journey(user: User, sign_in: Any) -> None:
    """All that can be left behind: profile, photos, registrations in each state, trails that name, forms, sessions."""
    profile = Profile.of(user)
    profile.save_details(profile.version, {**scenes.COMPLETE, "birth_date": BORN, **DETAILS})
    Profile.of(user).set_portrait(scenes.portrait_of(user, "#123456"))
    scenes.portrait_of(user, "#654321")
    for status in (Status.DRAFT, Status.SUBMITTED, Status.RETURNED, Status.APPROVED, Status.REJECTED, Status.WITHDRAWN):
        occupation = scenes.occupation(scenes.open_plan())
        manager = scenes.member(occupation.plan, "manager")
        scenes.registration_at(status, user, occupation, manager)
        Registration.objects.owned_by(user).filter(plan=occupation.plan).update(birth_date=BORN, **DETAILS)
    sent = Registration.objects.owned_by(user).get(status=Status.SUBMITTED)
    sent = scenes.fresh(sent)
    items = [{"field": "phone", "label": "手机", "sentence": f"{PHONE} 打不通"}]
    sent.take(Action.RETURN, by=sent.plan.members.get().user, note=f"{NAME} 您好，请改。", items=items)
    recalled = scenes.occupation(scenes.open_plan())
    manager = scenes.member(recalled.plan, "manager")
    lost = scenes.registration_at(Status.SUBMITTED, user, recalled, manager)
    scenes.take(lost, Action.RETURN, manager, note=f"{NAME}：退回")
    scenes.take(lost, Action.SUBMIT, user)
    scenes.take(lost, Action.RECALL, user)
    scenes.fresh(lost).discard(user)
    assert kept_forms.keep(user.pk, "/profile/", QueryDict(f"phone={PHONE}"))
    appointed_and_removed(user)
    client = sign_in(user)
    client.get("/profile/")
    Session.objects.update(expire_date=timezone.now() - timedelta(hours=1))  # over, and not yet purged
    client = sign_in(user)
    client.get("/profile/")
    record(user, "login", user)


def appointed_and_removed(user: User) -> None:
    """By an invitation; and once by the rows of the plan's form, as they were: the desk's log noted down who it was."""
    plan = scenes.open_plan()
    boss = scenes.member(plan, "manager", "钱管")
    invitation, _ = members.invite(plan, "viewer", boss)
    member = members.accept(invitation, user)
    said = [{"deleted": {"name": "组委会成员", "object": str(member)}}]
    members.remove(member, boss)
    LogEntry.objects.log_actions(boss.pk, [plan], CHANGE, change_message=said)


def dump() -> bytes:
    """Every table as the database has it; on PostgreSQL by COPY, as pg_dump reads them. Sessions decoded as well."""
    found: list[bytes] = []
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in tables:
            name = connection.ops.quote_name(table)
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {name} TO STDOUT") as copy:
                    found.extend(bytes(block) for block in copy)
            else:
                cursor.execute(f"SELECT * FROM {name}")
                found.extend(repr(row).encode() for row in cursor.fetchall())
    for row in Session.objects.all():
        data = row.session_data.split(":")[0]
        raw = base64.urlsafe_b64decode(data.lstrip(".") + "=" * (-len(data.lstrip(".")) % 4))
        found.append(zlib.decompress(raw) if data.startswith(".") else raw)
    if connection.vendor == "sqlite":
        found.append("\n".join(connection.connection.iterdump()).encode())
    return b"\n".join(found)


def canaries(user: User) -> dict[str, list[bytes]]:
    """What would tell of the person, in each form that a table can hold it in: as it is, and as JSON escapes it."""
    held = user.identity
    references = Registration.objects.owned_by(user).values_list("reference", flat=True)
    digests = Portrait.objects.filter(owner=user).values_list("sha256", flat=True)
    words = {
        "name": NAME, "phone": PHONE, "address": ADDRESS, "e-mail": MAIL, "contact": CONTACT,
        "contact's phone": CONTACT_PHONE, "birth date": f"{BORN:%Y-%m-%d}", "subject": SUBJECT,
        "employer": EMPLOYER, "school": SCHOOL, "certificate": CERTIFICATE,
        **{f"reference {place}": reference for place, reference in enumerate(references)},
        **{f"digest {place}": digest for place, digest in enumerate(digests)},
        "number": held.document_number, "index": held.document_index,
        "session": f'"_auth_user_id":"{user.pk}"',
    }  # fmt: skip
    # SQLite's rows are read as Python says them.
    spoken = {"birth date": [repr(BORN).encode()]}
    return {
        name: [word.encode(), json.dumps(word)[1:-1].encode(), *spoken.get(name, [])] for name, word in words.items()
    }


def found_in(text: bytes, user_canaries: dict[str, list[bytes]]) -> set[str]:
    return {name for name, forms in user_canaries.items() if any(form in text for form in forms)}


def files_of(portrait: Portrait) -> list[str]:
    """Its own, and those of the upload that it was cut from."""
    upload = portrait.upload
    assert upload is not None
    return [portrait.file.name, upload.file.name, upload.preview.name]


def files(folder: str = "") -> list[str]:
    """Every file of the storage, wherever it lies."""
    if not default_storage.exists(folder):
        return []
    folders, names = default_storage.listdir(folder)
    found = [f"{folder}/{name}".lstrip("/") for name in names]
    return found + [name for each in folders for name in files(f"{folder}/{each}".lstrip("/"))]


def bytes_of(name: str) -> bytes:
    with default_storage.open(name) as file:
        return bytes(file.read())


def close(client: Any) -> Any:
    return client.post("/accounts/close/", {"understood": "on"})


@pytest.mark.django_db(transaction=True)
def test_after_an_erasure_nothing_is_found_but_the_pseudonym(somebody: User, sign_in: Any) -> None:
    journey(somebody, sign_in)
    telling = canaries(somebody)
    before, pictures = dump(), files()
    # The number itself never was there: it is encrypted. All else was, or the search would prove nothing.
    assert found_in(before, telling) == set(telling) - {"number"}
    assert somebody.username.encode() in before
    pixels = {bytes_of(name) for name in pictures}
    theirs = scenes.portrait_of(scenes.person("赵六"), "#abcdef")
    other = {"consents": Consent.objects.count(), "people": User.objects.count()}
    seats = set(Occupation.objects.filter(seats_taken__gt=0).values_list("pk", flat=True))
    assert len(pictures) == 3 * (2 + 6 + 1)  # working copy, preview, portrait
    assert len(seats) == 3

    client = sign_in(somebody)
    answer = close(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/closed/")
    assert "<h1>账户已注销</h1>" in client.get("/accounts/closed/").content.decode()
    assert client.get("/profile/").headers["Location"] == "/accounts/login/?next=%2Fprofile%2F"

    after = dump()
    assert found_in(after, telling) == set()
    assert somebody.username.encode() in after
    assert set(files()) == set(files_of(theirs))
    stored = b"\n".join(map(bytes_of, files()))
    assert [picture for picture in pixels if picture in after or picture in stored] == []
    assert found_in(stored, telling) == set()
    assert list(Occupation.objects.filter(seats_taken__gt=0)) == []
    assert {"consents": Consent.objects.count(), "people": User.objects.count()} == other
    stone = User.objects.get(pk=somebody.pk)
    said = (stone.issuer, stone.subject, stone.is_active, stone.is_staff, stone.last_login, stone.has_usable_password())
    assert said == ("", None, False, False, None, False)
    line = AuditEntry.objects.get(verb="person.erased")
    assert (line.actor, line.target, line.subject) == (stone.username,) * 3
    stays = {label for holding in personal_data.REGISTERED for label in holding.stays}
    left = {
        label
        for label, fields in related().items()
        if any(field.model._base_manager.filter(**{field.name: stone.pk}).exists() for field in fields)
    }
    assert left - stays == set()
    assert left == {"accounts.Consent", "plans.Invitation"}


@pytest.mark.django_db(transaction=True)
def test_the_file_of_sqlite_forgets_as_well(somebody: User, sign_in: Any) -> None:
    """What was deleted is overwritten in the file (secure_delete), not only given up."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgname = 'append_only'")
            assert cursor.fetchone() == (3,)  # there the tables' dead rows go with VACUUM: docs/adr/0007
        return
    journey(somebody, sign_in)
    telling = canaries(somebody)
    place = Path(str(connection.settings_dict["NAME"]))

    def on_disk() -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute("PRAGMA secure_delete")
            assert cursor.fetchone() == (1,)  # some builds of SQLite have it on by themselves, others do not
        # By another process: who closes the file in this one gives up SQLite's locks on it (fcntl's rule), and the next
        # process that opens it would take its log for one that nobody uses.
        content = subprocess.run(["cat", place], capture_output=True, check=True).stdout
        return found_in(content, telling)

    assert {"name", "phone", "address", "subject", "index"} <= on_disk()
    erasure.erase(somebody, "command:erase_person")
    assert on_disk() == set()


def test_the_same_person_can_begin_again(somebody: User, sign_in: Any) -> None:
    number = somebody.identity.document_number
    erasure.erase(somebody, "command:erase_person")
    again, created = User.objects.from_platform("http://127.0.0.1:1/o", SUBJECT)
    assert created
    Identity.objects.create(user=again)
    form = {"legal_name": NAME, "document_type": "resident_id", "document_number": number}
    answer = sign_in(again).post("/accounts/identity/", {**form, "agreed": "on", "consented": "on"})
    assert answer.headers["Location"] == "/plans/"
    assert again.username != somebody.username


def test_an_erasure_that_fails_removes_nothing(somebody: User, sign_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Profile.of(somebody)
    profile.set_portrait(scenes.portrait_of(somebody))

    def fail(user: User) -> None:
        raise RuntimeError("in the middle")

    first = personal_data.REGISTERED[0]
    monkeypatch.setitem(first.__dict__, "erase", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        erasure.erase(somebody, "command:erase_person")
    assert User.objects.get(pk=somebody.pk).legal_name == NAME
    assert (Profile.objects.count(), Portrait.objects.count(), Upload.objects.count(), len(files())) == (1, 1, 1, 3)
    assert AuditEntry.objects.filter(verb="person.erased").count() == 0


# What stands in the way -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.RETURNED, Status.APPROVED])
@pytest.mark.parametrize(("ends", "possible"), [(1, False), (0, False), (-1, True), (None, True)])
def test_who_takes_part_cannot_leave_before_the_end(somebody, manager, occupation, sign_in, status, ends, possible):
    registration = scenes.registration_at(status, somebody, occupation, manager)
    plan = registration.plan
    plan.registration_closes_at = timezone.now() - timedelta(seconds=1)
    plan.competition_ends_on = None if ends is None else timezone.localdate() + timedelta(days=ends)
    plan.save()
    client = sign_in(somebody)
    page = client.get("/accounts/close/").content.decode()
    answer = close(client)
    occupation.refresh_from_db()
    sentence = (
        f"您在“{plan.title}”的报名（{registration.reference}）是“{status.label}”，报名已经截止，竞赛结束后才能注销。"
    )
    if possible:
        assert (sentence in page, answer.status_code) == (False, 302)
        assert (Registration.objects.count(), ReviewEvent.objects.count(), occupation.seats_taken) == (0, 0, 0)
    else:
        assert sentence in page
        assert (answer.status_code, sentence in answer.content.decode()) == (200, True)
        assert 'name="understood"' not in page
        assert scenes.fresh(registration).status == status
        assert (occupation.seats_taken, User.objects.get(pk=somebody.pk).is_active) == (1, True)


def test_who_can_still_withdraw_is_told_and_the_seat_comes_free(somebody, manager, occupation, sign_in):
    registration = scenes.registration_at(Status.APPROVED, somebody, occupation, manager)
    client = sign_in(somebody)
    page = client.get("/accounts/close/").content.decode()
    told = f"您在“{occupation.plan}”的报名（{registration.reference}，审核通过）会同时撤回，名额让给别人。"
    assert told in page
    asked = client.post("/accounts/close/", {}).content.decode()
    assert [
        said for said in ("没有注销，请先改正下面的内容", "确定要注销的话，请先勾选这一项。") if said not in asked
    ] == []
    assert Registration.objects.get().status == Status.APPROVED
    close(client)
    occupation.refresh_from_db()
    assert (Registration.objects.count(), occupation.seats_taken) == (0, 0)


@pytest.mark.parametrize("role", ["is_staff", "is_superuser", "is_auditor"])
def test_staff_lay_down_their_role_first(somebody, sign_in, role):
    setattr(somebody, role, True)
    somebody.save()
    told = sign_in(somebody).get("/accounts/my-data/").content.decode()
    titles = {"is_staff": "运营人员", "is_auditor": "审计人员"}
    assert [title for title in titles.values() if f"<dt>{title}</dt>" in told] == [
        titles[name] for name in titles if name == role
    ]
    answer = close(sign_in(somebody))
    assert "您是运营人员或审计人员。请先让系统管理员收回这个权限，再注销。" in answer.content.decode()
    assert User.objects.get(pk=somebody.pk).subject == SUBJECT


def test_members_of_a_committee_leave_it_first(somebody, plan, sign_in):
    CommitteeMember.objects.create(plan=plan, user=somebody, role="viewer")
    answer = close(sign_in(somebody))
    assert f"您是“{plan.title}”的组委会成员。请先让组委会把您移出，再注销。" in answer.content.decode()
    assert User.objects.get(pk=somebody.pk).subject == SUBJECT


def test_what_a_former_reviewer_did_stays_under_the_pseudonym(somebody, applicant, occupation):
    CommitteeMember.objects.create(plan=occupation.plan, user=somebody, role="manager")
    scenes.registration_at(Status.RETURNED, applicant, occupation, somebody)
    CommitteeMember.objects.filter(user=somebody).delete()
    erasure.erase(somebody, "command:erase_person")
    line = ReviewEvent.objects.get(action=Action.RETURN)
    assert (line.by_id, str(line.by)) == (somebody.pk, somebody.username)


def test_the_desks_log_names_the_pseudonym_afterwards(somebody):
    appointed_and_removed(somebody)
    line = LogEntry.objects.get()
    assert removed_from(line) == f"{NAME}（查看）"
    erasure.erase(somebody, "command:erase_person")
    line.refresh_from_db()
    assert removed_from(line) == f"{somebody.username}（查看）"


def removed_from(line: LogEntry) -> str:
    (said,) = [part["deleted"]["object"] for part in json.loads(line.change_message) if "deleted" in part]
    return said


# The command -------------------------------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    call_command("erase_person", *arguments, stdout=(said := io.StringIO()))
    return said.getvalue()


def test_the_command_counts_asks_and_erases(somebody, occupation, manager):
    scenes.registration_at(Status.SUBMITTED, somebody, occupation, manager)
    counted = ["报名：1", "审核记录：1", "证件照：1", "照片原件：1", "身份信息：1", "账户：1"]
    said = run(somebody.username, "--dry-run")
    assert [line for line in counted if line not in said.splitlines()] == []
    assert said.endswith(f"没有改动。将注销账户 {somebody.username}。\n")
    with pytest.raises(
        CommandError, match=f"没有改动。删除后不能恢复；确实要删除账户 {somebody.username}，请加上 --yes 再执行。"
    ):
        run(somebody.username)
    assert Registration.objects.count() == 1
    said = run(SUBJECT, "--yes")
    assert [line for line in counted if line not in said.splitlines()] == []
    assert f"已注销账户 {somebody.username}，个人信息已删除。" in said
    assert NAME not in said
    line = AuditEntry.objects.get(verb="person.erased")
    assert (line.actor, line.subject, "报名 1" in line.detail) == ("command:erase_person", somebody.username, True)
    with pytest.raises(CommandError, match="没有删除。这个账户已经注销。"):
        run(somebody.username, "--yes")


def test_the_command_is_refused_for_the_same_reasons(somebody, plan):
    CommitteeMember.objects.create(plan=plan, user=somebody, role="viewer")
    with pytest.raises(CommandError, match="没有改动。现在不能注销：您是“"):
        run(somebody.username, "--dry-run")
    with pytest.raises(CommandError, match="没有删除。您是“"):
        run(somebody.username, "--yes")
    assert User.objects.get(pk=somebody.pk).legal_name == NAME


# The page and the download ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_page_and_the_download_tell_everything(somebody, sign_in):
    journey(somebody, sign_in)
    client, number = sign_in(somebody), somebody.identity.document_number
    page = client.get("/accounts/my-data/")
    text = page.content.decode()
    assert page.headers["Cache-Control"] == "private, no-store"
    titles = [holding.title for holding in personal_data.for_pages()]
    assert re.findall(r'<h2 class="m-0">(.*?)</h2>', text) == titles
    assert titles[0] == "账户"
    words = [NAME, PHONE, ADDRESS, MAIL, CONTACT, CONTACT_PHONE, "1971-11-29", SUBJECT, somebody.identity.masked_number]
    assert [word for word in words if word not in text] == []
    assert (number in text, text.count("保存多久：")) == (False, len(titles))
    assert '<dt>表单</dt><dd><a href="/profile/">打开</a></dd>' in text
    assert [role for role in ("运营人员", "审计人员") if f"<dt>{role}</dt>" in text] == []

    got = client.post("/accounts/my-data/download/")
    assert (got.status_code, got.headers["Content-Disposition"]) == (200, 'attachment; filename="my-data.json"')
    assert (got.headers["Cache-Control"], got.headers["Content-Type"]) == (
        "private, no-store",
        "application/json; charset=utf-8",
    )
    text = whole(got)
    held = json.loads(text)
    assert text == json.dumps(held, ensure_ascii=False, indent=2)
    assert list(held) == ["说明", "生成时间", *titles]
    assert held["身份信息"]["内容"][0]["证件号码"] == number
    assert len(held["报名"]["内容"]) == 6
    trail = [line for entry in held["报名"]["内容"] for line in entry["审核记录"]]
    assert f"{NAME} 您好，请改。" in [line.get("意见") for line in trail]
    assert [f"手机：{PHONE} 打不通"] in [line.get("需修改的内容") for line in trail]
    portraits = [entry for entry in held["照片"]["内容"] if "SHA-256" in entry]
    kept = {base64.b64encode(bytes_of(each.file.name)) for each in Portrait.objects.all()}
    assert {entry["照片"].encode() for entry in portraits} == kept
    assert len(held["照片"]["内容"]) == Portrait.objects.count() + Upload.objects.count()
    assert [entry["表单"] for entry in held["没有保存的表单"]["内容"]] == ["/profile/"]
    assert len(held["登录会话"]["内容"]) == 3
    assert AuditEntry.objects.filter(verb="data.downloaded", actor=somebody.username).count() == 1


def test_nothing_of_others_is_told(somebody, applicant, occupation, manager, sign_in):
    scenes.registration_at(Status.RETURNED, applicant, occupation, manager)
    held = whole(sign_in(somebody).post("/accounts/my-data/download/"))
    assert [word for word in (applicant.legal_name, applicant.username, manager.username) if word in held] == []


def test_a_picture_that_cannot_be_read_does_not_spoil_the_download(somebody, sign_in):
    default_storage.delete(scenes.portrait_of(somebody).file.name)
    held = json.loads(whole(sign_in(somebody).post("/accounts/my-data/download/")))
    assert held["照片"]["内容"][0]["照片"] == "照片文件丢失，请联系运营人员"


def test_a_storage_that_fails_in_the_midst_gives_no_file(somebody, sign_in, monkeypatch):
    """Neither a traceback, nor a file that looks complete; nor does the record say that one was taken."""
    scenes.portrait_of(somebody), scenes.portrait_of(somebody)
    opened, read = [], Storage.open

    def one_alone(storage, name, mode="rb"):
        opened.append(name)
        if len(opened) > 1:
            raise OSError("the store does not answer")
        return read(storage, name, mode)

    monkeypatch.setattr(Storage, "open", one_alone)
    answer = sign_in(somebody).post("/accounts/my-data/download/", follow=True)
    assert (len(opened), answer.redirect_chain) == (2, [("/accounts/my-data/", 302)])
    assert [str(message) for message in answer.context["messages"]] == [
        "照片暂时读不到，没有下载。请过几分钟再试；如果仍然不行，请联系运营人员。"
    ]
    assert AuditEntry.objects.filter(verb="data.downloaded").count() == 0


def test_no_more_than_one_portrait_is_held_at_a_time(somebody, sign_in, monkeypatch):
    large, client = "照" * 1_000_000, sign_in(somebody)
    monkeypatch.setattr("photos.personal_data.in_base64", lambda portrait: f"{portrait.pk}{large}")

    def most():
        tracemalloc.start()
        answer = client.post("/accounts/my-data/download/")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert whole(answer).count(large) == Portrait.objects.count()
        return peak

    scenes.portrait_of(somebody)
    most()  # what is made once
    one = most()
    for _ in range(4):
        scenes.portrait_of(somebody)
    assert most() - one < sys.getsizeof(large) / 2


def whole(answer):
    return b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()


def test_the_pictures_behind_the_links_are_the_owners(somebody, stranger, sign_in):
    portrait = scenes.portrait_of(somebody)
    text = sign_in(somebody).get("/accounts/my-data/").content.decode()
    for address, file in (
        (f"/photos/portraits/{portrait.pk}/", portrait.file),
        (f"/photos/uploads/{portrait.upload_id}/", portrait.upload.file),
    ):
        assert f'href="{address}"' in text
        got = sign_in(somebody).get(address)
        with file.open("rb") as opened:
            assert (got.content, got.headers["Cache-Control"]) == (opened.read(), "private, no-store")
        assert sign_in(stranger).get(address).status_code == 404
