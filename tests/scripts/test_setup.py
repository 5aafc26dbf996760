"""The set-up: what it says when there is no Python, and what it does with an interrupted run."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NO_PYTHON = "没有找到 Python 3.12、3.13 或 3.14（要带 venv 和 pip），请先安装 Python 3.13，再运行一次。\n"
INSTALLING = "正在安装依赖（只有第一次和依赖有变化时需要，大约半分钟）……\n"
UNFINISHED = "上一次安装没有完成，重新安装。\n"

# Stands for Python: it serves, makes an environment that holds itself, and writes down what pip is asked.
PYTHON = """#!/bin/sh
case "$*" in
*ensurepip*) exit 0 ;;
"-m venv .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
*"import pip"*) echo .venv/installed-3.13 ;;
*"pip install"*) echo "${0##*/} $*" >>asked; exit "${PIP_ANSWER:-0}" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the script, two lock files, and a PATH in `bin` with nothing but the simplest tools."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup", tmp_path / "scripts")
    for lock in ("requirements-demo.txt", "requirements-dev.txt"):
        (tmp_path / lock).write_text(f"{lock}\n")
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "dirname", "rm", "mkdir", "cp", "cmp", "cat", "grep"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    return tmp_path


def provide(program: Path, text: str = PYTHON) -> None:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(text)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def run(checkout: Path, lock: str = "requirements-demo.txt", **more: str) -> tuple[int, str, str]:
    environment = {"PATH": str(checkout / "bin"), "HOME": str(checkout / "home"), **more}
    answer = subprocess.run([checkout / "scripts" / "setup", lock], env=environment, capture_output=True, text=True)
    return answer.returncode, answer.stdout, answer.stderr


def asked(checkout: Path) -> list[str]:
    return (checkout / "asked").read_text().splitlines() if (checkout / "asked").exists() else []


def install(lock: str) -> str:
    return f"python -m pip install --quiet --quiet --disable-pip-version-check --no-input --require-hashes -r {lock}"


def test_without_a_python_it_says_in_one_line_what_to_install(checkout: Path):
    assert run(checkout) == (1, INSTALLING, NO_PYTHON)
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_too_old_is_none(checkout: Path):
    provide(checkout / "bin" / "python3", "#!/bin/sh\nexit 1\n")
    assert run(checkout) == (1, INSTALLING, NO_PYTHON)


@pytest.mark.parametrize(
    "place",
    ["bin/python3.13", "bin/python3.12", "bin/python3.14", "bin/python3", "home/.pyenv/versions/3.12.1/bin/python3"],
)
def test_a_python_is_found_where_it_usually_is(checkout: Path, place: str):
    provide(checkout / place)
    assert run(checkout) == (0, INSTALLING, "")
    assert asked(checkout) == [install("requirements-demo.txt")]


def test_a_name_that_does_not_start_is_passed_over(checkout: Path):
    """pyenv's shims are there for every version and fail for those that are not chosen."""
    provide(checkout / "bin" / "python3.13", "#!/bin/sh\nexit 127\n")
    provide(checkout / "bin" / "python3.12")
    assert run(checkout) == (0, INSTALLING, "")


def test_once_installed_it_does_nothing_until_the_lock_changes(checkout: Path):
    provide(checkout / "bin" / "python3.13")
    assert [run(checkout), run(checkout)] == [(0, INSTALLING, ""), (0, "", "")]
    (checkout / "requirements-demo.txt").write_text("changed\n")
    assert [run(checkout), run(checkout)] == [(0, INSTALLING, ""), (0, "", "")]
    assert asked(checkout) == [install("requirements-demo.txt")] * 2


def test_the_development_lock_serves_the_demo_too(checkout: Path):
    provide(checkout / "bin" / "python3.13")
    assert run(checkout, "requirements-dev.txt") == (0, INSTALLING, "")
    assert run(checkout, "requirements-demo.txt") == (0, "", "")
    assert asked(checkout) == [install("requirements-dev.txt")]


def test_a_failed_installation_says_so_and_is_done_anew(checkout: Path):
    provide(checkout / "bin" / "python3.13")
    failed = "安装依赖没有成功，原因见上面几行；多半是网络不通，请检查后再运行一次。\n"
    assert run(checkout, PIP_ANSWER="1") == (1, INSTALLING, failed)
    (checkout / ".venv" / "torso").touch()
    assert run(checkout) == (0, UNFINISHED + INSTALLING, "")
    assert not (checkout / ".venv" / "torso").exists()
    assert run(checkout) == (0, "", "")


def test_two_at_once_do_not_tear_each_other_down(checkout: Path):
    provide(checkout / "bin" / "python3.13")
    provide(checkout / "bin" / "ps", "#!/bin/sh\necho sh scripts/setup requirements-dev.txt\n")
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "unfinished").write_text(f"{os.getpid()}\n")
    assert run(checkout) == (1, "", "另一个窗口正在安装依赖，请等它装完再运行。\n")
    assert (checkout / ".venv" / "unfinished").exists()
