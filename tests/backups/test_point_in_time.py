"""Point-in-time recovery as docs/operations/backup.md tells it: write, note the time, write more, go back, look.

In the PostgreSQL run only: it is about that server and nothing else, and takes half a minute.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from scripts.postgres import Cluster, installed_for_us
from tests.backups.test_fresh_place import Elsewhere

pytestmark = pytest.mark.skipif(
    not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"), reason="once, in the PostgreSQL run"
)

ARCHIVING = """
archive_mode = on
archive_command = 'test ! -f {archive}/%f && cp %p {archive}/%f.tmp && sync {archive}/%f.tmp && mv {archive}/%f.tmp {archive}/%f'
archive_timeout = 60
"""
GOING_BACK = """
restore_command = 'cp {archive}/%f %p'
recovery_target_time = '{moment}'
recovery_target_action = 'promote'
"""
FIRST = """
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from accounts.audit import record
from accounts.models import User
from photos.models import Upload
owner = User.objects.create(username="u-somebody")
for number in range(2):
    name = default_storage.save(f"uploads/2026/{number}.jpg", ContentFile(b"..."))
    print(Upload.objects.create(owner=owner, file=name, width=1, height=1).pk)
record("somebody", "before the mistake")
"""
MISTAKE = """
from photos.models import Upload, remove_file
from accounts.audit import record
gone = Upload.objects.get(file="uploads/2026/0.jpg")
gone.delete()
remove_file("uploads/2026/0.jpg")
record("somebody", "the mistake")
"""


class Server:
    """A server of the wheel in a folder of its own, with an archive beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.archive, self.data = folder, folder / "archive", folder / "data"
        self.programs, self.identity = installed_for_us(folder)
        self.run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=portal", "-D", self.data)
        self.archive.mkdir()
        shutil.chown(self.archive, self.identity.get("user"), self.identity.get("group")) if self.identity else None
        self.add(self.data / "postgresql.conf", ARCHIVING)

    def run(self, program, *arguments):
        subprocess.run(
            [self.programs / program, *arguments],
            check=True, cwd=self.folder, stdout=subprocess.DEVNULL, timeout=120, **self.identity,
        )  # fmt: skip

    def add(self, path, text, **words):
        with path.open("a") as file:
            file.write(text.format(archive=self.archive, **words))

    def serving(self, data):
        return Cluster(self.folder, self.programs, self.identity, data=data.name).running()

    def ask(self, statement):
        with psycopg.connect(host=str(self.folder), user="portal", dbname="postgres", autocommit=True) as server:
            return server.execute(statement).fetchone()[0]

    def wait_for(self, statement):
        until = time.monotonic() + 60
        while not self.ask(statement):
            assert time.monotonic() < until, statement
            time.sleep(0.1)


@pytest.fixture
def server():
    folder = Path(tempfile.mkdtemp(prefix="portal-wal-"))  # short: the socket lies in it
    yield Server(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_back_to_the_moment_before_a_mistake(server, tmp_path):
    portal = Elsewhere(f"postgres://portal@/{server.folder}/postgres", tmp_path)
    base = server.folder / "base"
    with server.serving(server.data):
        portal.manage("migrate", "-v0")
        server.run("pg_basebackup", "-h", server.folder, "-U", "portal", "-D", base, "--checkpoint=fast", "-Xs")
        lost, _ = portal.manage("shell", "-v0", "-c", FIRST).stdout.decode().split()
        moment = server.ask("SELECT clock_timestamp()::text")
        portal.manage("shell", "-v0", "-c", MISTAKE)
        assert server.ask("SELECT count(*) FROM photos_upload") == 1
        last = server.ask("SELECT pg_walfile_name(pg_switch_wal())")
        server.wait_for(f"SELECT last_archived_wal >= '{last}' FROM pg_stat_archiver")

    server.add(base / "postgresql.auto.conf", GOING_BACK, moment=moment)
    (base / "recovery.signal").touch()
    if server.identity:
        os.chown(base / "recovery.signal", server.identity["user"], server.identity["group"])
    with server.serving(base):
        server.wait_for("SELECT NOT pg_is_in_recovery()")
        assert server.ask("SELECT array_agg(verb) FROM accounts_auditentry") == ["before the mistake"]
        assert server.ask("SELECT count(*) FROM photos_upload") == 2
        # The database is as it was, the storage is as it is: what differs is named, to be fetched from its old version.
        swept = portal.manage("sweep_photos", "--dry-run", code=1)
    assert f"文件丢失：照片原件 {lost}" in swept.stdout.decode()
    assert "有 1 条记录的文件丢失，请从备份恢复这些文件" in swept.stderr.decode()
