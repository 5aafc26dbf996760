"""Run the demo in one terminal: prepare both sites, serve them, say where they are, end both with Ctrl+C."""

import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn
from unicodedata import east_asian_width

from scripts.children import ROOT, Child, Children
from scripts.demo_environment import data_dir, environments
from scripts.ports import HOST, hold_all

PATIENCE = 60  # seconds until a server must answer
GUNICORN = (
    "--worker-class gthread --workers 2 --threads 4 --preload --no-control-socket --graceful-timeout 2 --keep-alive 5"
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
    portal_port, sandbox_port = (listeners[name].getsockname()[1] for name in ("PORT", "SANDBOX_PORT"))
    folder = data_dir(sandbox_port)
    first = not (folder / "static.stamp").exists()
    say("正在准备数据库和演示数据（第一次大约半分钟）……" if first else "正在启动……")
    portal, sandbox = environments(folder, portal_port, sandbox_port)

    log = folder / "prepare-sandbox.log"
    step = children.start("演示用身份认证平台的准备", ["identity_sandbox", "prepare"], log=log, environment=sandbox)
    log = folder / "prepare-portal.log"
    other = children.start("报名系统的准备", ["scripts.prepare_portal"], log=log, environment=portal)
    finish(step, children)
    site = "演示用的统一身份认证平台"
    servers = [site_server(children, site, "identity_sandbox", listeners["SANDBOX_PORT"], folder, sandbox)]
    finish(other, children)
    servers.append(site_server(children, "报名系统", "competition_portal", listeners["PORT"], folder, portal))
    wait_for_answer(sandbox_port, "/o/.well-known/jwks.json", servers)
    wait_for_answer(portal_port, "/", servers)
    for listener in listeners.values():
        listener.close()
    say(announcement(portal_port, sandbox_port, [server.log for server in servers]))
    while True:
        give_up_if_one_ended(servers)
        time.sleep(0.3)


def site_server(
    children: Children, name: str, package: str, listener: socket.socket, folder: Path, environment: dict[str, str]
) -> Child:
    command = ["gunicorn", f"{package}.wsgi:application", "--bind", f"fd://{listener.fileno()}", *GUNICORN]
    log = folder / f"{package}.log"
    return children.start(name, command, log=log, environment=environment, descriptors=[listener.fileno()])


def finish(step: Child, children: Children) -> None:
    while not step.ended():
        give_up_if_one_failed(children.running)
        time.sleep(0.02)
    give_up_if_one_failed([step])
    children.running.remove(step)


def give_up_if_one_failed(children: Sequence[Child]) -> None:
    for child in children:
        if child.failed():
            raise SystemExit(f"{child.name}没有成功，演示没有启动。最后的记录（全文在 {shown(child.log)}）：\n{child.last_words()}")


def give_up_if_one_ended(servers: Sequence[Child]) -> None:
    for server in servers:
        if server.ended():
            raise SystemExit(
                f"{server.name}意外停止了，演示随之结束。可以再运行一次 make demo。"
                f"最后的记录（全文在 {shown(server.log)}）：\n{server.last_words()}"
            )


def wait_for_answer(port: int, path: str, servers: Sequence[Child]) -> None:
    """Ask until the answer is no error of the server's. Raises SystemExit when a server ends or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while True:
        give_up_if_one_ended(servers)
        status = answer(port, path)
        if status is not None and status < 500:
            return
        if time.monotonic() > deadline:
            logs = "、".join(shown(server.log) for server in servers)
            raise SystemExit(f"http://{HOST}:{port}{path} 没有正常应答，演示没有启动。请看 {logs}")
        time.sleep(0.05 if status is None else 1)


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
    sys.exit(main())
