"""The two ports of the demo: chosen, checked, and held from then on, so that nobody can be faster."""

import os
import socket
import time
from collections.abc import Mapping

HOST = "127.0.0.1"
DEFAULTS = {"PORT": 8000, "SANDBOX_PORT": 8001}
PATIENCE = 2  # seconds


def choose(environment: Mapping[str, str]) -> dict[str, int]:
    """The port of each variable in DEFAULTS. Raises SystemExit with a sentence when a value is no port."""
    ports = {name: chosen(name, environment.get(name, ""), default) for name, default in DEFAULTS.items()}
    if len(set(ports.values())) < len(ports):
        raise SystemExit(f"PORT 和 SANDBOX_PORT 不能都是 {ports['PORT']}，请给其中一个换一个数。")
    return ports


def chosen(name: str, text: str, default: int) -> int:
    if not text.strip():
        return default
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1024 <= number <= 65535:
        raise SystemExit(f"{name} 要写 1024 到 65535 之间的一个数，例如：make demo {name}={default + 10}")
    return number


def taken(port: int) -> bool:
    """Whether somebody listens there, on every address of the machine too."""
    with socket.socket() as visitor:
        visitor.settimeout(1)
        return visitor.connect_ex((HOST, port)) == 0


def hold(name: str, port: int) -> socket.socket:
    """A socket that listens on the port, or SystemExit with a sentence when it stays taken.

    It is asked again for a while: the servers of a demo that was killed need a moment to end (scripts/lifeline.py).
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if not taken(port):
                return socket.create_server((HOST, port), backlog=128)
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit(
                f"端口 {port} 已被别的程序占用（也许是另一个窗口里的演示）。"
                f"请先结束它，或者换一个端口：make demo {name}={free_port()}"
            )
        time.sleep(0.1)


def free_port() -> int:
    """A port that is free at this moment, near the usual ones while any of those is free."""
    for port in range(8010, 8100):
        if not taken(port):
            return port
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def hold_all(environment: Mapping[str, str] = os.environ) -> dict[str, socket.socket]:
    """A listening socket for each variable in DEFAULTS; all of them or, with SystemExit, none."""
    held: dict[str, socket.socket] = {}
    try:
        for name, port in choose(environment).items():
            held[name] = hold(name, port)
    except SystemExit:
        for listener in held.values():
            listener.close()
        raise
    return held
