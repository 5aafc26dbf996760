"""Find an nginx for the tests of delivery, and fetch one where that is possible; nothing is installed or started."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from scripts.children import ROOT

FETCHED = ROOT / ".var" / "nginx"
MISSING = "没有找到 nginx，也没能取到。请先安装 nginx（或用环境变量 NGINX 写明它的路径），再运行一次。"


def starts(program: str) -> bool:
    try:
        return subprocess.run([program, "-v"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find_nginx(environment: Mapping[str, str] = os.environ, fetched: Path = FETCHED) -> str | None:
    """The program named by NGINX, on PATH, where systems keep it from ordinary people, or fetched; or None."""
    path = os.pathsep.join([environment.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    for name in filter(None, [environment.get("NGINX"), "nginx", str(fetched / "usr" / "sbin" / "nginx")]):
        program = shutil.which(name, path=path)
        if program and starts(program):
            return program
    return None


def fetch(folder: Path = FETCHED) -> None:
    """Unpack Debian's package in a folder: installed, it would begin to serve on port 80."""
    with tempfile.TemporaryDirectory(prefix="portal-nginx-") as place:
        quiet = {"cwd": place, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        download = ["apt-get", "-qq", "download", "nginx"]
        if subprocess.run(download, **quiet).returncode != 0:  # type: ignore[call-overload]
            subprocess.run(["apt-get", "-qq", "update"], **quiet)  # type: ignore[call-overload]
            subprocess.run(download, **quiet)  # type: ignore[call-overload]
        for package in Path(place).glob("nginx_*.deb"):
            subprocess.run(["dpkg-deb", "--extract", package.name, str(folder)], **quiet)  # type: ignore[call-overload]


def provide() -> str:
    """An nginx that starts, or SystemExit with a sentence."""
    found = find_nginx()
    if found is None and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        print("正在取测试需要的 nginx（只有第一次需要）……", flush=True)
        fetch()
        found = find_nginx()
    if found is None:
        raise SystemExit(MISSING)
    return found
