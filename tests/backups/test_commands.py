"""backup and restore where something is not as it should be: a plain sentence, an exit code, and nothing half-done."""

import errno
import io
import os
import stat

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from accounts.models import AuditEntry, User
from competition_portal import dependencies
from competition_portal.backups import archive, examining, files, loading, making, restoring
from competition_portal.backups.sealed import SealedWriter
from competition_portal.backups.snapshot import Snapshot
from competition_portal.management.commands import backup as backup_command
from competition_portal.management.commands import restore as restore_command
from competition_portal.management.commands.backup import INCOMPLETE
from photos.storages import PrivateFolder
from plans.models import Attachment
from registrations.workflow import Status
from tests import scenes
from tests.backups import portal
from tests.backups.portal import KEYS, OTHER_KEYS, empty_database, run
from tests.photos import object_stores

pytestmark = pytest.mark.django_db(transaction=True)

AGAIN = "请接着执行 recount、doctor，并把备份之后注销的账户再删一次（见 docs/operations/backup.md）。"


@pytest.fixture
def registration(applicant, occupation, manager):
    """A portal with something in each place: four files, one of them an attachment."""
    made = scenes.registration_at(Status.SUBMITTED, applicant, occupation, manager)
    attachment = Attachment(plan=occupation.plan, title="规程.pdf")
    attachment.file.save("规程.pdf", ContentFile(b"%PDF-"))
    return made


@pytest.fixture
def backup(registration, tmp_path):
    path = tmp_path / "one.backup"
    assert run("backup", "--output", path)[0] == 0
    return path


@pytest.fixture
def empty_place(backup, new_storage):
    """Where the backup can be put; what was there before is still in "private"."""
    empty_database()
    return new_storage("elsewhere")


def held():
    """What the database and the storage hold, but for the lines that tell of backups."""
    return {**portal.rows(), "accounts_auditentry": []}, portal.files()


def nothing():
    return (User.objects.count(), AuditEntry.objects.count(), portal.files()) == (0, 0, {})


# Making one -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "argument"), [("backup", "--output=x"), ("restore", "x")])
def test_without_a_key(settings, command, argument):
    settings.BACKUP_KEYS = {}
    said = "没有设 BACKUP_KEYS，不能做备份，也不能恢复。请用 openssl rand -base64 32 生成一把，设为 BACKUP_KEYS=b1:密钥，并另行保存。"
    assert run(command, argument) == (1, [], said)


def test_a_rehearsal_counts_and_writes_nothing(registration, tmp_path):
    code, said, failure = run("backup", "--dry-run", "--output", tmp_path / "x")
    rows = portal.rows()
    assert (code, failure) == (0, "")
    assert said[-1] == (
        f"没有写文件。将备份 {len(rows)} 张表、{sum(map(len, rows.values()))} 行、4 个文件（4 种），用密钥 b1 加密。"
    )
    assert "数据表 registrations_registration：1 行" in said
    assert (list(tmp_path.glob("*x*")), AuditEntry.objects.filter(verb="backup.made").count()) == ([], 0)


def test_a_file_that_is_there_is_not_overwritten(registration, tmp_path):
    path = tmp_path / "one.backup"
    path.write_text("mine")
    assert run("backup", "--output", path) == (
        1,
        [],
        f"文件 {path} 已经存在，没有做备份。请换一个文件名，或先移走它。",
    )
    assert path.read_text() == "mine"


def test_a_folder_that_is_not_there(registration, tmp_path):
    path = tmp_path / "nowhere" / "one.backup"
    said = f"不能写到 {path.parent}：No such file or directory。请检查目录和权限。"
    assert run("backup", "--output", path) == (1, [], said)


def failing_after(chunks, problem):
    whole = SealedWriter.seal

    def seal(self, plain, *, last):
        if self.number >= chunks:
            raise problem
        whole(self, plain, last=last)

    return seal


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "没有做成备份：读写时出错（No space left on device）。请检查磁盘空间、权限和存储，再执行一次。",
        ),
        (KeyboardInterrupt(), "没有做成备份：被中断了。再执行一次即可。"),
        (
            OperationalError("the server closed the connection"),
            "数据库出错或连不上（OperationalError），没有做成备份。请用 python manage.py doctor 检查，恢复后再执行一次。",
        ),
    ],
    ids=["disk full", "interrupted", "database gone"],
)
def test_what_breaks_off_leaves_nothing(registration, tmp_path, monkeypatch, problem, said):
    monkeypatch.setattr(SealedWriter, "seal", failing_after(0, problem))
    before = sorted(tmp_path.iterdir())
    assert run("backup", "--output", tmp_path / "one.backup") == (1, [], said)
    assert sorted(tmp_path.iterdir()) == before
    assert not AuditEntry.objects.filter(verb="backup.made").exists()


def refused_link(code):
    def link(*names):
        raise OSError(code, "Operation not permitted")

    return link


def test_a_folder_that_knows_no_second_names(registration, tmp_path, monkeypatch):
    """FAT and many network shares; nor can such a folder be synchronised. The backup is not thrown away at its end."""
    path = tmp_path / "one.backup"
    monkeypatch.setattr("os.link", refused_link(errno.EPERM))
    whole = os.fsync

    def fsync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        whole(handle)

    monkeypatch.setattr("os.fsync", fsync)
    assert run("backup", "--output", path)[0] == 0
    assert run("restore", "--verify", path)[0] == 0
    assert (path.stat().st_mode & 0o777, [each.name for each in tmp_path.glob(".backup-*")]) == (0o600, [])


def test_a_name_that_was_taken_and_could_not_be_given_is_free_again(registration, tmp_path, monkeypatch):
    """An empty file of that name would look like a backup, and stand in the way of the next one."""
    path = tmp_path / "one.backup"
    monkeypatch.setattr("os.link", refused_link(errno.EPERM))
    with monkeypatch.context() as broken:
        broken.setattr("os.replace", refused_link(errno.EIO))
        code, _, failure = run("backup", "--output", path)
    assert (code, failure) == (
        1,
        "没有做成备份：读写时出错（Operation not permitted）。请检查磁盘空间、权限和存储，再执行一次。",
    )
    assert (path.exists(), list(tmp_path.glob(".backup-*"))) == (False, [])
    assert run("backup", "--output", path)[0] == 0


@pytest.mark.parametrize("code", [0, errno.EPERM], ids=["links", "no links"])
def test_a_file_that_came_in_between_is_not_overwritten(registration, tmp_path, monkeypatch, code):
    path, whole = tmp_path / "one.backup", backup_command.make

    def make(*arguments):
        path.write_bytes(b"somebody else's")
        return whole(*arguments)

    monkeypatch.setattr(backup_command, "make", make)
    if code:
        monkeypatch.setattr("os.link", refused_link(code))
    said = f"文件 {path} 刚才已由别的程序写出，没有覆盖。请换一个文件名，再执行一次。"
    assert run("backup", "--output", path)[::2] == (1, said)
    assert (path.read_bytes(), list(tmp_path.glob(".backup-*"))) == (b"somebody else's", [])


def test_a_server_that_hung_up_while_the_files_were_read(registration, tmp_path, monkeypatch):
    """For hours nothing is asked of the portal's own connection: at the end it is another one, or all was for nothing."""
    Attachment.objects.update(file="attachments/gone.pdf")

    def hanging_up(*arguments, **named):
        for fetched in side_by_side(*arguments, **named):
            if connection.connection is not None:
                connection.connection.close()
            yield fetched

    side_by_side = files.side_by_side
    monkeypatch.setattr(making, "side_by_side", hanging_up)
    code, _, failure = run("backup", "--output", tmp_path / "one.backup")
    assert (code, failure.partition("放回。")[2]) == (
        INCOMPLETE,
        "附件（attachments/）放不回的，请在工作台的竞赛计划里更换或删去，否则每次备份都会再列出。",
    )
    assert AuditEntry.objects.filter(verb="backup.made").count() == 1


def test_a_database_that_is_away(monkeypatch, tmp_path):
    def away():
        raise OperationalError("10.1.2.3 refused portal with a secret")

    monkeypatch.setattr(dependencies, "ask_database", away)
    code, said, failure = run("backup", "--output", tmp_path / "x")
    assert (code, said, "10.1.2.3" in failure) == (1, [], False)
    assert failure.startswith("数据库出错或连不上（OperationalError），没有做成备份。")


def test_a_storage_that_is_away(registration, tmp_path, monkeypatch):
    def away(self, name, mode="rb"):
        raise OSError("the object store is away")

    monkeypatch.setattr(files, "PAUSES", (0, 0))
    monkeypatch.setattr(PrivateFolder, "_open", away)
    said = "照片存储读不了，没有做成备份，原因见日志。请用 python manage.py doctor 检查存储，恢复后再执行一次。"
    assert run("backup", "--output", tmp_path / "x") == (1, [], said)
    assert list(tmp_path.glob("*x*")) == []


def test_a_storage_that_hiccups_is_asked_again(registration, tmp_path, monkeypatch):
    whole, asked = PrivateFolder._open, []

    def hiccup(self, name, mode="rb"):
        asked.append(name)
        if asked.count(name) == 1:
            raise OSError("the object store is busy")
        return whole(self, name, mode)

    monkeypatch.setattr(files, "PAUSES", (0, 0))
    monkeypatch.setattr(PrivateFolder, "_open", hiccup)
    assert run("backup", "--output", tmp_path / "x")[0] == 0
    assert len(asked) == 8


def test_lost_files_are_named_and_the_exit_code_says_so(registration, tmp_path, new_storage):
    name = registration.portrait.file.name
    default_storage.delete(name)
    path = tmp_path / "one.backup"
    aside = io.StringIO()
    with pytest.raises(Exception, match="备份已写成") as caught:
        call_command("backup", "--output", str(path), stdout=io.StringIO(), stderr=aside)
    assert (caught.value.returncode, str(caught.value)) == (
        3,
        "备份已写成，可以用，但有 1 个文件在存储里找不到。请执行 python manage.py sweep_photos，从更早的备份放回。",
    )
    assert f"  文件丢失：{name}" in aside.getvalue().splitlines()
    empty_database()
    new_storage("elsewhere")
    code, said, failure = run("restore", path)
    assert (code, failure) == (
        3,
        "恢复了，但备份里缺 1 个文件。请执行 python manage.py sweep_photos，它会列出是哪些，并做上标记。",
    )
    assert said[2:] == ["已恢复 " + said[2].split()[1] + " 行、3 个文件（写入 3 个，原有 0 个）。", AGAIN]
    assert portal.named_files() - set(portal.files()) == {name}


def test_what_is_known_to_be_lost_alarms_nobody(registration, tmp_path):
    default_storage.delete(registration.portrait.file.name)
    assert run("sweep_photos")[0] == 1
    code, said, failure = run("backup", "--output", tmp_path / "x")
    assert (code, failure) == (0, "")
    assert said[1:] == ["另有 1 个文件早已知道丢失（sweep_photos），不在备份里。"]


def test_what_is_removed_meanwhile_alarms_nobody(registration, tmp_path, monkeypatch, applicant):
    """Rows are read, then a person's unused photo goes, with its row; then its file is looked for."""
    unused, whole = scenes.portrait_of(applicant, "#123456"), making.add_files

    def later(*args):
        unused.discard()
        whole(*args)

    monkeypatch.setattr(making, "add_files", later)
    code, said, failure = run("backup", "--output", tmp_path / "x")
    assert (code, failure, said[1:]) == (
        0,
        "",
        ["另有 1 个文件在备份进行时随记录一起删除了，不在备份里。"],
    )


def test_one_moment_while_others_write(registration, tmp_path):
    """What is written while the tables are read is in none of them, and does not wait for them."""
    people, out, later = User.objects.count(), io.BytesIO(), []

    def say(line):
        if "accounts_auditentry" in line:  # the first table; people come after it
            later.append(User.objects.create(username="later"))

    made = making.make(out, KEYS, say)
    assert (len(later), User.objects.count(), made.rows["accounts_user"]) == (1, people + 1, people)
    found = examining.examine(io.BytesIO(out.getvalue()), KEYS, lambda line: None)
    assert found.summary["rows"]["accounts_user"] == people


# Not this backup ------------------------------------------------------------------------------------------------------


def test_wrong_key(backup, empty_place, settings):
    settings.BACKUP_KEYS = {"b1": OTHER_KEYS["b2"]}
    code, said, failure = run("restore", backup)
    assert (code, said, failure.startswith("备份打不开：BACKUP_KEYS 中的 b1 不是当时的那一把密钥，")) == (1, [], True)
    assert nothing()


def test_flipped_cut_off_and_gone(backup, empty_place):
    whole = backup.read_bytes()
    middle = len(whole) // 2
    for data, beginning in (
        (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], "备份"),
        (whole[:-1], "备份"),
        (b"PK\3\4", "这不是本系统的备份文件"),
    ):
        backup.write_bytes(data)
        for option in ("--verify", "--dry-run", "--keep-files"):
            code, said, failure = run("restore", backup, option)
            assert (code, said, failure.startswith(beginning)) == (1, [], True), failure
    backup.unlink()
    said = f"备份文件 {backup} 打不开：No such file or directory。请检查文件名和权限。"
    assert run("restore", backup) == (1, [], said)
    assert nothing()


def test_a_list_that_does_not_fit(registration, tmp_path, monkeypatch):
    """As a fault of our own would make it: sealed as it should be, and wrong."""
    path, whole = tmp_path / "x", archive.entry
    with monkeypatch.context() as wrong:
        wrong.setattr(archive, "entry", lambda name, size, sha256: whole(name, size, sha256[::-1]))
        assert run("backup", "--output", path)[0] == 0
    assert run("restore", "--verify", path) == (1, [], archive.STRANGE)


@pytest.mark.parametrize(
    "name",
    [
        "files/../outside",
        "files//etc/passwd",
        "files/portraits/../../x",
        "files/static/x",
        "files/uploads",
        "tables/x/1",
    ],
)
def test_a_backup_that_leads_out_of_its_place(registration, tmp_path, monkeypatch, name):
    """Whoever has the key can seal anything: it is seen before anything is written, and --verify says so as well."""
    path, whole = tmp_path / "x", archive.ArchiveWriter.add_json

    def add_json(self, called, value):
        if called == archive.SUMMARY:
            self.add(name, b"x\n" if name.startswith("tables/") else b"x")
            key = "rows" if name.startswith("tables/") else "files"
            value = {**value, key: {**value["rows"], "x": 1} if key == "rows" else value["files"] + 1}
            value["named"] += key == "files"
        whole(self, called, value)

    with monkeypatch.context() as wrong:
        wrong.setattr(archive.ArchiveWriter, "add_json", add_json)
        assert run("backup", "--output", path)[0] == 0
    assert run("restore", "--verify", path) == (1, [], archive.STRANGE)


def test_rows_that_were_miscounted(registration, tmp_path, monkeypatch):
    path, whole = tmp_path / "x", making.Made

    def make():
        made = whole()
        made.rows["accounts_nobody"] = 1
        return made

    with monkeypatch.context() as wrong:
        wrong.setattr(making, "Made", make)
        assert run("backup", "--output", path)[0] == 0
    assert run("restore", "--verify", path) == (1, [], archive.STRANGE)


def migrations(change):
    whole = Snapshot.migrations
    return lambda self: change(whole(self))


def test_a_backup_of_a_newer_portal(registration, tmp_path, monkeypatch):
    path = tmp_path / "x"
    with monkeypatch.context() as newer:
        newer.setattr(Snapshot, "migrations", migrations(lambda names: [*names, "registrations.9999_later"]))
        run("backup", "--output", path)
    empty_database()
    code, said, failure = run("restore", "--dry-run", path)
    assert (code, failure) == (
        1,
        "备份是本系统 0.1.0 版做的，里面有现在的版本不认识的迁移（例如 registrations.9999_later）。请用那个版本的镜像恢复。",
    )


def test_a_backup_of_an_older_portal(registration, tmp_path, monkeypatch):
    path = tmp_path / "x"
    with monkeypatch.context() as older:
        older.setattr(Snapshot, "migrations", migrations(lambda names: names[:-1]))
        run("backup", "--output", path)
    empty_database()
    failure = run("restore", "--dry-run", path)[2]
    assert failure == (
        "数据库的迁移与备份时不同（例如 sessions.0001_initial）。请换一个空的数据库（没有任何表）再执行：恢复时会建到备份时的样子，之后再执行 migrate。"
    )


def test_the_keys_of_the_numbers(backup, empty_place, settings):
    own, blind = settings.FIELD_ENCRYPTION_KEYS, settings.BLIND_INDEX_KEY
    settings.FIELD_ENCRYPTION_KEYS = {"other": b"o" * 32}
    code, said, failure = run("restore", backup)
    assert (code, failure) == (
        1,
        "备份里的证件号码有用密钥 test 加密的，FIELD_ENCRYPTION_KEYS 里没有。请补上当时的密钥，再执行一次。"
        "密钥已经没有了、仍要恢复其余内容的，加 --without-field-keys。",
    )
    settings.FIELD_ENCRYPTION_KEYS = {"test": b"o" * 32}
    assert "抽查的证件号码有" in run("restore", backup)[2]
    settings.FIELD_ENCRYPTION_KEYS, settings.BLIND_INDEX_KEY = own, b"x" * 32
    assert "BLIND_INDEX_KEY 不是当时的那一把。" in run("restore", backup)[2]
    assert nothing()
    settings.FIELD_ENCRYPTION_KEYS = {"other": b"o" * 32}
    assert run("restore", backup, "--without-field-keys")[0] == 0
    settings.FIELD_ENCRYPTION_KEYS, settings.BLIND_INDEX_KEY = own, blind
    assert run("rotate_keys", "--dry-run")[0] == 0


def test_tables_that_were_only_begun(backup, empty_place, monkeypatch):
    """As after a restore that was killed while it made them: what is missing is made, as long as nothing is in the others."""
    made = []
    last = max(MigrationRecorder.Migration.objects.filter(app="registrations").values_list("pk", flat=True))
    recorded = MigrationRecorder.Migration.objects.get(pk=last)
    recorded.delete()

    class Executor:
        def __init__(self, connection):
            self.loader = MigrationLoader(connection)

        def migrate(self, targets):
            made.extend(targets)
            recorded.save(force_insert=True)

    monkeypatch.setattr(restoring, "MigrationExecutor", Executor)
    assert run("restore", backup)[0] == 0
    assert ("registrations", recorded.name) in made


# Not this place -------------------------------------------------------------------------------------------------------


def test_a_database_with_something_in_it(backup, new_storage):
    new_storage("elsewhere")
    was = held()
    code, said, failure = run("restore", backup)
    assert (code, failure.startswith("数据库不是空的（accounts_auditentry ")) == (1, True)
    assert failure.endswith("没有恢复。请换一个空的数据库；确定不要现有的内容，加 --replace-database。")
    assert held() == was
    scenes.person("备份以后来的人")
    assert run("restore", backup, "--replace-database")[0] == 0
    assert not User.objects.filter(identity__legal_name="备份以后来的人").exists()
    assert (held()[0], len(portal.files())) == (was[0], 4)


def test_a_storage_with_something_in_it(backup):
    """As when the database alone was lost: what is there is kept, what is not comes from the backup."""
    was = held()
    empty_database()
    default_storage.delete(next(iter(was[1])))
    code, said, failure = run("restore", backup)
    assert (code, failure.startswith("照片存储不是空的（例如 ")) == (1, True)
    code, said, failure = run("restore", backup, "--keep-files")
    assert (code, said[2].partition("（")[2]) == (0, "写入 1 个，原有 3 个）。")
    assert held() == was


def test_a_file_of_the_same_name_that_is_another(backup, empty_place):
    name = (
        "attachments/"
        + next(iter((empty_place.parent / "private/attachments").glob("*/*")))
        .relative_to(empty_place.parent / "private/attachments")
        .as_posix()
    )
    default_storage.save(name, ContentFile(b"something else"))
    code, said, failure = run("restore", backup, "--keep-files")
    assert (code, failure) == (
        1,
        f"存储里已有同名但内容不同的文件 {name}，没有恢复，数据库没有改动。请换一个空的目录或桶；确认它是坏的，就先移走它。",
    )
    assert (User.objects.count(), list(portal.files())) == (0, [name])
    with default_storage.open(name) as content:
        assert content.read() == b"something else"


def test_a_disk_that_fills_up_and_once_more(backup, empty_place, monkeypatch):
    whole, saved = PrivateFolder._save, []

    def full(self, name, content):
        if len(saved) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        saved.append(whole(self, name, content))
        return saved[-1]

    monkeypatch.setattr(files, "AT_ONCE", 1)
    with monkeypatch.context() as broken:
        broken.setattr(PrivateFolder, "_save", full)
        said = "没有恢复：读写时出错（No space left on device）。请检查磁盘空间、权限和存储，再执行一次。"
        assert (run("restore", backup)[::2], len(saved)) == ((1, said), 2)
    assert nothing()
    assert run("restore", backup)[0] == 0
    assert portal.named_files() == set(portal.files())


def test_a_file_that_somebody_else_stored_meanwhile_is_theirs(backup, empty_place, monkeypatch):
    """Another restore into the same storage, for another database: what it has put there is not cleared up by us."""
    whole, theirs = PrivateFolder._save, []

    def save(self, name, content):
        if name.startswith("attachments/") and not theirs:  # of which there is one: several are stored side by side
            theirs.append(whole(self, name, ContentFile(b"theirs")))
        return whole(self, name, content)

    monkeypatch.setattr(PrivateFolder, "_save", save)
    code, _, failure = run("restore", backup)
    assert (code, failure) == (
        1,
        f"还有别的程序在往存储里写（{theirs[0]}），没有恢复，数据库没有改动。请停止系统，再执行一次。",
    )
    assert list(portal.files()) == theirs


def test_files_that_cannot_be_taken_back_are_told(backup, empty_place, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(connection, "check_constraints", lambda: (_ for _ in ()).throw(KeyboardInterrupt()))
        broken.setattr(PrivateFolder, "delete", lambda self, name: (_ for _ in ()).throw(OSError("read only")))
        said = "没有恢复：被中断了。再执行一次即可。4 个已写入的文件没能删除，请再执行一次 sweep_photos。"
        assert run("restore", backup)[::2] == (1, said)
    assert (User.objects.count(), len(portal.files())) == (0, 4)
    assert run("restore", backup, "--keep-files")[0] == 0


def test_a_row_that_names_nobody(backup, empty_place, monkeypatch):
    """Rows that do not fit together are no portal: all of it goes back."""
    load = loading.loader().__class__.load

    def without_people(self, table, columns, segments):
        load(self, table, columns, [] if table == "accounts_user" and list(segments) else segments)

    monkeypatch.setattr(loading.loader().__class__, "load", without_people)
    code, said, failure = run("restore", backup)
    assert (code, failure.startswith("数据库出错或连不上（IntegrityError），没有恢复。")) == (1, True)
    assert nothing()


def test_a_backup_that_changes_after_it_was_looked_at(backup, empty_place, tmp_path, monkeypatch):
    other = tmp_path / "other.backup"
    assert run("backup", "--output", other)[0] == 0
    AuditEntry.objects.all().delete_although_append_only()
    real, opened = restore_command.open_backup, []

    def changing(path):
        opened.append(path)
        return real(other if len(opened) > 1 else path)

    monkeypatch.setattr(restore_command, "open_backup", changing)
    said = "备份文件在核对之后变了，没有恢复。请确认没有别的程序在写它，再执行一次。"
    assert run("restore", backup)[::2] == (1, said)
    assert nothing()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer, and no tables to lock")
def test_a_portal_that_is_still_running(backup, empty_place, monkeypatch):
    monkeypatch.setattr(loading, "LOCK_SECONDS", 1)
    other = connections["default"].copy()
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM accounts_user")
            code, said, failure = run("restore", backup)
    finally:
        other.close()
    assert (code, failure.startswith("数据库出错或连不上（OperationalError），没有恢复。")) == (1, True)
    assert nothing()


def test_photos_in_an_object_store(backup, settings, tmp_path):
    """Out of a folder into a store, and out of the store into a backup of its own."""
    before, was = portal.files(), portal.rows()
    empty_database()
    (tmp_path / "store").mkdir()
    with object_stores.rclone(tmp_path / "store") as endpoint:
        settings.STORAGES = {**settings.STORAGES, "default": object_stores.options(endpoint)}
        assert run("restore", backup)[0] == 0
        assert portal.files() == before
        assert run("backup", "--output", tmp_path / "two")[0] == 0
        assert run("restore", "--verify", tmp_path / "two")[0] == 0
        restored = portal.rows()
    assert {table for table in was if was[table] != restored[table]} == {"accounts_auditentry"}


def test_every_column_with_files_is_known():
    """Their folders as well: the drill fails when a file lies elsewhere."""
    named = [(column.model._meta.label, column.name, column.lost) for column in files.columns()]
    assert named == [
        ("photos.Upload", "file", "lost_at"),
        ("photos.Upload", "preview", "lost_at"),
        ("photos.Portrait", "file", "lost_at"),
        ("plans.Attachment", "file", ""),
    ]


def test_they_say_what_they_do_in_chinese(capsys):
    for command, word in (
        ("backup", "退出码：0完整；1没有做成；2写法不对；3做成了"),
        ("restore", "退出码：0完整；1没有恢复；2写法不对；3恢复了"),
    ):
        with pytest.raises(SystemExit):
            call_command(command, "--help")
        assert word in "".join(capsys.readouterr().out.split())
