"""Run the demo in one terminal: prepare both sites, serve them, say where they are, end both with Ctrl+C."""

import http.client
import os
import signal
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn
from unicodedata import east_asian_width

from scripts.children import ROOT, Child, Children
from scripts.demo_environment import data_dir, environments, prepared
from scripts.ports import HOST, hold_all

PATIENCE = 60  # seconds until a server must answer
GUNICORN = (
    "--worker-class gthread --workers 2 --threads 4 --preload --no-control-socket --limit-request-line 8190 "
    "--graceful-timeout 2 --keep-alive 5"
).split()


def say(text: str = "") -> None:
    print(text, flush=True)


def stop(number: int, frame: FrameType | None) -> NoReturn:
    """The end is asked for; asking twice must not interrupt the clearing up."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stop)
    try:
        with Children() as children:
            serve(children)
    except KeyboardInterrupt:
        say("\n演示已结束。再次启动：make demo")


def serve(children: Children) -> NoReturn:
    listeners = hold_all()
    ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
    folder = data_dir(ports["SANDBOX_PORT"])
    say("正在启动……" if prepared(folder) else "正在准备数据库和演示数据（只有第一次需要，大约半分钟）……")
    portal, sandbox = environments(folder, ports["PORT"], ports["SANDBOX_PORT"])
    sites = [
        Site("报名系统", "competition_portal", "scripts.prepare_portal", portal, listeners["PORT"]),
        Site(
            "演示用的统一身份认证平台",
            "identity_sandbox",
            "identity_sandbox prepare",
            sandbox,
            listeners["SANDBOX_PORT"],
        ),
    ]
    servers = start(sites, children, folder)
    for listener in listeners.values():
        listener.close()
    wait_for_answer(ports["SANDBOX_PORT"], "/o/.well-known/jwks.json", servers)
    wait_for_answer(ports["PORT"], "/", servers)
    servers.append(start_worker(children, folder, portal))
    say(announcement(ports["PORT"], ports["SANDBOX_PORT"], [server.log for server in servers]))
    while True:
        give_up_if_one_ended(servers)
        time.sleep(0.3)


@dataclass(frozen=True)
class Site:
    """One of the two, as it is prepared and served."""

    name: str  # as the person at the screen knows it
    package: str
    preparation: str
    environment: dict[str, str]
    listener: socket.socket

    def prepare(self, children: Children, folder: Path) -> Child:
        return children.start(
            f"{self.name}的准备",
            self.preparation.split(),
            log=folder / f"{self.package}-prepare.log",
            environment=self.environment,
        )

    def serve(self, children: Children, folder: Path) -> Child:
        number = self.listener.fileno()
        return children.start(
            self.name,
            ["gunicorn", f"{self.package}.wsgi:application", "--bind", f"fd://{number}", *GUNICORN],
            log=folder / f"{self.package}.log",
            environment=self.environment,
            descriptors=[number],
        )


def start_worker(children: Children, folder: Path, environment: dict[str, str]) -> Child:
    """What tells people by mail and does what takes long; the portal has made its tables already."""
    return children.start(
        "后台工作进程",
        ["django", "run_worker"],
        log=folder / "worker.log",
        environment=environment | {"DJANGO_SETTINGS_MODULE": "competition_portal.settings"},
    )


def start(sites: Sequence[Site], children: Children, folder: Path) -> list[Child]:
    """Prepare all sites at the same time; serve each as soon as it is ready. Returns the servers."""
    preparing = {site.prepare(children, folder): site for site in sites}
    servers: list[Child] = []
    while preparing:
        give_up_if_one_failed(preparing)
        give_up_if_one_ended(servers)
        done = [step for step in preparing if step.ended()]
        servers += [preparing.pop(step).serve(children, folder) for step in done]
        time.sleep(0.02)
    return servers


def give_up_if_one_failed(children: Iterable[Child]) -> None:
    for child in children:
        if child.failed():
            raise SystemExit(
                f"{child.name}没有成功，演示没有启动。最后的记录（全文在 {shown(child.log)}）：\n{child.last_words()}"
            )


def give_up_if_one_ended(servers: Sequence[Child]) -> None:
    for server in servers:
        if server.ended():
            raise SystemExit(
                f"{server.name}意外停止了，演示随之结束。可以再运行一次 make demo。"
                f"最后的记录（全文在 {shown(server.log)}）：\n{server.last_words()}"
            )


def wait_for_answer(port: int, path: str, servers: Sequence[Child]) -> None:
    """Ask until there is an answer. Raises SystemExit when it is an error, a server ends, or it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while True:
        give_up_if_one_ended(servers)
        status = answer(port, path)
        if status is not None and status < 500:
            return
        if status is not None or time.monotonic() > deadline:
            logs = "、".join(shown(server.log) for server in servers)
            raise SystemExit(f"http://{HOST}:{port}{path} 没有正常应答，演示没有启动。原因请看 {logs}")
        time.sleep(0.05)


def answer(port: int, path: str) -> int | None:
    """The status, or None while there is no answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def announcement(portal_port: int, sandbox_port: int, logs: Sequence[Path]) -> str:
    from identity_sandbox.people import PASSWORD, PEOPLE

    people = [(person.username, person.name or "（未实名）", person.part) for person in PEOPLE]
    return "\n".join(
        [
            "",
            "演示已启动，请用浏览器打开：",
            f"  报名系统                  http://{HOST}:{portal_port}/",
            f"  组委会工作台              http://{HOST}:{portal_port}/admin/",
            f"  演示用的统一身份认证平台  http://{HOST}:{sandbox_port}/",
            "",
            f"演示账号（密码都是 {PASSWORD}）：",
            *table([("用户名", "姓名", "角色"), *people]),
            "",
            f"运行记录：{'、'.join(shown(log) for log in logs)}",
            "按 Ctrl+C 结束。",
        ]
    )


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows in columns; a Chinese character is two wide."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell + " " * (room - width(cell)) for cell, room in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def shown(path: Path) -> str:
    return os.path.relpath(path, ROOT)


if __name__ == "__main__":
    main()
