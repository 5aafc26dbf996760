"""Reading until a deadline: what arrives in time is read, and nothing is waited for after it."""

import io
import socket
import threading
import time

import pytest

from accounts import deadline
from accounts.deadline import UntilDeadline, connect_until


@pytest.fixture
def line():
    """Both ends of a connection: what the first sends the second reads."""
    first, second = socket.socketpair()
    with first, second:
        yield first, second


def reader(sock, seconds):
    return io.BufferedReader(UntilDeadline(sock.makefile("rb", buffering=0), sock, time.monotonic() + seconds))


def test_what_arrives_in_time_is_read(line):
    first, second = line
    with reader(second, 5) as answer:
        first.sendall(b"HTTP/1.1 200 OK\r\nrest")
        first.shutdown(socket.SHUT_WR)
        assert (answer.readline(), answer.read()) == (b"HTTP/1.1 200 OK\r\n", b"rest")


def test_what_is_there_after_the_deadline_is_not_read(line):
    first, second = line
    first.sendall(b"too late")
    with reader(second, 0) as answer, pytest.raises(TimeoutError, match="past the deadline"):
        answer.read(1)


def test_a_drip_is_waited_for_until_the_deadline_alone(line):
    first, second = line
    first.sendall(b"H")
    begun = time.monotonic()
    with reader(second, 0.05) as answer, pytest.raises(TimeoutError):
        answer.readline()
    assert 0.05 <= time.monotonic() - begun < 0.3


def test_a_shorter_limit_of_the_socket_stays(line):
    _, second = line
    second.settimeout(0.01)
    begun = time.monotonic()
    with reader(second, 5) as answer, pytest.raises(TimeoutError):
        answer.read(1)
    assert time.monotonic() - begun < 0.3


def test_a_connection_that_comes_in_time(line):
    assert connect_until(time.monotonic() + 5, lambda: line[0]) is line[0]


def test_a_connection_that_comes_too_late_is_closed(line):
    may_come = threading.Event()

    def connect():
        may_come.wait(5)
        return line[0]

    with pytest.raises(TimeoutError):
        connect_until(time.monotonic() + 0.05, connect)
    may_come.set()
    (late,) = [thread for thread in threading.enumerate() if thread.name == "connect"]
    late.join(5)
    assert line[0].fileno() == -1


def test_a_connection_that_fails(line):
    def connect():
        raise OSError("no route")

    with pytest.raises(OSError, match="no route"):
        connect_until(time.monotonic() + 5, connect)


def test_hanging_connections_do_not_heap_up(line, monkeypatch):
    monkeypatch.setattr(deadline, "UNDERWAY", threading.BoundedSemaphore(1))
    may_come = threading.Event()
    with pytest.raises(TimeoutError):
        connect_until(time.monotonic() + 0.01, lambda: may_come.wait(5) and line[0])
    with pytest.raises(ConnectionRefusedError):
        connect_until(time.monotonic() + 5, lambda: line[1])
    may_come.set()
    for thread in [thread for thread in threading.enumerate() if thread.name == "connect"]:
        thread.join(5)
    assert connect_until(time.monotonic() + 5, lambda: line[1]) is line[1]


def test_a_thread_that_cannot_be_had_costs_no_place_for_ever(line, monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(deadline, "UNDERWAY", threading.BoundedSemaphore(1))
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", start)
        with pytest.raises(ConnectionRefusedError):
            connect_until(time.monotonic() + 5, lambda: line[0])
    assert connect_until(time.monotonic() + 5, lambda: line[0]) is line[0]
