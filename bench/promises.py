"""What each step may cost, and whether it does."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.measure import Cost, Run
from bench.steps import JOURNEY

SLACK = 1.5  # of a short run on a busy machine, whose figures are rough
GROWTH = 1.2  # from the smallest database to the largest


@dataclass(frozen=True)
class Promise:
    """The aims: times the bare page, queries, milliseconds of CPU; None for what is not promised."""

    times: float | None = None
    queries: int | None = None
    milliseconds: float | None = None

    def broken(self, name: str, cost: Cost, run: Run) -> Iterator[str]:
        """A sentence for each that is broken, by more than the slack."""
        if self.times and run.times(cost) > self.times * SLACK:
            yield f"{name}: {run.times(cost):.1f} times the bare page, at most {self.times} × {SLACK}"
        if self.queries and cost.queries > self.queries:
            yield f"{name}: {cost.queries:.1f} queries, at most {self.queries}"
        # In bare pages, which cost 5 ms on the machine that the promise was made for: a slow machine is no broken one.
        if self.milliseconds and run.times(cost) * BARE > self.milliseconds * SLACK:
            yield f"{name}: {run.times(cost) * BARE:.0f} ms of CPU, at most {self.milliseconds} × {SLACK}"


BARE = 5  # milliseconds of CPU of a bare page, on the machine on which the aim in milliseconds was set

PROMISES = {
    "plan list": Promise(times=2, queries=6),
    "plan page": Promise(times=2, queries=6),
    "own list": Promise(times=2, queries=6),
    "own registration": Promise(times=2, queries=6),
    "save the form": Promise(times=4),
    "submit": Promise(times=4),
    "queue": Promise(times=4),
    "one registration on the desk": Promise(times=5),
    JOURNEY: Promise(milliseconds=120),
}


def broken(run: Run) -> list[str]:
    """All that is wrong with this run: errors, steps that nobody could take, promises."""
    found = list(run.problems)
    for name, promise in PROMISES.items():
        costs = [cost for cost in run.costs if cost.name == name and cost.number]
        if not costs:
            found.append(f"{name}: not measured")
        for cost in costs:
            found += promise.broken(name, cost, run)
    return found


def grown(runs: list[Run]) -> Iterator[tuple[str, list[float]]]:
    """Each promised step with its cost at each size, in bare pages of the same size."""
    for name in PROMISES:
        yield name, [run.times(run.cost(name)) for run in runs]
