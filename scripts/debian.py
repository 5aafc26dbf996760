"""Find the servers that stand around the portal, and fetch Debian's where that is possible; nothing is installed or started."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.children import ROOT

FETCHED = ROOT / ".var" / "debian"
PLACES = ("usr/sbin", "usr/bin")


@dataclass(frozen=True)
class Server:
    """A program that the tests of delivery run, the package that has it, and those of its libraries."""

    name: str
    package: str
    version: str = "-v"  # the option that makes it say its version and end
    libraries: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable by which another one can be named."""
        return self.name.upper().replace("-", "_")

    @property
    def missing(self) -> str:
        return (
            f"没有找到 {self.name}，也没能取到。"
            f"请先安装 {self.package}（或用环境变量 {self.variable} 写明它的路径），再运行一次。"
        )


NGINX = Server("nginx", "nginx")
HAPROXY = Server("haproxy", "haproxy", libraries=("liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"))
# The server's package has a link alone: the program is in that of the tools.
REDIS = Server("redis-server", "redis-server", "--version", ("redis-tools", "libjemalloc2", "liblzf1", "libatomic1"))
PGBOUNCER = Server("pgbouncer", "pgbouncer", "--version", ("libc-ares2", "libevent-2.1-7"))
PROMETHEUS = Server("prometheus", "prometheus", "--version")
PROMTOOL = Server("promtool", "prometheus", "--version")
SERVERS = (NGINX, HAPROXY, REDIS, PGBOUNCER, PROMETHEUS, PROMTOOL)


def surroundings(environment: Mapping[str, str] = os.environ, fetched: Path = FETCHED) -> dict[str, str]:
    """The environment in which a fetched program finds its libraries: behind the system's own, should both be there."""
    folders = [environment.get("LD_LIBRARY_PATH", ""), *map(str, sorted(fetched.glob("usr/lib/*-linux-gnu*")))]
    return {**environment, "LD_LIBRARY_PATH": os.pathsep.join(filter(None, folders))}


def starts(program: str, option: str, fetched: Path = FETCHED) -> bool:
    environment = surroundings(fetched=fetched)
    try:
        return subprocess.run([program, option], env=environment, capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find(server: Server, environment: Mapping[str, str] = os.environ, fetched: Path = FETCHED) -> str | None:
    """The program named by its variable, on PATH, where systems keep it from ordinary people, or fetched; or None."""
    path = os.pathsep.join([environment.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    ours = [str(fetched / place / server.name) for place in PLACES]
    for name in filter(None, [environment.get(server.variable), server.name, *ours]):
        program = shutil.which(name, path=path)
        if program and starts(program, server.version, fetched):
            return program
    return None


def fetch(server: Server, folder: Path = FETCHED) -> None:
    """Unpack Debian's packages in a folder: installed, they would begin to serve on their usual ports.

    Libraries go by other names on other releases; whether the program starts is asked afterwards.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="portal-debian-") as place:
        quiet = {"cwd": place, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if not downloaded(server.package, quiet):
            subprocess.run(["apt-get", "-qq", "update"], **quiet)  # type: ignore[call-overload]
            downloaded(server.package, quiet)
        for library in server.libraries:
            downloaded(library, quiet)
        for package in sorted(Path(place).glob("*.deb")):
            subprocess.run(["dpkg-deb", "--extract", package.name, str(folder)], **quiet)  # type: ignore[call-overload]


def downloaded(package: str, quiet: Mapping[str, object]) -> bool:
    return subprocess.run(["apt-get", "-qq", "download", package], **quiet).returncode == 0  # type: ignore[call-overload]


def provide(server: Server) -> str:
    """A program that starts in its `surroundings()`, or SystemExit with a sentence."""
    found = find(server)
    if found is None and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        print(f"正在取测试需要的 {server.name}（只有第一次需要）……", flush=True)
        fetch(server)
        found = find(server)
    if found is None:
        raise SystemExit(server.missing)
    return found


def provide_all() -> None:
    for server in SERVERS:
        provide(server)


if __name__ == "__main__":
    provide_all()
