"""Start processes, watch them, and end them all: none outlives the supervisor."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from scripts import lifeline

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 5  # seconds from SIGTERM to SIGKILL


@dataclass(eq=False)
class Child:
    """One process with a session of its own, so that Ctrl+C reaches the supervisor alone; it says when to end."""

    name: str  # as the person at the screen knows it
    log: Path
    process: subprocess.Popen[bytes]

    def failed(self) -> bool:
        return self.process.poll() not in {None, 0}

    def ended(self) -> bool:
        return self.process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        """Reach the process and whatever it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def last_words(self, lines: int = 12) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@dataclass
class Children:
    """A context that starts modules of our Python and ends what is left of them when it is left."""

    running: list[Child] = field(default_factory=list)

    def __enter__(self) -> "Children":
        self.reading, self.writing = os.pipe()
        return self

    def __exit__(self, *failure: object) -> None:
        for child in self.running:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        for child in self.running:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
            child.signal(signal.SIGKILL)
            child.process.wait()
        os.close(self.reading)
        os.close(self.writing)

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: dict[str, str],
        descriptors: Sequence[int] = (),
    ) -> Child:
        """Start `python -m COMMAND…` in the project's folder. It inherits `descriptors`; `log` gets all it prints."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "scripts.lifeline", *command],
                cwd=ROOT,
                env=environment | {lifeline.VARIABLE: str(self.reading)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[self.reading, *descriptors],
                start_new_session=True,
            )
        child = Child(name, log, process)
        self.running.append(child)
        return child
