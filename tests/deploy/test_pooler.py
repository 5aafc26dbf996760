"""PostgreSQL behind PgBouncer in transaction mode, deploy/pgbouncer.ini as it is: pages, a committee's job, the worker."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from django.db import connection

from scripts import debian
from scripts.postgres import temporary_postgres
from tests.deploy import sites
from tests.pages import FormReader

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="it has a PostgreSQL of its own: once is enough"
)

CONNECTIONS = 3  # of PgBouncer to PostgreSQL, for eight threads and a worker


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], str]]:
    """The environment of a portal behind PgBouncer, and the way past it."""
    folder = tmp_path_factory.mktemp("pooled")
    with ExitStack() as parts:
        direct = parts.enter_context(temporary_postgres())
        url = parts.enter_context(sites.pooler(debian.provide(debian.PGBOUNCER), folder, direct, CONNECTIONS))
        environment = sites.surroundings(folder, DATABASE_URL=url, DATABASE_POOLER="true")
        sites.run("manage.py", "migrate", "--verbosity", "0", environment={**environment, "DATABASE_URL": direct})
        sites.run("manage.py", "collectstatic", "--noinput", "--verbosity", "0", environment=environment)
        yield environment, direct


def asked(direct: str, question: str) -> Any:
    folder = direct.partition("@/")[2].rpartition("/")[0]
    with psycopg.connect(host=folder, user="portal", dbname="postgres") as there:
        return there.execute(question).fetchall()


def journey(origin: str, key: str, reference: str) -> str:
    """From the form to the receipt; the receipt's page."""
    client = requests.Session()
    client.trust_env = False
    client.cookies.set("portal_session", key)
    here = f"{origin}/registrations/{reference}"

    def form(path: str) -> dict[str, str]:
        reader = FormReader()
        reader.feed(client.get(here + path, timeout=30).text)
        return reader.values

    saved = client.post(
        f"{here}/edit/", {**form("/edit/"), "employer": f"单位 {reference}", "then": "check"}, timeout=30
    )
    assert "核对报名信息" in saved.text and f"单位 {reference}" in saved.text
    sent = client.post(f"{here}/submit/", form("/submit/"), timeout=30)
    assert sent.url == f"{here}/submitted/"
    return sent.text


def test_everything_goes_through_a_few_connections_that_change(pooled) -> None:
    environment, direct = pooled
    crowd = json.loads(sites.run("-m", "tests.deploy.crowd", environment=environment))
    folder = Path(environment["DATA_DIR"])
    with sites.replica(folder / "replica.log", environment) as (_, origin), ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(lambda each: journey(origin, *each), crowd["drafts"]))
    assert [reference in receipt for receipt, (_, reference) in zip(receipts, crowd["drafts"], strict=True)] == [
        True
    ] * 6

    sites.run("manage.py", "run_worker", "--once", environment=environment)
    job = f"FROM registrations_job WHERE id = {crowd['job']}"
    assert asked(direct, f"SELECT state, total, done, refused {job}") == [("done", 25, 25, 0)]
    states = "SELECT status, count(*) FROM registrations_registration GROUP BY status ORDER BY status"
    assert asked(direct, states) == [("approved", 25), ("submitted", 6)]
    assert asked(direct, "SELECT count(*) FROM registrations_reviewevent WHERE action = 'approve'") == [(25,)]

    exported = folder / "list.csv"
    sites.run(
        "manage.py",
        "export_registrations",
        crowd["plan"],
        "--output",
        str(exported),
        "--format",
        "csv",
        environment=environment,
    )
    assert len(exported.read_text(encoding="utf-8-sig").splitlines()) == 1 + 31
    assert (
        asked(
            direct,
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        )[0][0]
        <= CONNECTIONS
    )
    assert "ERROR" not in (folder / "pgbouncer.log").read_text()

    # Without being told of the pooler, the same export looks for a cursor on a connection that knows none.
    untold = {**os.environ, **environment, "DATABASE_POOLER": "false"}
    command = [
        sys.executable,
        "manage.py",
        "export_registrations",
        crowd["plan"],
        "--output",
        f"{exported}.2",
        "--format",
        "csv",
    ]
    refused = subprocess.run(command, cwd=sites.ROOT, env=untold, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "cursor" in refused.stderr
