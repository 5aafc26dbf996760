"""The people of an upgrade under load (bench/rolling.py): what they ask, what they were told, and what is to be made of it."""

import http.client
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from urllib.parse import urlencode

PATIENCE = 60  # seconds for an answer
READERS, WRITERS = 3, 2
SUBMISSIONS = 18  # of each person: 20 in ten minutes are allowed (accounts/limits.py)
PAUSE = 0.05  # seconds between two requests of a reader, and four times as much of a writer: a load, not an overload


@dataclass
class Phase:
    name: str
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class Load:
    """Clients that begin with one phase and count for whichever is going on; each request has a connection of its own."""

    def __init__(self, port: int, people: list[tuple[str, str]]) -> None:
        self.port, self.people = port, people
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.phases = [Phase("before")]
        self.acknowledged: Counter[str] = Counter()  # submissions, by address of the registration

    def enter(self, name: str) -> None:
        with self.lock:
            self.phases[-1].seconds = time.monotonic() - self.phases[-1].began
            self.phases.append(Phase(name))

    def ask(self, method: str, address: str, cookie: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, address that is led to, page. (0, "", "") when it failed; that is then on record."""
        began, phase = time.monotonic(), self.phases[-1]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Cookie": cookie, "Host": "localhost", "Connection": "close"}
        body = urlencode(form) if form is not None else None
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, address, body, headers)
            answer = connection.getresponse()
            page = answer.read().decode()
            found = (answer.status, answer.headers.get("Location", ""), page)
            problem = "" if answer.status in {200, 302} else f"{method} {answer.status}"
        except (OSError, http.client.HTTPException) as broken:
            found, problem = (0, "", ""), f"{method} {type(broken).__name__}"
        finally:
            connection.close()
        with self.lock:
            phase.waits.append(time.monotonic() - began)
            if problem:
                phase.failures.append(problem)
            else:
                phase.done[method] += 1
        return found if not problem else (0, "", "")

    def fail(self, what: str) -> None:
        with self.lock:
            self.phases[-1].failures.append(what)

    def read(self, place: int) -> None:
        turn = place
        while not self.over.is_set():
            address, cookie = self.people[turn % len(self.people)]
            for page in ("/plans/", "/registrations/", address):
                status, led, _ = self.ask("GET", page, cookie)
                if status == 302:
                    self.fail(f"GET led to {led.split('?')[0]}")
                time.sleep(PAUSE)
            turn += READERS

    def write(self, place: int) -> None:
        """Submit and take back, again and again, each time by the page's own form."""
        turn = place
        own = self.people[place::WRITERS]
        while not self.over.is_set():
            address, cookie = own[turn % len(own)]
            if self.acknowledged[address] >= SUBMISSIONS:
                time.sleep(PAUSE)
            elif self.step(f"{address}submit/", cookie, f"{address}submitted/"):
                with self.lock:
                    self.acknowledged[address] += 1
                self.step(f"{address}recall/", cookie, address)
            turn += 1

    def step(self, address: str, cookie: str, leads_to: str) -> bool:
        time.sleep(4 * PAUSE)
        status, _, page = self.ask("GET", address, cookie)
        if status != 200:
            if status:
                self.fail("GET of a form led away")
            return False
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        if token is None:
            self.fail("a form without a token")
            return False
        time.sleep(4 * PAUSE)
        # A browser sends the token's cookie; to the portal any will do that belongs to the form.
        pair = f"{cookie}; portal_csrf={token[1]}"
        status, led, _ = self.ask("POST", address, pair, form | {"csrfmiddlewaretoken": token[1]})
        if status and led != leads_to:
            self.fail(f"POST led to {led.split('?')[0]}")
        return bool(status) and led == leads_to

    @contextmanager
    def going_on(self) -> Iterator[None]:
        clients = [threading.Thread(target=self.read, args=[place]) for place in range(READERS)]
        clients += [threading.Thread(target=self.write, args=[place]) for place in range(WRITERS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self.over.set()
            for client in clients:
                client.join()
            self.phases[-1].seconds = time.monotonic() - self.phases[-1].began


def verdict(phases: list[Phase], acknowledged: Counter[str], found: Counter[str]) -> list[str]:
    """What went wrong, a line each; a run in which too little happened has shown nothing."""
    wrong = [f"{phase.name}: {count} x {what}" for phase in phases for what, count in Counter(phase.failures).items()]
    wrong += [f"{phase.name}: nobody asked anything" for phase in phases if not phase.done["GET"]]
    if not acknowledged:
        wrong.append("nothing was submitted")
    missing = acknowledged - found
    if missing:
        wrong.append(f"{missing.total()} acknowledged submissions are missing")
    return wrong


def table(phases: list[Phase]) -> str:
    lines = ["| phase | seconds | GET | POST | failed | p50 / p95 / max ms |", "|---|---|---|---|---|---|"]
    for phase in phases:
        waits = [wait * 1000 for wait in phase.waits] or [0.0]
        cuts = quantiles([*waits, *waits], n=20)
        lines.append(
            f"| {phase.name} | {phase.seconds:.1f} | {phase.done['GET']} | {phase.done['POST']} | {len(phase.failures)} "
            f"| {cuts[9]:.0f} / {cuts[18]:.0f} / {max(waits):.0f} |"
        )
    return "\n".join(lines)
