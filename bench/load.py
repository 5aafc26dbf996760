"""Measure what pages cost a server that runs as in production: `python -m bench.load [REGISTRATIONS] [REQUESTS]`.

PostgreSQL and gunicorn on loopback, four people with cookies of their own. CPU is the operating system's account of
the processes, so the bench itself is not in it. The yardstick is asked in the same run, before and after the rest.
"""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from scripts.postgres import temporary_postgres
from tests.environment import DEFAULTS

ROOT = Path(__file__).resolve().parent.parent
PEOPLE = 4
TICK = 1000 / os.sysconf("SC_CLK_TCK")  # milliseconds
PATIENCE = 60
SERVE = "--config deploy/gunicorn.conf.py --worker-class gthread --workers 2 --threads 4 --no-control-socket".split()


@dataclass(frozen=True)
class Step:
    """A page, and for each of the four people its address and cookie."""

    name: str
    visits: list[tuple[str, str]]


@dataclass(frozen=True)
class Cost:
    """Of one step: milliseconds of CPU for each answer, and what the answers were like."""

    name: str
    portal: float
    database: float
    queries: float
    size: float
    waits: list[float]  # seconds


# What the operating system says --------------------------------------------------------------------------------------


def family(pid: int) -> list[int]:
    """The process and all that it has started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(fields(stat)[1])
        except OSError:
            continue  # it has ended
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def fields(stat: Path) -> list[str]:
    """Of proc_pid_stat(5), from the third one on: a name may have blanks and brackets in it."""
    return stat.read_text().rpartition(")")[2].split()


def cpu(pid: int) -> float:
    """Milliseconds in all, of the process, its children and those that have ended (fields 14 to 17)."""
    used = 0
    for member in family(pid):
        try:
            used += sum(map(int, fields(Path(f"/proc/{member}/stat"))[11:15]))
        except OSError:
            continue
    return used * TICK


# The server ----------------------------------------------------------------------------------------------------------


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, int]]:
    """Its process and its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "portal.log").open("w") as log:
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "competition_portal.wsgi:application", *SERVE]
        command += ["--bind", f"fd://{listener.fileno()}"]
        descriptors = [listener.fileno()]
        server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, pass_fds=descriptors)  # noqa: S603
        try:
            wait_for(port)
            yield server.pid, port
        finally:
            server.terminate()
            server.wait(PATIENCE)


def wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "/healthz", "").status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("gunicorn did not start")


def ask(connection: http.client.HTTPConnection, address: str, cookie: str) -> http.client.HTTPResponse:
    connection.request("GET", address, headers={"Cookie": cookie, "Accept-Language": "zh-CN"})
    return connection.getresponse()


def postmaster(url: str) -> int:
    folder = url.partition("@/")[2].rpartition("/")[0]
    return int((Path(folder) / "data" / "postmaster.pid").read_text().split()[0])


# The people ----------------------------------------------------------------------------------------------------------


def steps(rows: int) -> list[Step]:
    """Seeds the database and signs four applicants and four reviewers in. Each applicant was sent back once."""
    from django.db import connection

    from bench.queue import seed
    from tests import scenes

    plan = seed(rows)
    for _ in range(10):
        scenes.occupation(scenes.open_plan())
    occupation = plan.occupations.first()
    boss = scenes.member(plan, "manager")
    people = [scenes.person() for _ in range(PEOPLE)]
    theirs = [submitted_again(person, occupation, boss) for person in people]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    applicants = [cookie_of(person) for person in people]
    reviewers = [cookie_of(scenes.member(plan, "reviewer")) for _ in range(PEOPLE)]
    desk = "/admin/registrations/registration"

    def all_at(address: str, cookies: list[str]) -> list[tuple[str, str]]:
        return [(address, cookie) for cookie in cookies]

    bare = all_at(f"/bare/{plan.code}/", applicants)
    return [
        Step("bare page", bare),
        Step("plan list", all_at("/plans/", applicants)),
        Step("plan page", all_at(f"/plans/{plan.code}/", applicants)),
        Step("own list", all_at("/registrations/", applicants)),
        Step(
            "own registration", [(each.get_absolute_url(), who) for each, who in zip(theirs, applicants, strict=True)]
        ),
        Step("queue", all_at(f"{desk}/queue/{plan.code}/?status=submitted", reviewers)),
        Step(
            "one registration on the desk",
            [(f"{desk}/{each.pk}/change/", who) for each, who in zip(theirs, reviewers, strict=True)],
        ),
        Step("bare page, again", bare),
    ]


def submitted_again(person: Any, occupation: Any, boss: Any) -> Any:
    """So that the desk has a photo, a trail and a change to show."""
    from registrations.workflow import Action, Status
    from tests import scenes

    returned = scenes.registration_at(Status.RETURNED, person, occupation, boss)
    returned.write(returned.version, phone="13900001111")
    return scenes.take(returned, Action.SUBMIT, person)


def cookie_of(user: Any) -> str:
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user, backend="accounts.oidc.PlatformBackend")
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


# The measuring -------------------------------------------------------------------------------------------------------


def visit(port: int, address: str, cookie: str, times: int) -> list[tuple[float, int, int]]:
    """Seconds, queries and bytes of each answer. Whatever is not a page ends the bench: its figures would be lies."""
    connection, found = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE), []
    for _ in range(times):
        began = time.perf_counter()
        answer = ask(connection, address, cookie)
        body = answer.read()
        found.append((time.perf_counter() - began, int(answer.headers["X-Queries"]), len(body)))
        if answer.status != 200:
            raise SystemExit(f"{address}: {answer.status}")
    connection.close()
    return found


def everybody(port: int, step: Step, times: int) -> list[tuple[float, int, int]]:
    with ThreadPoolExecutor(PEOPLE) as pool:
        visits = [pool.submit(visit, port, address, cookie, times) for address, cookie in step.visits]
        return [each for coming in visits for each in coming.result()]


def measure(step: Step, server: int, database: int, port: int, requests: int) -> Cost:
    everybody(port, step, 3)  # each thread of each worker has seen it
    before = cpu(server), cpu(database)
    answers = everybody(port, step, max(1, requests // PEOPLE))
    used = cpu(server) - before[0], cpu(database) - before[1]
    number = len(answers)
    return Cost(
        step.name,
        used[0] / number,
        used[1] / number,
        sum(queries for _, queries, _ in answers) / number,
        sum(size for *_, size in answers) / number,
        [wait for wait, *_ in answers],
    )


def line(cost: Cost, bare: float) -> str:
    whole = cost.portal + cost.database
    cuts = quantiles(cost.waits, n=100)
    waits = " / ".join(f"{cuts[place - 1] * 1000:.0f}" for place in (50, 95, 99))
    return (
        f"| {cost.name} | {cost.portal:.1f} | {cost.database:.1f} | {whole / bare:.1f} | {cost.queries:.1f} "
        f"| {cost.size / 1000:.1f} | {waits} |"
    )


def main(url: str, folder: Path, rows: int, requests: int) -> None:
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    asked = steps(rows)
    connection.close()
    with served(folder) as (server, port):
        costs = [measure(step, server, postmaster(url), port, requests) for step in asked]
    bare = sum(cost.portal + cost.database for cost in (costs[0], costs[-1])) / 2
    print(f"{rows:,} registrations in the plan, {requests} requests of each page, load {os.getloadavg()[0]:.0f}\n")
    print("| page | portal, CPU ms | database, CPU ms | times the bare page | queries | KB | p50 / p95 / p99 ms |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(line(cost, bare) for cost in costs))


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]] + [10_000, 200][len(sys.argv) - 1 :]
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-bench-")))
        address = stack.enter_context(temporary_postgres())
        os.environ.update({**DEFAULTS, "DATA_DIR": str(place), "DJANGO_SETTINGS_MODULE": "bench.load_settings"})
        os.environ.update({"DATABASE_URL": address, "STATIC_ROOT": f"{place}/static"})
        main(address, place, *numbers)
