"""`migrate` on a PostgreSQL that is being used: two at once, a table that somebody holds, a pooler in between.

Only PostgreSQL: SQLite has one writer, and nothing of this to promise.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, migrations
from django.db.migrations.loader import MigrationLoader

from accounts.online import in_batches
from competition_portal import migrating
from plans.models import Plan
from tests import scenes
from tests.test_worker import database_url

ROOT = Path(__file__).resolve().parent.parent
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("sqlite" in os.environ.get("DATABASE_URL", "sqlite"), reason="only PostgreSQL: its own locks"),
]

# A later release: apps of their own, whose migrations take a while, hold a table or build an index beside.
LATER = """
from django.db import migrations, models
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]),
                  migrations.RunSQL("SELECT pg_sleep(3)")]
"""
BESIDE = """
from django.db import migrations, models
from accounts.online import AddIndexOnline
class Migration(migrations.Migration):
    atomic = False
    dependencies = [("later", "0001_initial")]
    operations = [AddIndexOnline("thing", models.Index(fields=["name"], name="thing_name"))]
"""
SETTINGS = 'from tests.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, "later"]\n'
HOLDING = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("later", "0002_beside")]
    operations = [migrations.RunSQL("ALTER TABLE later_thing ADD COLUMN extra integer")]
"""


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Path]:
    """An app that the portal does not have yet, in a folder of its own; its table and its records go afterwards."""
    folder = tmp_path / "later" / "migrations"
    folder.mkdir(parents=True)
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    (folder / "0001_initial.py").write_text(LATER)
    (folder / "0002_beside.py").write_text(BESIDE)
    (tmp_path / "later_settings.py").write_text(SETTINGS)
    yield tmp_path
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS later_thing; DELETE FROM django_migrations WHERE app = 'later'")


def migrate(folder: Path, **variables: str) -> subprocess.Popen[str]:
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "later_settings"}
    environment |= {"PYTHONPATH": f"{folder}:{ROOT}", **variables}
    command = [sys.executable, "-m", "django", "migrate", "--no-color"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def recorded() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM django_migrations WHERE app = 'later' ORDER BY id")
        return [name for (name,) in cursor.fetchall()]


def test_of_two_at_once_the_second_waits_and_finds_nothing_left_to_do(later: Path) -> None:
    first, second = migrate(later), migrate(later)
    answers = [process.communicate(timeout=90) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], answers
    # Whichever came first: each migration was applied by one of them, once.
    applied = sorted(output.count("Applying later.") for output, _ in answers)
    assert (applied, recorded()) == ([0, 2], ["0001_initial", "0002_beside"])
    waited = [errors for output, errors in answers if "Applying later." not in output]
    assert waited == ["另一个 migrate 正在执行，等它结束……\n"]


def somebody() -> psycopg.Connection:
    database = connection.settings_dict
    asked = {"host": database["HOST"], "port": database["PORT"], "user": database["USER"], "dbname": database["NAME"]}
    asked |= {"password": database["PASSWORD"], "application_name": "somebody"}
    return psycopg.connect(**{name: value for name, value in asked.items() if value})


@contextmanager
def held(table: str) -> Iterator[threading.Event]:
    """Somebody's transaction that keeps a lock on the table, until the event is set or the context left."""
    has_it, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with somebody() as other:
            other.execute(f"LOCK TABLE {table} IN SHARE MODE")
            has_it.set()
            enough.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert has_it.wait(10)
        yield enough
    finally:
        enough.set()
        thread.join()


def test_a_table_that_is_held_for_a_while_is_waited_for_in_short_tries(later: Path) -> None:
    first = migrate(later)
    first.communicate(timeout=90)
    assert first.returncode == 0
    (later / "later" / "migrations" / "0003_holding.py").write_text(HOLDING)
    with held("later_thing") as enough:
        process = migrate(later, MIGRATION_LOCK_TIMEOUT="1")
        assert process.stderr is not None
        said = process.stderr.readline()
        enough.set()
        output, errors = process.communicate(timeout=90)
    assert said == "1 秒内没有拿到表的锁，有别的事务正占着它，已放手让别人先用，2 秒后再试（第 1 次，共 5 次）……\n"
    assert (process.returncode, recorded()[-1]) == (0, "0003_holding"), (output, errors)


def test_who_gets_no_lock_says_who_holds_it_and_leaves_nothing_half_done(later: Path, monkeypatch) -> None:
    monkeypatch.setattr(migrating, "ATTEMPTS", 1)
    said: list[str] = []

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE plans_plan ADD COLUMN extra integer")

    with held("plans_plan"):
        migrating.bound(connection, 1, 60)
        with pytest.raises(CommandError) as refusal:
            migrating.with_patience(connection, work, said.append, 1)
        migrating.free(connection)
    assert str(refusal.value).startswith(
        "迁移1 秒内没有拿到表的锁，有别的事务正占着它，试了 1 次。这一项没有改动，系统照常使用。现在进程 "
    )
    assert "（somebody）的事务已经开了 " in str(refusal.value)
    assert str(refusal.value).endswith("SELECT pg_terminate_backend(进程号)，然后再执行一次 migrate。")
    assert said == []


def test_one_step_of_a_transaction_is_bounded_and_batches_are_not() -> None:
    bounds = {}
    for atomic in (True, False):
        migrating.bound_for(connection, SimpleNamespace(atomic=atomic), 5, 60)  # type: ignore[arg-type]
        bounds[atomic] = migrating.ask(
            connection, "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"
        )
    migrating.free(connection)
    assert bounds == {True: [("5s", "1min")], False: [("5s", "0")]}
    assert migrating.ask(connection, "SELECT current_setting('lock_timeout')") == [("0",)]


def test_a_step_that_takes_too_long_is_called_off_with_its_cure() -> None:
    def work() -> None:
        migrating.ask(connection, "SELECT pg_sleep(5)")

    migrating.bound(connection, 5, 1)
    try:
        with pytest.raises(CommandError, match="迁移的一步超过了 MIGRATION_STATEMENT_TIMEOUT，已经撤销"):
            migrating.with_patience(connection, work, print, 5)
    finally:
        migrating.free(connection)


def test_what_is_no_matter_of_patience_is_not_tried_again() -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        raise OperationalError("the disk is full")

    with pytest.raises(OperationalError, match="the disk is full"):
        migrating.with_patience(connection, work, print, 5)
    assert tries == [1]


def test_another_one_that_never_ends_is_waited_for_with_an_end(capsys) -> None:
    with somebody() as other:
        other.execute("SELECT pg_advisory_lock(%s)", (migrating.LOCK,))
        waiting = migrating.alone(connection, print, patience=1)
        with pytest.raises(CommandError, match="另一个 migrate 已经执行了 1 秒还没有结束，没有改动。"), waiting:
            pass
    assert capsys.readouterr().out == "另一个 migrate 正在执行，等它结束……\n"


def test_a_pooler_in_between_is_refused(monkeypatch) -> None:
    """A pooler tells its clients a number of its own making, as this connection does."""
    connection.ensure_connection()
    stranger = SimpleNamespace(info=SimpleNamespace(backend_pid=1), closed=False)
    with monkeypatch.context() as patch:
        patch.setattr(migrating, "ask", lambda *question: [(4711,)])
        pretended = SimpleNamespace(ensure_connection=lambda: None, connection=stranger)
        with pytest.raises(CommandError, match="migrate 要直接连接 PostgreSQL，现在中间隔着连接池"):
            migrating.refuse_a_pooler(pretended)  # type: ignore[arg-type]
    migrating.refuse_a_pooler(connection)


def test_the_command_asks_who_is_there_before_it_does_anything(monkeypatch) -> None:
    def refuse(asked: object) -> None:
        raise CommandError("somebody is in between")

    monkeypatch.setattr(migrating, "refuse_a_pooler", refuse)
    with pytest.raises(CommandError, match="somebody is in between"):
        call_command("migrate", verbosity=0)


def test_a_migration_in_one_transaction_is_called_off_when_it_takes_too_long(later: Path) -> None:
    process = migrate(later, MIGRATION_STATEMENT_TIMEOUT="1")  # it sleeps for three
    output, errors = process.communicate(timeout=90)
    assert (process.returncode, recorded()) == (1, []), (output, errors)
    assert errors.endswith("请在使用的人少的时候，把它调大后再执行一次 migrate。\n")
    assert migrating.ask(connection, "SELECT to_regclass('later_thing')") == [(None,)]


def test_it_says_nothing_and_does_nothing_where_all_is_done(capsys) -> None:
    call_command("migrate", verbosity=0)
    assert capsys.readouterr() == ("", "")
    assert migrating.ask(connection, "SELECT current_setting('lock_timeout')") == [("0",)]


def test_batches_change_every_row_once_in_transactions_of_their_own() -> None:
    plans = [scenes.open_plan() for _ in range(5)]
    Plan.objects.update(place="old")
    sizes = []

    def change(rows):
        sizes.append(rows.filter(place="old").update(place="new"))

    migration = migrations.Migration("9999_batches", "plans")
    migration.operations, migration.atomic = [in_batches("plans", "Plan", change, size=2)], False
    with connection.schema_editor(atomic=False) as editor:
        migration.apply(MigrationLoader(connection).project_state(), editor)
    assert (sizes, Plan.objects.filter(place="new").count()) == ([2, 2, 1], len(plans))
