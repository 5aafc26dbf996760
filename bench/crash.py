"""Kill the portal under load and look whether anything is lost: `python -m bench.crash --help`.

A throw-away PostgreSQL that writes as production's does, gunicorn as the image runs it, and clients that submit as a
browser does: the page that asks, its form, the receipt. Meanwhile workers of gunicorn, single processes of PostgreSQL
and all of PostgreSQL are ended by SIGKILL. A client notes what was acknowledged to it, and sends again what was not,
with the same key. In the end the database is asked for all that was acknowledged.
"""

import argparse
import http.client
import os
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.crowd import Applicant
from scripts.postgres import Cluster, children_of, cluster
from tests.environment import DEFAULTS

CLIENTS = 8
PATIENCE = 90  # seconds that a client goes on trying with one submission
ANSWER = 20  # seconds that it waits for one answer
PORTIONS = ("worker", "backend", "postgres")  # what is killed, in turn
# As production's: neither of the three that scripts/postgres.py switches off for the tests.
DURABLE = ["-c", "fsync=on", "-c", "full_page_writes=on"]
# Without waiting for the commit to be written. The writer is slow, so that a few kills are enough to see a loss.
CARELESS = ["-c", "wal_writer_delay=10s", "-c", "wal_writer_flush_after=1GB", "-c", "wal_buffers=64MB"]
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
FORM = re.compile(r'<form method="post">.*?</form>', re.DOTALL)


@dataclass
class Notes:
    """What the clients have seen, written by all of them."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    acknowledged: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    sent_again: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def fail(self, why: str) -> None:
        with self.lock:
            self.failures[why] += 1


# Clients --------------------------------------------------------------------------------------------------------------


class Again(Exception):
    """No answer, or one that says: later."""


def ask(port: int, method: str, address: str, cookie: str, body: str = "") -> tuple[int, str, str, str]:
    """Status, where it leads, the cookies that it sets, and the page. Each on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER)
    try:
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, address, body=body or None, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    except (OSError, http.client.HTTPException) as problem:
        raise Again(type(problem).__name__) from problem
    finally:
        connection.close()
    if answer.status >= 500:
        raise Again(str(answer.status))
    cookies = "; ".join(line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie", []))
    return answer.status, answer.headers.get("Location", ""), cookies, text


def persist(notes: Notes, *question: Any) -> tuple[tuple[int, str, str, str], int]:
    """The answer, and how often it was asked for in vain."""
    began, vain = time.monotonic(), 0
    while True:
        try:
            return ask(*question), vain
        except Again as again:
            notes.fail(str(again))
            vain += 1
            if time.monotonic() - began > PATIENCE:
                raise
            time.sleep(0.2)


def submit(port: int, who: Applicant, notes: Notes) -> None:
    """From the page that asks to the receipt. Acknowledged is what was sent on to the receipt's page."""
    from urllib.parse import urlencode

    address = f"/registrations/{who.reference}/submit/"
    (status, _, cookies, page), _ = persist(notes, port, "GET", address, who.cookie)
    form = FORM.search(page[page.find("<main") :])
    if status != 200 or form is None:
        notes.refused[who.reference] = f"no form: {status}"
        return
    body = urlencode(HIDDEN.findall(form.group()))
    cookie = f"{who.cookie}; {cookies}"
    (status, target, _, _), vain = persist(notes, port, "POST", address, cookie, body)
    notes.sent_again += vain > 0
    if not target.endswith(f"/{who.reference}/submitted/"):
        notes.refused[who.reference] = f"{status} {target}"
        return
    with notes.lock:
        notes.acknowledged.add(who.reference)
    (status, _, _, receipt), _ = persist(notes, port, "GET", target, cookie)
    if status != 200 or who.reference not in receipt:
        notes.refused[who.reference] = f"no receipt: {status}"


def client(port: int, waiting: Iterator[Applicant], lock: threading.Lock, notes: Notes) -> None:
    while True:
        with lock:
            who = next(waiting, None)
        if who is None:
            return
        try:
            submit(port, who, notes)
        except Again as again:
            notes.refused[who.reference] = f"given up: {again}"


# The killer -----------------------------------------------------------------------------------------------------------


@dataclass
class Killer:
    """Kills whenever a share of the submissions is done, so that all of the run is full of it."""

    postgres: Cluster
    gunicorn: int
    chance: random.Random = field(default_factory=lambda: random.Random(6))  # noqa: S311  (no secret)
    killed: Counter[str] = field(default_factory=Counter)

    def kill(self, number: int) -> None:
        what = PORTIONS[number % len(PORTIONS)]
        if what == "postgres":
            self.postgres.kill()
            self.postgres.start()
        elif not self.one_of(self.gunicorn if what == "worker" else self.postgres.process.pid):
            return
        self.killed[what] += 1

    def one_of(self, parent: int) -> bool:
        """-9 to a child at random. Of PostgreSQL's: the server ends all of the others and begins anew, as after a crash."""
        children = children_of(parent)
        if not children:
            return False
        try:
            os.kill(self.chance.choice(children), 9)
        except ProcessLookupError:
            return False
        return True


def run(killer: Killer, port: int, applicants: list[Applicant], kills: int) -> Notes:
    notes, lock, waiting = Notes(), threading.Lock(), iter(applicants)
    clients = [threading.Thread(target=client, args=(port, waiting, lock, notes)) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    for number in range(10 * kills):
        due = len(applicants) * (killer.killed.total() + 1) / (kills + 1)
        while len(notes.acknowledged) + len(notes.refused) < due and any(each.is_alive() for each in clients):
            time.sleep(0.01)
        if killer.killed.total() >= kills or not any(each.is_alive() for each in clients):
            break
        killer.kill(number)
    for each in clients:
        each.join()
    return notes


# The account ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """What became of all that was acknowledged."""

    lost: int
    doubled: int
    wrong_counts: int
    without_trail: int

    @property
    def well(self) -> bool:
        return self == Account(0, 0, 0, 0)


def account(occupation: Any, notes: Notes) -> Account:
    from django.db.models import Count

    from registrations.models import Registration
    from registrations.recount import differences
    from registrations.trail import ReviewEvent

    submitted = Registration.objects.filter(plan=occupation.plan, status="submitted")
    there = set(submitted.values_list("reference", flat=True))
    events = ReviewEvent.objects.filter(registration__plan=occupation.plan, action="submit").order_by()
    lines = dict(events.values_list("registration__reference").annotate(number=Count("pk")))
    occupation.refresh_from_db()
    return Account(
        lost=len(notes.acknowledged - there),
        doubled=sum(number > 1 for number in lines.values()),
        wrong_counts=(occupation.seats_taken != len(there)) + len(differences(occupation.plan)),
        without_trail=len(there ^ set(lines)),
    )


def told(arguments: argparse.Namespace, notes: Notes, killer: Killer, found: Account, seconds: float) -> str:
    kills = ", ".join(f"{killer.killed[what]} {what}" for what in PORTIONS)
    failures = ", ".join(f"{number} {why}" for why, number in notes.failures.most_common()) or "none"
    return "\n".join(
        [
            "| | |",
            "|---|---|",
            f"| synchronous_commit | {arguments.synchronous_commit} |",
            f"| killed by SIGKILL | {killer.killed.total()}: {kills} |",
            f"| acknowledged | {len(notes.acknowledged):,} of {arguments.submissions:,} in {seconds:.0f} s |",
            f"| requests that failed and were sent again | {failures} |",
            f"| submissions sent more than once | {notes.sent_again} |",
            f"| refused or given up | {len(notes.refused)} |",
            f"| acknowledged and lost | **{found.lost}** |",
            f"| doubled | **{found.doubled}** |",
            f"| counts and seats that are wrong | {found.wrong_counts} |",
            f"| without its line in the trail | {found.without_trail} |",
        ]
    )


def main(arguments: argparse.Namespace, postgres: Cluster, folder: Path) -> int:
    """0 when nothing was lost, nothing doubled and nobody refused."""
    import django
    from django.core.management import call_command
    from django.db import connection

    from bench.crowd import crowd
    from bench.server import served

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    occupation, applicants = crowd(arguments.submissions)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
        assert cursor.fetchone() == ("on", arguments.synchronous_commit)  # noqa: S101  (else the run sees nothing)
        cursor.execute("CHECKPOINT")  # the crowd is there whatever is killed
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has it
    with served(folder, postgres.url) as server:
        killer, began = Killer(postgres, server.portal), time.monotonic()
        notes = run(killer, server.port, applicants, arguments.kills)
        seconds = time.monotonic() - began
    found = account(occupation, notes)
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has it
    print(told(arguments, notes, killer, found, seconds))
    for reference, why in list(notes.refused.items())[:10]:
        print(f"{reference}: {why}", file=sys.stderr)
    if killer.killed.total() < arguments.kills:
        print(f"only {killer.killed.total()} kills", file=sys.stderr)
    return 0 if found.well and not notes.refused and killer.killed.total() >= arguments.kills else 1


def read(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.crash", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--synchronous-commit", choices=["on", "off"], default="on", help="off: losses must be seen")
    parser.add_argument("--short", action="store_true", help="9 kills, 240 submissions")
    arguments = parser.parse_args(words)
    if arguments.short:
        arguments.kills, arguments.submissions = 9, 240
    return arguments


if __name__ == "__main__":
    asked = read(sys.argv[1:])
    careless = CARELESS if asked.synchronous_commit == "off" else []
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-crash-")))
        options = [*DURABLE, "-c", f"synchronous_commit={asked.synchronous_commit}", *careless]
        server = stack.enter_context(cluster(options))
        stack.enter_context(server.running())
        os.environ.update({**DEFAULTS, "DATA_DIR": str(place), "DJANGO_SETTINGS_MODULE": "competition_portal.settings"})
        os.environ.update({"DATABASE_URL": server.url, "STATIC_ROOT": f"{place}/static"})
        code = main(asked, server, place)
    sys.exit(code)
