"""Have Lighthouse judge the pages as a phone gets them: `python -m bench.lighthouse` prints its marks as Markdown.

The whole stack of bench/stack.py on loopback, so that compression and caching are nginx's. It needs Lighthouse, an npm
package that the project does not bring: on the PATH, or where LIGHTHOUSE says. It exits with 1 when an aim is missed.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench.stack import Person, Stack, running
from scripts import browser

MARKS = {"performance": "Performance", "best-practices": "Best practices", "accessibility": "Accessibility"}
AIM = 95  # of 100, for the first two; the third has tests of its own (tests/browser)
FIRST_VISIT, LATER = 120.0, 15.0  # KB on the wire
PATIENCE = 180  # seconds for each page


@dataclass(frozen=True)
class Judged:
    """Marks of 100, kilobytes on the wire: of the whole first visit, and of the page itself, which is all that later ones fetch."""

    marks: dict[str, int]
    everything: float
    page: float
    faults: list[str]  # what cost a mark, as Lighthouse calls it

    @property
    def is_as_promised(self) -> bool:
        good = all(self.marks[name] >= AIM for name in ("performance", "best-practices"))
        return good and self.everything <= FIRST_VISIT and self.page <= LATER

    def row(self, name: str) -> str:
        cells = [name, *(str(self.marks[mark]) for mark in MARKS), f"{self.everything:.0f}", f"{self.page:.1f}"]
        return f"| {' | '.join([*cells, 'yes' if self.is_as_promised else '**no**'])} |"


def program() -> str:
    found = os.environ.get("LIGHTHOUSE") or shutil.which("lighthouse")
    if not found:
        raise SystemExit("Lighthouse is not there: npm install lighthouse, and LIGHTHOUSE=node_modules/.bin/lighthouse")
    return found


@contextmanager
def browsing(folder: Path, origin: str, person: Person | None) -> Iterator[int]:
    """The debugging port of a Chromium in which this person is signed in: a cookie in a header would miss the images."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with sync_playwright() as playwright:
        browsers = playwright.chromium.launch_persistent_context(
            folder / f"chromium-{port}",
            executable_path=browser.find_chromium(),
            args=[f"--remote-debugging-port={port}", "--no-sandbox"],
            ignore_https_errors=True,
        )
        if person:
            browsers.add_cookies(
                [{"name": "__Host-portal_session", "value": person.key, "url": origin, "secure": True}]
            )
        yield port
        browsers.close()


def judge(url: str, port: int) -> Judged:
    """Raises subprocess.CalledProcessError where Lighthouse could not load the page."""
    command = [program(), url, "--quiet", "--output=json", f"--only-categories={','.join(MARKS)}"]
    command += [f"--port={port}", "--disable-storage-reset"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)  # noqa: S603
    report = json.loads(said.stdout)
    if report.get("runtimeError"):
        raise SystemExit(f"{url}: {report['runtimeError']['message']}")
    fetched = report["audits"]["network-requests"]["details"]["items"]
    pages = [each["transferSize"] for each in fetched if each.get("resourceType") == "Document"]
    return Judged(
        {mark: round(100 * report["categories"][mark]["score"]) for mark in MARKS},
        sum(each.get("transferSize", 0) for each in fetched) / 1000,
        max(pages) / 1000,
        list(faults(report)),
    )


def faults(report: Any) -> Iterator[str]:
    for name, mark in MARKS.items():
        for weighed in report["categories"][name]["auditRefs"]:
            audit = report["audits"][weighed["id"]]
            if weighed["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                yield f"{mark}: {audit['title']} {str(audit.get('details', {}).get('items', ''))[:300]}"


def pages(stack: Stack) -> list[tuple[str, str, Person | None]]:
    person = stack.people[0]
    own = f"/registrations/{person.reference}/"
    return [
        ("front door", "/", None),
        ("plan list, a stranger", "/plans/", None),
        ("plan page, a stranger", f"/plans/{stack.plan}/", None),
        ("plan list", "/plans/", person),
        ("own list", "/registrations/", person),
        ("own registration", own, person),
        ("the form", f"{own}edit/", person),
    ]


def main() -> int:
    kept = True
    print("| page | " + " | ".join(MARKS.values()) + " | first visit, KB | the page, KB | as promised |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="portal-lighthouse-") as name, running(Path(name), queue=True) as stack:
        for title, address, person in pages(stack):
            with browsing(Path(name), stack.origin, person) as port:
                judged = judge(stack.origin + address, port)
            print(judged.row(title), flush=True)
            for fault in judged.faults:
                print(f"{title}: {fault}", file=sys.stderr)
            kept = kept and judged.is_as_promised
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
