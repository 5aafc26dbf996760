"""Check all that can be checked without running the tests: every check takes place, and each failure is named."""

import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from scripts.children import ROOT
from scripts.demo_environment import key
from tests.environment import DEFAULTS

# What may be in no tracked file: addresses that differ from machine to machine, and places on one of them.
# The words are split so that this file does not accuse itself.
FORBIDDEN = re.compile(
    "|".join(
        [
            r"pypi\.o" r"rg",
            r"python" r"hosted",
            r"registry\.npm" r"js",
            r"deb\.deb" r"ian\.o" r"rg",
            r"--(extra-)?index" r"-url",
            r"--find" r"-links",
            r"(?<![\w.])/wo" r"rk/",
            r"(?<![\w.])/ro" r"ot\b",
            r"(?<![\w.])/home/\w",
            r"(?<![\w.])/Use" r"rs/\w",
        ]
    )
)


def forbidden(path: str, text: str) -> list[str]:
    """A line for each place where the text has what no tracked file may have."""
    return [
        f"{path}:{number}: {found.group()}"
        for number, line in enumerate(text.splitlines(), start=1)
        if (found := FORBIDDEN.search(line))
    ]


def tracked() -> list[str]:
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in names.split("\0") if name and (ROOT / name).is_file()]


def says_nothing_about_this_machine() -> bool:
    """scripts/lock is allowed its option that keeps addresses out of the lock files."""
    complaints = []
    for name in tracked():
        text = (ROOT / name).read_bytes().decode(errors="replace").replace("--no-emit-index-url", "")
        complaints += forbidden(name, text)
    print("\n".join(complaints))
    return not complaints


def run(*command: str | Path, environment: Mapping[str, str] = DEFAULTS) -> bool:
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}).returncode == 0


def production(folder: Path) -> dict[str, str]:
    """The environment of a portal as it should be: every key random, every address https."""
    platform = "https://id.example.cn"
    common = {name: value for name, value in DEFAULTS.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    return {
        **{name: value.replace("http://127.0.0.1:1", platform) for name, value in common.items()},
        "USE_HTTPS": "true",
        "TRUSTED_PROXIES": "1",
        "ALLOWED_HOSTS": "jnjs.example.cn",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "FIELD_ENCRYPTION_KEYS": f"k1:{key()}",
        "BLIND_INDEX_KEY": key(),
        "OIDC_RP_CLIENT_SECRET": secrets.token_urlsafe(40),
        "DATABASE_URL": "",
        "DATA_DIR": str(folder),
        "STATIC_ROOT": str(folder / "static"),
    }


def checks(folder: Path) -> Iterable[tuple[str, Callable[[], bool]]]:
    programs = Path(sys.executable).parent  # not resolved: .venv/bin holds them, wherever its Python comes from
    manage = partial(run, sys.executable, "-W", "error", "manage.py")
    in_production = partial(manage, environment=production(folder))
    yield "代码规则（ruff check）", partial(run, programs / "ruff", "check", "--quiet")
    yield "代码格式（ruff format）", partial(run, programs / "ruff", "format", "--check", "--quiet", "--diff")
    yield "脚本语法（bash -n）", partial(run, "bash", "-n", "scripts/image", "scripts/lock", "scripts/setup", ".ci/run")
    yield "不含本机的路径和下载地址", says_nothing_about_this_machine
    yield "分层（import-linter）", partial(run, programs / "lint-imports", "--no-cache")
    yield "类型（mypy）", partial(run, programs / "mypy", environment={**DEFAULTS, "DATA_DIR": str(folder)})
    yield "没有漏掉的迁移", partial(in_production, "makemigrations", "--check", "--dry-run", "--verbosity", "1")
    yield "迁移不妨碍使用（squawk 等）", partial(run, sys.executable, "-W", "error", "-m", "scripts.migrations")
    yield "Dockerfile（hadolint）", partial(run, programs / "hadolint", "Dockerfile")
    yield "部署检查（check --deploy）", partial(in_production, "check", "--deploy", "--fail-level", "WARNING")
    yield "静态文件可以收集", partial(in_production, "collectstatic", "--noinput", "--verbosity", "0")


def main() -> int:
    failed = []
    with tempfile.TemporaryDirectory(prefix="portal-lint-") as folder:
        for name, check in checks(Path(folder)):
            print(f"—— {name}", flush=True)
            if not check():
                failed.append(name)
    print(f"没有通过：{'、'.join(failed)}" if failed else "检查全部通过。", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
