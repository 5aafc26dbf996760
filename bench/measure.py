"""Have the steps taken, and take down what each costs the server."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bench.people import Answer
from bench.server import Server
from bench.steps import Lane, Scenario, Step

AT_ONCE = 4  # people who are served at the same time


@dataclass
class Cost:
    """Of one step, in all its rounds: CPU in milliseconds, time in seconds, memory in megabytes."""

    name: str
    portal: float = 0
    database: float = 0
    took: float = 0
    answers: list[Answer] = field(default_factory=list)
    memory: float = 0  # the largest worker's own share, when the step was done

    @property
    def number(self) -> int:
        return len(self.answers)

    @property
    def cpu(self) -> float:
        """Milliseconds of an answer."""
        return (self.portal + self.database) / max(1, self.number)

    @property
    def queries(self) -> float:
        return sum(answer.queries for answer in self.answers) / max(1, self.number)

    @property
    def size(self) -> float:
        return sum(answer.size for answer in self.answers) / max(1, self.number)

    @property
    def waits(self) -> list[float]:
        return [answer.seconds for answer in self.answers]

    @property
    def problems(self) -> list[str]:
        return [answer.problem for answer in self.answers if answer.problem]


@dataclass(frozen=True)
class Run:
    """All steps at one size of the database."""

    rows: int
    costs: list[Cost]
    problems: list[str]  # of what is not in the table, too
    worker_rss: list[float]

    @property
    def bare(self) -> float:
        """Milliseconds of CPU: the measure, taken before and after everything else."""
        return next(cost.cpu for cost in self.costs if cost.name == "bare page")

    def cost(self, name: str) -> Cost:
        return next(cost for cost in self.costs if cost.name == name)

    def times(self, cost: Cost) -> float:
        return cost.cpu / self.bare


def measure(rows: int, server: Server, scenario: Scenario) -> Run:
    costs: dict[str, Cost] = {}
    problems: list[str] = []
    for step, answers in play(server, scenario, costs):
        problems += [f"{step.name or 'on the way'}: {answer.problem}" for answer in answers if answer.problem]
    workers = server.workers()
    return Run(rows, list(costs.values()), problems, [worker.rss for worker in workers])


def play(server: Server, scenario: Scenario, costs: dict[str, Cost]) -> Iterator[tuple[Step, list[Answer]]]:
    """Each step with its answers, which the scenario is told before it goes on."""
    step = next(scenario, None)
    while step:
        answers = taken(server, step, costs)
        yield step, answers
        try:
            step = scenario.send(answers)
        except StopIteration:
            return


def taken(server: Server, step: Step, costs: dict[str, Cost]) -> list[Answer]:
    warm = everybody(step.warm)
    before, began = server.cpu(), time.perf_counter()
    answers = everybody(step.lanes)
    took, after = time.perf_counter() - began, server.cpu()
    if step.name:
        cost = costs.setdefault(step.name, Cost(step.name))
        cost.portal += after[0] - before[0]
        cost.database += after[1] - before[1]
        cost.took += took
        cost.answers += answers
        cost.memory = max(worker.pss for worker in server.workers())
    return warm + answers


def everybody(lanes: list[Lane]) -> list[Answer]:
    """The answers lane by lane."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [answer for lane in pool.map(lambda lane: [job() for job in lane], lanes) for answer in lane]
