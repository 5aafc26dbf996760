"""deploy/prometheus as Prometheus itself takes it: each alarm rings for what it is about, and for nothing else.

Once only, in the PostgreSQL run: the last test has a PostgreSQL of its own, which is killed.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from django.db import connection

from scripts import debian
from scripts.postgres import cluster
from tests.deploy import sites
from tests.waiting import until

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="it has a PostgreSQL of its own: once is enough"
)

HERE = sites.DEPLOY / "prometheus"
TOKEN = "f00d" * 4 + "0123456789abcdef"
ALARMS = [rule for group in yaml.safe_load((HERE / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
NAMES = [rule["alert"] for rule in ALARMS]
HEALTHY, *CASES = yaml.safe_load((HERE / "alerts_test.yml").read_text())["tests"]


def promtool(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([debian.provide(debian.PROMTOOL), *command], capture_output=True, text=True, timeout=120)


def outcome(expressions: Callable[[str], str], folder: Path) -> tuple[int, set[str]]:
    """Of the cases, with these rules: the exit code, and the alarms of which a case was not as it should be."""
    rules = yaml.safe_load((HERE / "alerts.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["expr"] = expressions(rule["expr"])
    (folder / "alerts.yml").write_text(yaml.safe_dump(rules, allow_unicode=True))
    (folder / "alerts_test.yml").write_bytes((HERE / "alerts_test.yml").read_bytes())
    found = promtool("test", "rules", folder / "alerts_test.yml")
    return found.returncode, set(re.findall(r"alertname: (\w+)", found.stdout + found.stderr))


def rings(case: dict[str, Any]) -> set[str]:
    return {asked["alertname"] for asked in case["alert_rule_test"] if asked.get("exp_alerts")}


def silent(case: dict[str, Any]) -> set[str]:
    return {asked["alertname"] for asked in case["alert_rule_test"] if not asked.get("exp_alerts")}


def test_each_alarm_has_a_case_in_which_it_rings_and_is_silent_where_all_is_well() -> None:
    assert [asked["alertname"] for asked in HEALTHY["alert_rule_test"]] == NAMES
    assert rings(HEALTHY) == set()
    assert set().union(*map(rings, CASES)) == set().union(*map(silent, CASES)) == set(NAMES)


@pytest.mark.parametrize("rule", ALARMS, ids=NAMES)
def test_where_all_is_well_there_is_all_that_an_alarm_asks(rule: dict[str, Any]) -> None:
    """Of nothing nothing would be said, whatever it is."""
    told = [series["series"] for series in HEALTHY["input_series"]]
    for name in re.findall(r"\b(?:portal_\w+|up(?={))", rule["expr"]):
        assert any(re.match(rf"{name}(?:{{|$)", series) for series in told), name


def test_the_alarms_ring_and_are_silent_as_the_cases_have_it() -> None:
    checked = promtool("check", "rules", HERE / "alerts.yml")
    assert (checked.returncode, f"{len(NAMES)} rules found" in checked.stdout) == (0, True), checked.stderr
    tested = promtool("test", "rules", HERE / "alerts_test.yml")
    assert (tested.returncode, "SUCCESS" in tested.stdout) == (0, True), tested.stdout + tested.stderr


def test_the_cases_would_see_an_alarm_that_never_rings_and_one_that_always_does(tmp_path: Path) -> None:
    """Every other one of each: a run of the cases takes seconds."""
    broken = cycle(["vector(0) > 1", "vector(1)"])
    assert outcome(lambda expression: next(broken), tmp_path) == (1, set(NAMES))


# A Prometheus that runs -------------------------------------------------------------------------------------------------


def own_files(folder: Path, targets: dict[str, str]) -> Path:
    """The files of deploy/ with what operators change, and with seconds where an operator has minutes."""
    (folder / "token").write_text(TOKEN)
    (folder / "alerts.yml").write_text(re.sub(r"for: \d+[sm]", "for: 1s", (HERE / "alerts.yml").read_text()))
    return sites.substituted(
        HERE / "prometheus.yml",
        folder / "prometheus.yml",
        {
            "scrape_interval: 15s": "scrape_interval: 2s",
            "scrape_timeout: 5s": "scrape_timeout: 2s",
            "evaluation_interval: 15s": "evaluation_interval: 1s",
            '"portal-1:8000", "portal-2:8000"': f'"{targets["portal"]}"',
            '"worker-1:9101"': f'"{targets["portal-worker"]}"',
        },
        everywhere={"/etc/prometheus/portal-metrics-token": str(folder / "token")},
    )


@contextmanager
def prometheus(folder: Path, targets: dict[str, str]) -> Iterator[Callable[[str], Any]]:
    """What its API says under a path."""
    config = own_files(folder, targets)
    checked = promtool("check", "config", config)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    [port] = sites.free_ports(1)
    command = [debian.provide(debian.PROMETHEUS), f"--config.file={config}", f"--storage.tsdb.path={folder / 'series'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}"]

    here = f"http://127.0.0.1:{port}"

    def api(path: str) -> Any:
        return requests.get(f"{here}/api/v1/{path}", timeout=10).json()["data"]

    with (folder / "prometheus.log").open("w") as log, sites.running(command, port, log=log):
        until(lambda: requests.get(f"{here}/-/ready", timeout=10).ok)
        yield api


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """It, and where it tells its metrics."""
    [port] = sites.free_ports(1)
    command = [sys.executable, "manage.py", "run_worker"]
    process = subprocess.Popen(
        command, cwd=sites.ROOT, env={**environment, "WORKER_METRICS_PORT": str(port)}, stderr=subprocess.DEVNULL
    )
    try:
        yield process, f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_the_alarms_of_a_portal_that_runs(tmp_path: Path) -> None:
    """With its token, as it is: nothing rings; without its worker and without its database what is theirs does.

    The worker is let say goodbye: one that is killed is missed after a minute.
    """
    with cluster() as postgres, postgres.running():
        environment = sites.surroundings(tmp_path, DATABASE_URL=postgres.url, METRICS_TOKEN=TOKEN)
        sites.run("manage.py", "migrate", "--verbosity", "0", environment=environment)
        with (
            worker(environment) as (process, told),
            sites.replica(tmp_path / "portal.log", environment) as (_, origin),
            prometheus(tmp_path, {"portal": origin.removeprefix("http://"), "portal-worker": told}) as api,
        ):

            def alarms(state: str) -> set[str]:
                return {alarm["labels"]["alertname"] for alarm in api("alerts")["alerts"] if alarm["state"] == state}

            def workers() -> list[str]:
                return [one["value"][1] for one in api("query?query=portal_workers")["result"]]

            until(lambda: [target["health"] for target in api("targets")["activeTargets"]] == ["up", "up"])
            until(lambda: workers() == ["1"] and not alarms("firing") | alarms("pending"))
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            # The figures of the database are kept for a quarter of a minute, in which the database goes and comes back.
            postgres.kill()
            until(lambda: "PortalDatabaseAway" in alarms("firing"))
            assert "PortalDown" not in alarms("firing") | alarms("pending")
            postgres.start()
            until(lambda: alarms("firing") == {"PortalNoWorker"})
