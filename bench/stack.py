"""The whole of it for a measurement: nginx, the queue, two replicas, PostgreSQL and Redis, with people in it."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from bench.accounting import cpu
from bench.server import postmaster
from scripts import debian
from scripts.postgres import temporary_postgres
from tests.certificates import certificate
from tests.deploy import sites

PEOPLE = 100
# What turns the queue off: everybody is let through to the replicas, and waits there as long as it takes.
NO_QUEUE = {
    "default-server maxconn 8 check inter 1s fall 2 rise 1": "default-server maxconn 4000",
    "if report { queue(replicas) ge 4 }": "if FALSE",
    "if !sends { queue(replicas) ge 16 }": "if FALSE",
    "if { queue(replicas) ge 64 }": "if FALSE",
}


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in, with a complete draft in a plan."""

    key: str
    reference: str


@dataclass(frozen=True)
class Stack:
    origin: str
    trusted: Path
    database: str
    plan: str
    people: list[Person]
    processes: dict[str, list[int]] = field(default_factory=dict)

    def cpu(self) -> dict[str, float]:
        """Milliseconds so far, by part."""
        return {part: sum(map(cpu, pids)) for part, pids in self.processes.items()}

    def submissions(self) -> int:
        """How many the trail has."""
        folder = self.database.partition("@/")[2].rpartition("/")[0]
        with psycopg.connect(host=folder, user="portal", dbname="postgres") as there:
            found = there.execute("SELECT count(*) FROM registrations_reviewevent WHERE action = 'submit'").fetchone()
        return int(found[0]) if found else 0


def child_of_ours(program: str) -> list[int]:
    """The processes of this name that this process has started."""
    found = subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", program], capture_output=True, text=True)  # noqa: S603, S607
    return [int(pid) for pid in found.stdout.split()]


@contextmanager
def running(folder: Path, queue: bool) -> Iterator[Stack]:
    with ExitStack() as parts:
        database = parts.enter_context(temporary_postgres())
        cache = parts.enter_context(sites.redis(debian.provide(debian.REDIS), folder))
        environment = sites.surroundings(
            folder,
            DATABASE_URL=database,
            CACHE_URL=cache,
            **sites.TWO_REPLICAS,
        )
        sites.run("manage.py", "migrate", "--verbosity", "0", environment=environment)
        sites.run("manage.py", "collectstatic", "--noinput", "--verbosity", "0", environment=environment)
        crowd: dict[str, Any] = json.loads(sites.run("-m", "bench.stack", environment=environment))
        replicas = [parts.enter_context(sites.replica(folder / f"replica{n}.log", environment)) for n in (1, 2)]
        origins = [origin for _, origin in replicas]
        changes = {} if queue else NO_QUEUE
        waiting = parts.enter_context(sites.queue(debian.provide(debian.HAPROXY), folder, origins, **changes))
        trusted = certificate(folder)
        front = sites.nginx(debian.provide(debian.NGINX), sites.Portal(waiting, folder, {}), trusted)
        origin = parts.enter_context(front)
        processes = {
            "portal": [process.pid for process, _ in replicas],
            "PostgreSQL": [postmaster(database)],
            "nginx": child_of_ours("nginx.conf"),
            "haproxy": child_of_ours("haproxy.cfg"),
            "Redis": child_of_ours("redis-server"),
        }
        people = [Person(*each) for each in crowd["people"]]
        yield Stack(origin, trusted, database, crowd["plan"], people, processes)


def main() -> None:
    """In a process of its own, with the portal's environment: fills its database and says who is in it."""
    import django

    django.setup()
    from django.db import connection

    from tests import scenes
    from tests.deploy.people import key_of

    for _ in range(10):
        scenes.occupation(scenes.open_plan())
    plan = scenes.open_plan()
    occupation = scenes.occupation(plan, capacity=None)
    people = []
    portrait = scenes.portrait_of(scenes.person())
    for _ in range(PEOPLE):
        person = scenes.person()
        registration = scenes.draft(person, occupation, portrait=portrait)
        people.append((key_of(person), registration.reference))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(json.dumps({"people": people, "plan": plan.code}))


if __name__ == "__main__":
    main()
