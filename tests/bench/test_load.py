"""The bench: that it can see a broken promise, and once, in short form, that no promise is broken."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.db import connection

from bench import accounting, load, plot, promises, table
from bench.measure import Cost, Run, measure
from bench.people import Answer
from bench.promises import PROMISES, SLACK
from bench.server import Server
from bench.steps import JOURNEY, Scenario, Step, often, once

ROOT = Path(__file__).resolve().parents[2]


def cost(name: str, milliseconds: float, queries: int = 3, problem: str = "", number: int = 10) -> Cost:
    answers = [Answer(0.01 * place, queries, 12_000, problem=problem) for place in range(number)]
    return Cost(name, portal=milliseconds * number * 0.9, database=milliseconds * number * 0.1, took=2, answers=answers)


def run_of(*changed: Cost, rows: int = 1000, bare: float = 5) -> Run:
    """Every promised step at half of what it may cost, but for those that are given."""
    costs = {"bare page": cost("bare page", bare)}
    for name, promise in PROMISES.items():
        costs[name] = cost(name, (promise.times or (promise.milliseconds or 0) / 5) * bare / 2)
    return Run(rows, list((costs | {each.name: each for each in changed}).values()), [], [100, 110])


# What is promised ------------------------------------------------------------------------------------------------------


def test_a_run_within_its_promises_has_nothing_to_say() -> None:
    assert promises.broken(run_of()) == []


def test_a_step_that_costs_too_much_is_named() -> None:
    held = PROMISES["submit"].times or 0
    within, beyond = (cost("submit", 5 * held * SLACK * part) for part in (0.99, 1.01))
    assert promises.broken(run_of(within)) == []
    assert promises.broken(run_of(beyond)) == [
        f"submit: {held * SLACK * 1.01:.1f} times the bare page, at most {held} × {SLACK}"
    ]


def test_a_slow_machine_breaks_no_promise() -> None:
    assert promises.broken(run_of(bare=50)) == []


def test_one_query_too_many_is_named() -> None:
    held = PROMISES["own list"].queries or 0
    assert promises.broken(run_of(cost("own list", 5, queries=held))) == []
    assert promises.broken(run_of(cost("own list", 5, queries=held + 1))) == [
        f"own list: {held + 1:.1f} queries, at most {held}"
    ]


def test_a_journey_is_judged_in_milliseconds_of_the_machine_of_its_aim() -> None:
    held = PROMISES[JOURNEY].milliseconds or 0
    assert promises.broken(run_of(cost(JOURNEY, 10 * held * SLACK * 0.99), bare=50)) == []
    assert promises.broken(run_of(cost(JOURNEY, held * SLACK * 1.02))) == [
        f"{JOURNEY}: {held * SLACK * 1.02:.0f} ms of CPU, at most {held} × {SLACK}"
    ]


def test_a_step_that_nobody_took_is_named() -> None:
    assert promises.broken(run_of(cost("queue", 5, number=0))) == ["queue: not measured"]


def test_what_went_wrong_on_the_way_counts() -> None:
    run = run_of()
    run.problems.append("on the way: GET /: 500 ")
    assert promises.broken(run) == ["on the way: GET /: 500 "]


# Measuring -------------------------------------------------------------------------------------------------------------


def burn(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


@pytest.fixture
def burning() -> Iterator[tuple[Server, subprocess.Popen[str]]]:
    """A server of one process with one child, which burns 0.2 s of CPU for each line that it is sent."""
    code = (
        "import os, sys, time\n"
        "if os.fork(): os.wait(); sys.exit()\n"
        "for line in sys.stdin:\n"
        "    until = time.process_time() + 0.2\n"
        "    while time.process_time() < until: pass\n"
        "    print('done', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Server(0, process.pid, os.getpid()), process


def test_the_cpu_of_each_step_is_the_servers_own(burning: tuple[Server, subprocess.Popen[str]]) -> None:
    server, process = burning
    assert process.stdin and process.stdout
    stdin, stdout, told = process.stdin, process.stdout, []

    def ask() -> Answer:
        stdin.write("go\n")
        stdin.flush()
        stdout.readline()
        return Answer(0.2, 4, 1000)

    def play() -> Scenario:
        told.append((yield once("burn", [ask] * 3)))
        told.append((yield Step("", [[ask]])))
        told.append((yield often("burn", [[ask]])))

    run = measure(1000, server, play())
    assert [len(answers) for answers in told] == [3, 1, 2]  # what warms up comes first
    [found] = run.costs
    assert (found.name, found.number, found.queries, found.size) == ("burn", 4, 4, 1000)
    assert 0.7 * 800 < found.portal < 1.3 * 800  # milliseconds: neither the child's start nor the step without a name
    assert 1 < found.memory < 100


def test_a_process_that_has_ended_still_counts() -> None:
    before = accounting.cpu(os.getpid())
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"], check=True)
    assert 250 < accounting.cpu(os.getpid()) - before < 2000


# What is printed -------------------------------------------------------------------------------------------------------


def test_a_row_says_all_that_was_measured() -> None:
    found = cost("submit", 10, queries=14, problem="POST /: 500 ")
    found.memory = 98.4
    assert table.row(found, run_of(found)) == (
        "| submit | 45 / 86 / 89 | 5 | 10 of 10 | 9.0 | 1.0 | 2.0 | 4× | 14 | 12.0 | 98 |"
    )
    assert table.HEAD.count("|") == table.row(found, run_of(found)).count("|")


def test_growth_is_told_of_each_promised_step() -> None:
    runs = [run_of(rows=1_000), run_of(cost("queue", 15), rows=1_000_000)]
    lines = table.growth(runs).splitlines()
    assert "| queue | 2.00 | 3.00 | 1.50 |" in lines
    assert len(lines) == 2 + len(PROMISES) + 1 and lines[-1] == "| bare page, ms of CPU | 5.00 | 5.00 | 1.00 |"


def test_the_plot_is_a_picture_with_a_line_for_each_step() -> None:
    drawn = ElementTree.fromstring(
        plot.svg([1_000, 10_000, 1_000_000], [("a <page>", [2, 2.1, 2.2]), ("b", [1, 1, 1.5])], 1.2)
    )
    svg = "{http://www.w3.org/2000/svg}"
    lines = [line.attrib["points"].split() for line in drawn.iter(f"{svg}polyline")]
    assert [len(points) for points in lines] == [3, 3]
    assert lines[0][0] == lines[1][0] and float(lines[1][2].split(",")[1]) < float(lines[0][2].split(",")[1])
    words = [text.text for text in drawn.iter(f"{svg}text")]
    assert [name in words for name in ("1,000,000", "a <page> 1.10", "b 1.50", "1.2")] == [True] * 4


def test_the_readme_keeps_what_stands_around_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "README.md").write_text(f"before\n{load.BEGIN}old\n{load.END}after\n")
    monkeypatch.setattr(load, "HERE", tmp_path)
    for _ in range(2):
        load.keep("| new |\n", [run_of(rows=1_000), run_of(rows=10_000)])
    assert (tmp_path / "README.md").read_text() == f"before\n{load.BEGIN}\n| new |\n\n{load.END}after\n"
    assert (tmp_path / "growth.svg").read_text().startswith("<svg")


def test_the_readme_has_the_place_for_them() -> None:
    text = (ROOT / "bench/README.md").read_text()
    assert (text.count(load.BEGIN), text.count(load.END)) == (1, 1)


# The bench itself, once ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it starts a PostgreSQL of its own: once is enough")
def test_no_promise_is_broken() -> None:
    """Every step is taken by people at browsers, over HTTP; about 40 s on a quiet machine."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", "--short"], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in done.stdout.splitlines()}
    missing = [name for name in PROMISES if " | 0 of " not in rows.get(name, "")]
    assert missing == []
