"""Reading until a deadline: what arrives in time is read, and nothing is waited for after it."""

import io
import socket
import time

import pytest

from accounts.deadline import UntilDeadline


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
