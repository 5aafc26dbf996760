"""The application server as operators run it: its workers count together, and each of its lines is one object.

On SQLite whatever the run's database is, so once is enough: in the PostgreSQL run.
"""

import json
import os
import re
import signal
from pathlib import Path

import pytest
import requests
from django.db import connection

from tests.deploy import sites
from tests.measured import told
from tests.waiting import until

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="runs once: in the PostgreSQL run")

TOKEN = "only-for-tests-0123456789abcdefghij"
SENT = "3f2a9c0011e84b7d95a6c2d4e8f01b37"
MEMORY = Path("/dev/shm")  # noqa: S108
PLANS = {"view": "plans:list", "method": "GET", "status": "2xx"}


def folders() -> set[Path]:
    return set(MEMORY.glob("portal-metrics-*"))


def scrape(site: sites.Portal) -> str:
    answer = requests.get(f"{site.origin}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
    assert answer.status_code == 200
    return answer.text


def ask(site: sites.Portal, number: int) -> set[str]:
    """So many requests on a connection each, so that the workers share them; the numbers of their answers."""
    answers = [requests.get(f"{site.origin}/plans/", headers={"X-Request-ID": SENT}, timeout=30) for _ in range(number)]
    assert {answer.status_code for answer in answers} == {200}
    return {answer.headers["X-Request-ID"] for answer in answers}


def lines(site: sites.Portal) -> list[dict]:
    return [json.loads(line) for line in site.log.splitlines()]


def workers(site: sites.Portal) -> list[int]:
    said = "".join(line["message"] + "\n" for line in lines(site))
    return [int(found) for found in re.findall(r"Booting worker with pid: (\d+)", said)]


def test_workers_count_together_and_every_line_is_an_object(tmp_path: Path) -> None:
    variables = {"METRICS_TOKEN": TOKEN, "LOG_FORMAT": "json", "LOG_LEVEL": "INFO", "TRUSTED_PROXIES": "1"}
    before = folders()
    with sites.portal(tmp_path, **variables) as site:
        they_count_together(site, before)
    assert folders() - before == set()
    every_line_is_an_object(site)


def they_count_together(site: sites.Portal, before: set[Path]) -> None:
    """Also when one of them is killed."""
    assert ask(site, 30) == {SENT}
    (folder,) = folders() - before
    assert folder.stat().st_mode & 0o077 == 0
    # Whichever worker answers, it tells of all.
    assert {told(scrape(site), "portal_requests_total", **PLANS) for _ in range(8)} == {30}
    writers = {path.name for path in folder.glob("histogram_*.db")}
    assert len(writers) == 2, "both workers have counted"

    killed = workers(site)[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(workers(site)) >= 3)
    ask(site, 10)
    text = scrape(site)
    assert told(text, "portal_requests_total", **PLANS) == 40
    assert told(text, "portal_requests_in_progress") == 1  # this one: nothing is left of the dead
    assert not list(folder.glob(f"gauge_live*_{killed}.db"))


def every_line_is_an_object(site: sites.Portal) -> None:
    access_log = site.folder / "portal.access"
    until(lambda: len(access_log.read_text().splitlines()) >= 40)  # a line is written after the answer that it tells of
    access = [json.loads(line) for line in access_log.read_text().splitlines()]
    assert {line["logger"] for line in access} == {"gunicorn.access"}
    assert [line["message"] for line in access] == ["GET /plans/"] * 40  # no line for a scrape that went well
    assert set(access[0]) == {
        *("time", "level", "logger", "message", "request_id", "view"),
        *("method", "status", "bytes", "duration_ms", "queries", "database_ms"),
    }
    assert {(line["request_id"], line["view"], line["status"]) for line in access} == {(SENT, "plans:list", 200)}
    assert access[-1]["queries"] >= 1
    assert any(line["logger"] == "gunicorn.error" for line in lines(site))
