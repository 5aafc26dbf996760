"""The image without a container engine: the Dockerfile's own lines, carried out in an empty folder, and served from there.

Only in the PostgreSQL run: it installs everything once more, and is asked with the database of production.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from scripts.lint import production
from tests.deploy.sites import free_ports, running
from tests.test_worker import database_url
from tests.waiting import until

ROOT = Path(__file__).resolve().parent.parent.parent
DOCKERFILE = ROOT / "Dockerfile"
NUMBER = 10001  # as whom the image runs
once = pytest.mark.skipif("sqlite" in os.environ.get("DATABASE_URL", "sqlite"), reason="installs all once more: once")


def lines() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, rest), a line that goes on taken as one."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.split(maxsplit=1)[1].strip()) for line in text.splitlines() if line.strip()]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for instruction, rest in lines():
        if instruction == "FROM":
            found.append([])
        found[-1].append((instruction, rest))
    return found


def only(instruction: str) -> str:
    [rest] = [rest for name, rest in stages()[-1] if name == instruction]
    return rest


@dataclass(frozen=True)
class Image:
    """A folder that stands for the image's root, and the environment that its ENV lines make."""

    root: Path
    environment: dict[str, str]

    @property
    def app(self) -> Path:
        return self.root / only("WORKDIR").lstrip("/")

    def command(self, *arguments: str) -> list[str]:
        """As the image's user, who may write nowhere in it. Only as root can another user be had: else it is ours.

        What is kept of root is the right to read and to search: this machine's Python may lie where only root looks.
        """
        words = [str(self.root / "opt/portal/bin/python"), *arguments]
        if os.geteuid():
            return words
        user = ["setpriv", "--reuid", str(NUMBER), "--regid", str(NUMBER), "--clear-groups", "--no-new-privs"]
        rights = "+dac_read_search"
        return [
            *user,
            "--inh-caps",
            f"-all,{rights}",
            "--ambient-caps",
            rights,
            "--bounding-set",
            f"-all,{rights}",
            *words,
        ]

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd=self.app, env=self.environment | variables, capture_output=True, text=True
        )


def build(folder: Path) -> Path:
    """Each stage in a folder of its own: COPY copies, RUN runs the script with that folder as its root."""
    roots = []
    arguments: dict[str, str] = {}
    for stage in stages():
        roots.append(folder / f"stage{len(roots)}")
        for instruction, rest in stage:
            if instruction == "ARG":
                name, _, value = rest.partition("=")
                arguments[name] = value
            elif instruction == "COPY":
                copy(rest, roots, arguments)
            elif instruction == "RUN":
                run(rest, roots[-1])
    return roots[-1]


def copy(rest: str, roots: list[Path], arguments: dict[str, str]) -> None:
    *options, source, target = rest.split()
    for name, value in arguments.items():
        source = source.replace(f"${{{name}}}", value)
    origin = roots[0] if options == ["--from=build"] else ROOT
    there = roots[-1] / target.lstrip("/")
    if target.endswith("/"):
        there = there / Path(source).name
    there.parent.mkdir(parents=True, exist_ok=True)
    if (origin / source.lstrip("/")).is_dir():
        caches = () if options else ("__pycache__", "*.pyc")  # .dockerignore
        shutil.copytree(origin / source.lstrip("/"), there, symlinks=True, ignore=shutil.ignore_patterns(*caches))
    else:
        shutil.copy2(origin / source.lstrip("/"), there)


def run(rest: str, root: Path) -> None:
    words = [word for word in shlex.split(rest) if not word.startswith("--mount=type=bind,source=scripts/image")]
    script, *arguments = words
    assert script in {"/build/image", "/tmp/image"}, f"RUN does more than call scripts/image: {rest}"
    arguments = [str(root / word.lstrip("/")) if word.startswith("/") else word for word in arguments]
    base = Path(sys._base_executable).parent  # type: ignore[attr-defined]
    environment = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTP"))}
    environment |= {"PATH": f"{base}:/usr/sbin:/usr/bin:/sbin:/bin", "ROOT": str(root)}
    answer = subprocess.run(
        ["sh", str(ROOT / "scripts/image"), *arguments], cwd=root, env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr


def tree(root: Path) -> dict[str, tuple[int, float]]:
    return {
        str(path.relative_to(root)): (path.lstat().st_size, path.lstat().st_mtime)
        for path in root.rglob("*")
        if "srv/portal/data" not in str(path)
    }


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    folder = Path(tempfile.mkdtemp(prefix="portal-image-"))
    folder.chmod(0o755)
    try:
        root = build(folder)
        for path in [root, *root.rglob("*")]:
            if not path.is_symlink() and "srv/portal/data" not in str(path):
                path.chmod(path.stat().st_mode & ~0o222)  # read_only: true
        data = root / "srv/portal/data"
        told = dict(word.split("=", 1) for word in shlex.split(only("ENV")))
        environment = production(data) | {name: value for name, value in told.items() if name != "PATH"}
        environment |= {"DATA_DIR": str(data), "PATH": f"{root}/opt/portal/bin:/usr/bin:/bin"}
        environment.pop("STATIC_ROOT")
        environment["ALLOWED_HOSTS"] = "jnjs.example.cn"
        yield Image(root, environment)
    finally:
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(folder)


# What the Dockerfile says ---------------------------------------------------------------------------------------------


def test_what_is_not_copied_is_not_even_sent_to_the_builder() -> None:
    copied = {rest.split()[0] for name, rest in lines() if name == "COPY" and not rest.startswith("--from")}
    copied = {word.replace("${LOCK}", "requirements*.txt") for word in copied}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied
    assert [line for line in ignored if not line.startswith(("!", "#", "**/"))] == ["*"]


def test_every_app_of_the_portal_is_copied() -> None:
    copied = {rest.split()[0] for name, rest in lines() if name == "COPY"}
    apps = {path.parent.name for path in ROOT.glob("*/migrations")} - {"identity_sandbox"}
    assert apps == apps & copied


def test_both_stages_stand_on_one_base_of_a_fixed_version_and_run_as_nobody_special() -> None:
    bases = {rest.split()[0] for name, rest in lines() if name == "FROM"}
    [base] = bases
    assert re.fullmatch(r"python:3\.13(\.\d+)?-slim-bookworm", base)
    assert only("USER") == f"{NUMBER}:{NUMBER}"


# What comes out -------------------------------------------------------------------------------------------------------


def holds_what_runs_and_nothing_that_builds(image: Image) -> None:
    packages = next(image.root.glob("opt/portal/lib/python3*/site-packages"))
    assert [name for name in ("pip", "setuptools", "pytest", "oauth2_provider") if (packages / name).exists()] == []
    assert {path.name for path in (packages / "botocore/data").iterdir() if path.is_dir()} == {"s3"}
    assert {path.name for path in image.app.iterdir()} == {
        *{path.parent.name for path in ROOT.glob("*/migrations")} - {"identity_sandbox"},
        *{"deploy", "manage.py", "static", "templates", ".static", "__pycache__"},
    }
    compiled = {path.with_suffix("").stem for path in image.app.glob("plans/__pycache__/*.pyc")}
    assert compiled == {path.stem for path in image.app.glob("plans/*.py")}
    size = sum(path.lstat().st_size for path in image.root.rglob("*")) / 1e6
    assert size < 200, f"{size:.0f} MB on top of the base"


@once
@pytest.mark.django_db(transaction=True)
def test_it_holds_what_runs_and_serves_from_a_tree_that_its_user_cannot_write(image: Image, tmp_path: Path) -> None:
    """One test: what comes out is made once."""
    holds_what_runs_and_nothing_that_builds(image)
    before = tree(image.root)
    database = {"DATABASE_URL": database_url()}
    denied = image.run("-c", "open('manage.py', 'a')")
    assert "PermissionError" in denied.stderr, denied
    checked = image.run("-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING", **database)
    assert (checked.returncode, checked.stdout) == (0, "System check identified no issues (0 silenced).\n"), checked
    worked = image.run("manage.py", "run_worker", "--once", **database)
    assert worked.returncode == 0, worked.stderr

    [port] = free_ports(1)
    _, *serve = [word.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for word in json.loads(only("CMD"))]
    interval, command = only("HEALTHCHECK").split(" CMD ")
    _, *probe = [word.replace("8000", str(port)) for word in json.loads(command)]
    assert image.run(*probe).returncode == 1  # nobody there yet
    environment = image.environment | database | {"PYTHONPATH": str(image.app)}
    with (tmp_path / "gunicorn.log").open("w") as log:
        command = ["env", f"--chdir={image.app}", *image.command(*serve)]
        with running(command, port, log=log, environment=environment):
            until(lambda: image.run(*probe).returncode == 0)
            origin = f"http://127.0.0.1:{port}"
            assert requests.get(f"{origin}/healthz", timeout=30).json() == {"status": "ok"}
            ready = requests.get(f"{origin}/readyz", timeout=30).json()
            assert ready["status"] == "ok", ready
            assert (ready["checks"]["database"], ready["checks"]["migrations"]) == ("ok", "ok")
            https = {"Host": "jnjs.example.cn", "X-Forwarded-Proto": "https"}
            page = requests.get(f"{origin}/", headers=https, timeout=30)
            assert "<title>" in page.text and "个人登录" in page.text, page.text[:500]
            [style, *_] = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
            sheet = requests.get(origin + style, headers=https, timeout=30)
            assert re.search(r"\.[0-9a-f]{12}\.css$", style)
            assert (sheet.headers["Content-Type"], "immutable" in sheet.headers["Cache-Control"]) == (
                'text/css; charset="utf-8"',
                True,
            )
    assert image.run(*probe).returncode == 1
    assert tree(image.root) == before, "something was written into the image"
    with socket.socket() as visitor:
        assert visitor.connect_ex(("127.0.0.1", port))
