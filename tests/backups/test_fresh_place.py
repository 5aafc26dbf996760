"""From one machine to another: a database without tables, an empty folder, the commands as an operator types them.

On SQLite into a new file. On PostgreSQL into a new database, from there into SQLite, and from SQLite back into PostgreSQL:
whatever it went through, every row and every file is the same.
"""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as portal_settings
from django.core.files.storage import default_storage
from django.db import connection

from tests.backups import portal
from tests.backups.portal import KEYS, Full, run

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent.parent
NEW = ["restored_one", "restored_two"]


class Elsewhere:
    """A portal of its own: a database, by its address, and a folder."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DATABASE_URL": url,
            "DATA_DIR": str(folder),
            "BACKUP_KEYS": portal.text_of(KEYS),
            "DJANGO_SETTINGS_MODULE": "competition_portal.settings",
            "STATIC_ROOT": str(folder / "static"),
        }

    def manage(self, *arguments, code=0, **options):
        done = subprocess.run(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=ROOT, env=self.environment, capture_output=True, timeout=200, **options,
        )  # fmt: skip
        assert done.returncode == code, done.stderr.decode()
        return done

    def files(self):
        return {
            path.relative_to(self.folder / "private").as_posix(): path.read_bytes()
            for path in (self.folder / "private").rglob("*")
            if path.is_file()
        }


def address(name):
    """The run's server, with another database's name at the end."""
    return re.sub(r"/[^/?]*(?=\?|$)", f"/{name}", os.environ["DATABASE_URL"], count=1)


@contextmanager
def another(name):
    """This test's server with another of its databases, without the pool of ours."""
    own = connection.copy()
    own.settings_dict["NAME"] = name
    own.settings_dict["OPTIONS"] = {k: v for k, v in own.settings_dict["OPTIONS"].items() if k != "pool"}
    yield own
    own.close()


@pytest.fixture
def new_databases():
    with connection.cursor() as cursor:
        for name in NEW:
            cursor.execute(f"CREATE DATABASE {name}")
    yield NEW
    with connection.cursor() as cursor:
        for name in NEW:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def source(tmp_path):
    """The backup, its rows, its files. Carried exports have files that are in no backup."""
    Full()
    path = tmp_path / "one.backup"
    assert run("backup", "--output", path)[0] == 0
    rows = portal.rows()
    rows["accounts_auditentry"] = [line for line in rows["accounts_auditentry"] if "backup.made" not in line]
    return path, rows, {name: content_of(name) for name in portal.files()}


def content_of(name):
    with default_storage.open(name) as content:
        return content.read()


def without_restores(rows):
    lines = [line for line in rows["accounts_auditentry"] if "backup." not in line]
    return {**rows, "accounts_auditentry": lines}


def sqlite_rows(path):
    """Of a file that no connection of this process knows."""
    from django.db.backends.sqlite3.base import DatabaseWrapper

    own = DatabaseWrapper({**portal_settings.DATABASES["default"], "NAME": str(path), "OPTIONS": {}, "TIME_ZONE": None})
    return portal.rows(own)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the other way begins with PostgreSQL")
def test_into_a_new_file(source, tmp_path):
    path, rows, files = source
    there = Elsewhere("", tmp_path / "there")
    with path.open("rb") as content:
        said = there.manage("restore", "-", stdin=content).stdout.decode()
    assert "已恢复" in said
    assert without_restores(sqlite_rows(tmp_path / "there/portal.sqlite3")) == rows
    assert there.files() == files
    piped = there.manage("backup", "--output", "-")
    assert "写在标准输出。" in piped.stderr.decode()
    there.manage("restore", "--verify", "-", input=piped.stdout)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "manage.py", "backup", "--output", "-"],
            cwd=ROOT, env=there.environment, stdout=full, stderr=subprocess.PIPE, timeout=200,
        )  # fmt: skip
    said = "没有做成备份：读写时出错（No space left on device）。请检查磁盘空间、权限和存储，再执行一次。"
    assert (done.returncode, said in done.stderr.decode()) == (1, True)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs a server that makes new databases")
def test_through_both_databases(source, tmp_path, new_databases):
    path, rows, files = source
    one = Elsewhere(address(NEW[0]), tmp_path / "one")
    one.manage("restore", path)
    with another(NEW[0]) as own:
        assert without_restores(portal.rows(own)) == rows
    assert one.files() == files
    one.manage("migrate", "--check")

    two = Elsewhere("", tmp_path / "two")
    two.manage("restore", path)
    two.manage("backup", "--output", tmp_path / "two.backup")
    three = Elsewhere(address(NEW[1]), tmp_path / "three")
    three.manage("restore", tmp_path / "two.backup")
    with another(NEW[1]) as own:
        assert without_restores(portal.rows(own)) == rows
        with own.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgname = 'append_only'")
            assert cursor.fetchone()[0] == 3
    assert (two.files(), three.files()) == (files, files)
