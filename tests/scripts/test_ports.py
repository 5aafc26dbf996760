"""The demo's ports: what may be asked for, and the sentence when one is taken."""

import socket
from collections.abc import Iterator

import pytest

from scripts import ports


@pytest.fixture
def somebody() -> Iterator[int]:
    """The port on which somebody listens, at every address of the machine."""
    with socket.create_server(("", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "PATIENCE", 0)
    monkeypatch.setattr(ports, "free_port", lambda: 8010)


def listens(port: int) -> bool:
    with socket.socket() as visitor:
        return visitor.connect_ex((ports.HOST, port)) == 0


def free_port() -> int:
    with socket.create_server((ports.HOST, 0)) as server:
        return server.getsockname()[1]


def test_the_usual_ports_are_chosen_unless_others_are_asked_for():
    assert ports.choose({}) == {"PORT": 8000, "SANDBOX_PORT": 8001}
    assert ports.choose({"PORT": " ", "SANDBOX_PORT": "9001"}) == {"PORT": 8000, "SANDBOX_PORT": 9001}


@pytest.mark.parametrize("text", ["eight", "80", "65536", "-1", "8000.0", "八千"])
def test_what_is_no_port_is_refused_with_an_example(text: str):
    with pytest.raises(SystemExit) as refusal:
        ports.choose({"SANDBOX_PORT": text})
    assert refusal.value.code == "SANDBOX_PORT 要写 1024 到 65535 之间的一个数，例如：make demo SANDBOX_PORT=8011"


def test_both_cannot_have_the_same():
    with pytest.raises(SystemExit) as refusal:
        ports.choose({"PORT": "8001"})
    assert refusal.value.code == "PORT 和 SANDBOX_PORT 不能都是 8001，请给其中一个换一个数。"


def test_a_taken_port_is_a_sentence_and_nothing_stays_held(somebody: int):
    portal = free_port()
    with pytest.raises(SystemExit) as refusal:
        ports.hold_all({"PORT": str(portal), "SANDBOX_PORT": str(somebody)})
    assert refusal.value.code == (
        f"端口 {somebody} 已被别的程序占用（也许是另一个窗口里的演示）。"
        "请先结束它，或者换一个端口：make demo SANDBOX_PORT=8010"
    )
    assert not listens(portal)


def test_free_ports_are_held_from_then_on():
    portal, sandbox = free_port(), free_port()
    held = ports.hold_all({"PORT": str(portal), "SANDBOX_PORT": str(sandbox)})
    try:
        assert {name: listener.getsockname() for name, listener in held.items()} == {
            "PORT": (ports.HOST, portal),
            "SANDBOX_PORT": (ports.HOST, sandbox),
        }
        assert listens(portal)
        assert listens(sandbox)
    finally:
        for listener in held.values():
            listener.close()
