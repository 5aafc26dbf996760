"""What the operating system says that processes have used: CPU and memory, from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

TICK = 1000 / os.sysconf("SC_CLK_TCK")  # milliseconds
MEGABYTE = 1024  # of the kilobytes in which /proc counts


@dataclass(frozen=True)
class Memory:
    """Megabytes of one process: all that is resident, and its share of it where pages are shared with others."""

    rss: float
    pss: float


def fields(stat: Path) -> list[str]:
    """Of proc_pid_stat(5), from the third one on: a name may have blanks and brackets in it."""
    return stat.read_text().rpartition(")")[2].split()


def children(pid: int) -> list[int]:
    return [child for child, parent in parents().items() if parent == pid]


def parents() -> dict[int, int]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(stat.parent.name)] = int(fields(stat)[1])
        except OSError:
            continue  # it has ended
    return found


def family(pid: int) -> list[int]:
    """The process and all that it has started."""
    above, found = parents(), [pid]
    for member in found:
        found += [child for child, parent in above.items() if parent == member]
    return found


def cpu(pid: int) -> float:
    """Milliseconds in all, of the process, its children and those that have ended (fields 14 to 17)."""
    used = 0
    for member in family(pid):
        try:
            used += sum(map(int, fields(Path(f"/proc/{member}/stat"))[11:15]))
        except OSError:
            continue
    return used * TICK


def memory(pid: int) -> Memory:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    kilobytes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if "kB" in rest
    }
    return Memory(kilobytes["Rss"] / MEGABYTE, kilobytes["Pss"] / MEGABYTE)
