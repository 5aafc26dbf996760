"""Every command of ours, found by Django itself: its help is Chinese, --dry-run changes nothing, each end has a sentence."""

import os
import re
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import django
import pytest
from django.apps import apps
from django.core.checks import Error, Warning
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command, find_commands, get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError

from accounts.command_words import in_chinese, wide
from accounts.commands import QUIET_SECONDS, PortalCommand, Progress
from accounts.identity import DocumentType
from competition_portal.command_line import OF_DJANGO, Portal, ours
from competition_portal.variables import VARIABLES
from plans import plan_example
from plans.models import Role
from registrations.columns import COLUMNS
from registrations.workflow import Status
from tests import scenes
from tests.test_worker import database_url

pytestmark = pytest.mark.django_db  # the system checks ask the database once what it can
ROOT = Path(__file__).resolve().parent.parent
OUR_APPS = {"accounts", "competition_portal", "photos", "plans", "profiles", "registrations"}
# One of Django's own that we change a little keeps its options and how it ends.
DJANGOS = set(find_commands(str(Path(django.core.management.__file__).parent)))
NAMES_OF_OURS = sorted(name for name, app in get_commands().items() if app in OUR_APPS and name not in DJANGOS)
# What changes nothing of its own: it writes a file and a number, and takes them away again.
CHANGE_NOTHING = {"doctor"}
# Words that are names: of what is typed, of what is sent, of other people's things.
NAMES_OF_THINGS = set(
    "manage py Ctrl C SIGTERM Python Django Markdown YAML KB COPY PostgreSQL PgBouncer xlsx csv sub dpi u zero".split()
)


def command(name: str) -> PortalCommand:
    return ours()[name] if name in NAMES_OF_OURS else load_command_class(get_commands()[name], name)


def manage(*arguments, **variables):
    """`manage.py` as an operator runs it, on the test's settings: its exit code, what it said, what it complained of."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def test_every_command_of_ours_is_made_on_the_one_base():
    assert sorted(ours()) == NAMES_OF_OURS


# --help -----------------------------------------------------------------------------------------------------------------


def help_of(name: str) -> str:
    return command(name).create_parser("manage.py", name).format_help()


def not_chinese(name: str) -> set[str]:
    """The words of the help that are neither names of options, of places and of values, nor of things."""
    parser = command(name).create_parser("manage.py", name)
    typed = {option for action in parser._actions for option in action.option_strings}
    places = {str(place) for action in parser._actions for place in (action.metavar, action.dest.upper()) if place}
    places |= {action.dest for action in parser._actions if not action.option_strings} | {name}
    choices = {str(choice) for action in parser._actions for choice in action.choices or ()}
    values = {*Role.values, *Status, *DocumentType.values, *COLUMNS, *choices}
    known = {
        word
        for text in {*typed, *places, *values, *VARIABLES, *NAMES_OF_OURS}
        for word in re.findall(r"[A-Za-z]+", text)
    }
    return (
        set(re.findall(r"[A-Za-z]+", parser.format_help()))
        - known
        - NAMES_OF_THINGS
        - {"DJANGO", "SETTINGS", "MODULE", "h", "BJ", "true", "false"}
    )


@pytest.mark.parametrize("name", [*NAMES_OF_OURS, "migrate"])
def test_help_is_chinese(name):
    assert not_chinese(name) == set()
    text = help_of(name)
    assert text.startswith("用法：manage.py " + name)
    assert re.search(r"退出码：0 \S+", text)
    for action in command(name).create_parser("manage.py", name)._actions:
        assert re.search("[\u4e00-\u9fff]", action.help or ""), action


def test_an_english_word_is_seen(monkeypatch):
    monkeypatch.setattr(command("recount").__class__, "help", "Count again.")
    assert not_chinese("recount") == {"Count", "again"}


def test_django_has_no_option_that_we_do_not_have():
    theirs = BaseCommand().create_parser("manage.py", "x")
    mine = PortalCommand().create_parser("manage.py", "x")
    assert {(a.dest, tuple(a.option_strings)) for a in mine._actions} == {
        (a.dest, tuple(a.option_strings)) for a in theirs._actions
    }


def test_migrate_has_the_options_of_djangos_own():
    """Whoever takes the place of Django's `migrate` must not lose one; a new one has no Chinese words yet."""
    theirs = load_command_class("django.core", "migrate").create_parser("manage.py", "migrate")
    mine = command("migrate").create_parser("manage.py", "migrate")
    options = [{(a.dest, tuple(a.option_strings)) for a in parser._actions} for parser in (mine, theirs)]
    assert options[0] == options[1]


def test_lines_are_as_long_as_they_look():
    assert [line for line in help_of("import_plan").splitlines() if wide(line) > 80] == []


# --dry-run --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def scene(plan, occupation, manager, applicant, stranger, tmp_path, monkeypatch):
    """Something for each command to do."""
    scenes.draft(applicant, occupation)
    scenes.registration_at(Status.SUBMITTED, stranger, occupation, manager)
    (tmp_path / "plan.yaml").write_text(plan_example.as_yaml())
    answers = iter(["王晓鸣", "passport", "E12345678"])
    monkeypatch.setattr("builtins.input", lambda prompt="": next(answers))
    u, staff = applicant.username, scenes.person("周敏")
    staff.is_staff = True
    staff.save()
    return {
        "add_committee_member": [plan.code, u, "viewer"],
        "correct_identity": [u, "--reason", "证件换发"],
        "deactivate_account": [u],
        "end_sessions": [u],
        "erase_person": [u],
        "export_registrations": [plan.code, "--output", str(tmp_path / "list.xlsx")],
        "grant_auditor": [u],
        "grant_staff": [u, "--superuser"],
        "import_plan": [str(tmp_path / "plan.yaml")],
        "publish_due": [],
        "purge_expired": [],
        "recount": [],
        "rotate_keys": [],
        "run_worker": ["--once"],
        "send_reminders": [],
        "set_emergency_password": [staff.username],
        "sweep_photos": [],
    }


def everything():
    """Every row of every table, and every file."""
    rows = {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in apps.get_models()}
    return rows, sorted(
        file.name for folder in ("uploads", "portraits", "attachments") for file in default_storage.walk(folder)
    )


# Where there is something already, they refuse.
IN_AN_EMPTY_PLACE = {"demo": [], "seed": ["20", "--yes-seed"]}
# They read the whole database at one moment, or want an empty one: the tests that have such a place rehearse them.
REHEARSED_ELSEWHERE = {"backup", "restore"}
CHANGING = [name for name in NAMES_OF_OURS if name not in CHANGE_NOTHING | REHEARSED_ELSEWHERE]


@pytest.mark.parametrize("name", CHANGING)
def test_a_rehearsal_changes_nothing(name, request):
    assert command(name).rehearsal, f"{name} changes something and has no --dry-run; or put it in CHANGE_NOTHING"
    if name not in IN_AN_EMPTY_PLACE:
        scene = request.getfixturevalue("scene")
        assert name in scene, f"say in `scene` how {name} is run"
    arguments = IN_AN_EMPTY_PLACE[name] if name in IN_AN_EMPTY_PLACE else scene[name]
    before = everything()
    out = StringIO()
    call_command(name, *arguments, "--dry-run", stdout=out)
    assert everything() == before
    assert re.search("将|没有|全部一致", out.getvalue())


@pytest.mark.parametrize("name", sorted(REHEARSED_ELSEWHERE))
def test_what_is_rehearsed_elsewhere_is(name):
    assert command(name).rehearsal
    assert f'run("{name}", "--dry-run"' in (ROOT / "tests/backups/test_commands.py").read_text()


def test_the_comparison_sees_a_change(scene):
    before = everything()
    call_command("grant_staff", *scene["grant_staff"], stdout=StringIO())
    assert everything() != before


# Wrong use --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES_OF_OURS)
def test_an_unknown_option_ends_with_2_and_a_sentence(name, capsys):
    mine = command(name)
    with pytest.raises(SystemExit) as end:
        mine.run_from_argv(["manage.py", name, "--helpp"])
    last = capsys.readouterr().err.splitlines()[-1]
    assert end.value.code == 2
    assert re.search("^(没有这样的选项或参数|缺少)：", last) and last.endswith(("。", "？"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["grant_staff", "u-1", "--revok-e"], "没有这样的选项或参数：--revok-e。是不是要写 --revoke？"),
        (["grant_staff", "u-1", "--xyz"], "没有这样的选项或参数：--xyz。执行时加 --help，可以看到全部选项。"),
        (["grant_staff"], "缺少：ACCOUNT。"),
        (["grant_staff", "u-1", "--force-color", "--no-color"], "--no-color 和 --force-color 不能同时使用。"),
        (["grant_staff", "u-1", "-v", "x"], "-v/--verbosity 要写整数，不能写 x。"),
        (["grant_staff", "u-1", "-v", "9"], "-v/--verbosity 不能写 9。可用：0、1、2、3。"),
        (["grant_staff", "u-1", "--revoke=1"], "选项 --revoke 后面不写值。"),
        (["grant_staff", "u-1", "--s"], "选项 --s 可以是 --settings、--skip-checks、--superuser，请写全。"),
        (["export_registrations", "X", "--output"], "选项 --output 后面要写一个值。"),
        (["export_registrations", "X", "--output", "a", "--format", "pdf"], "--format 不能写 pdf。可用：xlsx、csv。"),
        (["run_worker", "--interval", "x"], "--interval：请写 0.05 到 3600 之间的秒数。"),
        (["run_worker", "--queues", "x"], "没有队列 x。现有：default、messages。"),
    ],
)
def test_wrong_use_says_what_could_have_been_meant(arguments, sentence, capsys, monkeypatch):
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)  # the test's own transaction
    with pytest.raises(SystemExit) as end:
        command(arguments[0]).run_from_argv(["manage.py", *arguments])
    said = capsys.readouterr().err.splitlines()[-1]
    assert (end.value.code, said) == (2, sentence)


def test_what_argparse_may_yet_say_is_a_sentence_too():
    assert in_chinese("something new") == "写法不对（something new）。"


def test_called_by_code_it_raises_what_it_would_have_said():
    with pytest.raises(CommandError) as refusal:
        call_command("grant_staff")
    assert (str(refusal.value), refusal.value.returncode) == ("缺少：ACCOUNT。", 2)


@pytest.fixture
def typed(monkeypatch):
    """`manage.py` with these words, in this process, which has set Django up already: once more would end the log watch."""
    monkeypatch.setattr("django.setup", lambda: None)
    return lambda *words: Portal(["manage.py", *words]).execute()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("grant_staf", "没有命令 grant_staf。是不是要写 grant_staff、"),
        ("xyzzy", "没有命令 xyzzy。执行 python manage.py help，可以看到全部命令。\n"),
    ],
)
def test_an_unknown_command(name, said, typed, capsys):
    with pytest.raises(SystemExit) as end:
        typed(name)
    complaint = capsys.readouterr().err
    assert (end.value.code, complaint.startswith(said), complaint.count("\n")) == (2, True, 1)


def test_the_list_of_commands_names_ours_and_those_of_django_that_operators_need(typed, capsys):
    typed("help")
    listed = re.findall(r"^  (\w+) ", capsys.readouterr().out, re.MULTILINE)
    assert listed == [*NAMES_OF_OURS, *OF_DJANGO]


# Ends that come from outside --------------------------------------------------------------------------------------------


class Cause(Exception):
    sqlstate = "42P01"


def caused(problem):
    problem.__cause__ = Cause()
    return problem


AWAY = "数据库连不上，或中途断开了（{}）。没有写完的那一步已经撤销。请执行 python manage.py doctor 查看原因，恢复后再执行一次。\n"
MIGRATE = "数据库里没有需要的表或列，没有执行。请先执行 python manage.py migrate。\n"


@pytest.mark.parametrize(
    ("problem", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "已中断。做了一半的那一步没有写进数据库；需要时再执行一次。\n"),
        (OperationalError("10.1.2.3 secret-detail"), 1, AWAY.format("OperationalError")),
        (InterfaceError("secret-detail"), 1, AWAY.format("InterfaceError")),
        (OperationalError("no such table: accounts_user"), 1, MIGRATE),
        (caused(ProgrammingError('relation "accounts_user" does not exist')), 1, MIGRATE),
        (CommandError("不行。"), 1, "不行。\n"),
        (CommandError("写错了。", returncode=2), 2, "写错了。\n"),
    ],
)
@pytest.mark.parametrize("name", NAMES_OF_OURS)
def test_each_end_is_one_sentence_and_a_code(name, problem, code, said, capsys, monkeypatch):
    def broken(self, *args, **options):
        raise problem

    mine = command(name)
    monkeypatch.setattr(type(mine), "handle", broken)
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    needed = {
        "add_committee_member": ["X", "u-1"],
        "correct_identity": ["u-1", "--reason", "x"],
        "export_registrations": ["X", "--output", "x"],
        "backup": ["--output", "x"],
        "restore": ["x"],
    }
    takes_an_account = any(action.dest == "account" for action in mine.create_parser("", name)._actions)
    with pytest.raises(SystemExit) as end:
        mine.run_from_argv(["manage.py", name, *needed.get(name, ["u-1"] if takes_an_account else [])])
    assert (end.value.code, capsys.readouterr().err) == (code, said)


@pytest.mark.parametrize("problem", [IntegrityError("ours"), ValueError("ours")])
def test_a_fault_of_ours_is_not_passed_off_as_theirs(problem, monkeypatch):
    def broken(self, *args, **options):
        raise problem

    monkeypatch.setattr(type(command("recount")), "handle", broken)
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    with pytest.raises(type(problem)):
        command("recount").run_from_argv(["manage.py", "recount"])


@pytest.mark.parametrize("problem", [CommandError("x"), OperationalError("x")])
def test_traceback_asks_for_it(problem, monkeypatch):
    def broken(self, *args, **options):
        raise problem

    monkeypatch.setattr(type(command("recount")), "handle", broken)
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    with pytest.raises(type(problem)):
        command("recount").run_from_argv(["manage.py", "recount", "--traceback"])


def test_a_database_that_is_away_by_the_real_road():
    code, out, err = manage("grant_staff", "u-1", DATABASE_URL="postgres://portal:secret-detail@127.0.0.1:1/portal")
    assert (code, out, err.splitlines(keepends=True)[-1]) == (1, "", AWAY.format("OperationalError"))
    # What stands above is the log, a line for each try of the pool.
    assert ("Traceback" in err, "secret-detail" in err) == (False, False)


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_by_the_real_road(applicant):
    """While it waits for the new name."""
    before = everything()
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    arguments = [sys.executable, "manage.py", "correct_identity", applicant.username, "--reason", "证件换发"]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        said = b""
        while "姓名：".encode() not in said:
            letter = process.stdout.read(1)
            assert letter, process.stderr.read().decode()
            said += letter
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
    assert (process.returncode, complaint.decode()) == (
        130,
        "已中断。做了一半的那一步没有写进数据库；需要时再执行一次。\n",
    )
    assert everything() == before


# Progress ---------------------------------------------------------------------------------------------------------------


class Terminal(StringIO):
    def isatty(self):
        return True


def wrapped(out):
    return PortalCommand(stderr=out).stderr


def test_progress_is_a_line_now_and_then(monkeypatch):
    clock = iter([0.0, 1.0, QUIET_SECONDS, QUIET_SECONDS + 1, 2 * QUIET_SECONDS])
    monkeypatch.setattr("accounts.commands.time.monotonic", lambda: next(clock))
    progress = Progress(wrapped(out := StringIO()))
    for number in range(4):
        progress.tell(f"{number} 个")
    progress.end()
    assert out.getvalue() == "1 个\n3 个\n"


def test_progress_renews_its_line_on_a_terminal(monkeypatch):
    clock = iter([0.0, 0.1, 0.3, 0.6])
    monkeypatch.setattr("accounts.commands.time.monotonic", lambda: next(clock))
    progress = Progress(wrapped(out := Terminal()))
    for number in range(3):
        progress.tell(f"{number} 个")
    progress.end()
    assert re.sub(r"\x1b\[\d*(;\d+)?m", "", out.getvalue()) == "\r\x1b[K1 个\r\x1b[K2 个\r\x1b[K"


# Settings that are wrong ------------------------------------------------------------------------------------------------


def test_wrong_settings_end_it_before_it_has_begun(monkeypatch, capsys):
    found = [Error("甲不对。", "请改。", id="x.E001"), Warning("乙", id="x.W001")]
    monkeypatch.setattr("accounts.commands.checks.run_checks", lambda **options: found)
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    monkeypatch.setattr(type(command("recount")), "handle", lambda self, **options: pytest.fail("it has begun"))
    with pytest.raises(SystemExit) as end:
        command("recount").run_from_argv(["manage.py", "recount"])
    assert (end.value.code, capsys.readouterr().err) == (1, "设置有误，没有执行：\n甲不对。请改。（x.E001）\n")
