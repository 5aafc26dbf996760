"""The queue before the replicas, deploy/haproxy.cfg as it is: who waits, who is told at once, and what is asked again."""

import base64
import hashlib
import re
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from scripts import debian
from tests.certificates import certificate
from tests.deploy import sites
from tests.deploy.recorder import Behaviour, Gate, Recorder, answers, dies, recorder
from tests.waiting import until

AT_ONCE = 16  # two replicas of two workers of four threads
VIEWS_WAITING = 16
ALL_WAITING = 64
SEND = "您刚才填写的内容还在浏览器里。请等十几秒，再按下面的按钮（或刷新本页），浏览器问是否重新提交时选“继续”"
LOOK = "不用操作，本页过十几秒会自己再试。"


@contextmanager
def queued(folder: Path, *behaviours: Behaviour) -> Iterator[tuple[str, list[Recorder]]]:
    """The queue's origin, and the two replicas behind it."""
    with ExitStack() as stack:
        replicas = [stack.enter_context(recorder(behave)) for behave in behaviours]
        program = debian.provide(debian.HAPROXY)
        yield stack.enter_context(sites.queue(program, folder, [each.origin for each in replicas])), replicas


def figure(folder: Path, name: str) -> int:
    text = requests.get((folder / "figures.txt").read_text(), timeout=5).text
    return int(float(re.findall(rf'^{name}{{proxy="replicas"}} (\S+)$', text, re.M)[0]))


def timed(ask: object, *arguments: object, **options: object) -> tuple[requests.Response, float]:
    began = time.monotonic()
    answer = ask(*arguments, timeout=30, **options)  # type: ignore[operator]
    return answer, time.monotonic() - began


# --- Full -------------------------------------------------------------------------------------------------------------


def crowd(pool: ThreadPoolExecutor, origin: str, path: str, count: int) -> list[Future[requests.Response]]:
    return [pool.submit(requests.get, f"{origin}{path}{number}", timeout=30) for number in range(count)]


def test_who_finds_no_place_is_told_at_once_and_what_is_sent_goes_first(tmp_path: Path) -> None:
    gate = Gate()
    with queued(tmp_path, gate, gate) as (origin, replicas), ThreadPoolExecutor(AT_ONCE + VIEWS_WAITING + 1) as pool:
        inside = crowd(pool, origin, "/inside/", AT_ONCE)
        until(lambda: sum(len(each.lines) for each in replicas) == AT_ONCE)
        waiting = crowd(pool, origin, "/waiting/", VIEWS_WAITING)
        until(lambda: figure(tmp_path, "haproxy_backend_current_queue") == VIEWS_WAITING)

        looked, took = timed(requests.get, f"{origin}/plans/", headers={"X-Request-ID": "0123abcd"})
        assert (looked.status_code, took < 0.2) == (503, True)
        assert looked.headers["Content-Type"] == "text/html; charset=utf-8"
        assert looked.headers["Cache-Control"] == "private, no-store"
        assert looked.headers["X-Request-ID"] == "0123abcd"
        assert 5 <= int(looked.headers["Retry-After"]) < 20
        assert 8 <= int(looked.headers["Refresh"]) < 23
        assert (LOOK in looked.text, "什么也没有丢" in looked.text, "%[" in looked.text) == (True, True, False)
        reported, took = timed(requests.post, f"{origin}/csp-report/", data="{}")
        assert (reported.status_code, took < 0.2) == (503, True)

        sent = pool.submit(requests.post, f"{origin}/registrations/R/submit/", data={"a": "b"}, timeout=30)
        until(lambda: figure(tmp_path, "haproxy_backend_current_queue") == VIEWS_WAITING + 1)
        gate.let(1)
        until(lambda: sum(len(each.lines) for each in replicas) == AT_ONCE + 1)
        assert "POST /registrations/R/submit/ HTTP/1.1" in {each.lines[-1] for each in replicas}
        gate.open()
        assert {each.result().status_code for each in (sent, *inside, *waiting)} == {200}


def test_what_is_sent_has_its_end_too_and_is_not_asked_for_again_by_the_page(tmp_path: Path) -> None:
    gate = Gate()
    full = AT_ONCE + ALL_WAITING
    with queued(tmp_path, gate, gate) as (origin, _), ThreadPoolExecutor(full) as pool:
        sent = [pool.submit(requests.post, f"{origin}/form/", data="a=b", timeout=30) for _ in range(full)]
        until(lambda: figure(tmp_path, "haproxy_backend_current_queue") >= ALL_WAITING)
        refused, took = timed(requests.post, f"{origin}/form/", data="a=b")
        assert (refused.status_code, took < 0.2, SEND in refused.text) == (503, True, True)
        assert "Refresh" not in refused.headers
        gate.open()
        assert {each.result().status_code for each in sent} == {200}


@pytest.mark.browser
def test_what_was_typed_is_still_there_and_a_button_sends_it_again(page: Page, tmp_path: Path) -> None:
    """In a real browser, with nobody behind the queue, and then with somebody."""
    free, other = sites.free_ports(2)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if "status of 503" not in said.text else None)
    replicas = [f"http://127.0.0.1:{free}", f"http://127.0.0.1:{other}"]
    with sites.queue(debian.provide(debian.HAPROXY), tmp_path, replicas) as origin:
        page.goto(f"{origin}/")
        page.set_content(
            '<form method="post" action="/form/"><input name="typed" value="x"><button>send</button></form>'
        )
        page.get_by_role("textbox").fill("what I typed")
        page.get_by_role("button").click()
        expect(page.get_by_role("heading")).to_have_text("现在人很多，请稍等")
        expect(page.get_by_text(SEND)).to_be_visible()
        with recorder(port=free) as alive:
            until(lambda: figure(tmp_path, "haproxy_backend_active_servers") == 1)
            page.get_by_role("button", name="再试一次").click()
            expect(page.get_by_text("ok")).to_be_visible()
            found = [pair for pair in zip(alive.lines, alive.bodies, strict=True) if "/favicon.ico" not in pair[0]]
            assert found == [("POST /form/ HTTP/1.1", "typed=what+I+typed")]
    assert complaints == []


def test_nobody_waits_longer_than_a_second_and_a_half(tmp_path: Path) -> None:
    gate = Gate()
    with queued(tmp_path, gate, gate) as (origin, replicas), ThreadPoolExecutor(AT_ONCE) as pool:
        crowd(pool, origin, "/inside/", AT_ONCE)
        until(lambda: sum(len(each.lines) for each in replicas) == AT_ONCE)
        answer, took = timed(requests.get, f"{origin}/plans/")
        gate.open()
    assert (answer.status_code, LOOK in answer.text) == (503, True)
    assert 1.4 < took < 3


def test_the_pages_may_show_their_own_style_and_run_their_own_script() -> None:
    configuration = sites.HAPROXY_CFG.read_text()
    for name, statuses in (("busy", [503]), ("unsure", [502, 504])):
        page = (sites.DEPLOY / "pages" / f"{name}.html").read_text()
        assert len(page.encode()) < 1400
        sums = {
            f"{kind}-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            for kind in ("style", "script")
            for text in re.findall(f"<{kind}>(.*?)</{kind}>", page)
        }
        lines = re.findall(rf"^    http-error status (\d+) .*/{name}\.html .*$", configuration, re.M)
        assert sorted(map(int, lines)) == statuses
        for status in statuses:
            [line] = re.findall(rf"^    http-error status {status} .*$", configuration, re.M)
            assert set(re.findall(r"(?:style|script)-src 'sha256-[^']+'", line)) == sums


# --- Broken -----------------------------------------------------------------------------------------------------------


def test_a_view_that_was_cut_off_is_asked_again_elsewhere_and_a_form_never(tmp_path: Path) -> None:
    with queued(tmp_path, dies, answers) as (origin, [dead, alive]):
        for number in range(4):
            assert requests.get(f"{origin}/view/{number}", timeout=10).text == "ok"
        assert sorted({*dead.lines, *alive.lines}) == sorted(alive.lines)
        assert dead.lines != []

        before = len(dead.lines)
        sent = [requests.post(f"{origin}/form/{number}", data="a=b", timeout=10) for number in range(4)]
        cut_off = dead.lines[before:]
        posts = [line for line in (*dead.lines, *alive.lines) if line.startswith("POST")]
        assert sorted(posts) == [f"POST /form/{number} HTTP/1.1" for number in range(4)]
        assert [answer.status_code for answer in sent].count(502) == len(cut_off) > 0
        [told, *_] = [answer for answer in sent if answer.status_code == 502]
        assert "刚才这一步可能已经办好，也可能没有" in told.text
        assert told.headers["Cache-Control"] == "private, no-store"


def test_a_replica_that_is_not_there_has_received_nothing_so_the_other_is_asked(tmp_path: Path) -> None:
    """Before a probe has found that out: without probes it is as if they were always too late."""
    [gone] = sites.free_ports(1)
    never = {"default-server maxconn 8 check inter 1s fall 2 rise 1": "default-server maxconn 8"}
    with recorder() as alive:
        program = debian.provide(debian.HAPROXY)
        both = [f"http://127.0.0.1:{gone}", alive.origin]
        with sites.queue(program, tmp_path, both, **never) as origin:
            sent = [requests.post(f"{origin}/form/{number}", data="a=b", timeout=10) for number in range(4)]
    assert [answer.status_code for answer in sent] == [200] * 4
    assert sorted(alive.lines) == [f"POST /form/{number} HTTP/1.1" for number in range(4)]


# --- nginx before it --------------------------------------------------------------------------------------------------


@contextmanager
def fronted(folder: Path, behave: Behaviour = answers) -> Iterator[tuple[str, Recorder, Path]]:
    trusted = certificate(folder)
    with recorder(behave) as behind:
        portal = sites.Portal(behind.origin, folder, {})
        with sites.nginx(debian.provide(debian.NGINX), portal, trusted) as origin:
            yield origin, behind, trusted


def test_the_number_of_a_request_is_never_taken_from_outside(tmp_path: Path) -> None:
    with fronted(tmp_path) as (origin, behind, trusted):
        requests.get(
            f"{origin}/", headers={"X-Request-ID": "theirs", "X-Forwarded-For": "6.6.6.6"}, verify=str(trusted)
        )
        [head] = behind.heads
        [number] = re.findall(r"^x-request-id: (\S+)\r$", head, re.M)
        assert re.fullmatch(r"[0-9a-f]{32}", number)
        assert "x-forwarded-for: 6.6.6.6, 127.0.0.1\r" in head
        # The line is written when the answer is through.
        until(lambda: f" {number}\n" in (tmp_path / "nginx-access.log").read_text())


def test_a_form_that_comes_slowly_is_passed_on_when_it_is_whole(tmp_path: Path) -> None:
    with fronted(tmp_path) as (origin, behind, trusted), connected(origin, trusted) as client:
        client.sendall(b"POST /form/ HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\na=")
        time.sleep(0.5)
        assert behind.lines == []
        client.sendall(b"b\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert behind.lines == ["POST /form/ HTTP/1.1"]


def test_one_address_may_ask_for_so_much_at_once(tmp_path: Path) -> None:
    gate = Gate()
    with fronted(tmp_path, gate) as (origin, behind, trusted), ExitStack() as stack:
        clients = [stack.enter_context(connected(origin, trusted)) for _ in range(300)]
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: len(behind.lines) == 300)
        one_more = requests.get(f"{origin}/", verify=str(trusted), timeout=10)
        assert (one_more.status_code, one_more.headers["Retry-After"]) == (429, "20")
        assert "您所在的网络（例如学校、单位的同一个出口）同时发来的请求太多" in one_more.text
        gate.open()
        assert {client.recv(4096)[:13] for client in clients} == {b"HTTP/1.1 200 "}


@contextmanager
def connected(origin: str, trusted: Path) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=str(trusted))
    host, port = origin.removeprefix("https://").split(":")
    plain = socket.create_connection((host, int(port)), timeout=30)
    with context.wrap_socket(plain, server_hostname=host) as client:
        yield client
