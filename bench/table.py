"""The figures as Markdown, exactly as they stand in bench/README.md."""

import os
import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import quantiles

from bench.measure import Cost, Run
from bench.promises import GROWTH, PROMISES, Promise, grown

HEAD = (
    "| step | p50 / p95 / p99 ms | a second | errors | portal, CPU ms | database, CPU ms | times the bare page | aim "
    "| queries | KB | MB a worker |"
)


def machine() -> str:
    cores, memory = os.cpu_count(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )  # fmt: skip
    return (
        f"{time.strftime('%d %B %Y').lstrip('0')}, {cores} cores ({model}), {memory:.0f} GB, load "
        f"{os.getloadavg()[0]:.1f} at the end, Python {platform.python_version()}, Django {version('django')}."
    )


def table(run: Run) -> str:
    lines = [HEAD, "|---" * HEAD.count("| ") + "|", *(row(cost, run) for cost in run.costs)]
    rss = " and ".join(f"{each:.0f}" for each in run.worker_rss)
    return "\n".join([*lines, "", f"{run.rows:,} registrations. Resident in the workers at the end: {rss} MB."])


def row(cost: Cost, run: Run) -> str:
    cuts = [cut * 1000 for cut in quantiles(cost.waits, n=100, method="inclusive")] if cost.number > 1 else [0.0] * 99
    cells = [
        cost.name,
        " / ".join(f"{cuts[place - 1]:.0f}" for place in (50, 95, 99)),
        f"{cost.number / cost.took:.0f}" if cost.took else "",
        f"{len(cost.problems)} of {cost.number}",
        f"{cost.portal / max(1, cost.number):.1f}",
        f"{cost.database / max(1, cost.number):.1f}",
        f"{run.times(cost):.1f}",
        aim(PROMISES.get(cost.name)),
        f"{cost.queries:.1f}".removesuffix(".0"),
        f"{cost.size / 1000:.1f}",
        f"{cost.memory:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def aim(promise: Promise | None) -> str:
    if promise is None:
        return ""
    aims = [
        f"{promise.times:g}×" if promise.times else "",
        f"{promise.queries} queries" if promise.queries else "",
        f"{promise.milliseconds:g} ms" if promise.milliseconds else "",
    ]
    return ", ".join(filter(None, aims))


def growth(runs: list[Run]) -> str:
    """What each promised step costs in bare pages, and how much more in the largest database than in the smallest."""
    sizes = " | ".join(f"{run.rows:,}" for run in runs)
    lines = [f"| times the bare page, with … registrations | {sizes} | largest to smallest (aim {GROWTH}) |"]
    lines.append("|---" * (len(runs) + 2) + "|")
    return "\n".join([*lines, *growth_rows(runs)])


def growth_rows(runs: list[Run]) -> Iterator[str]:
    for name, times in grown(runs):
        cells = " | ".join(f"{each:.2f}" for each in times)
        yield f"| {name} | {cells} | {times[-1] / times[0]:.2f} |"
    bare = " | ".join(f"{run.bare:.2f}" for run in runs)
    yield f"| bare page, ms of CPU | {bare} | {runs[-1].bare / runs[0].bare:.2f} |"
