"""The whole of it on loopback: nginx, the queue, two replicas, PostgreSQL, Redis; nothing sticks to one replica."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
import requests
from django.db import connection
from playwright.sync_api import expect

from scripts import debian
from scripts.postgres import temporary_postgres
from tests.browser.applicant import Applicant
from tests.browser.conftest import watch
from tests.browser.pictures import drawn_photo
from tests.certificates import certificate
from tests.deploy import sites
from tests.deploy.people import PLAN
from tests.deploy.test_queue import connected
from tests.pages import FormReader
from tests.sandbox import running_sandbox
from tests.waiting import until

pytestmark = [
    pytest.mark.browser,
    # All of them, or pytest would do those with a browser first, and build the fixture of the module twice.
    pytest.mark.usefixtures("browser_name"),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="it has a PostgreSQL of its own: once is enough"),
]

COOKIE = "__Host-portal_session"
REDIS_USED = "portal:*"


HALF = 0  # instead of the status of an answer that broke off


@dataclass(frozen=True)
class Stack:
    """`origin` is nginx's; `replicas` are the processes of the two gunicorns."""

    origin: str
    folder: Path
    keys: dict[str, str]
    trusted: Path
    replicas: list[subprocess.Popen]
    cache: str

    def asked(self, number: int) -> list[tuple[str, str]]:
        """What one replica was asked, as method and path and the number of the request, in its order.

        A line is written after the answer that it tells of, so the last ones may have to be waited for.
        """
        lines = (self.folder / f"replica{number}.access").read_text().splitlines()
        found = [re.search(r'"([A-Z]+ [^ ?]+)[^"]*" \d+ .* (\S+)$', line) for line in lines]
        return [(line[1], line[2]) for line in found if line]

    def session(self, owner: str) -> requests.Session:
        client = requests.Session()
        client.trust_env = False
        client.verify = str(self.trusted)
        client.headers["Cookie"] = f"{COOKIE}={self.keys[owner]}"
        return client


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("stack")) as running_stack:
        yield running_stack


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    trusted = certificate(folder)
    [front] = sites.free_ports(1)
    with ExitStack() as parts:
        database = parts.enter_context(temporary_postgres())
        cache = parts.enter_context(sites.redis(debian.provide(debian.REDIS), folder))
        platform = parts.enter_context(running_sandbox(f"https://127.0.0.1:{front}", folder / "sandbox"))
        environment = sites.surroundings(
            folder,
            DATABASE_URL=database,
            CACHE_URL=cache,
            **sites.TWO_REPLICAS,
            **platform.portal_settings(),
        )
        keys = sites.prepared(environment)
        replicas = [parts.enter_context(sites.replica(folder / f"replica{n}.log", environment)) for n in (1, 2)]
        # Strictly in turn, so that a request which needs the replica of the one before it fails.
        in_turn = {"balance leastconn": "balance roundrobin"}
        origins = [origin for _, origin in replicas]
        queue = parts.enter_context(sites.queue(debian.provide(debian.HAPROXY), folder, origins, **in_turn))
        portal = sites.Portal(queue, folder, keys)
        origin = parts.enter_context(sites.nginx(debian.provide(debian.NGINX), portal, trusted, port=front))
        yield Stack(origin, folder, keys, trusted, [process for process, _ in replicas], cache)


def test_a_journey_goes_to_and_fro_between_the_replicas(new_context, stack: Stack) -> None:
    """Signing in at the platform, form, photo, submission and receipt, with a real browser."""
    complaints: list[str] = []
    context = new_context(base_url=stack.origin, ignore_https_errors=True, reduced_motion="reduce")
    watch(context, complaints)
    before = [len(stack.asked(number)) for number in (1, 2)]
    applicant = Applicant(context.new_page())
    applicant.come_to_the_platform()
    applicant.sign_in("newcomer")
    applicant.go_in()
    applicant.confirm_identity()
    applicant.begin(PLAN)
    applicant.fill_in()
    applicant.choose("数控车工")
    applicant.press(applicant.button("保存并上传照片").last)
    applicant.upload({"name": "自拍.jpg", "mimeType": "image/jpeg", "buffer": drawn_photo()})
    applicant.crop()
    applicant.sees_portrait()
    applicant.press(applicant.button("下一步：核对"))
    reference = applicant.submit()
    applicant.press(applicant.link("已报名竞赛管理"))
    expect(applicant.main).to_contain_text(f"编号 {reference}")
    context.close()
    assert complaints == []

    until(lambda: sum(len(stack.asked(number)) for number in (1, 2)) - sum(before) > 25)
    one, two = (stack.asked(number)[start:] for number, start in zip((1, 2), before, strict=True))
    by_number = {number: replica for replica, lines in enumerate((one, two), start=1) for _, number in lines}
    order = re.findall(r" (\S+)$", (stack.folder / "nginx-access.log").read_text(), re.M)
    turns = [by_number[number] for number in order if number in by_number]
    changes = sum(before != after for before, after in zip(turns, turns[1:], strict=False))
    assert len(turns) > 25
    assert changes > 0.8 * (len(turns) - 1)
    # A photo was looked at, and no replica sent a byte of it.
    assert [line for line, _ in (*one, *two) if line.endswith("/photo/portrait/")] != []
    assert redis.Redis.from_url(stack.cache).keys(REDIS_USED) != []


def test_static_files_and_their_long_life_pass_python(stack: Stack) -> None:
    client = stack.session("王晓明")
    page = client.get(f"{stack.origin}/plans/")
    assert page.headers["Content-Encoding"] == "gzip"
    [style] = re.findall(r'href="(/static/css/portal\.[0-9a-f]{12}\.css)"', page.text)
    answer = client.get(stack.origin + style)
    kept = {"Content-Type": "text/css; charset=utf-8", "Content-Encoding": "gzip", "X-Content-Type-Options": "nosniff"}
    kept |= {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    assert {name: answer.headers.get(name) for name in kept} == kept
    assert answer.content == (stack.folder / style.removeprefix("/")).read_bytes()
    plain = client.get(f"{stack.origin}/static/css/portal.css", headers={"Accept-Encoding": "identity"})
    assert (plain.headers["Cache-Control"], "Content-Encoding" in plain.headers) == ("public, max-age=60", False)
    assert client.get(f"{stack.origin}/static/js/picker.js").headers["Content-Type"] == "text/javascript; charset=utf-8"
    # What another version links while replicas are changed one after the other: a replica is asked.
    assert client.get(f"{stack.origin}/static/css/gone.css").status_code == 404
    for number in (1, 2):
        asked = [line for line, _ in stack.asked(number) if line.startswith("GET /static/")]
        assert set(asked) <= {"GET /static/css/gone.css"}


def test_a_page_with_a_query_is_not_compressed(stack: Stack) -> None:
    client = stack.session("王晓明")
    assert "Content-Encoding" not in client.get(f"{stack.origin}/plans/?q=大赛").headers
    assert client.get(f"{stack.origin}/plans/").headers["Content-Encoding"] == "gzip"


def test_slow_senders_keep_nobody_waiting_and_are_let_go(stack: Stack) -> None:
    """Sixty that never end their headers and sixty that never end their bodies: many more than there are threads."""
    client = stack.session("王晓明")
    with ExitStack() as held:
        slow = [held.enter_context(connected(stack.origin, stack.trusted)) for _ in range(120)]
        began = time.monotonic()
        for number, sender in enumerate(slow):
            body = b"Content-Length: 1000\r\n\r\na=" if number % 2 else b"X-Slow: "
            sender.sendall(b"POST /profile/ HTTP/1.1\r\nHost: 127.0.0.1\r\n" + body)
        seen = [len(stack.asked(number)) for number in (1, 2)]
        waits = []
        for _ in range(40):
            asked = time.monotonic()
            assert client.get(f"{stack.origin}/plans/").status_code == 200
            waits.append(time.monotonic() - asked)
        assert sorted(waits)[36] < 2, "they wait for the slow ones"
        until(lambda: sum(len(stack.asked(number)) for number in (1, 2)) >= sum(seen) + 40)
        assert sum(len(stack.asked(number)) for number in (1, 2)) == sum(seen) + 40
        for sender in slow:
            sender.settimeout(max(1.0, began + 25 - time.monotonic()))
            sender.sendall(b"b")
        assert {ended(sender) for sender in slow[0::2]} == {True}
        assert time.monotonic() - began < 25


def ended(sender: socket.socket) -> bool:
    try:
        answer = sender.recv(4096)
    except ConnectionResetError:
        return True
    return answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


def test_a_replica_is_killed_and_nobody_notices(stack: Stack) -> None:
    """The last one: afterwards there is one replica. Nothing was sent twice, and no page failed.

    Who had half of a page when its replica died has half of a page, and asks again: nobody can take that half back.
    """

    def look(_: int) -> list[int]:
        client, statuses = stack.session("李芳"), []
        end = time.monotonic() + 4
        while time.monotonic() < end:
            try:
                statuses.append(client.get(f"{stack.origin}/plans/").status_code)
            except requests.exceptions.ChunkedEncodingError:
                statuses.append(HALF)
        return statuses

    with ThreadPoolExecutor(6) as pool:
        looking = [pool.submit(look, each) for each in range(6)]
        time.sleep(1)
        os.killpg(stack.replicas[1].pid, signal.SIGKILL)
        statuses = [status for each in looking for status in each.result()]
    assert len(statuses) > 20
    assert set(statuses) <= {200, HALF}
    assert statuses.count(HALF) <= 6, "more than were being answered at that moment"

    client = stack.session("李芳")
    page = client.get(f"{stack.origin}/profile/")
    reader = FormReader()
    reader.feed(page.text)
    token = page.cookies["__Host-portal_csrf"]
    client.headers["Cookie"] += f"; __Host-portal_csrf={token}"
    answer = client.post(
        f"{stack.origin}/profile/",
        data={**reader.values, "employer": "北京精工机械有限公司"},
        headers={"Referer": f"{stack.origin}/profile/"},
        allow_redirects=False,
    )
    assert answer.status_code == 302
    until(lambda: any(line == "POST /profile/" for line, _ in stack.asked(1)))
    asked = [line for line, _ in stack.asked(1) if line.endswith(" /profile/")]
    assert asked[-2:] == ["GET /profile/", "POST /profile/"]
    assert "北京精工机械有限公司" in client.get(f"{stack.origin}/profile/").text
