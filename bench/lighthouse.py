"""Have Lighthouse judge the pages as a phone gets them: `python -m bench.lighthouse` prints its marks as Markdown.

The whole stack of bench/stack.py on loopback, so that compression and caching are nginx's. It needs Lighthouse, an npm
package that the project does not bring: on the PATH, or where LIGHTHOUSE says. It exits with 1 when an aim is missed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.stack import Person, Stack, running
from scripts import browser

MARKS = {"performance": "Performance", "best-practices": "Best practices", "accessibility": "Accessibility"}
AIM = 95  # of 100, for the first two; the third has tests of its own (tests/browser)
FIRST_VISIT, LATER = 120.0, 15.0  # KB on the wire
FLAGS = "--headless=new --no-sandbox --ignore-certificate-errors"
PATIENCE = 180  # seconds for each page


@dataclass(frozen=True)
class Judged:
    """Marks of 100, kilobytes on the wire: of the whole first visit, and of the page itself, which is all that later ones fetch."""

    marks: dict[str, int]
    everything: float
    page: float

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


def judge(url: str, person: Person | None, folder: Path) -> Judged:
    """Raises subprocess.CalledProcessError where Lighthouse could not load the page."""
    headers = folder / "headers.json"
    headers.write_text(json.dumps({"Cookie": f"__Host-portal_session={person.key}"} if person else {}))
    command = [program(), url, "--quiet", "--output=json", f"--only-categories={','.join(MARKS)}"]
    command += [f"--extra-headers={headers}", f"--chrome-flags={FLAGS}"]
    environment = {**os.environ, "CHROME_PATH": browser.find_chromium() or ""}
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, timeout=PATIENCE)  # noqa: S603
    report = json.loads(said.stdout)
    if report.get("runtimeError"):
        raise SystemExit(f"{url}: {report['runtimeError']['message']}")
    fetched = report["audits"]["network-requests"]["details"]["items"]
    pages = [each["transferSize"] for each in fetched if each.get("resourceType") == "Document"]
    return Judged(
        {mark: round(100 * report["categories"][mark]["score"]) for mark in MARKS},
        sum(each.get("transferSize", 0) for each in fetched) / 1000,
        max(pages) / 1000,
    )


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
            judged = judge(stack.origin + address, person, Path(name))
            print(judged.row(title), flush=True)
            kept = kept and judged.is_as_promised
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
